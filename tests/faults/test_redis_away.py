"""Redis gone, held up, full or restarted, while answers are written and read."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from chat.demo.thread import DemoThread
from deploy.servers import Redis
from tests.faults.conftest import missing_program_is_said, open_folder
from tests.faults.outage import BACK_S, Outage, Stream, streams
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts
from tests.integration.answers import prompt

pytestmark = pytest.mark.asyncio

FAULT = "Redis restarted, full or gone"
LATE_S = 5.0
RUNG_S = 1.0  # Sooner than a reader looks by itself.
LONG_ENOUGH_WORDS = 100  # 2 s, so that the silence has been noticed
PAGES = ("/", "/conversations/", "/accounts/password/change/", "/healthz")


class Fault(NamedTuple):
    """How Redis fails, how it works again, and what /readyz says of its rings meanwhile."""

    begin: Callable[[Redis], None]
    end: Callable[[Redis], None]
    layer: str


FAULTS = {
    "gone": Fault(Redis.kill, Redis.start, "silent"),
    "held up": Fault(Redis.hold, Redis.go_on, "silent"),
    # A full server still carries rings.
    "full": Fault(Redis.fill, Redis.empty, "ok"),
}


@pytest.fixture
def alone(model: DemoThread) -> Iterator[Place]:
    """One process with SQLite that is told of a Redis all the same."""
    with open_folder() as folder, missing_program_is_said():
        redis = Redis(folder)
        settings = {"REDIS_URL": redis.url}
        with redis, Place("single", folder, model, settings=settings) as place:
            place.redis = redis
            yield place


async def ask_everything(place: Place, stream: Stream, person: Person) -> Counter[int]:
    """Do at every process what people do; return the statuses, 101 for a socket that speaks."""
    codes: Counter[int] = Counter()
    for site in place.sites:
        for page in (*PAGES, stream.sent.path):
            codes[(await stream.person.get(site.base_url, page)).status_code] += 1
        codes[(await person.sign_in(site.base_url)).status_code] += 1
        sent = await person.send(site.base_url, prompt("whole"))
        codes[sent.code] += 1
        async with Tab(person, site.base_url, sent.path) as tab:
            await tab.until(lambda tab: tab.frames > 0)
            await tab.until_ended()
        codes[101] += 1
    return codes


async def reports(place: Place, stream: Stream) -> set[tuple[str, str]]:
    """Return what the processes say of Redis; that they are ready all the same is checked."""
    said = set()
    for site in place.sites:
        response = await stream.person.get(site.base_url, "/readyz")
        assert response.status_code == 200, response.text
        report = response.json()
        said.add((report["channel_layer"], report["cache"]))
    return said


async def reported(
    place: Place, stream: Stream, expected: set[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return what the processes say of Redis, as soon as that is `expected` or it is late.

    A process that has much to do may not hear the layer's answer within the time it gives it.
    """
    late_at = time.monotonic() + LATE_S
    while (said := await reports(place, stream)) != expected and time.monotonic() < late_at:
        pass
    return said


def shows_more_than(messages: int) -> Callable[[Tab], bool]:
    return lambda tab: len(tab.page.message_ids) > messages


async def seen_elsewhere(outage: Outage, *, until_s: float = BACK_S) -> tuple[float, float]:
    """Send prompts to the first process until the last one shows one within `until_s`.

    Returns:
        how long that took, and how late a prompt was seen at most, in seconds.
    """
    first, last = outage.place.sites[0], outage.place.sites[-1]
    person, begun_at = outage.person(), time.monotonic()
    seen_s: list[float] = []
    path = (await person.send(first.base_url, prompt("whole"))).path
    async with Tab(person, last.base_url, path) as tab:
        outage.tabs.append(tab)
        await tab.until_ended()
        while not seen_s or (seen_s[-1] > until_s and time.monotonic() < begun_at + 2 * BACK_S):
            count, sent_at = len(tab.page.message_ids), time.monotonic()
            await person.ask(first.base_url, prompt("whole"), path)
            await tab.until(shows_more_than(count))
            seen_s.append(time.monotonic() - sent_at)
            await tab.until_ended()
    return time.monotonic() - begun_at, max(seen_s)


