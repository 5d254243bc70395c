"""How often a reader gets a batch: 30 a second on average, and one that is early at once."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from chat.events import Bell
from chat.relay.pace import (
    CROWD_CHARS_PER_S,
    CROWD_INTERVAL_S,
    EARLY_S,
    FRAME_INTERVAL_S,
    RATE_S,
    SLOW_INTERVAL_S,
    Pace,
)

BATCHES = 300


def times(pace: Pace, came_at: list[float], took_s: float = 0.0) -> list[float]:
    """Return when batches go out, of which each can go out when something has come."""
    gone_at, due_at = [], 0.0
    for at in came_at:
        gone_at.append(max(at, due_at))
        due_at = pace.next_at(gone_at[-1], took_s, is_behind=False)
    return gone_at


def test_batches_that_could_always_come_are_30_a_second() -> None:
    last = times(Pace(0.0), [0.0] * BATCHES)[-1]
    assert last == pytest.approx(BATCHES * FRAME_INTERVAL_S - EARLY_S, abs=2 * FRAME_INTERVAL_S)


def test_words_that_come_30_times_a_second_never_wait() -> None:
    # Each second one is late by 20 ms, so that the next comes early.
    came_at = [n * FRAME_INTERVAL_S + (n % 2) * 0.02 for n in range(BATCHES)]
    assert times(Pace(0.0), came_at) == pytest.approx(came_at)


def test_silence_earns_no_more_than_a_few_batches() -> None:
    gone_at = times(Pace(0.0), [60.0] * 10)
    assert sum(at == 60.0 for at in gone_at) == EARLY_S // FRAME_INTERVAL_S + 1


def test_crowd_comes_in_larger_batches() -> None:
    pace = Pace(0.0, 100)
    pace.count(100 + int(CROWD_CHARS_PER_S * RATE_S) + 1, RATE_S)
    gone_at = times(pace, [RATE_S] * 10)[5:]
    assert all(b - a == pytest.approx(CROWD_INTERVAL_S) for a, b in pairwise(gone_at))


def test_batches_that_take_long_come_seldom() -> None:
    gone_at = times(Pace(0.0), [0.0] * 10, took_s=1.0)
    assert all(b - a == pytest.approx(SLOW_INTERVAL_S) for a, b in pairwise(gone_at[1:]))


def test_past_comes_soon_whatever_it_takes() -> None:
    pace = Pace(0.0)
    due_at = [pace.next_at(60.0, 1.0, is_behind=True) for _ in range(10)]
    assert all(b - a == pytest.approx(FRAME_INTERVAL_S) for a, b in pairwise(due_at))


@pytest.mark.asyncio
async def test_last_words_do_not_wait() -> None:
    due_at = asyncio.get_running_loop().time() + 3600
    with Bell("end") as end:
        end.ring()
        async with asyncio.timeout(10):
            await Pace(due_at).wait(due_at, 0.0, end, is_behind=False)
