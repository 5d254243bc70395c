"""Numbers behind what is cited, notes below: whatever a text is, nothing around them changes."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.content import Block
from chat.render import render, render_blocks
from chat.render.citations import MAX_QUOTES, MAX_SOURCES
from tests.hostile_texts import HOSTILE, HOSTILE_ADDRESSES, HOSTILE_TITLES
from tests.unit.cuttings import cut, cut_texts
from tests.unit.markdown_texts import EXAMPLES, Writer, noise
from tests.unit.test_render_hostile import inspect

# Thousands of texts: to trace them would take longer than all that is traced.
pytestmark = pytest.mark.no_cover

REL = 'target="_blank" rel="noopener noreferrer nofollow"'
_NUMBERS = re.compile('<sup class="citation">.*?</sup>')
_NOTES = re.compile('<ol class="citations">.*?</ol>')


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def web(number: int = 1, **members: Any) -> dict[str, Any]:
    return {
        "type": "web_search_result_location",
        "url": f"https://a.example/{number}",
        "title": f"Page {number}",
        "cited_text": f"So says {number}.",
        **members,
    }


def cited(words: str, *citations: Any) -> Block:
    return {"type": "text", "text": words, "citations": list(citations or (web(),))}


def rendered(*blocks: Block) -> str:
    """Return the HTML of texts side by side."""
    first, *others = render_blocks(blocks)
    assert not any(others)
    return first


def linked(number: int) -> str:
    return f'<a href="https://a.example/{number}" {REL}>{number}</a>'


def numbers(markup: str) -> list[int]:
    """Return the numbers that stand in the text, in order."""
    found = "".join(_NUMBERS.findall(markup))
    return [int(number) for number in re.findall(r">(\d+)<", found)]


def noted(markup: str) -> list[int]:
    """Return the numbers of the notes below, in order."""
    return [int(number) for number in re.findall(r'<li value="(\d+)">', markup)]


def without_citations(markup: str) -> str:
    return _NOTES.sub("", _NUMBERS.sub("", markup))


def test_texts_side_by_side_are_one() -> None:
    assert render_blocks([text("One *sen"), text("tence* of"), text(" three.")]) == [
        "<p>One <em>sentence</em> of three.</p>",
        "",
        "",
    ]


def test_what_stands_between_texts_parts_them() -> None:
    tool = {"type": "server_tool_use"}
    blocks = [text("a"), tool, text("b"), text("c")]
    assert render_blocks(blocks) == ["<p>a</p>", "", "<p>bc</p>", ""]


def test_a_number_stands_behind_what_is_cited() -> None:
    markup = rendered(text("It is "), cited("so"), text(", they say."))
    assert markup.startswith(f'<p>It is so<sup class="citation">{linked(1)}</sup>, they say.</p>')


def test_a_note_names_source_and_text() -> None:
    assert rendered(cited("So.")).endswith(
        '<ol class="citations"><li value="1">'
        f'<a href="https://a.example/1" {REL}>Page 1</a> '
        '<span class="host">a.example</span> <q>So says 1.</q></li></ol>'
    )


def test_a_source_has_one_number() -> None:
    markup = rendered(cited("a", web(1)), cited("b", web(2), web(1)), cited("c", web(2), web(2)))
    assert (numbers(markup), noted(markup)) == ([1, 2, 1, 2], [1, 2])


def test_a_source_keeps_its_number_in_a_later_text() -> None:
    tool = {"type": "server_tool_use"}
    blocks = [cited("a", web(1)), tool, cited("b", web(2)), text(", "), cited("c", web(1))]
    first, _, second, *_ = render_blocks(blocks)
    assert (numbers(first), noted(first)) == ([1], [1])
    assert (numbers(second), noted(second)) == ([2, 1], [1, 2])


def test_documents_are_told_by_their_title() -> None:
    markup = rendered(
        cited("a", {"type": "char_location", "document_title": "Laws", "cited_text": "§ 1"}),
        cited("b", {"type": "page_location", "document_title": "Laws", "cited_text": "§ 2"}),
    )
    assert '<p>a<sup class="citation">1</sup>b<sup class="citation">1</sup></p>' in markup
    assert '<li value="1">Laws <q>§ 1</q> <q>§ 2</q></li>' in markup


def test_quotes_are_few_and_told_once() -> None:
    quotes = [web(cited_text=f"Quote {n // 2}") for n in range(20)]
    markup = rendered(cited("a", *quotes))
    assert markup.count("<q>") == MAX_QUOTES and "Quote 1<" in markup


def test_sources_are_few() -> None:
    markup = rendered(*(cited("a ", web(n)) for n in range(1, MAX_SOURCES + 20)))
    assert noted(markup) == numbers(markup) == [*range(1, MAX_SOURCES + 1)]


@pytest.mark.parametrize(
    ("pieces", "markup"),
    [
        (["**bold.**", " next"], "<p><strong>bold.{}</strong> next{}</p>"),
        (["- one\n", "- two\n"], "<ul><li><p>one{}</p></li><li><p>two{}</p></li></ul>"),
        (["# Head\n", "\nText"], "<h1>Head{}</h1><p>Text{}</p>"),
        (["`code`", " next"], "<p><code>code</code>{} next{}</p>"),
        (["$x$", " next"], "<p>…{} next{}</p>"),
        (["One.\n\n", "Two."], "<p>One.{}</p><p>Two.{}</p>"),
        (["> quoted\n\n", "End"], "<blockquote><p>quoted{}</p></blockquote><p>End{}</p>"),
        (["这是。", "好"], "<p>这是。{}好{}</p>"),
    ],
)
def test_where_numbers_stand(pieces: list[str], markup: str) -> None:
    shown = _NUMBERS.sub("{}", _NOTES.sub("", rendered(*map(cited, pieces))))
    assert re.sub("<math.*?</math>", "…", shown) == markup


@pytest.mark.parametrize(
    "pieces",
    [
        ["```\ncode", "\n```\n"],
        ["`co", "de`"],
        ["$x", " + 1$"],
        ["[a li", "nk](https://a.example)"],
        ["[a](https://a.exa", "mple)"],
        ["https://a.example/b", " next"],
        ["1.", " item"],
    ],
)
def test_where_a_number_would_change_something_the_notes_have_to_do(pieces: list[str]) -> None:
    markup = rendered(*map(cited, pieces))
    assert without_citations(markup) == render("".join(pieces))
    assert (numbers(markup), noted(markup)) == ([], [1])


def test_marks_that_a_text_holds_already_stay() -> None:
    private = "\U000f0000\U000f0001 \U000f0002"
    markup = rendered(cited(private), text(private))
    assert without_citations(markup) == f"<p>{private}{private}</p>"
    assert numbers(markup) == [1]


def check_pieces(pieces: list[str], seed: int) -> None:
    """Check a text of which some pieces are cited."""
    chance = random.Random(seed)
    is_cited = [chance.random() < 0.5 for _ in pieces]
    blocks = [
        cited(piece, web(chance.randint(1, 3))) if is_so else text(piece)
        for piece, is_so in zip(pieces, is_cited, strict=True)
    ]
    shown = rendered(*blocks) if blocks else ""
    assert without_citations(shown) == render("".join(pieces)), blocks
    assert len(numbers(shown)) in (0, sum(is_cited))


@pytest.mark.parametrize("of_spec", EXAMPLES, ids=lambda e: str(e["example"]))
def test_no_example_of_commonmark_changes(of_spec: dict[str, Any]) -> None:
    source, chance = of_spec["markdown"], random.Random(of_spec["example"])
    places = sorted(chance.sample(range(len(source) + 1), min(3, len(source))))
    check_pieces(cut(source, places), of_spec["example"])


@pytest.mark.parametrize("seed", range(40))
def test_no_document_changes(seed: int) -> None:
    writer = Writer(seed)
    check_pieces(writer.cut(writer.document()), seed)


@given(cut_texts(), st.integers(0, 99))
def test_no_script_changes(pieces: list[str], seed: int) -> None:
    check_pieces(pieces, seed)


@given(noise, noise, noise, st.integers(0, 99))
def test_no_noise_changes(first: str, second: str, third: str, seed: int) -> None:
    check_pieces([first, second, third], seed)


@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_a_hostile_title_is_text(title: str) -> None:
    inspect(rendered(cited("Said.", web(title=title, cited_text=title))))


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_hostile_address_is_no_link(address: str) -> None:
    markup = rendered(cited("Said.", web(url=address)))
    inspect(markup)
    assert "<a " not in markup and '<li value="1">Page 1 ' in markup
    assert '<sup class="citation">1</sup>' in markup


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_text_that_is_cited_is_text(words: str) -> None:
    markup = rendered(text("a "), cited(words), text(" b"))
    inspect(markup)
    assert without_citations(markup) == render(f"a {words} b")


@pytest.mark.parametrize(
    "citations", [None, 5, "text", {}, [None], [5], [[]], [{}], [{"url": 5}], [{"title": []}]]
)
def test_citations_that_say_nothing_are_passed_over(citations: Any) -> None:
    block = {"type": "text", "text": "So.", "citations": citations}
    assert render_blocks([block]) == ["<p>So.</p>"]


def test_citations_of_another_block_are_passed_over() -> None:
    assert render_blocks([{"type": "hologram", "citations": [web()]}]) == [""]
