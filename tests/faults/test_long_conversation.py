"""A conversation of 2,000 messages; tests/integration counts its queries."""

from __future__ import annotations

import asyncio
import re
import statistics

import pytest

from tests.faults.conftest import chiefly
from tests.faults.history import History
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts
from tests.integration.answers import prompt

pytestmark = pytest.mark.asyncio

FAULT = "a conversation of 2,000 messages"
MESSAGES = 2_000
FIRST_BYTE_S = 0.5
MAX_BYTES = 500_000
LOADS = 5
_MAKE = "from tests.integration.long_conversation import make; print('at', make({!r}, {}))"
_MESSAGE = re.compile(r'data-message="(\d+)"')
_OLDER = re.compile(r'hx-get="([^"]+\?before=\d+)"')


async def long_conversation(place: Place, person: Person) -> str:
    """Return the page's address."""
    code = _MAKE.format(person.name, MESSAGES)
    printed = await asyncio.to_thread(place.sites[0].manage, "shell", "--command", code)
    return printed.partition("at ")[2].split()[0]


async def all_messages(person: Person, base_url: str, path: str) -> list[int]:
    """Return the ids of all messages, loaded as one scrolls up."""
    response = await person.get(base_url, path)
    ids = _ids(response.text)
    while older := _OLDER.search(response.text):
        response = await person.get(base_url, older[1])
        ids = _ids(response.text) + ids
    return ids


def _ids(html: str) -> list[int]:
    return [int(number) for number in _MESSAGE.findall(html)]


@chiefly("single")
async def test_long_conversation(place: Place, verdict: Verdicts) -> None:
    person, base_url = place.person(), place.sites[-1].base_url
    path = await long_conversation(place, person)
    loads = [await person.load(base_url, path) for _ in range(1 + LOADS)]
    # The first one may be the process's first page at all.
    first_byte_s = statistics.median(load.first_byte_s for load in loads[1:])
    size_bytes = max(load.size_bytes for load in loads)
    ids = await all_messages(person, base_url, path)
    sent = await person.send(base_url, prompt("whole"), path)
    async with Tab(person, base_url, path) as tab:
        await tab.until_ended()
        await History(place, [person], [tab], {}).check()
    verdict(
        FAULT,
        "first byte within 500 ms, at most 500 kB of HTML; older ones load",
        f"{first_byte_s * 1000:.0f} ms, {size_bytes:,} bytes, {len(ids)} messages",
        holds=first_byte_s < FIRST_BYTE_S
        and size_bytes <= MAX_BYTES
        and ids == sorted(set(ids))
        and len(ids) == MESSAGES
        and sent.is_acknowledged,
    )
