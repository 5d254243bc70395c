"""An answer of 20 MB."""

from __future__ import annotations

import asyncio

from chat.demo.steps import Text
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.records import RUNNING
from tests.integration.answers import prompt

SIZE_BYTES = 20_000_000
DELTAS = 200
ENDED_S = 180.0  # until it is written, however busy the machine is
POLL_S = 0.2
LINE = "In 20 MB stand <many> words, “quotes” & Wörter; and then comes the next line of it.\n"


async def send(place: Place, person: Person, lasts_s: float) -> tuple[Send, str]:
    """Have an answer of 20 MB written in some time; return its prompt and its text."""
    piece = LINE * (SIZE_BYTES // DELTAS // len(LINE.encode()) + 1)
    place.model.script("volume", Text([piece] * DELTAS, interval_s=lasts_s / DELTAS))
    sent = await person.send(place.sites[0].base_url, prompt("volume"))
    assert sent.is_acknowledged, f"{sent.code}: {sent.body[:200]}"
    return sent, piece * DELTAS


async def until_final(place: Place, path: str) -> None:
    """Wait until an answer has ended; its text is too long to be read again and again."""
    sql = f"SELECT status FROM chat_generation WHERE id = {place.records.newest(path).id}"  # noqa: S608
    async with asyncio.timeout(ENDED_S):
        while place.records.query(sql)[0][0] in RUNNING:
            # A database tells nobody of its changes: asking is the only way.
            await asyncio.sleep(POLL_S)
