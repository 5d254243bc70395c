"""What runs beside the copy of a log: its end, and what fails of it."""

from __future__ import annotations

import asyncio

import pytest

from chat.terminal.command import copy_beside

pytestmark = pytest.mark.asyncio

END_S = 30.0


class Copying:
    """A copy of a log, to the end that a test gives it."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.was_cancelled = False

    async def run(self) -> None:
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise


async def nothing() -> None:
    pass


async def failing() -> None:
    raise RuntimeError("The database is away.")


@pytest.mark.parametrize("is_ended_by_it", [True, False])
async def test_failure_beside_it_is_raised_at_once(is_ended_by_it: bool) -> None:
    copying = Copying()
    with pytest.raises(RuntimeError, match="away"):
        async with asyncio.timeout(END_S):
            await copy_beside(copying.run(), failing(), is_ended_by_it=is_ended_by_it)
    assert copying.was_cancelled


@pytest.mark.parametrize("is_ended_by_it", [True, False])
async def test_failure_of_the_copy_is_raised(is_ended_by_it: bool) -> None:
    with pytest.raises(RuntimeError, match="away"):
        async with asyncio.timeout(END_S):
            await copy_beside(failing(), asyncio.Event().wait(), is_ended_by_it=is_ended_by_it)


async def test_end_of_the_copy_ends_what_is_beside_it() -> None:
    async with asyncio.timeout(END_S):
        await copy_beside(nothing(), Copying().run(), is_ended_by_it=False)
    assert len(asyncio.all_tasks()) == 1


async def test_end_beside_it_ends_the_copy() -> None:
    copying = Copying()
    async with asyncio.timeout(END_S):
        await copy_beside(copying.run(), nothing(), is_ended_by_it=True)
    assert copying.was_cancelled


async def test_copy_goes_on_to_its_own_end() -> None:
    """A stop is asked for beside it, and the log ends with that."""
    copying = Copying()

    async def stop() -> None:
        asyncio.get_running_loop().call_soon(copying.end.set)

    async with asyncio.timeout(END_S):
        await copy_beside(copying.run(), stop(), is_ended_by_it=False)
    assert copying.end.is_set() and not copying.was_cancelled
