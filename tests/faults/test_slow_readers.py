"""Clients that stop reading: what they cost, and that they catch up when they return."""

from __future__ import annotations

import time

import pytest

from tests.faults.history import History
from tests.faults.large import send, until_final
from tests.faults.mute import Mute
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.usage import Usage
from tests.faults.verdicts import Verdicts
from tests.integration.shown_page import ShownPage

pytestmark = pytest.mark.asyncio

FAULT = "a client that stops reading"
COSTS_MB = 16
CLOSED_S = 60.0


async def load(person: Person, base_url: str, path: str) -> ShownPage:
    return ShownPage((await person.get(base_url, path)).text)


@pytest.mark.parametrize(
    "claims",
    [pytest.param(False, id="silent"), pytest.param(True, id="claims", marks=pytest.mark.long)],
)
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
