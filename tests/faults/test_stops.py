"""Stop, at any moment and from anywhere: exactly one end, and nothing after it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from chat.demo.steps import Stall, Start, Text
from tests.faults.chance import make_random
from tests.faults.place import Place
from tests.faults.scene import STOP_S, UPSTREAM_CLOSES_S, Scene, scene
from tests.faults.speech import Speech
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

STOP_WITHOUT_REDIS_S = 5.0
FAULT = "stop: before the first token, at the last, twice, after the end, through another process"
PROMISE = "`stopped` within 2 s, the upstream connection closed within 1 s, nothing appended"
WORDS = [f"word{number:04d} " for number in range(1_000)]
RACES_AT_ONCE = 5
WORD_S = 0.01
LEAD_STEP = 1.5


class Stopped(NamedTuple):
    """How a stop went: seconds from the click to the shown end, and to the closed connection."""

    shown_s: float
    closed_s: float

    def __str__(self) -> str:
        return f"stopped after {self.shown_s:.2f} s, upstream closed after {self.closed_s:.2f} s"

    @property
    def holds(self) -> bool:
        return self.shown_s < STOP_S and self.closed_s < UPSTREAM_CLOSES_S


async def stop(seen: Scene, *, clicks: int = 1) -> Stopped:
    """Press Stop and check that nothing came after the end was shown."""
    row_id = seen.row.id
    clicked_at = time.time()
    for _ in range(clicks):
        await seen.tab.stop(row_id)
    await seen.until_ended()
    shown_s = time.time() - clicked_at
    shown, stored = seen.tab.answer, seen.row.text
    record = await seen.closed()
    await seen.check("".join(WORDS))
    assert seen.row.status == "stopped"
    assert (seen.tab.answer, seen.row.text) == (shown, stored), "appended after the end"
    return Stopped(shown_s, (record.closed_at or 0) - clicked_at)


async def test_stop_before_the_first_token(place: Place, verdict: Verdicts) -> None:
    place.model.script("begun-only", Start(), Stall())
    async with scene(place, "begun-only") as seen:
        await seen.called()
        result = await stop(seen)
    verdict(FAULT, f"before the first token: {PROMISE}", str(result), holds=result.holds)


async def test_stop_in_the_middle(place: Place, verdict: Verdicts) -> None:
    place.model.script("long", Text(WORDS, interval_s=0.01))
    async with scene(place, "long") as seen:
        await seen.tab.until(lambda tab: tab.answer.count("word") > 30)
        result = await stop(seen)
        kept = len(seen.row.text)
    verdict(
        FAULT,
        f"in the middle: {PROMISE}",
        f"{result}, {kept} characters kept",
        holds=result.holds and kept > 30 * len("word0000 "),
    )


async def test_stop_twice(place: Place, verdict: Verdicts) -> None:
    place.model.script("long", Text(WORDS, interval_s=0.01))
    async with scene(place, "long") as seen:
        await seen.tab.until(lambda tab: tab.answer.count("word") > 5)
        result = await stop(seen, clicks=3)
        later = await seen.person.stop(seen.tab.base_url, seen.row.id)
        await seen.check("".join(WORDS))
    verdict(
        FAULT,
        f"twice: {PROMISE}",
        f"{result}, once more: {later.status_code}",
        holds=result.holds and later.status_code == 302,
    )


async def test_stop_after_the_end(place: Place, verdict: Verdicts) -> None:
    async with scene(place, "whole") as seen:
        await seen.until_ended()
        before = seen.row
        await seen.tab.stop(before.id)
        posted = await seen.person.stop(seen.tab.base_url, before.id)
        # The socket takes one thing after the other: what follows shows that the stop is done.
        later = await seen.then("whole")
        await later.until_ended()
        await later.check()
        after = next(row for row in place.records.generations(before.path) if row.id == before.id)
    verdict(
        FAULT,
        "after the end: `complete` stays",
        f"{after.status}, {posted.status_code}",
        holds=after == before and posted.status_code == 302,
    )


async def test_stop_through_another_process_without_redis(multi: Place, verdict: Verdicts) -> None:
    multi.model.script("long", Text(WORDS, interval_s=0.01))
    assert multi.redis is not None
    async with scene(multi, "long") as seen:
        await seen.tab.until(lambda tab: tab.answer.count("word") > 30)
        multi.redis.kill()
        result = await stop(seen)
    verdict(
        FAULT,
        "across processes while Redis is gone: within 5 s",
        str(result),
        holds=max(result.shown_s, result.closed_s) < STOP_WITHOUT_REDIS_S,
    )


class Race(NamedTuple):
    """How a race ended, and how long after the stop the page showed it, in seconds."""

    status: str
    after_s: float


@dataclass
class Races:
    """Stops answers at about their last delta.

    `lead_s` moves to where both ends are likely, in large steps: a busy machine takes long to stop.
    """

    place: Place
    chance: random.Random
    lead_s: float = 0.03
    results: list[Race] = field(default_factory=list)

    async def run(self, turns: Iterator[int]) -> None:
        for turn in turns:
            speech = Speech()
            self.place.model.script(f"race-{turn}", Text(speech, interval_s=WORD_S))
            async with scene(self.place, f"race-{turn}") as seen:
                self.results.append(await self._race(seen, speech))
            is_late = self.results[-1].status == "complete"
            self.lead_s *= LEAD_STEP if is_late else 1 / LEAD_STEP

    async def _race(self, seen: Scene, speech: Speech) -> Race:
        await seen.tab.until(lambda tab: "word" in tab.answer)
        row_id = seen.row.id
        lead_s = self.lead_s * self.chance.uniform(1 / LEAD_STEP, LEAD_STEP)
        words = 1 + int(lead_s / WORD_S)
        speech.end_after(words)
        # Not a wait for something: the moment is what the test is about.
        await asyncio.sleep(words * WORD_S - lead_s)
        stopped_at = time.time()
        await seen.tab.stop(row_id)
        await seen.until_ended()
        after_s = time.time() - stopped_at
        await seen.closed()
        await seen.check(speech.text)
        return Race(seen.row.status, after_s)


@pytest.mark.parametrize("races", [30, pytest.param(200, marks=pytest.mark.long)])
async def test_races_at_the_last_delta(multi: Place, verdict: Verdicts, races: int) -> None:
    chance, seed = make_random()
    run, turns = Races(multi, chance), iter(range(races))
    async with asyncio.TaskGroup() as group:
        for _ in range(RACES_AT_ONCE):
            group.create_task(run.run(turns))
    ends = Counter(result.status for result in run.results)
    slowest_s = max(result.after_s for result in run.results)
    assert ends["stopped"] and ends["complete"], f"no race at all: {ends}"
    verdict(
        f"{races} stops at the last delta, through another process",
        "exactly one final status each, `stopped` or `complete` within 2 s",
        f"{ends['stopped']} stopped, {ends['complete']} complete, "
        f"{slowest_s:.2f} s at most, seed {seed}",
        holds=ends["stopped"] + ends["complete"] == races and slowest_s < STOP_S,
    )
