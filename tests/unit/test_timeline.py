"""What a log says of times, however its texts were cut, and however long it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.timeline import MAX_LISTED, MAX_POINTS, Outline, Timeline

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)

Timed = tuple[float, str, dict[str, Any]]

TEXT = {"type": "text", "text": ""}


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


RUNNING = Outline(BEGIN, after(0.5), None, None, "streaming", "", "", "claude-x", "", 0, 0)
ENDED = RUNNING._replace(
    first_word_at=after(2), finished_at=after(9), status="complete", stop_reason="end_turn"
)


def request(at_s: float, number: int = 1, attempt: int = 1) -> Timed:
    return at_s, "request", {"number": number, "model": "claude-x", "attempt": attempt}


def start(at_s: float, index: int = 0, **block: Any) -> Timed:
    return at_s, "content_block_start", {"index": index, "content_block": block or TEXT}


def text(at_s: float, words: str, index: int = 0) -> Timed:
    delta = {"type": "text_delta", "text": words}
    return at_s, "content_block_delta", {"index": index, "delta": delta}


def stop(at_s: float, index: int = 0) -> Timed:
    return at_s, "content_block_stop", {"index": index}


def fed(events: Iterable[Timed]) -> Timeline:
    timeline = Timeline()
    for at_s, kind, data in events:
        timeline.feed(kind, data, after(at_s))
    return timeline


def facts(*events: Timed, row: Outline = ENDED) -> dict[str, Any]:
    return fed(events).facts(row)


ANSWER: tuple[Timed, ...] = (
    request(0.75),
    (1.0, "message_start", {"message": {"content": []}}),
    start(1.5, type="thinking", thinking=""),
    (
        1.75,
        "content_block_delta",
        {"index": 0, "delta": {"type": "thinking_delta", "thinking": "?"}},
    ),
    stop(1.75),
    start(2, 1),
    text(2, "Group ", 1),
    text(5, "commit.", 1),
    stop(6, 1),
    (8.0, "message_stop", {}),
)


def test_row_alone_gives_its_times() -> None:
    told = Timeline().facts(ENDED)
    assert (told["queued_s"], told["taken_s"], told["first_word_s"]) == (0.0, 0.5, 2.0)
    assert told["final"] == {"at_s": 9.0, "status": "complete", "error_code": ""}
    assert told["requests"] == told["blocks"] == told["points"] == []
    assert told["longest_gap"] is None


def test_what_runs_has_no_end() -> None:
    told = facts(request(1), row=RUNNING)
    assert told["final"] is None and told["requests"][0]["ended_s"] is None


def test_request_lasts_until_message_stop() -> None:
    (told,) = facts(*ANSWER)["requests"]
    assert (told["begun_s"], told["first_event_s"], told["ended_s"]) == (0.75, 1.0, 8.0)


def test_request_that_failed_lasts_until_its_retry() -> None:
    retry = 2.0, "retry", {"error_code": "overloaded", "wait_s": 1.5, "attempt": 2, "attempts": 3}
    told = facts(request(1), retry, request(3.5, attempt=2))
    assert [r["ended_s"] for r in told["requests"]] == [2.0, 9.0]
    assert told["retries"] == [
        {"at_s": 2.0, "error_code": "overloaded", "wait_s": 1.5, "attempt": 2}
    ]


def test_request_has_the_id_that_it_was_answered_under() -> None:
    timeline = fed([request(1), request(2, number=2)])
    timeline.opened("req_2")
    assert [r["request_id"] for r in timeline.facts(ENDED)["requests"]] == ["", "req_2"]


def test_blocks_have_types_and_times() -> None:
    assert facts(*ANSWER)["blocks"] == [
        {"number": 0, "type": "thinking", "name": "", "from_s": 1.5, "to_s": 1.75},
        {"number": 1, "type": "text", "name": "", "from_s": 2.0, "to_s": 6.0},
    ]


def test_block_that_was_cut_off_has_no_end() -> None:
    assert facts(start(1), text(2, "Gro"))["blocks"][0]["to_s"] is None


def test_blocks_of_two_requests_are_numbered_on() -> None:
    begin: Timed = 3.0, "message_start", {"message": {"content": []}}
    told = facts(start(1), stop(2), begin, start(4), stop(5))
    assert [(b["number"], b["to_s"]) for b in told["blocks"]] == [(0, 2.0), (1, 5.0)]


def test_tool_result_has_its_time() -> None:
    result = 4.0, "tool_result", {"tool_use_id": "toolu_1", "is_error": True, "content": "secret"}
    assert facts(result)["tool_results"] == [
        {"at_s": 4.0, "tool_use_id": "toolu_1", "is_error": True}
    ]


def test_longest_gap_says_where() -> None:
    assert facts(*ANSWER)["longest_gap"] == {"from_s": 2.0, "to_s": 5.0, "seconds": 3.0, "block": 1}


def test_points_rise_to_all_characters() -> None:
    told = facts(*ANSWER)
    assert told["points"] == [[1.75, 0], [1.75, 1], [2.0, 7], [5.0, 14]]
    assert told["characters"] == 14


def test_clock_that_is_set_back_gives_no_negative_time() -> None:
    told = facts(request(3), start(-5), text(-5, "Hi"), row=RUNNING)
    assert told["blocks"][0]["from_s"] == 3.0 and told["points"][-1] == [3.0, 2]


@pytest.mark.parametrize("value", [None, 5, [], {}, "x" * 10_000])
def test_members_may_be_of_any_type(value: Any) -> None:
    told = facts(start(1, type=value, name=value), (2.0, "tool_result", {"tool_use_id": value}))
    assert len(json.dumps(told)) < 2_000


pieces = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), min_size=1, max_size=300).map(
    sorted
)


@given(pieces)
def test_texts_that_were_cut_give_the_same(sizes: list[tuple[int, int]]) -> None:
    whole = [text(tenths / 10, "x" * size) for tenths, size in sizes]
    cut = [text(tenths / 10, "x") for tenths, size in sizes for _ in range(size)]
    assert facts(start(0), *whole) == facts(start(0), *cut)


@given(pieces)
def test_points_are_few_and_rise(sizes: list[tuple[int, int]]) -> None:
    points = facts(start(0), *(text(tenths * 7, "x" * size) for tenths, size in sizes))["points"]
    assert len(points) <= MAX_POINTS and points == sorted(points)
    assert points[-1] == [sizes[-1][0] * 7, sum(size for _, size in sizes)]


def test_what_is_kept_has_a_bound() -> None:
    many = [
        event
        for n in range(3 * MAX_LISTED)
        for event in (request(n), start(n, n), text(n, "word ", n), stop(n, n))
    ]
    told = facts(*many)
    assert len(told["requests"]) == len(told["blocks"]) == MAX_LISTED
    assert told["left_out"] == 4 * MAX_LISTED and told["characters"] == 15 * MAX_LISTED
