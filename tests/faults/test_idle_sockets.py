"""Many pages that are open while nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass

import pytest

from tests.faults.conftest import chiefly
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.scene import scene
from tests.faults.tab import open_socket
from tests.faults.usage import fill_pools, holdings, most_of_database, until_back
from tests.faults.verdicts import Verdicts
from tests.integration.shown_page import ShownPage

pytestmark = pytest.mark.asyncio

PER_PERSON = 50  # CHAT_SOCKETS_PER_USER
AT_ONCE = 10
COST_MB = 120.0  # of 1,000
SETTLED_S = 30.0


@dataclass
class Talk:
    """A conversation whose answer has ended, and what its page says of itself."""

    person: Person
    path: str
    follow: str


async def talk(place: Place) -> Talk:
    async with scene(place, "whole") as seen:
        await seen.until_ended()
        page = await seen.person.get(seen.tab.base_url, seen.sent.path)
    position = ShownPage(page.text).position
    return Talk(seen.person, seen.sent.path, json.dumps({"verb": "follow", **vars(position)}))


class Crowd:
    """Sockets that follow ended conversations, and say nothing more."""

    def __init__(self, base_url: str, stack: contextlib.AsyncExitStack) -> None:
        self._base_url = base_url
        self._stack = stack
        self._places_left = asyncio.Semaphore(AT_ONCE)

    async def grow(self, talk: Talk) -> None:
        """Open as many sockets as one person may have."""
        await asyncio.gather(*(self._open(talk) for _ in range(PER_PERSON)))

    async def _open(self, talk: Talk) -> None:
        async with self._places_left:
            opening = open_socket(talk.person, self._base_url, talk.path)
            socket = await self._stack.enter_async_context(opening)
            await socket.send(talk.follow)
            await socket.recv()  # The title, with which each page begins.


@pytest.mark.parametrize("number", [300, pytest.param(1_000, marks=pytest.mark.long)])
@chiefly("single")
async def test_idle_sockets(place: Place, verdict: Verdicts, number: int) -> None:
    """The first of them are not counted: with them come caches, threads and connections."""
    first, *others = [await talk(place) for _ in range(number // PER_PERSON + 1)]
    await fill_pools(place)
    async with contextlib.AsyncExitStack() as stack:
        crowd = Crowd(place.sites[-1].base_url, stack)
        await crowd.grow(first)
        before = holdings(place)
        for each in others:
            await crowd.grow(each)
        bounds = before._replace(
            files=before.files + number,
            database=most_of_database(place, before),
            sockets=before.sockets + number,
            memory_mb=before.memory_mb + COST_MB * number / 1_000,
        )
        _, after = await until_back(place, bounds, SETTLED_S)
    costs_mb = after.memory_mb - before.memory_mb
    verdict(
        f"{number:,} idle sockets",
        "at most 120 MB for 1,000, no database connection held by them",
        f"{costs_mb:.1f} MB; of the database {before.database} before, {after.database} with them",
        holds=after.is_within(bounds) and after.sockets == before.sockets + number,
    )
