"""A scene: a prompt, and the page on which its answer is watched, at another process if any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chat.demo.records import RequestRecord
from tests.faults.history import History, calls_by_prompt
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.records import Row
from tests.faults.tab import WAIT_S, Tab, has_ended
from tests.faults.waiting import until
from tests.integration.answers import prompt

CALL_S = 30.0  # until the model server has seen what it must see, however busy the machine is
STOP_S = 2.0
UPSTREAM_CLOSES_S = 1.0


@dataclass
class Scene:
    """A person, the prompt that they sent, and the page on which they watch.

    `begun_at` is when the prompt was sent, in seconds of `time.time()`; `earlier_id` the last
    message that the page showed before it, 0 for none.
    """

    place: Place
    person: Person
    sent: Send
    tab: Tab
    begun_at: float
    earlier_id: int = 0

    @property
    def row(self) -> Row:
        """The newest answer as it is stored."""
        return self.place.records.newest(self.sent.path)

    @property
    def calls(self) -> list[RequestRecord]:
        """What the model server was asked about the prompt."""
        return calls_by_prompt(self.place.model).get(self.sent.text, [])

    async def until_ended(self, timeout_s: float = WAIT_S) -> float:
        """Wait until the page shows the end; return the seconds since the prompt was sent."""
        await self.tab.until(
            lambda tab: has_ended(tab) and tab.page.message_ids[-1] > self.earlier_id, timeout_s
        )
        return time.time() - self.begun_at

    async def then(self, scenario: str) -> Scene:
        """Send a further prompt on the same page, which misses nothing of its answer."""
        await self.until_ended()
        await self.tab.until(lambda tab: tab.is_connected)
        earlier_id, begun_at = self.tab.page.message_ids[-1], time.time()
        base_url = self.place.sites[0].base_url
        sent = await self.person.ask(base_url, prompt(scenario), self.sent.path)
        return Scene(self.place, self.person, sent, self.tab, begun_at, earlier_id)

    async def called(self) -> RequestRecord:
        """Wait until the model server has answered the request with something."""
        model = self.place.model
        await asyncio.to_thread(
            model.wait_until, lambda: any(call.status for call in self.calls), CALL_S
        )
        return self.calls[-1]

    async def closed(self) -> RequestRecord:
        """Wait until the exchange with the model server is over."""
        return await asyncio.to_thread(self.place.model.wait_closed, self.calls[-1], CALL_S)

    async def until_final(self) -> Row:
        """Wait until the answer has ended, where no page can tell of it."""
        await until(lambda: self.row.is_final, CALL_S)
        return self.row

    async def check(self, text: str | None = None, *, is_upstream_cut: bool = False) -> None:
        """Check what must always hold; `text` is all that Claude sends, where it is known."""
        texts = {} if text is None else {self.sent.text: text}
        history = History(self.place, [self.person], [self.tab], texts)
        await history.check(is_upstream_cut=is_upstream_cut)


@asynccontextmanager
async def scene(place: Place, scenario: str, *, words: str = "") -> AsyncIterator[Scene]:
    """Send a prompt that plays a scenario to the first process, and watch it at the last one.

    Args:
        words: what else the prompt holds.
    """
    person, text = place.person(), prompt(scenario) + words
    begun_at = time.time()
    sent = await person.ask(place.sites[0].base_url, text)
    async with Tab(person, place.sites[-1].base_url, sent.path) as tab:
        yield Scene(place, person, sent, tab, begun_at)
