"""Deploys: processes that are asked to end, one after the other, while everybody chats on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
import uuid
from collections.abc import Iterator

import pytest

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.faults.conftest import chiefly, missing_program_is_said, open_folder
from tests.faults.history import History
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

STREAMS = 50
EXIT_S = 30.0
ANSWER_S = (2.0, 25.0)  # the longer ones outlast the drain
DELTAS = 100
LATE_S = 60.0


@pytest.fixture(scope="module")
def three(model: DemoThread) -> Iterator[Place]:
    """Three processes, of which another goes on with what one leaves."""
    settings = {"CHAT_ON_INTERRUPT": "continue", "BEHIND_PROXY": "on", "CHAT_DRAIN_S": "8"}
    with open_folder() as folder:
        with missing_program_is_said():
            place = Place("multi", folder, model, processes=3, settings=settings)
        with place:
            yield place


class Chatter:
    """Somebody who asks one thing after the other, and reads each answer to its end."""

    def __init__(self, place: Place, person: Person, base_url: str, number: int) -> None:
        self.place = place
        self.person = person
        self.base_url = base_url
        self.number = number
        self.tabs: list[Tab] = []
        self.texts: dict[str, str] = {}

    async def chat(self, until: asyncio.Event) -> None:
        while not until.is_set():
            sent = await self.person.ask(self.base_url, self.prompt(random.uniform(*ANSWER_S)))
            async with Tab(self.person, self.base_url, sent.path) as tab:
                self.tabs.append(tab)
                await tab.until_ended(LATE_S)

    def prompt(self, length_s: float) -> str:
        """Return a prompt whose answer takes so long."""
        name = f"deploy-{self.number}-{len(self.tabs)}"
        words = [f"{name}-{n} " for n in range(DELTAS)]
        self.place.model.script(name, Text(words, interval_s=length_s / DELTAS))
        prompt = f"/demo {name}\n{uuid.uuid4()}"
        self.texts[prompt] = "".join(words)
        return prompt


@pytest.mark.long
async def test_rolling_restart(three: Place, verdict: Verdicts) -> None:
    over = asyncio.Event()
    exits: list[float] = []
    with three.nginx() as nginx:
        chatters = [Chatter(three, three.person(), nginx.base_url, n) for n in range(STREAMS)]
        async with asyncio.TaskGroup() as group:
            for chatter in chatters:
                group.create_task(chatter.chat(over))
            await asyncio.sleep(3)  # so that the streams are at different places
            for site in three.sites:
                begun_at = time.monotonic()
                assert await asyncio.to_thread(site.terminate) in (0, -signal.SIGTERM)
                exits.append(time.monotonic() - begun_at)
                await asyncio.to_thread(site.start)
            over.set()
        people = [chatter.person for chatter in chatters]
        tabs = [tab for chatter in chatters for tab in chatter.tabs]
        texts = {prompt: text for c in chatters for prompt, text in c.texts.items()}
        history = History(three, people, tabs, texts)
        await history.check()
    sends = [send for person in people for send in person.sends]
    lost = [send for send in sends if not send.is_acknowledged]
    clicks = [rows[-1] for rows in history.by_message.values() if rows[-1].status != "complete"]
    went_on = sum(len(rows) > 1 for rows in history.by_message.values())
    verdict(
        f"rolling restart of 3 processes under {STREAMS} streams",
        "0 texts lost, 0 sends refused, 0 clicks needed; each exits within 30 s",
        f"{len(sends)} sends, {len(lost)} refused, {went_on} answers gone on with elsewhere, "
        f"{len(clicks)} clicks needed, longest exit {max(exits):.1f} s",
        holds=not lost and not clicks and max(exits) < EXIT_S,
    )


@chiefly("multi")
async def test_sigterm(place: Place, verdict: Verdicts) -> None:
    """One answer can end within the drain, one can't; both readers come back by themselves."""
    site = place.sites[0]
    chatters = [Chatter(place, place.person(), site.base_url, n) for n in range(2)]
    prompts = [
        chatter.prompt(length_s) for chatter, length_s in zip(chatters, (4, 40), strict=True)
    ]
    sends = [await c.person.send(site.base_url, p) for c, p in zip(chatters, prompts, strict=True)]
    async with contextlib.AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(Tab(c.person, site.base_url, send.path))
            for c, send in zip(chatters, sends, strict=True)
        ]
        for tab in tabs:
            await tab.until(lambda tab: "-5 " in tab.answer)
        begun_at = time.monotonic()
        await asyncio.to_thread(site.terminate)
        exit_s = time.monotonic() - begun_at
        await asyncio.to_thread(site.start)
        for tab in tabs:
            await tab.until_ended(LATE_S)
        texts = {prompt: text for c in chatters for prompt, text in c.texts.items()}
        await History(place, [c.person for c in chatters], tabs, texts).check()
    ends = [place.records.newest(send.path) for send in sends]
    verdict(
        "SIGTERM",
        "exits within 30 s; what can finish does, the rest is `interrupted` with its text",
        f"exit after {exit_s:.1f} s; {', '.join(row.status for row in ends)}",
        holds=exit_s < EXIT_S and [row.status for row in ends] == ["complete", "interrupted"],
    )
