"""A limit for many short waits: it ends the one that lasts too long, and no other."""

from __future__ import annotations

import asyncio

import pytest

from chat.patience import Patience

pytestmark = pytest.mark.asyncio
SHORT_S = 0.02
LATE_S = 5.0


async def test_wait_that_lasts_too_long_is_cancelled() -> None:
    waited_for = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Patience(SHORT_S).wait(waited_for), LATE_S)
    assert waited_for.cancelled()
    task = asyncio.current_task()
    assert task and not task.cancelling()


async def test_many_short_waits_may_last_longer_together() -> None:
    patience = Patience(10 * SHORT_S)
    for _ in range(15):
        await patience.wait(asyncio.sleep(SHORT_S))


async def test_time_between_waits_does_not_count() -> None:
    patience = Patience(SHORT_S)
    await patience.wait(asyncio.sleep(0))
    await asyncio.sleep(3 * SHORT_S)
    await patience.wait(asyncio.sleep(0))
    with pytest.raises(TimeoutError):
        await patience.wait(asyncio.sleep(LATE_S))


async def cancel_while_it_waits(patience: Patience) -> None:
    """Cancel a wait at once, and check that it is told of no time-out."""
    task = asyncio.create_task(patience.wait(asyncio.sleep(LATE_S)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancellation_by_somebody_else_passes_through() -> None:
    await cancel_while_it_waits(Patience(LATE_S))


async def test_cancellation_at_the_same_moment_comes_first() -> None:
    waited_for = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(Patience(SHORT_S).wait(waited_for))
    waited_for.add_done_callback(lambda _: task.cancel())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, LATE_S)


async def test_cancellation_that_becomes_a_failure_is_taken_back() -> None:
    async def fail_at_the_end() -> None:
        try:
            await asyncio.sleep(LATE_S)
        finally:
            raise ConnectionError

    async with asyncio.timeout(LATE_S):
        with pytest.raises(ConnectionError):
            await Patience(SHORT_S).wait(fail_at_the_end())
    task = asyncio.current_task()
    assert task and not task.cancelling()


async def test_wait_after_one_that_took_too_long() -> None:
    patience = Patience(SHORT_S)
    with pytest.raises(TimeoutError):
        await patience.wait(asyncio.sleep(LATE_S))
    await cancel_while_it_waits(patience)


async def test_no_timer_is_left() -> None:
    loop = asyncio.get_running_loop()
    with Patience(LATE_S) as patience:
        await patience.wait(asyncio.sleep(0))
        timer = patience._timer
        assert timer and not timer.cancelled()
    assert timer.cancelled() and timer.when() > loop.time()


async def test_failure_passes_through() -> None:
    async def fail() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await Patience(LATE_S).wait(fail())
