"""What one process is told of a log that another one writes: never more than it can trust."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chat.events import far
from chat.events.entry import Entry
from chat.events.far import FRESH_S, FarLog

PK = 7


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(clock: Clock) -> FarLog:
    """A log of which the first two events are known."""
    log = FarLog(PK, clock)
    log.take(events(1, 2))
    return log


@pytest.fixture
def announced() -> Iterator[list[None]]:
    calls: list[None] = []
    far.announce_to(lambda: calls.append(None))
    yield calls
    far.announce_to(None)


def events(*numbers: int) -> list[Entry]:
    return [
        Entry(n, "future", f'{{"number":{n}}}', datetime(2026, 7, 1, tzinfo=UTC)) for n in numbers
    ]


def test_nothing_is_known_before_it_was_told(clock: Clock) -> None:
    assert FarLog(PK, clock).since(0) is None


def test_readers_get_what_is_behind_their_place(told: FarLog) -> None:
    assert [told.since(after) for after in (0, 1, 2)] == [events(1, 2), events(2), []]


def test_what_comes_again_is_left_out(told: FarLog) -> None:
    told.take(events(1, 2))
    told.take(events(2, 3))
    assert told.since(0) == events(1, 2, 3)


def test_behind_a_gap_only_who_has_what_is_missing_can_go_on(told: FarLog) -> None:
    told.take(events(5))
    assert told.since(2) is None
    assert told.since(4) == events(5)


def test_silence_is_no_news(told: FarLog, clock: Clock) -> None:
    clock.now += FRESH_S
    assert told.since(2) is None
    told.take(events(3))
    assert told.since(2) == events(3)


def test_doubt_lasts_until_there_is_news(told: FarLog) -> None:
    told.doubt()
    assert told.since(2) is None
    told.take(events(4))
    assert told.since(2) is None
    assert told.since(3) == events(4)


def test_a_log_is_wanted_as_long_as_somebody_reads_it(announced: list[None]) -> None:
    one, two = far.begin_reading(PK), far.begin_reading(PK)
    assert one is two and far.wanted() == [PK] and len(announced) == 1
    far.take(PK, events(1))
    assert two.since(0) == events(1)
    far.end_reading(one)
    assert far.wanted() == [PK]
    far.end_reading(two)
    assert far.wanted() == []
    far.take(PK, events(2))  # What is on its way when the last reader leaves.


def test_too_much_to_be_sent_is_left_to_the_database() -> None:
    log = far.begin_reading(PK)
    far.take(PK, events(1))
    far.take(PK, [])
    assert log.since(0) is None
    far.end_reading(log)


def test_a_ring_from_somebody_else_is_a_doubt() -> None:
    one, two = far.begin_reading(PK), far.begin_reading(PK + 1)
    for log in (one, two):
        log.take(events(1))
    far.doubt(["conversation-1", f"generation-{PK}"])
    assert (one.since(0), two.since(0)) == (None, events(1))
    far.doubt()
    assert two.since(0) is None
    far.end_reading(one)
    far.end_reading(two)
