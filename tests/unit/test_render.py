"""A text that grows: however it was cut, its page is the same as that of the whole."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.render import Change, Renderer, digest_of, render, render_open
from chat.render.markdown import plain
from chat.render.tail import MAX_CHARS as MAX_TAIL_CHARS
from tests.unit.cuttings import all_cuttings, cut, cut_texts
from tests.unit.markdown_texts import EXAMPLES, Writer, lines, noise
from tests.unit.rendered_page import RenderedPage, grown, parse

# Thousands of texts: to trace them would take longer than all that is traced.
pytestmark = pytest.mark.no_cover

CUTS = 5
MANY_CUTS = 50
LONG = "Some *words* of a long text, and `code`. "


def random_cutting(text: str, chance: random.Random) -> list[str]:
    places = chance.sample(range(len(text) + 1), chance.randint(0, len(text)))
    return cut(text, sorted(places))


@pytest.mark.parametrize("cuts", [CUTS, pytest.param(MANY_CUTS, marks=pytest.mark.long)])
@pytest.mark.parametrize("of_spec", EXAMPLES, ids=lambda e: str(e["example"]))
def test_every_example_of_commonmark_grows_into_the_whole(
    of_spec: dict[str, Any], cuts: int
) -> None:
    text = of_spec["markdown"]
    whole = render(text)
    chance = random.Random(of_spec["example"])
    for _ in range(cuts):
        pieces = random_cutting(text, chance)
        _, page = grown(pieces)
        assert page.html == whole, pieces


@pytest.mark.parametrize("seed", range(40))
def test_every_document_grows_into_the_whole(seed: int) -> None:
    writer = Writer(seed)
    text = writer.document()
    pieces = writer.cut(text)
    _, page = grown(pieces)
    assert page.html == render(text), pieces


@given(noise, st.randoms(use_true_random=False))
def test_any_noise_grows_into_the_whole(text: str, chance: random.Random) -> None:
    renderer, page = grown(random_cutting(text, chance))
    whole = render(text)
    assert (page.html == whole) == (renderer.digest == digest_of(whole))
    assert page.html == whole or "]:" in text


@given(cut_texts())
def test_any_script_grows_into_the_whole(pieces: list[str]) -> None:
    _, page = grown(pieces)
    assert page.html == render("".join(pieces))


@pytest.mark.parametrize("characters", ["a*\n ", "- \na", "|-\na", "`~\na", "$1 a"])
@pytest.mark.parametrize("length", range(1, 4))
def test_every_cutting_of_every_short_text(characters: str, length: int) -> None:
    for chosen in product(characters, repeat=length):
        text = "".join(chosen)
        whole = render(text)
        for pieces in all_cuttings(text):
            assert grown(pieces)[1].html == whole, pieces


@given(noise, st.randoms(use_true_random=False))
def test_every_step_is_well_formed(text: str, chance: random.Random) -> None:
    renderer = Renderer()
    for piece in random_cutting(text, chance):
        for change in renderer.feed(piece):
            parse(change.markup)


@pytest.mark.parametrize("seed", range(20))
def test_a_page_loaded_meanwhile_grows_on(seed: int) -> None:
    writer = Writer(seed)
    text = writer.document()
    shown = text[: len(text) // 2]
    renderer, page = Renderer(), RenderedPage()
    renderer.feed(shown)
    page.apply(Change("reset", 0, render_open(shown)))
    for piece in writer.cut(text[len(shown) :]):
        for change in renderer.feed(piece):
            page.apply(change)
    for change in renderer.close():
        page.apply(change)
    assert page.html == render(text)


@pytest.mark.parametrize("seed", range(15))
def test_a_finished_block_never_changes(seed: int) -> None:
    writer = Writer(seed)
    renderer, page = Renderer(), RenderedPage()
    finished: list[str] = []
    for piece in writer.cut(writer.document()):
        for change in renderer.feed(piece):
            page.apply(change)
        blocks = page.blocks
        assert blocks[: len(finished)] == finished
        # The last one is open; the one before it, until the last one has a whole line.
        finished = blocks[:-2]


def test_a_link_whose_address_comes_last_shows_in_the_digest() -> None:
    text = "See [this].\n\nMore.\n\n[this]: https://a.example\n"
    renderer, page = grown([text[:12], text[12:20], text[20:]])
    assert "<a href" in render(text) and "<a href" not in page.html
    assert renderer.digest != digest_of(render(text))


def test_a_link_whose_address_came_before_is_one() -> None:
    text = "[this]: https://a.example\n\nFirst.\n\nSecond.\n\nSee [this].\n"
    _, page = grown(list(text))
    assert page.html == render(text) and '<a href="https://a.example"' in page.html


def test_plain_words_are_sent_once() -> None:
    renderer = Renderer()
    renderer.feed("Some words ")
    assert renderer.feed("and more, ") == [Change("add", 1, " and more,")]
    assert renderer.feed("plainly.") == [Change("add", 1, " plainly.")]


def test_words_in_a_list_go_to_their_item() -> None:
    renderer = Renderer()
    renderer.feed("- one\n- two words ")
    assert renderer.feed("more") == [Change("add", 3, " more")]


GROWING_LINES = [
    "Some words, **strong ones** and `code` of [a link](https://a.example/b_c), *soft*.\n\n- next",
    "Costs $5 and $x$ or 2 * 3, a snake_case, \\*stars\\* &amp; <b> ![i](https://a.example/i) so.",
    "See [this] and that [1].\n\n[this]: https://a.example",
    "# A heading # of *some* words # here #\n\n## Another\n\n---\n\ntext",
    "- [x] done **well** so\n- [ ] to `do`\n- [a](https://a.example) link",
    "1. one *item*\n2. two\n\n   three ~~four~~ five\n   six\n3. seven",
    "> quoted **words** of\nmore `words` here\n> and\n\nout",
    "Two words  \nof *one\nparagraph* and more\nwords\n---\nagain",
    "| a | b |\n|---|:-:|\n| one `x` | **two** more |\n| three\n| a \\| b | c | d\n| f |\n\nmore",
    "- | a | b |\n  |---|---|\n  | *c* d | e |\n  | f | g |\n  | h |\n- i",
    "> | a |\n> |---|\n> | *b* c |\n> | d |",
    "Before.\n\n| a |\n|---|\n| b |\n| c |\n| d |\n- item",
    "| a |\n|---|\n| b |\n  | c |\n\t| d |\n    | e |\n",
    "word\u00a0 and **strong** \u3000\u00a0\n\nmore",
]
# What they are turns out later on.
TURNING_LINES = [
    "$x$ is 5",
    "\\$a$ is 5",
    "~~~\nx\n    ~~~\n~~~\n\nmore",
    "$$\nword and more $$\n\nmore",
    "\\[\nword and more \\]\n\nmore\n\\[ a\n b \\]\n\nmore",
    "$$\n# x\n$$\n\n\\[\n- x\n\\]\n\nmore",
    "> ```py\n> x\n\n- ~~~py\n  x\n\nmore",
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("text", GROWING_LINES)
def test_a_line_grows_as_the_whole_shows_it(text: str, size: int) -> None:
    renderer, page = Renderer(), RenderedPage()
    for at in range(0, len(text), size):
        for change in renderer.feed(text[at : at + size]):
            page.apply(change)
        # A link whose definition comes last is none in what was closed before.
        assert page.html == render_open(text[: at + size]) or "[this]:" in text
    for change in renderer.close():
        page.apply(change)
    assert page.html == render(text)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 12])
@pytest.mark.parametrize("text", TURNING_LINES)
def test_a_line_that_turns_out_to_be_something_else(text: str, size: int) -> None:
    _, page = grown([text[at : at + size] for at in range(0, len(text), size)])
    assert page.html == render(text)


@given(lines, st.randoms(use_true_random=False))
def test_any_lines_grow_into_the_whole(text: str, chance: random.Random) -> None:
    renderer, page = grown(random_cutting(text, chance))
    whole = render(text)
    assert (page.html == whole) == (renderer.digest == digest_of(whole))
    assert page.html == whole or "]:" in text


def test_of_a_line_only_the_end_is_sent() -> None:
    renderer = Renderer()
    renderer.feed("Some **words** and ")
    assert renderer.feed("`code` of ") == [Change("add", 1, " <code>code</code> of")]


def test_of_a_table_only_the_last_row_is_sent() -> None:
    renderer = Renderer()
    renderer.feed("| a | b |\n|---|---|\n| c | d |\n")
    row = "<tr><td>e</td><td></td></tr>"
    assert renderer.feed("| e") == [Change("add", 3, row)]
    row = "<tr><td>e</td><td>f</td></tr>"
    assert renderer.feed(" | f |\n") == [Change("drop", 3), Change("add", 3, row)]
    assert renderer.parsed_chars < 20


def test_a_table_behind_another_one_in_a_list() -> None:
    rows = "  | {} |\n  |---|\n" + "  | *b* |\n" * 6
    text = (
        f"- {rows.format('a').lstrip()}\n{rows.format('c')}\n" * 8
        + "  d\n\n| e |\n|---|\n| f |\n g"
    )
    for size in (1, 5, 12, 30):
        renderer, page = grown([text[at : at + size] for at in range(0, len(text), size)])
        assert page.html == render(text)
        assert renderer.parsed_chars < 100


def test_many_short_links_to_a_long_address_are_plain_text() -> None:
    text = f"[a]: https://a.example/{'b' * 3_000}\n\nWords and " + "[a] " * 400
    renderer, page = grown([text[at : at + 12] for at in range(0, len(text), 12)])
    assert page.html == plain(text)
    assert renderer.digest == digest_of(page.html)


def test_open_code_is_added_line_by_line() -> None:
    renderer = Renderer()
    renderer.feed("```python\nx = 1\n")
    assert renderer.feed("y = 2\nz") == [Change("add", 3, "y = 2\nz")]


def test_what_may_end_code_is_held() -> None:
    renderer = Renderer()
    renderer.feed("```\nx\n")
    assert renderer.feed("``") == []
    assert renderer.feed("y") == [Change("add", 3, "``y")]


def test_code_is_highlighted_when_it_ends() -> None:
    renderer, page = Renderer(), RenderedPage()
    for piece in ["```python\n", "def f():\n", "    pass\n"]:
        for change in renderer.feed(piece):
            page.apply(change)
    assert "<span" not in page.html
    for change in renderer.feed("```\n"):
        page.apply(change)
    assert '<span class="k">def</span>' in page.html


def test_code_that_never_ends_is_highlighted_at_last() -> None:
    _, page = grown(["```python\n", "def f"])
    assert page.html == render("```python\ndef f") and "<span" in page.html


OPEN_TEXTS = {
    "list": "\n".join(f"* item {n} of a **list**" for n in range(300)),
    "numbered list": "\n\n".join(f"{n}. item {n} of a **list**" for n in range(1, 300)),
    "inner list": "- top\n" + "\n".join(f"  - item {n} *within*" for n in range(300)),
    "table": "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | *row* |" for n in range(300)),
    "quote": "\n>\n".join(f"> paragraph {n} of a *quote*" for n in range(300)),
    "paragraph": LONG * 200,
    "paragraph in a quote": "> " + LONG * 200,
    "paragraph in an item": "- " + LONG * 200,
    "lines": "\n".join([LONG] * 200),
    "paragraphs": "\n\n".join([LONG * 3] * 60),
    "code": "```\n" + "a line of code\n" * 500,
    "code in an item": "1. so:\n\n   ```\n" + "   a line of code\n" * 500,
    "words": "word " * 2_000,
}


@pytest.mark.parametrize("text", OPEN_TEXTS.values(), ids=OPEN_TEXTS.keys())
def test_what_stays_open_is_bounded(text: str) -> None:
    renderer = Renderer()
    longest = 0
    for at in range(0, len(text), 12):
        renderer.feed(text[at : at + 12])
        longest = max(longest, renderer.parsed_chars)
    assert longest < 4_000


@example("\r", "\n")
@given(st.text("a\r\n", max_size=6), st.text("a\r\n", max_size=6))
def test_any_newline_ends_a_line(first: str, second: str) -> None:
    _, page = grown([first, second])
    text = (first + second).replace("\r\n", "\n").replace("\r", "\n")
    assert page.html == render(text)


def test_a_wrong_cut_is_made_good() -> None:
    # All of a long paragraph turns out to be a heading.
    text = LONG * 100
    renderer, page = grown([text[:2_000], text[2_000:], "\n===\n", "\nMore."])
    assert page.html == render(text + "\n===\n\nMore.")
    assert renderer.digest == digest_of(page.html)


def test_a_wrong_cut_is_made_good_behind_other_blocks() -> None:
    text = LONG * 100
    renderer, page = grown(["First.\n\n", text[:2_000], text[2_000:], "\n===\n", "\nMore."])
    assert page.html == render(f"First.\n\n{text}\n===\n\nMore.")
    assert renderer.digest == digest_of(page.html)


def test_a_wrong_cut_that_comes_too_late_shows_plain_text() -> None:
    text = LONG * (MAX_TAIL_CHARS // len(LONG) + 1)
    pieces = [text[at : at + 2_000] for at in range(0, len(text), 2_000)]
    renderer, page = grown(["First.\n\n", *pieces, "\n===\n", "\nMore."])
    assert page.html == plain(f"First.\n\n{text}\n===\n\nMore.")
    assert renderer.digest == digest_of(page.html)


def test_what_costs_too_much_is_plain_text() -> None:
    text = f"[a]: https://a.example/{'b' * 3_000}\n\n" + "[a] " * 200
    renderer, page = grown([text[:3_500], text[3_500:], "\n\n<more> "])
    assert page.html == f'<p class="plain">{text}\n\n&lt;more&gt; </p>'
    assert renderer.digest == digest_of(page.html)


@pytest.mark.parametrize("between", ["", "```py\nx = 1\n\n", "word" * 40, "- item\r\n" * 9])
def test_what_comes_behind_a_very_long_text_is_plain(
    monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    monkeypatch.setattr("chat.render.renderer.MAX_CHARS", 120)
    monkeypatch.setattr("chat.render.renderer.LONG_WORD_CHARS", 50)
    text = "*Words* and " * 9 + between + "last, *not* Markdown\n\n<more> " * 3
    assert '<p class="plain">' in render(text)
    for size in range(1, 120):
        renderer, page = grown([text[at : at + size] for at in range(0, len(text), size)])
        assert page.html == render(text)
        assert renderer.digest == digest_of(page.html)


def test_markdown_of_a_very_long_text_ends_behind_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.render.renderer.MAX_CHARS", 6)
    assert (
        render("*One* *two* *three*")
        == '<p><em>One</em> <em>two</em></p><p class="plain">*three*</p>'
    )
