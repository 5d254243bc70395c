"""Forms: a prompt as it was typed, whatever its key; a title within its limit."""

from __future__ import annotations

import uuid

import pytest
from django.http import QueryDict

from chat.forms import PromptForm, TitleForm
from chat.models import TITLE_MAX_CHARS

KEY = "0b0d9d5e-3c1b-4d0e-9c53-1f6f1d3f8a11"


def prompt_form(**members: str) -> PromptForm:
    form = PromptForm(members)
    assert form.is_valid(), form.errors
    return form


def posted(text: str) -> str:
    cleaned = prompt_form(text=text).cleaned_data["text"]
    assert isinstance(cleaned, str)
    return cleaned


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
    assert posted(text) == expected


def test_prompt_text_may_be_missing() -> None:
    assert PromptForm(QueryDict()).is_valid()


def test_prompt_text_of_any_length_is_accepted() -> None:
    assert len(posted("x" * 1_000_000)) == 1_000_000


def test_prompt_key_is_kept() -> None:
    assert prompt_form(text="a", key=KEY).cleaned_data["key"] == uuid.UUID(KEY)


@pytest.mark.parametrize("key", ["", "no uuid", KEY[:-1], "\x00", "\ud800", "x" * 10_000])
def test_prompt_with_a_broken_key_still_sends(key: str) -> None:
    cleaned = prompt_form(text="a", key=key).cleaned_data
    assert isinstance(cleaned["key"], uuid.UUID)
    assert cleaned["text"] == "a"


def test_prompt_without_a_key_gets_another_each_time() -> None:
    assert prompt_form(text="a").cleaned_data["key"] != prompt_form(text="a").cleaned_data["key"]


def test_example_is_sent_where_nothing_was_typed() -> None:
    form = prompt_form(text="", example="Explain\r\nrain")
    assert form.cleaned_data["text"] == "Explain\nrain"


def test_typed_text_is_not_lost_to_an_example() -> None:
    assert prompt_form(text="mine", example="theirs").cleaned_data["text"] == "mine"


def test_title_is_stripped() -> None:
    form = TitleForm({"title": "  Rain \n"})
    assert form.is_valid()
    assert form.cleaned_data["title"] == "Rain"


@pytest.mark.parametrize("title", ["", "  ", "x" * (TITLE_MAX_CHARS + 1), "a\x00"])
def test_title_refused(title: str) -> None:
    assert "title" in TitleForm({"title": title}).errors


def test_title_at_its_limit() -> None:
    assert TitleForm({"title": "x" * TITLE_MAX_CHARS}).is_valid()
