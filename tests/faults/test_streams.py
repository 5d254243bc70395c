"""What goes wrong while Claude writes: broken streams, silence, strange events, cuts, refusals."""

from __future__ import annotations

import asyncio

import pytest

from chat.demo.steps import Pings, Refuse, Text
from chat.demo.thread import DemoThread
from tests.faults.chance import make_random
from tests.faults.conftest import open_folder
from tests.faults.place import Place
from tests.faults.scene import Scene, scene
from tests.faults.tab import WAIT_S, has_ended
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

FAILS_S = 5.0
READ_TIMEOUT_S = 5.0  # as place.py sets it
DEFAULT_TIMEOUT_S = 60.0
PARTIAL = "These words arrive before the fault, and they should stay on the page. " * 2
AFTER_CONTENT = "error event, reset, garbage or end of stream without message_stop, after content"
ODD = "unknown events, deltas and blocks; TCP cut anywhere, in the middle of UTF-8 too"

BROKEN = {
    "error-event-late": "overloaded",
    "reset-late": "connection_lost",
    "closed-late": "connection_lost",
    "truncated": "truncated",
    "garbage": "bad_stream",
    "bad-utf8": "bad_stream",
}
SILENT = {"stall": PARTIAL, "stall-early": "", "stall-headers": ""}
HERONS = "鷺は静かに水辺で待つ。Herons wait, 👩‍👩‍👧 and e\u0301 and 🇨🇭 too; das Wörtchen läuft. "


async def broken(place: Place, scenario: str) -> float:
    """Break a stream, check how that ends, press Continue; return how long the failure took."""
    async with scene(place, scenario) as seen:
        took_s = await seen.until_ended()
        row = seen.row
        assert (row.status, row.error_code) == ("failed", BROKEN[scenario])
        assert row.text == PARTIAL and seen.tab.answer == PARTIAL.strip()
        assert "Continue" in seen.tab.status and "Retry" in seen.tab.status
        await seen.check(PARTIAL)
        assert len(seen.calls) == 1
        await seen.person.go_on(seen.tab.base_url, row)
        await seen.tab.until(lambda tab: has_ended(tab) and len(tab.answer) > len(PARTIAL))
        assert seen.row.status == "complete"
        await seen.check()
    return took_s


async def test_stream_breaks_after_content(place: Place, verdict: Verdicts) -> None:
    times_s = await asyncio.gather(*(broken(place, scenario) for scenario in BROKEN))
    verdict(
        AFTER_CONTENT,
        "partial text kept, `failed` within 5 s with its code; Continue and Retry offered",
        f"failed after {max(times_s):.1f} s at most, {len(BROKEN)} kinds, all gone on with",
        holds=max(times_s) < FAILS_S,
    )


async def silent(place: Place, scenario: str, silence_s: float = READ_TIMEOUT_S) -> float:
    """Return how long after its prompt an answer failed that Claude left in silence."""
    async with scene(place, scenario) as seen:
        took_s = await seen.until_ended(silence_s + WAIT_S)
        assert (seen.row.status, seen.row.error_code) == ("failed", "stalled")
        assert seen.row.text == SILENT[scenario] and len(seen.calls) == 1
        await seen.check(SILENT[scenario])
    return took_s


async def alive(place: Place) -> None:
    """Have Claude send pings alone for longer than a silence may last."""
    place.model.script("pings-for-long", Pings(14, READ_TIMEOUT_S / 10), Text(PARTIAL))
    async with scene(place, "pings-for-long") as seen:
        took_s = await seen.until_ended()
        assert seen.row.status == "complete" and took_s > READ_TIMEOUT_S
        await seen.check(PARTIAL)


async def test_silence(place: Place, verdict: Verdicts) -> None:
    ended = [silent(place, scenario) for scenario in SILENT]
    *times_s, _ = await asyncio.gather(*ended, alive(place))
    after_s = [took_s - READ_TIMEOUT_S for took_s in times_s if took_s]
    verdict(
        f"silence for {READ_TIMEOUT_S:.0f} s (CHAT_READ_TIMEOUT_S; pings count as life)",
        "`failed`, `stalled`",
        f"{max(after_s):.1f} s later at most, {len(SILENT)} kinds; pings kept another alive",
        holds=min(after_s) > 0 and max(after_s) < FAILS_S,
    )


