"""What a client says that it shows: read as numbers, or as nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.relay.position import Position


@pytest.mark.parametrize("value", [0, 1, 250, "7", "007", 10**17, "9" * 18])
def test_number_is_read(value: Any) -> None:
    assert Position.from_json({"seq": value}).seq == int(value)


@pytest.mark.parametrize(
    "value", [None, True, -1, "-2", 1.5, "2.5", "", " 1", "1e3", "٣", "²", [1], {}, "x", 10**19]
)
def test_what_makes_no_sense_is_nothing(value: Any) -> None:
    assert Position.from_json({"seq": value}).seq == 0


def test_each_name_is_its_own() -> None:
    said = {"message_id": 1, "generation_id": 2, "seq": 3, "held": 4}
    assert Position.from_json(said) == Position(1, 2, 3, 4)


def test_nothing_said_is_the_beginning() -> None:
    assert Position.from_json({}) == Position(0, 0, 0, 0)


def test_other_members_are_passed_over() -> None:
    assert Position.from_json({"type": "position", "cls": 1, "self": 2}) == Position()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=25),
    lambda inner: st.lists(inner, max_size=2),
)


@given(anything)
def test_any_value_gives_what_a_database_takes(value: Any) -> None:
    assert 0 <= Position.from_json({"generation_id": value}).generation_id < 2**63
