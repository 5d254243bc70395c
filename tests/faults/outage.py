"""What people do while a service is away: they read what is being written, and send prompts.

streams -> Outage -> send, answers (during), new_send (after) -> check
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from deploy.servers import Site
from tests.faults.history import History
from tests.faults.people import Person, Send
from tests.faults.place import Place
from tests.faults.records import Row
from tests.faults.speech import Speech
from tests.faults.tab import Tab, has_ended
from tests.faults.waiting import until
from tests.integration.answers import prompt

WORD_S = 0.02
BEGUN_WORDS = 20
GIVE_UP_S = 60.0
PEOPLE = 120  # more than take part
LONGER_THAN_ANY_S = 600.0
BACK_S = 10.0
"""When a fault is over, a new send works within this time."""


@dataclass
class Stream:
    """An answer that goes on and on, and the page on which it is watched.

    `late_s` is the longest time that a word took from the model server to the page.
    """

    place: Place
    person: Person
    sent: Send
    tab: Tab
    speech: Speech
    late_s: float = 0.0
    _shown: int = 0

    @property
    def row(self) -> Row:
        return self.place.records.newest(self.sent.path)

    async def goes_on(self, words: int = 25) -> float:
        """Wait until the page shows words that were not said yet, or the end.

        Returns:
            how long that took, in seconds.
        """
        wanted = len(self.speech) + words
        return await self.tab.until(
            lambda tab: tab.answer.count("word") >= wanted or has_ended(tab)
        )

    async def end(self) -> Row:
        """Have Claude end the answer; return it as it is stored when its page shows the end."""
        self.speech.end_after(0)
        await self.tab.until_ended()
        return self.row

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Measure how late words are while the block lasts."""
        self._shown = self.tab.answer.count("word")
        watch = asyncio.create_task(self.tab.until(self._note, LONGER_THAN_ANY_S), name="watch")
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    def _note(self, tab: Tab) -> bool:
        shown = tab.answer.count("word")
        if shown > self._shown:
            # Of those that are new, the first has waited longest.
            late_s = time.monotonic() - self.speech.said_at[self._shown]
            self.late_s, self._shown = max(self.late_s, late_s), shown
        return has_ended(tab)


@asynccontextmanager
async def stream(place: Place, site: Site) -> AsyncIterator[Stream]:
    """Have one process write an answer that is watched at another one, if there is any."""
    person = place.person()
    name, speech = place.speak(interval_s=WORD_S)
    try:
        sent = await person.ask(site.base_url, prompt(name))
        owner = await _owner(place, sent.path)
        reader = next((other for other in place.sites if other is not owner), owner)
        async with Tab(person, reader.base_url, sent.path) as tab:
            await tab.until(lambda tab: tab.answer.count("word") >= BEGUN_WORDS)
            running = Stream(place, person, sent, tab, speech)
            async with running.watched():
                yield running
    finally:
        speech.end_after(0)


@asynccontextmanager
async def streams(place: Place) -> AsyncIterator[list[Stream]]:
    """Have each process write an answer."""
    # Making people takes seconds, in which no page could be watched.
    place.gather(2 * PEOPLE)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(stream(place, site)) for site in place.sites]


async def _owner(place: Place, path: str) -> Site:
    await until(lambda: place.records.newest(path).owner, GIVE_UP_S)
    return place.owner_of(path)


class Outage:
    """People of one place, before, during and after a fault."""

    def __init__(self, place: Place, running: Sequence[Stream]) -> None:
        place.gather(PEOPLE)
        self.place = place
        self.streams = running
        self.people: list[Person] = []
        self._sending: dict[asyncio.Task[Send], tuple[Person, Site]] = {}
        self.tabs: list[Tab] = []
        self._pids = self._living()

    @property
    def late_s(self) -> float:
        return max(each.late_s for each in self.streams)

    def person(self) -> Person:
        self.people.append(self.place.person())
        return self.people[-1]

    def send(self, *sites: Site, count: int = 1) -> None:
        """Have people send a prompt each, to every process or to some; wait for no answer."""
        for site in (sites or self.place.sites) * count:
            person = self.person()
            task = asyncio.create_task(person.send(site.base_url, prompt("whole")), name="send")
            self._sending[task] = person, site

    async def answers(self) -> Counter[int]:
        """Wait for the answers to all that was sent; send again what was refused.

        A refusal is in words, and gives the prompt back with its key; so nothing is sent twice.

        Returns:
            how often each status came first.
        """
        codes: Counter[int] = Counter()
        await asyncio.wait(self._sending)  # All, before one of them may raise.
        for task, (person, site) in self._sending.items():
            send = task.result()
            codes[send.code] += 1
            if not send.is_acknowledged:
                check_refused(send)
                await person.send_again(site.base_url, send)
                assert send.is_acknowledged, f"{send.code} when it was sent again"
        return codes

    async def new_send(self) -> float:
        """Send to every process until a prompt is taken; return how long an answer took at most.

        In seconds from now, which is when the fault is over.
        """
        begun_at = time.monotonic()
        async with asyncio.timeout(GIVE_UP_S):
            for site in self.place.sites:
                person, send = self.person(), None
                while not (send and send.is_acknowledged):
                    send = await person.send(site.base_url, prompt("whole"))
                    assert send.code in (302, 503), send.code
                async with Tab(person, site.base_url, send.path) as tab:
                    await tab.until_ended()
                self.tabs.append(tab)
        return time.monotonic() - begun_at

    async def until_quiet(self) -> None:
        """Wait until every answer has ended."""
        await until(lambda: all(row.is_final for row in self._history().rows), GIVE_UP_S)

    async def check(self) -> None:
        """Wait until every answer has ended, and check what must always hold."""
        await self.until_quiet()
        await self._history().check()
        assert self._living() == self._pids, "a process died"

    def _history(self) -> History:
        people = [*self.people, *(each.person for each in self.streams)]
        tabs = [*self.tabs, *(each.tab for each in self.streams)]
        texts = {each.sent.text: each.speech.text for each in self.streams}
        return History(self.place, people, tabs, texts)

    def _living(self) -> list[int]:
        return [site.pid for site in self.place.sites if site.is_alive]


def check_refused(send: Send) -> None:
    """Check that a prompt was refused in words, and given back."""
    assert send.code == 503, f"{send.code}: {send.body[:200]}"
    assert "save anything at the moment. What you typed is kept" in send.body
    assert send.text in send.body and str(send.key) in send.body


def said(codes: Counter[int]) -> str:
    """Return how sends were answered, in words."""
    return f"{codes[302]} sends taken, {codes[503]} refused with their text"
