"""Readers that reload, leave, read in several places, or lose their network and come back."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from tests.faults.history import History
from tests.faults.place import Place
from tests.faults.scene import STOP_S, Scene, scene
from tests.faults.tab import Tab, has_ended
from tests.faults.verdicts import Verdicts
from tests.proxy import Proxy

pytestmark = pytest.mark.asyncio

WORD_S = 0.02
RELOADED_S = 1.0
SAME_S = 2.0
CAUGHT_UP_S = 5.0
RELOADS = 10
GLANCES = 20


async def until_shown(tab: Tab, text: str) -> None:
    await tab.until(lambda tab: tab.answer.startswith(text.strip()))


async def come_back(seen: Scene, *, after_another_page: bool) -> float:
    """Load the page anew; return the seconds until it shows what it had shown, and more."""
    shown = seen.tab.answer
    if after_another_page:
        await seen.person.get(seen.tab.base_url, "/")
    begun_at = time.monotonic()
    await seen.tab.reload()
    await until_shown(seen.tab, shown)
    return time.monotonic() - begun_at


async def test_reloads(place: Place, verdict: Verdicts) -> None:
    name, speech = place.speak(interval_s=WORD_S)
    async with scene(place, name) as seen:
        await seen.tab.until(lambda tab: tab.answer.count("word") > 50)
        times_s = []
        for number in range(RELOADS + 1):
            times_s.append(await come_back(seen, after_another_page=number == RELOADS))
        speech.end_after(1)
        await seen.until_ended()
        await seen.check(speech.text)
    verdict(
        "reload, ten reloads, navigating away and back",
        "the whole text within 1 s, one call to Claude",
        f"{max(times_s):.2f} s at most, {len(seen.calls)} call, {len(seen.row.text)} characters",
        holds=max(times_s) < RELOADED_S
        and len(seen.calls) == 1
        and seen.row.text == seen.tab.answer + " " == speech.text,
    )


async def glance(tabs: list[Tab]) -> float:
    """Return how long it takes until all tabs show what one of them shows now."""
    shown, begun_at = max((tab.answer for tab in tabs), key=len), time.monotonic()
    await asyncio.gather(*(until_shown(tab, shown) for tab in tabs))
    return time.monotonic() - begun_at


async def test_several_places(place: Place, verdict: Verdicts) -> None:
    name, _ = place.speak(interval_s=WORD_S)
    near, far = place.sites[0].base_url, place.sites[-1].base_url
    async with contextlib.AsyncExitStack() as stack:
        seen = await stack.enter_async_context(scene(place, name))
        others = [
            await stack.enter_async_context(Tab(seen.person, base_url, seen.sent.path))
            for base_url in (near, near, far)
        ]
        tabs = [seen.tab, *others]
        for tab in tabs:
            await tab.until(lambda tab: tab.answer.count("word") > 20)
        apart_s = max([await glance(tabs) for _ in range(GLANCES)])
        begun_at = time.monotonic()
        await others[0].stop(seen.row.id)
        await asyncio.gather(*(tab.until(has_ended) for tab in tabs))
        stopped_s = time.monotonic() - begun_at
        history = History(place, [seen.person], tabs, {})
        await history.check()
        texts = {tab.answer for tab in tabs}
    verdict(
        "two tabs, two devices, two processes",
        "same text within 2 s; a stop in one stops all",
        f"{apart_s:.2f} s apart at most, stopped everywhere after {stopped_s:.2f} s",
        holds=apart_s < SAME_S
        and stopped_s < STOP_S
        and texts == {seen.row.text.strip()}
        and seen.row.status == "stopped",
    )


@pytest.mark.parametrize(
    "away_s",
    [
        pytest.param(5, id="5 s"),
        pytest.param(30, id="30 s", marks=pytest.mark.long),
        pytest.param(600, id="10 min", marks=pytest.mark.long),
    ],
)
async def test_network_is_gone(place: Place, verdict: Verdicts, away_s: int) -> None:
    """One reader's connections are cut, another's stay open while nothing passes, as in a sleep."""
    name, speech = place.speak(interval_s=WORD_S)
    port = place.sites[-1].port
    async with scene(place, name) as seen:
        with Proxy(port) as cut, Proxy(port) as asleep:
            async with (
                Tab(seen.person, cut.base_url, seen.sent.path) as first,
                Tab(seen.person, asleep.base_url, seen.sent.path) as second,
            ):
                tabs = [seen.tab, first, second]
                for tab in tabs:
                    await tab.until(lambda tab: tab.answer.count("word") > 20)
                cut.pull()
                asleep.hold()
                # Not a wait for something: the time is what the test is about.
                await asyncio.sleep(away_s)
                speech.end_after(1)
                missed = seen.tab.answer
                back_at = time.monotonic()
                cut.put_back()
                asleep.release()
                await asyncio.gather(*(until_shown(tab, missed) for tab in (first, second)))
                caught_up_s = time.monotonic() - back_at
                for tab in tabs:
                    await tab.until_ended()
                await History(place, [seen.person], tabs, {seen.sent.text: speech.text}).check()
    verdict(
        "network gone for 30 s; asleep for 10 min; the socket cut again and again",
        f"{away_s} s: caught up within 5 s of coming back, no reload, nothing twice",
        f"after {caught_up_s:.2f} s, {len(missed)} characters",
        holds=caught_up_s < CAUGHT_UP_S
        and {first.answer, second.answer} == {seen.row.text.strip()},
    )
