"""Clients that stop reading: what they cost, and that they catch up when they return."""

from __future__ import annotations

import asyncio
import time

import pytest

from chat.demo.steps import Text
from tests.faults.history import History
from tests.faults.mute import Mute
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.usage import Usage
from tests.faults.verdicts import Verdicts
from tests.integration.answers import prompt
from tests.integration.shown_page import ShownPage

pytestmark = pytest.mark.asyncio

FAULT = "a client that stops reading"
COSTS_MB = 16
SIZE_BYTES = 20_000_000
DELTAS = 200
CLOSED_S = 60.0
ENDED_S = 180.0  # until 20 MB are written, however busy the machine is
POLL_S = 0.2
LINE = "In 20 MB stand <many> words, “quotes” & Wörter; and then comes the next line of it.\n"


async def send(place: Place, person: Person, lasts_s: float) -> tuple[Send, str]:
    """Have an answer of 20 MB written in some time; return its prompt and its text."""
    piece = LINE * (SIZE_BYTES // DELTAS // len(LINE.encode()) + 1)
    place.model.script("volume", Text([piece] * DELTAS, interval_s=lasts_s / DELTAS))
    sent = await person.send(place.sites[0].base_url, prompt("volume"))
    assert sent.is_acknowledged, f"{sent.code}: {sent.body[:200]}"
    return sent, piece * DELTAS


async def load(person: Person, base_url: str, path: str) -> ShownPage:
    return ShownPage((await person.get(base_url, path)).text)


async def until_final(place: Place, path: str) -> None:
    """Wait until an answer has ended; its text is too long to be read again and again."""
    sql = f"SELECT status FROM chat_generation WHERE id = {place.records.newest(path).id}"  # noqa: S608
    async with asyncio.timeout(ENDED_S):
        while place.records.query(sql) == [("streaming",)]:
            # A database tells nobody of its changes: asking is the only way.
            await asyncio.sleep(POLL_S)


@pytest.mark.parametrize("claims", [False, True], ids=["silent", "claims"])
@pytest.mark.parametrize("lasts_s", [4, pytest.param(60, marks=pytest.mark.long)])
async def test_client_stops_reading(
    multi: Place, verdict: Verdicts, lasts_s: float, *, claims: bool
) -> None:
    """At a process that has nothing else to do for the answer, so that all it takes is for it."""
    person, far = multi.person(), multi.sites[-1]
    sent, text = await send(multi, person, lasts_s)
    page, usage = await load(person, far.base_url, sent.path), Usage(far.pid)
    before_mb = usage.memory_mb
    usage.forget_peak()
    async with Mute(person, far.base_url, sent.path, page.position, claims=claims) as mute:
        begun_at = time.monotonic()
        if is_closed := lasts_s >= CLOSED_S:
            assert await mute.until_closed(CLOSED_S), "the socket is still open"
        after_s = time.monotonic() - begun_at
        await until_final(multi, sent.path)
        costs_mb = usage.peak_mb - before_mb
    assert multi.owner_of(sent.path) is not far
    async with Tab(person, far.base_url, sent.path, page=page) as tab:
        caught_up_s = await tab.until_ended()
        assert "".join(tab.answer.split()) == "".join(text.split())
        await History(multi, [person], [tab], {sent.text: text}).check()
    verdict(
        FAULT if not claims else f"{FAULT}, and says that it has every frame",
        "at most 16 MB for it, then it is closed; it catches up when it returns",
        f"{costs_mb:.1f} MB for an answer of 20 MB in {lasts_s} s, "
        f"{f'closed after {after_s:.0f} s, ' if is_closed else ''}caught up in {caught_up_s:.1f} s",
        holds=costs_mb <= COSTS_MB,
    )
