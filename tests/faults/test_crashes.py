"""Processes that die in the middle of an answer."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from chat.demo.steps import Text
from tests.faults.history import History
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

INTERRUPTED_S = 15.0
WORDS = [f"word{number:04d} " for number in range(1_000)]


def slow_prompt(place: Place) -> str:
    """Return a prompt whose answer takes ten seconds."""
    place.model.script("slow-fault", Text(WORDS, interval_s=0.01))
    return f"/demo slow-fault\n{uuid.uuid4()}"


async def test_kill_9_of_the_owner(place: Place, verdict: Verdicts) -> None:
    anna, other = place.person(), place.person()
    sent = await anna.send(place.sites[0].base_url, slow_prompt(place))
    async with Tab(anna, place.sites[-1].base_url, sent.path, reconnect_s=1) as tab:
        await tab.until(lambda tab: tab.answer.count("word") > 50)
        owner = place.owner_of(sent.path)
        # In another process, where there is one, its page sees the end without a restart.
        tab.base_url = next((s for s in place.sites if s is not owner), owner).base_url
        tab.note()
        owner.kill()
        killed_at = time.monotonic()
        if place.mode == "single":
            await asyncio.to_thread(owner.start)
        await tab.until_ended(INTERRUPTED_S + 10)
        after_s = time.monotonic() - killed_at
        if not owner.is_alive:
            await asyncio.to_thread(owner.start)
        await History(place, [anna], [tab], {sent.text: "".join(WORDS)}).check()
        again = await other.send(owner.base_url, slow_prompt(place))
    row = place.records.newest(sent.path)
    assert again.is_acknowledged
    assert (row.status, row.error_code) == ("interrupted", "owner_lost")
    verdict(
        "`kill -9` of the owner",
        "`interrupted` within 15 s, everything that was shown is there",
        f"{after_s:.1f} s, {len(row.text)} characters kept",
        holds=after_s < INTERRUPTED_S,
    )


async def test_kill_9_with_redis_flushed(multi: Place, verdict: Verdicts) -> None:
    anna = multi.person()
    sent = await anna.send(multi.sites[0].base_url, slow_prompt(multi))
    async with Tab(anna, multi.sites[1].base_url, sent.path, reconnect_s=1) as tab:
        await tab.until(lambda tab: tab.answer.count("word") > 50)
        owner = multi.owner_of(sent.path)
        tab.base_url = next(site for site in multi.sites if site is not owner).base_url
        tab.note()
        assert multi.redis is not None
        owner.kill()
        multi.redis.ask("FLUSHALL")
        killed_at = time.monotonic()
        await tab.until_ended(INTERRUPTED_S + 10)
        after_s = time.monotonic() - killed_at
        await asyncio.to_thread(owner.start)
        await History(multi, [anna], [tab], {sent.text: "".join(WORDS)}).check()
    row = multi.records.newest(sent.path)
    assert (row.status, row.error_code) == ("interrupted", "owner_lost")
    verdict(
        "`kill -9` of the owner, Redis flushed in the same second",
        "`interrupted` within 15 s, everything that was shown is there",
        f"{after_s:.1f} s, {len(row.text)} characters kept",
        holds=after_s < INTERRUPTED_S,
    )
