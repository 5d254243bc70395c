"""What goes wrong before Claude has said a word: refusals by status, no connection, waits."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from chat.demo.steps import Attempts, Status, Text
from chat.retry import MAX_RETRIES
from tests.faults.place import Place
from tests.faults.scene import STOP_S, scene
from tests.faults.tab import says
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

FAILS_S = 5.0
MAX_WAIT_S = 30.0
WAITS = re.compile(r"(.+); trying again in \d+ s, \d of 3")
ANSWER = "Here I am after all. "
WAITED_FOR = "429 with a short retry-after, 529, 5xx, connection refused, before any content"
REFUSED = "429 with a long or no retry-after; 400, 401, 402, 403, 404, 413"

TRANSIENT = {
    "429": (Status(429, "rate_limit_error", "Slow down", {"retry-after": "2"}), "Claude is busy"),
    "529": (Status(529, "overloaded_error", "Overloaded"), "Claude is busy"),
    "500": (Status(500, "api_error", "Oops"), "Claude's service reported an error"),
    "503": (Status(503, "api_error", "Oops"), "Claude's service reported an error"),
}
HOPELESS = {
    "rate-limited-long": ("rate_limited", 1),
    "rate-limited-no-retry-after": ("rate_limited", 3),
    "bad-request": ("bad_request", 1),
    "context-too-long": ("context_too_long", 1),
    "auth": ("auth", 1),
    "billing": ("billing", 1),
    "permission": ("permission", 1),
    "not-found": ("not_found", 1),
    "too-large": ("too_large", 1),
}


def busy(retry_after_s: int) -> Status:
    return Status(429, "rate_limit_error", "Slow down", {"retry-after": str(retry_after_s)})


async def answered_after_a_wait(place: Place, name: str) -> float:
    """Return how long an answer took whose first request failed."""
    refusal, reason = TRANSIENT[name]
    place.model.script(f"once-{name}", Attempts([refusal], [Text(ANSWER)]))
    async with scene(place, "whole") as first:
        seen = await first.then(f"once-{name}")
        await seen.tab.until(says("trying again in"))
        waits = WAITS.fullmatch(seen.tab.status)
        assert waits and waits[1] == reason, seen.tab.status
        took_s = await seen.until_ended()
        await seen.check(ANSWER)
        assert (seen.row.status, len(seen.calls)) == ("complete", 2)
    return took_s


async def test_waits_and_is_answered(place: Place, verdict: Verdicts) -> None:
    tasks = [answered_after_a_wait(place, name) for name in TRANSIENT]
    slowest_s = max(await asyncio.gather(*tasks))
    verdict(
        WAITED_FOR,
        "the page says what it waits for and for how long, then comes the answer",
        f"answered after {slowest_s:.1f} s at most, {len(tasks)} kinds",
        holds=slowest_s < MAX_WAIT_S,
    )


async def given_up(place: Place, scenario: str) -> tuple[int, float]:
    """Return how many calls a request got that always fails, and how long it took."""
    async with scene(place, scenario) as seen:
        took_s = await seen.until_ended()
        await seen.check("")
        assert seen.row.status == "failed"
        assert "Retry" in seen.tab.status
    return len(seen.calls), took_s


async def test_gives_up_after_two_retries(place: Place, verdict: Verdicts) -> None:
    place.model.script("gateway", Status(502, "api_error", "Bad gateway"))
    scenarios = ("overloaded", "server-error", "timeout", "gateway")
    results = await asyncio.gather(*(given_up(place, scenario) for scenario in scenarios))
    calls = {calls for calls, _ in results}
    slowest_s = max(took_s for _, took_s in results)
    verdict(
        WAITED_FOR,
        "at most 2 retries, all waits together at most 30 s, else `failed`",
        f"{max(calls) - 1} retries, failed after {slowest_s:.1f} s at most",
        holds=calls == {1 + MAX_RETRIES} and slowest_s < MAX_WAIT_S,
    )


async def test_no_connection(place: Place, verdict: Verdicts) -> None:
    place.model.script("reached", Text(ANSWER))
    async with scene(place, "whole") as first, scene(place, "whole") as second:
        await asyncio.gather(first.until_ended(), second.until_ended())
        place.upstream.pull()
        back, gone = await asyncio.gather(first.then("reached"), second.then("reached"))
        for seen in (back, gone):
            await seen.tab.until(says("Claude can't be reached; trying again in"))
        failed_s = await gone.until_ended()
        await gone.check("")
        assert (gone.row.status, gone.row.error_code) == ("failed", "unreachable")
        await back.until_ended()
        place.upstream.put_back()
        await back.person.retry(back.tab.base_url, back.row)
        await back.tab.until(lambda tab: ANSWER.strip() in tab.answer)
        await back.until_ended()
        await back.check()
    verdict(
        WAITED_FOR,
        "no connection: `failed` in words after 2 retries, answered when it is back",
        f"failed after {failed_s:.1f} s, {len(gone.calls)} calls",
        holds=failed_s < MAX_WAIT_S and not gone.calls and len(back.calls) == 1,
    )


async def test_stop_while_it_waits(place: Place, verdict: Verdicts) -> None:
    place.model.script("wait-for-it", busy(25))
    async with scene(place, "wait-for-it") as seen:
        await seen.tab.until(says("trying again in"))
        stopped_at = time.monotonic()
        await seen.tab.stop(seen.row.id)
        await seen.until_ended()
        after_s = time.monotonic() - stopped_at
        await seen.check("")
    verdict(
        WAITED_FOR,
        "Stop works meanwhile",
        f"{seen.row.status} after {after_s:.2f} s, {len(seen.calls)} call",
        holds=after_s < STOP_S and seen.row.status == "stopped" and len(seen.calls) == 1,
    )


@pytest.mark.long
async def test_waits_come_to_30_s_at_most(place: Place, verdict: Verdicts) -> None:
    """The second wait would go beyond it, so that the answer fails at once instead."""
    place.model.script("busy-for-long", busy(16))
    calls, took_s = await given_up(place, "busy-for-long")
    verdict(
        WAITED_FOR,
        "honouring retry-after, all waits together at most 30 s, else `failed` at once",
        f"{calls} calls, failed after {took_s:.1f} s",
        holds=calls == 2 and 16 <= took_s < 16 + FAILS_S,
    )


async def refused(place: Place, scenario: str) -> float:
    """Return how long it took until an answer without hope had failed."""
    code, expected_calls = HOPELESS[scenario]
    async with scene(place, scenario) as seen:
        took_s = await seen.until_ended()
        await seen.check("")
        assert (seen.row.status, seen.row.error_code) == ("failed", code)
        assert len(seen.calls) == expected_calls, f"{scenario}: {len(seen.calls)} calls"
        assert f"({code})" in seen.tab.status
    return took_s


async def test_fails_at_once(place: Place, verdict: Verdicts) -> None:
    times_s = await asyncio.gather(*(refused(place, scenario) for scenario in HOPELESS))
    took_s = dict(zip(HOPELESS, times_s, strict=True))
    slowest = max(took_s, key=lambda scenario: took_s[scenario])
    verdict(
        REFUSED,
        "`failed` within 5 s, one call (a 429 without retry-after: 3), the sentence says why",
        f"{took_s[slowest]:.1f} s at most ({slowest}), {len(HOPELESS)} kinds",
        holds=took_s[slowest] < FAILS_S,
    )
