"""Bells: a ring wakes who listens, from any thread, and is forgotten when it is cleared."""

from __future__ import annotations

import asyncio

import pytest

from chat.events import rings
from chat.events.rings import Bell, ring

pytestmark = pytest.mark.asyncio
SOON_S = 0.01
LATE_S = 5.0


async def test_ring_before_the_wait_is_heard() -> None:
    with Bell("a") as bell:
        ring("a")
        assert await bell.wait(LATE_S)


async def test_ring_wakes_who_waits() -> None:
    with Bell("a") as bell:
        waiter = asyncio.create_task(bell.wait(LATE_S))
        await asyncio.sleep(0)
        ring("a")
        assert await waiter


async def test_ring_from_a_thread_wakes() -> None:
    with Bell("a") as bell:
        await asyncio.gather(asyncio.to_thread(ring, "a"), bell.wait(LATE_S))
        assert await bell.wait(0)


async def test_ring_wakes_who_waits_without_a_limit() -> None:
    with Bell("a") as bell:
        asyncio.get_running_loop().call_soon(ring, "a")
        assert await bell.wait(None)


async def test_ring_wakes_every_bell_of_the_topic() -> None:
    with Bell("a") as one, Bell("a") as two:
        ring("a")
        assert await one.wait(LATE_S)
        assert await two.wait(LATE_S)


async def test_ring_of_another_topic_is_not_heard() -> None:
    with Bell("a") as bell, Bell("b"):
        ring("b")
        assert not await bell.wait(SOON_S)


async def test_ring_that_nobody_hears_is_lost() -> None:
    ring("a")
    with Bell("a") as bell:
        assert not await bell.wait(SOON_S)


async def test_wait_ends_with_its_time() -> None:
    with Bell("a") as bell:
        assert not await bell.wait(SOON_S)


async def test_cleared_bell_has_forgotten() -> None:
    with Bell("a") as bell:
        ring("a")
        bell.clear()
        assert not await bell.wait(SOON_S)


async def test_ring_after_the_clearing_is_heard() -> None:
    with Bell("a") as bell:
        ring("a")
        bell.clear()
        ring("a")
        assert await bell.wait(LATE_S)


async def test_ring_is_heard_until_it_is_cleared() -> None:
    with Bell("a") as bell:
        ring("a")
        assert await bell.wait(LATE_S)
        assert await bell.wait(LATE_S)


async def test_wait_that_is_cancelled_says_so() -> None:
    with Bell("a") as bell:
        waiter = asyncio.create_task(bell.wait(None))
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter


async def test_left_bell_is_not_rung() -> None:
    with Bell("a") as bell:
        pass
    ring("a")
    assert not await bell.wait(SOON_S)


async def test_last_bell_takes_its_topic_away() -> None:
    with Bell("a"):
        with Bell("a"):
            pass
        assert "a" in rings._bells
    assert "a" not in rings._bells


async def test_topic_goes_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), Bell("a"):
        raise ZeroDivisionError
    assert "a" not in rings._bells


async def test_bell_of_a_loop_that_is_gone_is_passed_over() -> None:
    async def enter() -> Bell:
        return Bell("a").__enter__()

    gone = await asyncio.to_thread(asyncio.run, enter())
    with Bell("a") as bell:
        ring("a")
        assert await bell.wait(LATE_S)
    gone.__exit__(None, None, None)
