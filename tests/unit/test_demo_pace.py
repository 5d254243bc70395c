from __future__ import annotations

import pytest

from chat.demo.pace import Pace, token_count

TEXTS = [
    "plain words, and more of them.\n\n- a list",
    "中文没有空格",
    "👨‍👩‍👧 e\u0301 🇨🇭\t\n",
    "a_b1 $x^2$ é",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_deltas_join_to_the_text(text: str) -> None:
    assert "".join(piece for piece, _ in Pace().deltas(text, "seed")) == text


def test_deltas_are_the_same_for_the_same_seed() -> None:
    assert list(Pace().deltas(TEXTS[0], "seed")) == list(Pace().deltas(TEXTS[0], "seed"))


def test_deltas_differ_by_seed() -> None:
    assert list(Pace().deltas(TEXTS[0], "one")) != list(Pace().deltas(TEXTS[0], "two"))


def test_deltas_keep_the_speed() -> None:
    text = "some words to write " * 200
    took_s = sum(wait_s for _, wait_s in Pace(tokens_per_s=60).deltas(text, "seed"))
    assert took_s == pytest.approx(token_count(text) / 60, rel=0.05)


def test_deltas_are_small() -> None:
    assert max(len(piece) for piece, _ in Pace().deltas("extraordinarily " * 50, "s")) <= 21


def test_token_count_is_higher_for_chinese() -> None:
    assert token_count("你好") > token_count("ab")
