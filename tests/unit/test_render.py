"""Rendering: the same markup however the text was cut, and none that the text brought along."""

from __future__ import annotations

import html
import re
import time
from itertools import product

import pytest
from hypothesis import example, given

from chat.render import Change, Renderer, render
from tests.unit.cuttings import all_cuttings, cut_texts, texts

PARAGRAPHS = re.compile(r"(?:<p>[^<>]*</p>)*")


def changes_of(pieces: list[str]) -> list[Change]:
    renderer = Renderer()
    return [*[renderer.feed(piece) for piece in pieces], renderer.close()]


def assembled(pieces: list[str]) -> str:
    """Apply changes as a page does: to the last element, or behind it."""
    page = ""
    for change in changes_of(pieces):
        if change.appended:
            assert page.endswith("</p>"), "nothing is open to append to"
            page = page.removesuffix("</p>") + change.appended + "</p>"
        page += change.added
    return page


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("", ""),
        (" \n\n ", ""),
        ("a", "<p>a</p>"),
        ("a\nb", "<p>a\nb</p>"),
        ("a\n\nb", "<p>a</p><p>b</p>"),
        ("a\n\n\n\nb", "<p>a</p><p>b</p>"),
        ("a\n \t\nb", "<p>a</p><p>b</p>"),
        ("\n\na\n\n", "<p>a</p>"),
        ("a  \n", "<p>a</p>"),
        ("  a", "<p>  a</p>"),
        ("a\n\n  b", "<p>a</p><p>  b</p>"),
        ("  \n\na", "<p>a</p>"),
    ],
)
def test_render_parts_paragraphs(text: str, markup: str) -> None:
    assert render(text) == markup


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "&lt;", "\"'", '<i hx-swap-oob="delete" id="x">', "</p><p>"],
)
def test_render_escapes(text: str) -> None:
    assert render(text) == f"<p>{html.escape(text)}</p>"


@given(texts)
def test_render_makes_paragraphs_alone(text: str) -> None:
    assert PARAGRAPHS.fullmatch(render(text))


@given(texts)
def test_render_loses_white_space_alone(text: str) -> None:
    shown = html.unescape(re.sub("</?p>", "", render(text)))
    assert "".join(shown.split()) == "".join(text.split())


@given(texts)
@example("  \n\na")
def test_render_makes_no_blank_paragraph(text: str) -> None:
    assert not re.search(r"<p>\s*</p>", render(text))


@given(cut_texts())
@example(["a", "\n", "\n", "b"])
@example(["a\n", " ", "\nb"])
@example([" ", "\n\n", "a"])
def test_any_cutting_renders_the_same(pieces: list[str]) -> None:
    assert assembled(pieces) == render("".join(pieces))


@pytest.mark.parametrize("length", range(1, 7))
def test_every_cutting_of_every_short_text_renders_the_same(length: int) -> None:
    for characters in product("a \n<" if length < 6 else "a \n", repeat=length):
        text = "".join(characters)
        whole = render(text)
        assert all(assembled(pieces) == whole for pieces in all_cuttings(text)), repr(text)


@given(cut_texts())
def test_appended_holds_no_markup(pieces: list[str]) -> None:
    assert not any(re.search("[<>]", change.appended) for change in changes_of(pieces))


@given(cut_texts())
def test_added_is_whole_elements(pieces: list[str]) -> None:
    assert all(PARAGRAPHS.fullmatch(change.added) for change in changes_of(pieces))


@given(cut_texts())
def test_each_character_is_sent_once(pieces: list[str]) -> None:
    sent = "".join(appended + added for appended, added in changes_of(pieces))
    assert len(re.sub("</?p>", "", sent)) <= len(html.escape("".join(pieces)))


def test_white_space_is_held_until_more_comes() -> None:
    renderer = Renderer()
    renderer.feed("a")
    assert renderer.feed(" \n") == Change("", "")
    assert renderer.feed("b") == Change(" \nb", "")


def test_close_shows_no_white_space() -> None:
    renderer = Renderer()
    renderer.feed("a \n")
    assert renderer.close() == Change("", "")


@pytest.mark.parametrize(
    "text",
    ["a" + " " * 20_000 + "b", "a" + "\n" * 20_000 + "b", "a" + " \n" * 10_000 + "b"],
    ids=["spaces", "newlines", "both"],
)
def test_long_white_space_is_cheap(text: str) -> None:
    # Linear work takes a millisecond; quadratic work took 0.9 s of this many characters.
    begun_s = time.process_time()
    render(text)
    assert time.process_time() - begun_s < 0.2
