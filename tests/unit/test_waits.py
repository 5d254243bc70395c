"""What a page says that a running answer waits for."""

from __future__ import annotations

import json
from typing import Any

from chat.waits import Question, Waits

CALL = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
WANTED = {"tool_use_id": "t1", "name": "add", "input": {"a": 1}, "wait_s": 120}
RESULT = {"tool_use_id": "t1", "name": "add", "content": "3", "is_error": False}


def fed(*events: tuple[str, dict[str, Any]]) -> tuple[Waits, list[bool]]:
    waits = Waits()
    return waits, [waits.feed(kind, data) for kind, data in events]


def called() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("content_block_start", {"index": 0, "content_block": CALL}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "tool_use"}}),
    ]


def test_retry_until_the_next_request() -> None:
    waits, changed = fed(("request", {"attempt": 1}), ("retry", {"wait_s": 1}))
    assert changed == [False, True] and waits.retry == {"wait_s": 1}
    assert waits.feed("request", {"attempt": 2}) and waits.retry is None


def test_tool_runs_from_the_end_of_the_message_to_its_result() -> None:
    waits, changed = fed(*called())
    assert changed == [False, False, True] and list(waits.tools) == ["add"]
    assert waits.feed("tool_result", RESULT) and not waits.tools


def test_tool_of_a_message_that_did_not_end_for_it_does_not_run() -> None:
    waits, _ = fed(*called()[:2], ("message_delta", {"delta": {"stop_reason": "max_tokens"}}))
    assert not waits.tools


def test_question_until_it_is_decided() -> None:
    waits, _ = fed(*called(), ("approval_wanted", WANTED))
    assert waits.questions == (Question("t1", "add", '{\n  "a": 1\n}'),) and not waits.tools
    assert waits.feed("approval_given", {"tool_use_id": "t1", "is_approved": True})
    assert not waits.questions and list(waits.tools) == ["add"]


def test_nothing_is_awaited_at_the_end() -> None:
    waits, _ = fed(*called(), ("approval_wanted", WANTED), ("final", {"status": "stopped"}))
    assert not waits.questions and not waits.tools


def test_long_question_is_whole_and_in_its_order() -> None:
    asked = {"to": "x" * 9_000, "amount": 5, "and": ["\u00e9"]}
    waits, _ = fed(("approval_wanted", {**WANTED, "input": asked}))
    (question,) = waits.questions
    assert list(json.loads(question.text).items()) == list(asked.items())
    assert "\u00e9" in question.text


def test_odd_message_delta_is_passed_over() -> None:
    waits, changed = fed(("message_delta", {}), ("message_delta", {"delta": 5}))
    assert changed == [False, False] and not waits.tools
