"""A random walk over everything that people and machines do to a site, then the checker.

The seed is printed with the verdict; CHAT_FAULTS_SEED walks the same way again.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chat.demo import steps
from chat.demo.steps import Attempts, Cut, Status, Text
from tests.faults.chance import make_random
from tests.faults.conftest import chiefly
from tests.faults.history import History
from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import Tab, has_ended
from tests.faults.verdicts import Verdicts
from tests.proxy import Proxy

T = TypeVar("T")
CALL_S = 90.0
ENDED_S = 60.0
MAX_CHATS = 8
TRIES = 40
WORDS = [f"word{number} " for number in range(200)]
OVERLOADED = Status(529, "overloaded_error", "Overloaded")
ANSWERS: dict[str, list[steps.Step | Attempts]] = {
    "walk-quick": [Text(WORDS[:20])],
    "walk-slow": [Text(WORDS, interval_s=0.02)],
    "walk-reset": [Text(WORDS[:100], interval_s=0.01), Cut()],
    "walk-retried": [Attempts([OVERLOADED], [Text(WORDS[:50], interval_s=0.01)])],
}


class Chat:
    """A person with one conversation, and a tab of it behind a network of its own."""

    def __init__(self, person: Person, proxy: Proxy, tab: Tab) -> None:
        self.person = person
        self.proxy = proxy
        self.tab = tab


class Walk(RuleBasedStateMachine):
    """Each rule is one thing that somebody does, or that happens."""

    place: ClassVar[Place]
    steps_walked: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.chats: list[Chat] = []
        for name, played in ANSWERS.items():
            self.place.model.script(name, *played)

    @initialize(answers=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=2, max_size=3))
    def begin_some(self, answers: list[str]) -> None:
        for number, answer in enumerate(answers):
            self.begin(answer, number)

    @invariant()
    def count(self) -> None:
        type(self).steps_walked += 1

    @precondition(lambda self: len(self.chats) < MAX_CHATS)
    @rule(answer=st.sampled_from(sorted(ANSWERS)), at=st.integers(0, 9))
    def begin(self, answer: str, at: int) -> None:
        person, site = self.place.person(), self.pick(self.place.sites, at)
        path = self.call(self.send(person, site.base_url, answer, "/"))
        proxy = Proxy(site.port).__enter__()
        tab = Tab(person, proxy.base_url, path, reconnect_s=0.2)
        self.call(tab.__aenter__())
        self.chats.append(Chat(person, proxy, tab))

    @precondition(lambda self: self.chats)
    @rule(answer=st.sampled_from(sorted(ANSWERS)), which=st.integers(0, 9), at=st.integers(0, 9))
    def send_again(self, answer: str, which: int, at: int) -> None:
        chat, site = self.pick(self.chats, which), self.pick(self.place.sites, at)
        self.call(self.send(chat.person, site.base_url, answer, chat.tab.path))

    @precondition(lambda self: self.chats)
    @rule(which=st.integers(0, 9), at=st.integers(0, 9), by_socket=st.booleans())
    def stop(self, which: int, at: int, by_socket: bool) -> None:
        chat, site = self.pick(self.chats, which), self.pick(self.place.sites, at)
        generation_id = chat.tab.page.position.shown_id
        if by_socket and chat.tab.is_connected:
            self.call(chat.tab.stop(generation_id))
        elif generation_id:
            assert self.call(chat.person.stop(site.base_url, generation_id)).status_code == 302

    @precondition(lambda self: self.chats)
    @rule(
        verb=st.sampled_from(["retry", "continue"]), which=st.integers(0, 9), at=st.integers(0, 9)
    )
    def go_on(self, verb: str, which: int, at: int) -> None:
        chat, site = self.pick(self.chats, which), self.pick(self.place.sites, at)
        message_id = chat.tab.page.message_ids[-1]
        response = self.call(chat.person.post(site.base_url, f"/m/{message_id}/{verb}/"))
        assert response.status_code in (302, 404, 409), response.text[:200]
        if verb == "retry" and response.status_code == 302:
            rows = self.place.records.generations(chat.tab.path)
            prompt = next(row.prompt for row in rows if row.message_id == message_id)
            chat.person.retries[prompt] += 1

    @precondition(lambda self: self.chats)
    @rule(which=st.integers(0, 9))
    def cut(self, which: int) -> None:
        self.pick(self.chats, which).proxy.cut()

    @precondition(lambda self: self.chats)
    @rule(which=st.integers(0, 9))
    def reload(self, which: int) -> None:
        self.call(self.pick(self.chats, which).tab.reload())

    @rule()
    def cut_upstream(self) -> None:
        self.place.upstream.cut()

    @precondition(lambda self: self.chats)
    @rule(at=st.integers(0, 9))
    def kill(self, at: int) -> None:
        site = self.pick(self.place.sites, at)
        site.kill()
        site.start()

    @rule(seconds=st.floats(0.05, 1.0))
    def wait(self, seconds: float) -> None:
        self.call(asyncio.sleep(seconds))

    def teardown(self) -> None:
        try:
            self.call(self.finish())
        finally:
            for chat in self.chats:
                chat.proxy.__exit__()
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(CALL_S)
            self.loop.close()

    async def finish(self) -> None:
        """Wait for the end of everything, and check what has to hold."""
        self.place.mend()
        tabs = [chat.tab for chat in self.chats]
        try:
            for tab in tabs:
                await tab.until(self.shows_the_end, ENDED_S)
            people = [chat.person for chat in self.chats]
            await History(self.place, people, tabs, {}).check(is_upstream_cut=True)
        finally:
            for tab in tabs:
                await tab.__aexit__()

    def shows_the_end(self, tab: Tab) -> bool:
        newest = self.place.records.newest(tab.path)
        return has_ended(tab) and newest.is_final and tab.page.message_ids[-1] == newest.message_id

    async def send(self, person: Person, base_url: str, answer: str, path: str) -> str:
        """Send a prompt as a page does: where no answer came, again with the same key."""
        prompt = f"/demo {answer}\n{uuid.uuid4()}"
        send = person.draft(prompt)
        for _ in range(TRIES):
            try:
                await person.send_again(base_url, send, path)
                break
            except httpx2.HTTPError:
                await asyncio.sleep(0.25)
        # Where an answer is running, it is refused in words.
        assert send.code == 302 or (send.code == 409 and path != "/"), send.code
        return send.path

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_S)

    @staticmethod
    def pick(things: list[T], number: int) -> T:
        return things[number % len(things)]


@pytest.mark.parametrize("walks", [2, pytest.param(10, marks=pytest.mark.long)])
@chiefly("multi")
def test_random_walk(place: Place, verdict: Verdicts, walks: int) -> None:
    _, number = make_random()

    class WalkHere(Walk):
        pass

    WalkHere.place = place
    seed(number)(WalkHere)
    how = settings(
        max_examples=walks,
        stateful_step_count=30,
        deadline=None,
        database=None,
        # Never smaller walks in search of the shortest one: each takes most of a minute.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    print(f"seed {number}")  # shown where it fails
    run_state_machine_as_test(WalkHere, settings=how)
    verdict(
        f"{walks} random walks over send, stop, cut, reload, kill, retry, continue",
        "nothing lost, nothing twice, one end each",
        f"{WalkHere.steps_walked} steps, seed {number}",
        holds=True,
    )
