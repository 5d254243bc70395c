"""Titles: the first words of a prompt, on one line, within the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.models import TITLE_MAX_CHARS
from chat.services import TITLE_MAX_WORDS, title_from

long_texts = st.lists(st.text(max_size=30), max_size=20).map(" ".join)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Rain", "Rain"),
        ("  How does\n\nrain\tform? \n", "How does rain form?"),
        ("1 2 3 4 5 6 7 8 9 10", "1 2 3 4 5 6 7 8 9 10"),
        ("1 2 3 4 5 6 7 8 9 10 11", "1 2 3 4 5 6 7 8 9 10…"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 78 + " y z", "x" * 78 + "…"),
        ("中" * 100, "中" * 79 + "…"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_title_from(text: str, title: str) -> None:
    assert title_from(text) == title


@given(long_texts)
def test_title_fits_its_column(text: str) -> None:
    assert len(title_from(text)) <= TITLE_MAX_CHARS


@given(long_texts)
def test_title_is_one_line(text: str) -> None:
    assert len(title_from(text).splitlines()) <= 1


@given(long_texts)
def test_title_is_how_the_text_begins(text: str) -> None:
    assert " ".join(text.split()).startswith(title_from(text).removesuffix("…"))


@given(long_texts)
def test_title_is_a_few_words(text: str) -> None:
    assert len(title_from(text).split()) <= TITLE_MAX_WORDS


@given(long_texts)
def test_title_of_a_text_with_a_word_is_not_empty(text: str) -> None:
    assert bool(title_from(text)) is bool(text.strip())
