"""Cutting a text that is still coming: nothing lost, nothing torn, nothing waited for in vain."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from chat.words import (
    LONGEST_WORD,
    clean,
    split_graphemes,
    split_overdue,
    split_ready,
    with_unix_newlines,
)
from tests.unit.cuttings import FAMILY, FLAG, SNIPPETS, cut_texts, texts

han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1)
snippets = pytest.mark.parametrize("snippet", SNIPPETS)


def shown_steps(pieces: list[str]) -> tuple[list[str], str]:
    """Feed pieces as a reader of an answer does: what was held goes before what is new."""
    shown, held = [], ""
    for piece in pieces:
        ready, held = split_ready(held + piece)
        shown.append(ready)
    return shown, held


def cut_places(parts: list[str]) -> list[int]:
    """Return where parts end in the text that they come to, but for its end."""
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    return [end for end in ends if 0 < end < sum(map(len, parts))]


def boundaries(text: str) -> set[int]:
    return {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}


@given(cut_texts())
def test_split_ready_loses_and_moves_nothing(pieces: list[str]) -> None:
    shown, held = shown_steps(pieces)
    assert "".join(shown) + held == "".join(pieces)


@given(cut_texts())
@example(["か", "\u3099", "く"])
@example(["か\u3099", "く"])
@example(["中\ufe0f", "文"])
@example([FLAG * 150, FLAG])
@example(["x" * 230 + FLAG, "x"])
@example(["x" * 230 + FAMILY, "x"])
def test_split_ready_cuts_no_grapheme(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown, held = shown_steps(pieces)
    # A mark behind white space is no letter's: nobody could know that it would come.
    torn = set(cut_places([*shown, held])) - boundaries(text)
    assert [at for at in torn if not text[at - 1].isspace()] == []


@given(cut_texts())
@example(["unbe", "lievable", " "])
def test_split_ready_shows_no_part_of_a_word(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown, held = shown_steps(pieces)
    places = cut_places([*shown, held])
    long_words = [m.span() for m in regex.finditer(rf"\S{{{LONGEST_WORD},}}", text)]
    torn = [at for at in places if regex.fullmatch(r"\p{Latin}\p{Latin}", text[at - 1 : at + 1])]
    assert [at for at in torn if not any(a < at < b for a, b in long_words)] == []


@pytest.mark.parametrize(
    ("text", "ready", "rest"),
    [
        ("", "", ""),
        ("word", "", "word"),
        ("a word", "a ", "word"),
        ("a word ", "a word ", ""),
        ("a word\n", "a word\n", ""),
        ("a word\t", "a word\t", ""),
        ("a\r\nword", "a\r\n", "word"),
        ("a\x1fword", "a\x1f", "word"),
        ("(half", "", "(half"),
        ("中文", "中", "文"),
        ("中文。", "中文", "。"),
        ("中文word", "中文", "word"),
        ("word中文", "word中", "文"),
        ("ภาษา", "ภาษ", "า"),
        (f"hi {FAMILY}", "hi ", FAMILY),
        (f"hi {FLAG}", "hi ", FLAG),
    ],
)
def test_split_ready_at_the_last_word(text: str, ready: str, rest: str) -> None:
    assert split_ready(text) == (ready, rest)


@given(han)
def test_split_ready_lets_chinese_flow(text: str) -> None:
    assert split_ready(text) == (text[:-1], text[-1])


def test_split_ready_waits_for_no_endless_word() -> None:
    ready, rest = split_ready("x" * (LONGEST_WORD + 1))
    assert (len(ready), len(rest)) == (LONGEST_WORD, 1)


def test_split_ready_waits_for_a_long_word() -> None:
    word = "x" * (LONGEST_WORD - 1)
    assert split_ready(word) == ("", word)


@pytest.mark.parametrize("unit", ["x", "aGk=", "中", FLAG, FAMILY, "e\u0301", "ที่"])
@pytest.mark.parametrize("piece_chars", [97, 1_000, 200_000])
def test_split_ready_looks_at_each_character_a_few_times(unit: str, piece_chars: int) -> None:
    text = (unit * 200_000)[:200_000]
    held, looked_at = "", 0
    for start in range(0, len(text), piece_chars):
        waiting = held + text[start : start + piece_chars]
        looked_at += len(waiting)
        held = split_ready(waiting)[1]
        assert len(held) <= LONGEST_WORD
    assert looked_at <= 4 * len(text)


@given(texts)
def test_split_graphemes_keeps_the_text(text: str) -> None:
    assert "".join(split_graphemes(text)) == text


@given(texts)
@example(FLAG)
@example(FLAG * 2)
@example(FLAG * 2 + "🇨")
def test_split_graphemes_takes_the_last_one(text: str) -> None:
    assert split_graphemes(text)[1] == "".join(regex.findall(r"\X", text)[-1:])


@snippets
def test_split_graphemes_after_any_other(snippet: str) -> None:
    for before in SNIPPETS:
        text = before + snippet
        assert split_graphemes(text)[1] == regex.findall(r"\X", text)[-1]


@given(texts)
def test_split_overdue_keeps_the_text(text: str) -> None:
    assert "".join(split_overdue(text)) == text


@given(texts)
def test_split_overdue_cuts_no_grapheme(text: str) -> None:
    assert len(split_overdue(text)[0]) in boundaries(text) | {0}


@given(texts)
@example(FLAG + "🇨")
@example("a👩\u200d")
def test_split_overdue_shows_nothing_that_goes_on(text: str) -> None:
    shown = split_overdue(text)[0]
    flags = regex.search(r"\p{RI}*\Z", shown)
    assert not shown.endswith("\u200d")
    assert flags is not None
    assert len(flags[0]) % 2 == 0


@pytest.mark.parametrize("text", ["", "word", "a wor", "中文", "e\u0301", FLAG, FAMILY])
def test_split_overdue_shows_what_is_whole(text: str) -> None:
    assert split_overdue(text) == (text, "")


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 150])
def test_split_overdue_holds_half_a_flag_behind_many(count: int) -> None:
    assert split_overdue(FLAG * count + "🇨") == (FLAG * count, "🇨")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d", "\ufffd"),
        ("\udfff\ud800", "\ufffd\ufffd"),
        ("👍 \x01\t\n\r", "👍 \x01\t\n\r"),
        ("\ufffe\uffff", "\ufffe\uffff"),
    ],
)
def test_clean_replaces_what_no_store_takes(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(st.characters(), max_size=20))
def test_clean_makes_any_text_storable(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert len(cleaned.encode().decode()) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\n\r\n\rb", "a\n\n\nb"), ("\r\r\n", "\n\n")],
)
def test_with_unix_newlines_leaves_lf_alone(text: str, expected: str) -> None:
    assert with_unix_newlines(text) == expected


@given(texts)
def test_with_unix_newlines_undoes_what_a_form_does(text: str) -> None:
    typed = text.replace("\r", "")
    assert with_unix_newlines(typed.replace("\n", "\r\n")) == typed