async def fails(place: Place, verdict: Verdicts, name: str) -> tuple[float, float]:
    """Have Redis fail under an answer of each process.

    Returns:
        how long it took until a ring came again, and until a prompt was seen at most, in seconds.
    """
    fault, redis = FAULTS[name], place.redis
    assert redis is not None
    async with streams(place) as running:
        outage = Outage(place, running)
        fault.begin(redis)
        codes = await ask_everything(place, running[0], outage.person())
        _, late_s = await seen_elsewhere(outage)
        for stream in running:
            await stream.goes_on(LONG_ENOUGH_WORDS)
        said = await reported(place, running[0], {(fault.layer, "not shared")})
        await asyncio.to_thread(fault.end, redis)
        back = await seen_elsewhere(outage, until_s=RUNG_S)
        ends = [await stream.end() for stream in running]
        await outage.check()
    verdict(
        FAULT,
        f"{name}: no text lost; across processes at most 5 s late",
        f"words {outage.late_s:.1f} s late at most, a prompt {late_s:.1f} s; "
        f"{', '.join(row.status for row in ends)}",
        holds=max(outage.late_s, late_s) < LATE_S and {row.status for row in ends} == {"complete"},
    )
    verdict(
        FAULT,
        f"{name}: never 5xx for what does not need it; `/readyz` reports it and stays 200",
        f"{codes.total()} requests and sockets answered with {', '.join(map(str, sorted(codes)))}; "
        f"rings and cache: {', '.join(f'{layer} and {cache}' for layer, cache in sorted(said))}",
        holds=set(codes) == {101, 200, 302} and said == {(fault.layer, "not shared")},
    )
    return back


@pytest.mark.parametrize(
    "name", ["gone", *(pytest.param(name, marks=pytest.mark.long) for name in ("full", "held up"))]
)
async def test_redis_fails(multi: Place, verdict: Verdicts, name: str) -> None:
    back_s, seen_s = await fails(multi, verdict, name)
    verdict(
        FAULT,
        f"{name}: when it works again, rings come within 10 s",
        f"after {back_s:.1f} s; a prompt was seen after {seen_s:.1f} s at most until then",
        holds=back_s < BACK_S and seen_s < LATE_S,
    )


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
async def test_redis_fails_beside_one_process(alone: Place, verdict: Verdicts, name: str) -> None:
    verdict.mode = "single"
    _, seen_s = await fails(alone, verdict, name)
    verdict(
        FAULT,
        f"{name}: single-process service goes on",
        f"a prompt was seen after {seen_s:.1f} s",
        holds=seen_s < RUNG_S,
    )


async def test_redis_is_restarted(multi: Place, verdict: Verdicts) -> None:
    assert multi.redis is not None
    async with streams(multi) as running:
        outage = Outage(multi, running)
        multi.redis.kill()
        await asyncio.to_thread(multi.redis.start)
        back_s, seen_s = await seen_elsewhere(outage, until_s=RUNG_S)
        for stream in running:
            await stream.goes_on()
        ends = [await stream.end() for stream in running]
        await outage.check()
    late_s = max(outage.late_s, seen_s)
    verdict(
        FAULT,
        "restarted: no text lost; across processes at most 5 s late; rings come within 10 s",
        f"{late_s:.1f} s late at most; rings after {back_s:.1f} s; "
        f"{', '.join(row.status for row in ends)}",
        holds=late_s < LATE_S and back_s < BACK_S and {row.status for row in ends} == {"complete"},
    )


@pytest.mark.long
async def test_process_starts_without_redis(multi: Place, verdict: Verdicts) -> None:
    assert multi.redis is not None
    multi.redis.kill()
    for site in multi.sites:
        await asyncio.to_thread(site.terminate)
        await asyncio.to_thread(site.start)
    outage = Outage(multi, [])
    _, late_s = await seen_elsewhere(outage)
    await asyncio.to_thread(multi.redis.start)
    back_s, _ = await seen_elsewhere(outage, until_s=RUNG_S)
    await outage.check()
    verdict(
        "processes start while Redis is away",
        "across processes at most 5 s late; rings come within 10 s",
        f"a prompt was seen after {late_s:.1f} s; rings {back_s:.1f} s after it was back",
        holds=late_s < LATE_S and back_s < BACK_S,
    )
