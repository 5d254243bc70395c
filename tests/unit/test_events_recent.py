"""The end of a log in memory: it has no gap, and is no longer than a reader needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chat.events.entry import Entry
from chat.events.recent import MAX_RECENT, MAX_RECENT_CHARS, RECENT, Recent

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def entry(seq: int, after_s: float = 0, data: str = "{}") -> Entry:
    return Entry(seq, "content_block_delta", data, BEGAN + timedelta(seconds=after_s))


def kept(recent: Recent) -> list[int]:
    """Return the numbers of what is there, from the first that can be asked for."""
    first = next(n for n in range(recent.seq + 1) if recent.since(n) is not None)
    return [entry.seq for entry in recent.since(first) or []]


def test_of_a_slow_answer_the_last_second_is_kept() -> None:
    recent = Recent()
    for seq in range(1, 21):
        recent.add([entry(seq, seq / 10)])
    assert kept(recent) == list(range(20 - int(RECENT.total_seconds() * 10), 21))


def test_of_a_fast_answer_so_many_are_kept() -> None:
    recent = Recent()
    for seq in range(1, 3 * MAX_RECENT):
        recent.add([entry(seq, seq / 1_000)])
    assert kept(recent) == list(range(2 * MAX_RECENT, 3 * MAX_RECENT))


def test_of_a_large_answer_so_much_is_kept() -> None:
    recent = Recent()
    for seq in range(1, 6):
        recent.add([entry(seq, data="x" * (MAX_RECENT_CHARS // 2))])
    assert kept(recent) == [4, 5]


@pytest.mark.parametrize("step_s", [3_600, -3_600])
def test_the_newest_is_kept_whatever_the_clock_does(step_s: float) -> None:
    recent = Recent()
    recent.add([entry(1), entry(2, step_s), entry(3)])
    recent.add([entry(4, step_s)])
    assert kept(recent)[-1] == 4
    recent.add([entry(5, data="x" * (MAX_RECENT_CHARS + 1))])
    assert kept(recent) == [5]


def test_what_is_not_there_is_not_made_up() -> None:
    recent = Recent()
    assert recent.since(0) is None
    recent.add([entry(5), entry(6)])
    assert recent.since(3) is None
    assert [entry.seq for entry in recent.since(4) or []] == [5, 6]
    assert recent.since(6) == []
    recent.clear()
    assert recent.since(5) is None
