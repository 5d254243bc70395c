"""What is left of a load when it is over: nothing that grows."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from chat.demo.steps import Text
from tests.faults.conftest import chiefly
from tests.faults.large import send, until_final
from tests.faults.place import Place
from tests.faults.scene import scene
from tests.faults.tab import Tab, shows
from tests.faults.usage import Holdings, at_rest, fill_pools, most_of_database, until_back
from tests.faults.verdicts import Verdicts
from tests.proxy import Proxy

pytestmark = pytest.mark.asyncio

BACK_S = 60.0
LEFT_MB = 30.0
NOT_AT_ONCE = 2  # files and the database's connections are counted one after the other
MANY = 10**9
LARGE = 4
LARGE_S = 4.0
CONVERSATIONS = 30
BEGUN = shows("word0003")
WORDS = [f"word{number:04d} " for number in range(60)]
RECONNECT_S = 0.05

Way = Callable[[Place], Awaitable[None]]


async def read_whole(place: Place) -> None:
    async with scene(place, "words") as seen:
        await seen.until_ended()


async def stop(place: Place) -> None:
    async with scene(place, "words") as seen:
        await seen.tab.until(BEGUN)
        await seen.tab.stop(seen.row.id)
        await seen.until_ended()


async def reload(place: Place) -> None:
    async with scene(place, "words") as seen:
        await seen.tab.until(BEGUN)
        await seen.tab.reload()
        await seen.until_ended()


async def leave(place: Place) -> None:
    async with scene(place, "words") as seen:
        await seen.tab.until(BEGUN)
    await seen.until_final()


async def lose_connection(place: Place) -> None:
    async with scene(place, "words") as seen:
        with Proxy(place.sites[-1].port) as proxy:
            other = Tab(seen.person, proxy.base_url, seen.sent.path, reconnect_s=RECONNECT_S)
            async with other as tab:
                await tab.until(BEGUN)
                proxy.cut()
                await tab.until_ended()


async def lose_claude(place: Place) -> None:
    async with scene(place, "reset-late") as seen:
        await seen.until_ended()


WAYS: tuple[Way, ...] = (read_whole, stop, reload, leave, lose_connection, lose_claude)


async def load(place: Place) -> None:
    ways = itertools.islice(itertools.cycle(WAYS), CONVERSATIONS)
    await asyncio.gather(*(way(place) for way in ways))


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.long)])
@chiefly("multi")
async def test_nothing_is_left(place: Place, verdict: Verdicts, rounds: int) -> None:
    """Files as before anything went on; what a first round brings for good may stay.

    That is caches, threads, and the connections of pools.
    """
    place.model.script("words", Text(WORDS, interval_s=0.05))
    quiet = await at_rest(place, BACK_S)
    most_files = quiet.files + NOT_AT_ONCE
    await load(place)
    await fill_pools(place)
    _, before = await until_back(place, Holdings(most_files, MANY, MANY, 0, 0, MANY), BACK_S)
    for _ in range(rounds):
        await load(place)
    bounds = before._replace(
        files=most_files,
        database=most_of_database(place, before),
        memory_mb=before.memory_mb + LEFT_MB,
    )
    after_s, after = await until_back(place, bounds, BACK_S)
    verdict(
        f"{rounds * CONVERSATIONS} conversations: read, stopped, reloaded, left, cut, broken",
        "within 60 s sockets, tasks, files and database connections are back to where they were, "
        "memory within 30 MB",
        f"after {after_s:.1f} s: {after}; before: {before}",
        holds=after.is_within(bounds),
    )


async def write_large(place: Place) -> None:
    sent, _ = await send(place, place.person(), LARGE_S)
    await until_final(place, sent.path)


@pytest.mark.long
async def test_memory_of_large_answers(place: Place, verdict: Verdicts) -> None:
    """Compared with what was there after a first one."""
    await write_large(place)
    quiet = Holdings(MANY, MANY, MANY, 0, 0, MANY)
    _, before = await until_back(place, quiet, BACK_S)
    await asyncio.gather(*(write_large(place) for _ in range(LARGE)))
    bounds = quiet._replace(memory_mb=before.memory_mb + LEFT_MB)
    after_s, after = await until_back(place, bounds, BACK_S)
    verdict(
        f"{LARGE} answers of 20 MB at once",
        "within 60 s memory is back within 30 MB",
        f"after {after_s:.1f} s {after.memory_mb:.0f} MB; before {before.memory_mb:.0f} MB",
        holds=after.is_within(bounds),
    )
