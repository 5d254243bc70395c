"""Much at once: a delta of 1 MB, and 1,000 deltas a second, while somebody else reads."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import pytest

from chat.demo.steps import Text, Wait
from tests.faults.conftest import chiefly
from tests.faults.history import History
from tests.faults.large import lines
from tests.faults.place import Place
from tests.faults.verdicts import Verdicts
from tests.faults.watch import Watch
from tests.integration.answers import prompt
from tests.integration.shown_page import ShownPage

pytestmark = [pytest.mark.alone, pytest.mark.asyncio]

FAULT = "a delta of 1 MB; 1,000 deltas a second"
WAIT_S = 0.25
FRAME_BYTES = 2**20
FRAMES_PER_S = 30
DELTA_BYTES = 1_000_000
DELTAS_PER_S = 1_000
LOAD_S = 5
QUIET_S = 1.0
WORD_S = 0.02


@dataclass
class Measured:
    """What came of a load: how long somebody else waited for a word, and how it was shown."""

    others_waited_s: float
    took_s: float
    load: Watch

    @property
    def holds(self) -> bool:
        return (
            self.others_waited_s <= WAIT_S
            and self.load.largest_bytes <= FRAME_BYTES
            and self.load.frames_per_s <= FRAMES_PER_S
        )

    def __str__(self) -> str:
        return (
            f"others waited {self.others_waited_s * 1000:.0f} ms at most; "
            f"frames of {self.load.largest_bytes:,} bytes at most, "
            f"{self.load.frames_per_s:.1f} a second"
        )


async def measure(place: Place, text: str) -> Measured:
    """Play the scenario `load`, whose text is `text`, beside an answer that comes steadily."""
    first, last = place.sites[0].base_url, place.sites[-1].base_url
    name, speech = place.speak(interval_s=WORD_S)
    somebody, person = place.person(), place.person()
    async with contextlib.AsyncExitStack() as stack:
        steady = await somebody.ask(first, prompt(name))
        other = await stack.enter_async_context(Watch(somebody, last, steady.path))
        sent = await person.ask(first, prompt("load"))
        load = await stack.enter_async_context(Watch(person, last, sent.path))
        begun_at = time.monotonic()
        await load.until_ended()
        ended_at = time.monotonic()
        speech.end_after(1)
        await other.until_ended()
        waited_s = other.longest_gap_s(begun_at, ended_at) - WORD_S
        assert shown_text(load.page) == "".join(text.split())
        await History(place, [somebody, person], [], {sent.text: text}).check()
    return Measured(waited_s, ended_at - begun_at, load)


def shown_text(page: ShownPage) -> str:
    """Return what the last message shows, without white space, of which a page may hold back."""
    return "".join(page.body(page.message_ids[-1]).text.split())


@chiefly("multi")
async def test_delta_of_1_mb(place: Place, verdict: Verdicts) -> None:
    text = lines(DELTA_BYTES)
    place.model.script("load", Wait(QUIET_S), Text([text]), Wait(QUIET_S))
    measured = await measure(place, text)
    verdict(
        FAULT,
        "1 MB at once: other sockets wait at most 250 ms; frames at most 1 MiB",
        f"{measured}, {len(text.encode()):,} bytes",
        holds=measured.holds,
    )


@chiefly("multi")
async def test_1000_deltas_a_second(place: Place, verdict: Verdicts) -> None:
    deltas = [f"delta{number} " for number in range(LOAD_S * DELTAS_PER_S)]
    place.model.script("load", Text(deltas, interval_s=1 / DELTAS_PER_S))
    measured = await measure(place, "".join(deltas))
    verdict(
        FAULT,
        "other sockets wait at most 250 ms; at most 30 frames a second and viewer",
        f"{measured}; {len(deltas) / measured.took_s:.0f} deltas a second",
        holds=measured.holds,
    )
