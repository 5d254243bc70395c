"""Connections that are cut at random, again and again, while three tabs read one conversation.

The seed is printed with the verdict; CHAT_FAULTS_SEED repeats a run's choices.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from functools import partial

import pytest

from chat.demo.steps import Text
from tests.faults.chance import make_random
from tests.faults.history import History
from tests.faults.place import Place
from tests.faults.records import text_of
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts
from tests.proxy import Proxy

pytestmark = pytest.mark.asyncio

MEAN_GAP_S = 0.1
RECONNECT_S = 0.05
CUT_AFTER_BYTES = 2_000
COMES_S = 2.0
WORDS_A_SECOND = 30
ALPHABET = (
    "word",
    "Wörter",
    "слово",
    "字",
    "言葉",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u0301",
    "คำ",
    "<b>",
    "&",
)


def make_pieces(chance: random.Random, words: int) -> list[str]:
    """Return deltas that cut words, and graphemes, wherever it comes."""
    lines = [" ".join(chance.choices(ALPHABET, k=10)) for _ in range(words // 10)]
    text = "\n".join([*lines, "end"])
    pieces = []
    while text:
        size = chance.randint(1, 12)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def is_connected(tab: Tab, times: int) -> bool:
    return tab.connections >= times and tab.is_connected


async def cut_at_random(tab: Tab, proxy: Proxy, chance: random.Random, left: Iterator[int]) -> None:
    """Cut a tab's connection, at once or in the middle of what comes next, as often as is left."""
    for _ in left:
        again = tab.connections + 1
        await asyncio.sleep(chance.expovariate(1 / MEAN_GAP_S))
        if chance.random() < 0.5:
            proxy.cut()
        else:
            proxy.cut_after(chance.randint(1, CUT_AFTER_BYTES))
        try:
            await tab.until(partial(is_connected, times=again), COMES_S)
        except TimeoutError:
            # The answer has ended, so that nothing more comes that could be cut.
            proxy.cut_after(None)
            proxy.cut()
            await tab.until(partial(is_connected, times=again))


@pytest.mark.parametrize("cuts", [100, pytest.param(1_000, marks=pytest.mark.long)])
async def test_random_cuts(multi: Place, verdict: Verdicts, cuts: int) -> None:
    chance, seed = make_random()
    length_s = cuts * MEAN_GAP_S
    pieces = make_pieces(chance, int(length_s * WORDS_A_SECOND))
    multi.model.script("random-cuts", Text(pieces, interval_s=length_s / len(pieces)))
    person = multi.person()
    first, second = multi.sites
    async with contextlib.AsyncExitStack() as stack:
        proxies = [stack.enter_context(Proxy(site.port)) for site in (first, second, second)]
        sent = await person.send(first.base_url, f"/demo random-cuts\n{seed} {cuts}")
        raw = await stack.enter_async_context(Tab(person, second.base_url, sent.path))
        tabs = [
            await stack.enter_async_context(
                Tab(person, proxy.base_url, sent.path, reconnect_s=RECONNECT_S)
            )
            for proxy in proxies
        ]
        left = iter(range(cuts))
        await asyncio.gather(
            *(
                cut_at_random(tab, proxy, chance, left)
                for tab, proxy in zip(tabs, proxies, strict=True)
            )
        )
        for tab in (raw, *tabs):
            await tab.until_ended(length_s + 60)
        row = multi.records.newest(sent.path)
        logged = text_of(multi.records.events(row.id))
        shown = {tab.answer for tab in (raw, *tabs)}
        await History(multi, [person], [raw, *tabs], {sent.text: "".join(pieces)}).check()
    connections = sum(tab.connections for tab in tabs)
    verdict(
        f"{cuts} random cuts over 3 tabs and 2 processes",
        "log, database and a raw socket hold the identical text, every tab shows it",
        f"{cuts} cuts, {connections} connections, {len(row.text)} characters, seed {seed}",
        holds=shown == {row.text} and logged == row.text == "".join(pieces),
    )
