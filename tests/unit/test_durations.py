"""How long blocks took, by the times of the events of a log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat.content import Block
from chat.durations import Durations, all_seconds

THINKING: Block = {"type": "thinking", "thinking": ""}
TOOL: Block = {"type": "server_tool_use", "id": "t1", "name": "web_search", "input": {}}
RESULT: Block = {"type": "web_search_tool_result", "tool_use_id": "t1", "content": []}
TEXT: Block = {"type": "text", "text": ""}
BEGIN = datetime(2026, 1, 2, tzinfo=UTC)

Timed = tuple[float, str, dict[str, Any]]


def start(at_s: float, block: Block, index: int = 0) -> Timed:
    return at_s, "content_block_start", {"index": index, "content_block": block}


def stop(at_s: float, index: int = 0) -> Timed:
    return at_s, "content_block_stop", {"index": index}


def durations_of(*events: Timed) -> Durations:
    durations = Durations()
    for at_s, kind, data in events:
        durations.feed(kind, data, BEGIN + timedelta(seconds=at_s))
    return durations


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        ([start(1, THINKING), stop(4.25)], [3.25]),
        ([start(1, {"type": "redacted_thinking"}), stop(2)], [1.0]),
        ([start(1, THINKING)], [None]),
        ([start(1, TEXT), stop(4)], [None]),
        ([start(1, {"type": "hologram"}), stop(4)], [None]),
        ([start(1, {}), stop(4)], [None]),
        ([start(4, THINKING), stop(1)], [0.0]),
        ([start(1, THINKING), stop(2), stop(5)], [1.0]),
        ([stop(2)], []),
    ],
)
def test_a_block_lasts_until_its_stop(events: list[Timed], seconds: list[float | None]) -> None:
    assert durations_of(*events).seconds() == seconds


def test_a_tool_lasts_until_its_result() -> None:
    durations = durations_of(start(1, TOOL), stop(2), start(6, RESULT, 1), stop(7, 1))
    assert durations.seconds() == [5.0, None]


def test_a_tool_without_result_lasts_until_its_stop() -> None:
    durations = durations_of(start(1, TOOL), stop(2), start(6, {**RESULT, "tool_use_id": "t2"}, 1))
    assert durations.seconds() == [1.0, None]


def test_a_tool_runs_until_its_result() -> None:
    durations = durations_of(start(1, TOOL), stop(2))
    span = durations.spans[0]
    assert span is not None and span.is_running
    durations.feed("content_block_start", {"index": 1, "content_block": RESULT}, BEGIN)
    assert not span.is_running


def test_thinking_runs_until_its_stop() -> None:
    durations = durations_of(start(1, THINKING))
    span = durations.spans[0]
    assert span is not None and span.is_running
    durations.feed("content_block_stop", {"index": 0}, BEGIN)
    assert not span.is_running


@pytest.mark.parametrize("tool_id", [None, 5, [], {}])
def test_an_id_may_be_of_any_type(tool_id: Any) -> None:
    durations = durations_of(
        start(1, {**TOOL, "id": tool_id}), start(3, {**RESULT, "tool_use_id": tool_id}, 1)
    )
    assert durations.seconds() == [2.0, None]


def test_blocks_of_two_requests_are_apart() -> None:
    begun: Timed = 3.0, "message_start", {"message": {}}
    durations = durations_of(start(1, THINKING), begun, stop(4), start(5, THINKING), stop(6))
    assert durations.seconds() == [None, 1.0]


def test_blocks_that_a_message_begins_with_took_no_time() -> None:
    message = 1.0, "message_start", {"message": {"content": [THINKING, 5, TOOL]}}
    durations = durations_of(message, start(2, THINKING), stop(3))
    assert durations.seconds() == [None, None, 1.0]


@pytest.mark.parametrize(
    ("stored", "before", "total", "seconds"),
    [
        ([], 0, 2, [2.0, None]),
        ([1.0], 1, 3, [1.0, 2.0, None]),
        ([], 2, 4, [None, None, 2.0, None]),
        ([1.0, 5.0, 7.0], 2, 4, [1.0, 5.0, 2.0, None]),
    ],
)
def test_earlier_parts_keep_theirs(
    stored: list[float | None], before: int, total: int, seconds: list[float | None]
) -> None:
    assert all_seconds(stored, [2.0, None], before=before, total=total) == seconds


def test_a_text_that_goes_on_is_one_block() -> None:
    assert all_seconds([1.0, None], [None, 2.0], before=2, total=3) == [1.0, None, 2.0]


def test_tool_of_this_site_lasts_until_its_result() -> None:
    call: Block = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
    result = {"tool_use_id": "t1", "name": "add", "content": "3", "is_error": False}
    durations = durations_of(start(1, call), stop(2), (5, "tool_result", result))
    assert durations.seconds() == [4, None]
