"""What the site counts, against what the database holds: real log, real worker, real model."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.db.models import Count, F, Q, Sum
from django.test import Client
from django.utils import timezone

from chat import events, metrics
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.events import Exchange, Follower
from chat.kinds import FINAL
from chat.models import Event, Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.pages import HTMX, end, to
from tests.integration.redis_server import RedisServer
from tests.numbers import Numbers, parse

SCENARIOS = ("emoji", "overloaded-once", "garbage", "auth", "tool-loop", "refusal", "max-tokens")
SEEN_S = 30.0


def now() -> Numbers:
    return parse(metrics.exposition().decode())


class Added:
    """What was added to the numbers since this was made: all tests share them."""

    def __init__(self) -> None:
        self._before = now()

    def __getitem__(self, name: str) -> float:
        return now()[name] - self._before[name]


@pytest.fixture
def added() -> Added:
    return Added()


def ended_rows() -> dict[tuple[str, str], int]:
    rows = Generation.objects.values_list("status", "error_code").annotate(Count("pk"))
    return {(status, error_code): count for status, error_code, count in rows}


def check_against_database(added: Added) -> None:
    for (status, error_code), count in ended_rows().items():
        name = f"chat_generations_total{{error_code={error_code},status={status}}}"
        assert (name, added[name]) == (name, count)
    totals = Generation.objects.aggregate(
        input=Sum("input_tokens"), output=Sum("output_tokens"), words=Count("first_word_at")
    )
    assert added["chat_tokens_total{direction=input}"] == totals["input"]
    assert added["chat_tokens_total{direction=output}"] == totals["output"]
    assert added["chat_time_to_first_token_seconds_count"] == totals["words"]
    stored = Event.objects.count()
    assert added["chat_log_events_total"] == stored
    # A log's first event is committed with its claim, and its last one with its end.
    by_themselves = Event.objects.filter(Q(seq=1) | Q(kind=FINAL)).count()
    assert added["chat_commit_group_events_sum"] == stored - by_themselves


@pytest.mark.asyncio
async def test_numbers_are_what_the_database_holds(
    worker: Worker, model: DemoThread, alice: User, added: Added
) -> None:
    await asyncio.gather(*(answered(alice, prompt(name)) for name in SCENARIOS))
    model.script("stopped-metrics", Text("word " * 2_000, interval_s=0.01))
    stopped = await send(alice, prompt("stopped-metrics"))
    await reached(stopped, "content_block_delta", 3)
    await stop(alice, stopped)
    await finished(stopped)
    await in_thread(check_against_database, added)


@pytest.mark.asyncio
async def test_first_token_is_timed_from_the_prompt(
    worker: Worker, alice: User, added: Added
) -> None:
    generation = await answered(alice, prompt("emoji"))
    waited = Generation.objects.filter(pk=generation.pk).annotate(
        waited=F("first_word_at") - F("created_at")
    )
    expected_s = (await waited.aget()).waited.total_seconds()
    seen_s = added["chat_time_to_first_token_seconds_sum"]
    assert seen_s == pytest.approx(expected_s, abs=0.001)


@pytest.mark.asyncio
async def test_groups_are_timed_once(worker: Worker, alice: User, added: Added) -> None:
    await answered(alice, prompt("emoji"))
    groups = added["chat_commit_group_events_count"]
    assert groups > 0
    for name in ("chat_commit_seconds", "chat_delta_delay_seconds"):
        assert added[f"{name}_count"] == groups and added[f"{name}_sum"] > 0


@pytest.mark.asyncio
async def test_retries_are_counted_by_their_cause(
    worker: Worker, alice: User, added: Added
) -> None:
    await asyncio.gather(
        answered(alice, prompt("overloaded")), answered(alice, prompt("server-error-once"))
    )
    assert added["chat_retries_total{error_code=overloaded}"] == 2
    assert added["chat_retries_total{error_code=upstream_error}"] == 1


@pytest.mark.asyncio
async def test_running_answers_are_a_gauge(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("running-metrics", Text("word " * 2_000, interval_s=0.01))
    generations = [await send(alice, prompt("running-metrics")) for _ in range(3)]
    for generation in generations:
        await reached(generation, "content_block_delta")
    assert now()["chat_running_generations"] == 3
    for generation in generations:
        await stop(alice, generation)
        await finished(generation)
    async with asyncio.timeout(SEEN_S):
        while now()["chat_running_generations"]:
            await asyncio.sleep(0.01)  # Its task ends a moment after its log.


@pytest.mark.asyncio
async def test_rings_that_the_layer_did_not_take_are_counted(tmp_path: Path, added: Added) -> None:
    with RedisServer(tmp_path) as redis:
        redis.kill()
        exchange = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
        await exchange.begin()
        exchange.send("conversation-1")
        exchange.send("conversation-2")
        async with asyncio.timeout(SEEN_S):
            while added["chat_rings_lost_total"] < 2:
                await asyncio.sleep(0.05)  # Nothing rings when a ring is lost.
        await exchange.end()
    assert added["chat_rings_lost_total"] == 2


@pytest.mark.asyncio
async def test_news_without_a_ring_are_counted(
    transactional_db: None, alice: User, added: Added
) -> None:
    generation = await send(alice, "Is anybody there?")

    def write(seq: int) -> None:
        data = json.dumps({"number": seq})
        events.insert_entries(generation.pk, [events.Entry(seq, "request", data, timezone.now())])

    with Follower(generation.pk) as follower:
        await in_thread(write, 1)
        await follower.next(SEEN_S)
        assert added["chat_news_without_ring_total"] == 0  # it had not waited
        seq = 1
        async with asyncio.timeout(SEEN_S):
            while not added["chat_news_without_ring_total"]:
                seq += 1
                waiting = asyncio.create_task(follower.next(SEEN_S))
                # It looks once before it waits; what it finds then is no news.
                await asyncio.sleep(0.1)
                await in_thread(write, seq)
                assert [entry.seq for entry in await waiting] == [seq]


def test_refused_prompt_is_counted_by_its_code(
    client: Client, running: Generation, added: Added
) -> None:
    place = to("send", running.conversation_id)
    client.post(place, {"text": "Me too", "key": str(uuid.uuid4())}, headers=HTMX)
    client.post(place, {"text": " ", "key": str(uuid.uuid4())}, headers=HTMX)
    assert added["chat_sends_refused_total{code=answer_running}"] == 1
    assert added["chat_sends_refused_total{code=prompt_empty}"] == 1


def test_refused_button_is_counted(client: Client, running: Generation, added: Added) -> None:
    client.post(to("continue", end(running).message_id))
    assert added["chat_sends_refused_total{code=nothing_to_continue}"] == 1
