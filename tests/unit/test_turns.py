"""Turns: no more at once than there may be, in order, and none of them is lost."""

from __future__ import annotations

import asyncio

import pytest

from chatsite.turns import Turns

pytestmark = pytest.mark.asyncio

AT_ONCE = 2
LONG_S, SHORT_S = 3_600.0, 0.01
SEE_S = 10.0


class Crowd:
    """Some who want in, by their numbers; who is inside stays there until it is sent out."""

    def __init__(self, turns: Turns, size: int) -> None:
        self.came_in: list[int] = []
        self.out = [asyncio.Event() for _ in range(size)]
        self.tasks = [asyncio.create_task(self._enter(turns, number)) for number in range(size)]

    async def _enter(self, turns: Turns, number: int) -> None:
        async with turns:
            self.came_in.append(number)
            await self.out[number].wait()

    async def end(self, *numbers: int) -> None:
        for number in numbers:
            self.out[number].set()
        async with asyncio.timeout(SEE_S):
            await asyncio.wait([self.tasks[number] for number in numbers])

    async def cancel(self, number: int) -> None:
        self.tasks[number].cancel()
        await asyncio.wait([self.tasks[number]])


async def settle() -> None:
    """Let everybody go as far as they get."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_so_many_at_once_in_their_order() -> None:
    crowd = Crowd(Turns(AT_ONCE, LONG_S), 5)
    await settle()
    assert crowd.came_in == [0, 1]
    await crowd.end(1)
    await settle()
    assert crowd.came_in == [0, 1, 2]
    await crowd.end(0, 2)
    await settle()
    assert crowd.came_in == [0, 1, 2, 3, 4]
    await crowd.end(3, 4)


@pytest.mark.parametrize("number", [0, 1, 2, 3])
async def test_who_leaves_early_leaves_no_gap(number: int) -> None:
    turns = Turns(AT_ONCE, LONG_S)
    crowd = Crowd(turns, 4)
    await settle()
    await crowd.cancel(number)
    await crowd.end(*{0, 1, 2, 3} - {number})
    later = Crowd(turns, 3)
    await settle()
    assert later.came_in == [0, 1]
    await later.end(0, 1, 2)


async def test_who_is_cancelled_as_it_is_let_in_passes_its_turn_on() -> None:
    crowd = Crowd(Turns(1, LONG_S), 3)
    await settle()
    crowd.out[0].set()
    await asyncio.sleep(0)
    assert crowd.tasks[0].done() and crowd.came_in == [0]
    await crowd.cancel(1)
    await settle()
    assert crowd.came_in == [0, 2]
    await crowd.end(2)


async def test_where_all_hang_the_others_come_in_one_by_one() -> None:
    crowd = Crowd(Turns(AT_ONCE, SHORT_S), 4)
    async with asyncio.timeout(SEE_S):
        while len(crowd.came_in) < 4:
            await asyncio.sleep(SHORT_S)
    assert crowd.came_in == [0, 1, 2, 3]
    await crowd.end(0, 1, 2, 3)
