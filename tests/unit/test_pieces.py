"""A text that grows by pieces is the text of all of them, however many there are."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.pieces import AT_ONCE, Pieces

PIECE = "twelve chars"


def of(texts: list[str]) -> Pieces:
    pieces = Pieces()
    for text in texts:
        pieces.append(text)
    return pieces


@given(st.lists(st.text(max_size=3), max_size=3 * AT_ONCE))
def test_text_is_that_of_all_pieces(texts: list[str]) -> None:
    pieces, text = of(texts), "".join(texts)
    assert str(pieces) == text and pieces.chars == len(text)


@pytest.mark.parametrize("count", [AT_ONCE - 1, AT_ONCE, AT_ONCE + 1])
def test_it_goes_on_after_it_was_asked(count: int) -> None:
    pieces = of([PIECE] * count)
    assert str(pieces) == str(pieces) == PIECE * count
    pieces.append("!")
    assert str(pieces) == PIECE * count + "!"


def test_it_takes_little_more_memory_than_its_text() -> None:
    texts = [f"{number:12}" for number in range(100 * AT_ONCE)]
    tracemalloc.start()
    try:
        kept = of(texts)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 1.2 * kept.chars
