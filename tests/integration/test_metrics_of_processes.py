"""The numbers of several processes, summed, are what their database holds."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from deploy.servers import Site
from tests.faults.conftest import missing_program_is_said
from tests.faults.place import Place
from tests.faults.records import Records
from tests.faults.tab import Tab
from tests.integration.answers import prompt
from tests.numbers import Numbers, scrape

pytestmark = pytest.mark.asyncio

SEEN_S = 60.0
SCENARIOS = ("emoji", "overloaded-once", "garbage", "auth", "tool-loop", "refusal")
WORDS = [f"word{number:04d} " for number in range(2_000)]
SHARED_PORT = ("-m", "uvicorn", "--workers", "2", "--port", "{port}", "chatsite.asgi:application")


@pytest.fixture(scope="module")
def kept_place(model: DemoThread) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="chat-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL is somebody else.
        with missing_program_is_said():
            made = Place("multi", folder, model, processes=2, settings={"BEHIND_PROXY": "on"})
        with made:
            yield made


@pytest.fixture
def place(kept_place: Place) -> Place:
    """Two processes with PostgreSQL and Redis."""
    kept_place.mend()
    return kept_place


class Truth:
    """What the database holds since this was made, when all processes began to count."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._before = expected(records)

    def numbers(self) -> Numbers:
        numbers = expected(self._records)
        numbers.subtract(self._before)
        return numbers

    async def until_told(self, base_urls: Sequence[str], **more: int) -> None:
        """Wait until the numbers of all processes come to it, and to `more` by name."""
        give_up_at = time.monotonic() + SEEN_S
        while True:
            wanted = await asyncio.to_thread(self.numbers)
            wanted.update(more)
            total = await asyncio.to_thread(summed, base_urls)
            seen = {name: total[name] for name in wanted}
            if seen == dict(wanted) or time.monotonic() > give_up_at:
                assert seen == dict(wanted)
                return
            await asyncio.sleep(0.05)  # A database tells nobody that it has changed.


def expected(records: Records) -> Numbers:
    """Return what the numbers of all processes have to come to."""
    numbers = Numbers()
    for status, error_code, count in records.query(
        "SELECT status, error_code, count(*) FROM chat_generation "
        "WHERE finished_at IS NOT NULL GROUP BY status, error_code"
    ):
        name = f"chat_generations_total{{error_code={error_code},status={status}}}"
        numbers[name] = count
    numbers["chat_running_generations"] = records.query(
        "SELECT count(*) FROM chat_generation WHERE status = 'streaming'"
    )[0][0]
    totals = records.query(
        "SELECT coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), "
        "count(first_word_at) "
        "FROM chat_generation WHERE finished_at IS NOT NULL"
    )
    numbers["chat_tokens_total{direction=input}"] = totals[0][0]
    numbers["chat_tokens_total{direction=output}"] = totals[0][1]
    numbers["chat_time_to_first_token_seconds_count"] = totals[0][2]
    numbers["chat_log_events_total"] = records.query("SELECT count(*) FROM chat_event")[0][0]
    return numbers


def summed(base_urls: Sequence[str]) -> Numbers:
    total = Numbers()
    for base_url in base_urls:
        total.update(scrape(base_url))
    return total


def slow(model: DemoThread) -> str:
    model.script("slow-metrics", Text(WORDS, interval_s=0.01))
    return prompt("slow-metrics")


async def test_processes_in_sum(place: Place, model: DemoThread) -> None:
    urls = [site.base_url for site in place.sites]
    truth = Truth(place.records)
    for number, name in enumerate(SCENARIOS * 2):
        sent = await place.person().send(urls[number % 2], prompt(name))
        assert sent.is_acknowledged
    anna = place.person()
    long = await anna.send(urls[0], slow(model))
    async with AsyncExitStack() as tabs:
        for url in (urls[0], urls[1], urls[1]):
            tab = await tabs.enter_async_context(Tab(anna, url, long.path))
            await tab.until(lambda tab: tab.frames > 0 and "word" in tab.answer)
        row = place.records.newest(long.path)
        # Through the other process: it is counted by the one that writes the answer.
        await anna.stop(urls[1], row.id)
        await tab.until_ended()
        await truth.until_told(urls, chat_open_sockets=3)
        assert (await asyncio.to_thread(scrape, urls[1]))["chat_open_sockets"] == 2
    await truth.until_told(urls, chat_open_sockets=0, chat_running_generations=0)
    stopped = "chat_generations_total{error_code=,status=stopped}"
    assert summed(urls)[stopped] == 1
    retries = "chat_retries_total{error_code=overloaded}"
    assert summed(urls)[retries] == 2


async def test_nobody_scrapes_through_a_proxy(place: Place) -> None:
    url = place.sites[0].base_url
    assert (await ask(url)).status_code == 200
    # Behind a proxy the server takes the client's address from this header.
    assert (await ask(url, **{"X-Forwarded-For": "127.0.0.1"})).status_code == 404
    with missing_program_is_said(), place.nginx() as nginx:
        assert (await ask(nginx.base_url)).status_code == 404


async def ask(base_url: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=SEEN_S) as client:
        return await client.get(f"{base_url}/metrics", headers=headers)


@pytest.fixture
def shared(place: Place) -> Iterator[Site]:
    """One port with two processes behind it, alone with the database."""
    for site in place.sites:
        site.kill()
    folder = place.folder / "numbers"
    folder.mkdir()
    settings = {**place.sites[0].environment, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with Site("shared", place.folder, settings, command=SHARED_PORT) as site:
        yield site


async def test_processes_of_one_port(place: Place, shared: Site, model: DemoThread) -> None:
    url = shared.base_url
    truth = Truth(place.records)
    for name in SCENARIOS:
        assert (await place.person().send(url, prompt(name))).is_acknowledged
    # Each scrape reaches one of the two; all of them are right.
    for _ in range(8):
        await truth.until_told([url], chat_open_sockets=0)
    anna, ben = place.person(), place.person()
    sent = [await person.send(url, slow(model)) for person in (anna, ben)]
    async with Tab(anna, url, sent[0].path) as first, Tab(ben, url, sent[1].path) as second:
        for tab in (first, second):
            await tab.until(lambda tab: tab.frames > 0 and "word" in tab.answer)
        assert (await asyncio.to_thread(scrape, url))["chat_open_sockets"] == 2
        before = await asyncio.to_thread(scrape, url)
        os.kill(owner_pid(place.records, sent[0].path), signal.SIGKILL)
        await first.until_ended()
        await second.until_ended()
    await until_gauges_are_zero(url)
    after = await asyncio.to_thread(scrape, url)
    for name in before:
        if name.endswith(("_total", "_count")) or "_total{" in name:
            assert after[name] >= before[name], name
    lost = "chat_generations_total{error_code=owner_lost,status=interrupted}"
    assert after[lost] == truth.numbers()[lost] > 0


def owner_pid(records: Records, path: str) -> int:
    """Return the number of the process that writes the newest answer of a conversation."""
    owner = uuid.UUID(records.newest(path).owner)
    names = records.query(f"SELECT name FROM chat_process WHERE id = '{owner}'")  # noqa: S608
    return int(names[0][0].rpartition(":")[2])


async def until_gauges_are_zero(url: str) -> None:
    async with asyncio.timeout(SEEN_S):
        while True:
            numbers = await asyncio.to_thread(scrape, url)
            if not (numbers["chat_open_sockets"] or numbers["chat_running_generations"]):
                return
            await asyncio.sleep(0.05)  # A process that ended tells nobody.