@pytest.mark.long
async def test_silence_for_a_minute(model: DemoThread, verdict: Verdicts) -> None:
    """As the site is when nobody sets anything."""
    unset = {"CHAT_READ_TIMEOUT_S": ""}
    with open_folder() as folder, Place("single", folder, model, settings=unset) as place:
        after_s = await silent(place, "stall", DEFAULT_TIMEOUT_S) - DEFAULT_TIMEOUT_S
    verdict(
        "silence for 60 s (the default)",
        "`failed`, `stalled`",
        f"{after_s:.1f} s later",
        holds=0 < after_s < FAILS_S,
    )


async def test_unknown_events(place: Place, verdict: Verdicts) -> None:
    async with scene(place, "unknown-events") as seen:
        await seen.until_ended()
        text = "Known before. Known after."
        await seen.check(text)
    verdict(
        ODD,
        "ignored or passed through; the text is exact",
        f"{seen.row.status}, {len(seen.row.text)} characters",
        holds=seen.row.status == "complete" and seen.row.text == text,
    )


async def test_stream_in_crumbs(place: Place, verdict: Verdicts) -> None:
    chance, seed = make_random()
    text = HERONS * 10
    place.model.script("crumbs", Text(text, chunk=7))
    place.upstream.crumble(lambda: chance.randint(1, 40))
    async with scene(place, "crumbs") as seen:
        await seen.until_ended()
        await seen.check(text)
    verdict(
        ODD,
        "in TCP segments of 1 to 40 bytes: the text is exact",
        f"{seen.row.status}, {len(text.encode())} bytes, seed {seed}",
        holds=seen.row.status == "complete" and seen.row.text == text,
    )


async def cut_at(place: Place, offset: int, text: str) -> Scene:
    """Reset the connection from the model server behind so many bytes."""
    place.upstream.cut_after(offset)
    async with scene(place, "cut-anywhere") as seen:
        await seen.until_ended()
        await seen.check(text, is_upstream_cut=True)
    kept = seen.row.text
    assert text.startswith(kept), f"cut at {offset}: {kept[-20:]!r}"
    if seen.row.status == "complete":
        # Cut before any content, and made again.
        assert len(seen.calls) == 2 and kept == text, f"cut at {offset}"
    else:
        assert seen.row.error_code == "connection_lost", f"cut at {offset}"
        assert len(seen.calls) == 1, f"cut at {offset}"
    return seen


@pytest.mark.parametrize("cuts", [5, pytest.param(60, marks=pytest.mark.long)])
async def test_connection_cut_anywhere(place: Place, verdict: Verdicts, cuts: int) -> None:
    chance, seed = make_random()
    text = HERONS * 8
    place.model.script("cut-anywhere", Text(text, chunk=30))
    # One at a time: a cut meets whatever passes then. The whole stream is longer.
    answers = [await cut_at(place, chance.randint(1, 3_000), text) for _ in range(cuts)]
    kept = sum(len(seen.row.text) for seen in answers)
    verdict(
        ODD,
        "reset behind any byte: what came is kept exactly",
        f"{cuts} cuts, {kept} characters, seed {seed}",
        holds=all(seen.row.status in ("complete", "failed") for seen in answers),
    )


def texts_sent(seen: Scene) -> list[str]:
    """Return all texts that the model server got with a prompt."""
    messages = seen.calls[-1].body["messages"]
    return [block["text"] for message in messages for block in message["content"]]


async def test_refusal(place: Place, verdict: Verdicts) -> None:
    place.model.script("refused-late", Text(PARTIAL), Refuse())
    async with scene(place, "refused-late") as seen:
        await seen.until_ended()
        row, status = seen.row, seen.tab.status
        folded = seen.tab.page.article(row.message_id).find(
            lambda element: "block-refused" in element.attributes.get("class", "")
        )
        assert folded and folded.tag == "details" and "open" not in folded.attributes
        assert PARTIAL.strip() in folded.text
        later = await seen.then("whole")
        await later.until_ended()
        await seen.check()
    sent_back = texts_sent(later)
    verdict(
        "refusal",
        "own notice; what was shown stays on record, folded, and is never sent back",
        f"{row.status}, {len(row.text)} characters on record, {len(sent_back)} text sent later",
        holds=(row.status, row.stop_reason, row.text) == ("complete", "refusal", PARTIAL)
        and "Claude declined" in status
        and sent_back == [later.sent.text],
    )
