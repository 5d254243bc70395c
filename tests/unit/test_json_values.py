from __future__ import annotations

from typing import Any

import pytest

from chat.json_values import clean_json, readable_json


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("a\x00", "a\ufffd"),
        (["\ud800", 1, None, True, 1.5], ["\ufffd", 1, None, True, 1.5]),
        ({"a\x00": {"b": ["\x00"]}}, {"a\ufffd": {"b": ["\ufffd"]}}),
        ({}, {}),
    ],
)
def test_clean_json_reaches_every_text(value: Any, cleaned: Any) -> None:
    assert clean_json(value) == cleaned


def test_readable_json_keeps_order_and_letters() -> None:
    assert readable_json({"b": "\u00e9", "a": 1}) == '{\n  "b": "\u00e9",\n  "a": 1\n}'
