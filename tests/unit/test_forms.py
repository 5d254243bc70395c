"""Forms: a prompt as it was typed, whatever its key; a title within its limit."""

from __future__ import annotations

import uuid

import pytest
from django.http import QueryDict

from chat.forms import TitleForm, posted_prompt
from chat.models import TITLE_MAX_CHARS

KEY = "0b0d9d5e-3c1b-4d0e-9c53-1f6f1d3f8a11"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb\n", "a\nb\n"),
        ("  kept  \n", "  kept  \n"),
        ("a\x00b", "a\ufffdb"),
        ("\ud83d", "\ufffd"),
        ("<b>&amp;", "<b>&amp;"),
        ("👩\u200d🚀 e\u0301", "👩\u200d🚀 e\u0301"),
        ("", ""),
        (" ", " "),
    ],
)
def test_prompt_text_is_kept(text: str, expected: str) -> None:
    assert posted_prompt({"text": text})[0] == expected


def test_prompt_text_may_be_missing() -> None:
    assert posted_prompt(QueryDict())[0] == ""


def test_prompt_text_of_any_length_is_accepted() -> None:
    assert len(posted_prompt({"text": "x" * 1_000_000})[0]) == 1_000_000


def test_prompt_key_is_kept() -> None:
    assert posted_prompt(QueryDict(f"text=a&key={KEY}")) == ("a", uuid.UUID(KEY))


@pytest.mark.parametrize("key", ["", "no uuid", KEY[:-1], "\x00", "\ud800", "x" * 10_000])
def test_prompt_with_a_broken_key_still_sends(key: str) -> None:
    sent, used = posted_prompt({"text": "a", "key": key})
    assert isinstance(used, uuid.UUID)
    assert sent == "a"


def test_prompt_without_a_key_gets_another_each_time() -> None:
    assert posted_prompt({"text": "a"})[1] != posted_prompt({"text": "a"})[1]


def test_example_is_sent_where_nothing_was_typed() -> None:
    assert posted_prompt({"text": "", "example": "Explain\r\nrain"})[0] == "Explain\nrain"


def test_typed_text_is_not_lost_to_an_example() -> None:
    assert posted_prompt({"text": "mine", "example": "theirs"})[0] == "mine"


def test_title_is_stripped() -> None:
    form = TitleForm({"title": "  Rain \n"})
    assert form.is_valid()
    assert form.cleaned_data["title"] == "Rain"


@pytest.mark.parametrize("title", ["", "  ", "x" * (TITLE_MAX_CHARS + 1), "a\x00"])
def test_title_refused(title: str) -> None:
    assert "title" in TitleForm({"title": title}).errors


def test_title_at_its_limit() -> None:
    assert TitleForm({"title": "x" * TITLE_MAX_CHARS}).is_valid()
