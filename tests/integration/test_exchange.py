"""Rings between processes, through a real Redis that is stopped, held up and started again.

Each side is an Exchange with a channel layer of its own, as two processes have them; both share
this process's bells, so that a ring counts as carried where the receiving side rings it again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from channels_redis.pubsub import RedisPubSubChannelLayer

from chat.events import (
    Bell,
    Committer,
    Entry,
    Exchange,
    Log,
    exchange,
    look_interval_s,
    topic,
)
from chat.events.commit import live_logs
from chat.events.exchange import LOOK_OFTEN_S
from chat.events.far import FarLog, begin_reading, end_reading
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.asyncio

SEEN_S = 20.0  # longer than a layer takes to come back where the machine is busy


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest_asyncio.fixture
async def far(redis: RedisServer) -> AsyncIterator[Exchange]:
    """The exchange of another process, which rings this process's bells."""
    begun = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
    await begun.begin()
    yield begun
    await begun.end()


@pytest_asyncio.fixture
async def near(far: Exchange, redis: RedisServer) -> AsyncIterator[Exchange]:
    begun = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
    await begun.begin()
    yield begun
    await begun.end()


async def until_heard(*sides: Exchange, heard: bool = True) -> None:
    async with asyncio.timeout(SEEN_S):
        while any(side.is_heard != heard for side in sides):
            with Bell("anything") as bell:
                # Every change of the layer's state rings all bells.
                await bell.wait(0.1)


async def test_ring_is_carried(near: Exchange, far: Exchange) -> None:
    await until_heard(near, far)
    with Bell("conversation-1") as bell:
        near.send("conversation-1")
        assert await bell.wait(SEEN_S)


async def test_own_rings_are_not_rung_twice(near: Exchange, far: Exchange) -> None:
    await until_heard(near, far)
    await far.end()
    with Bell("conversation-1") as bell:
        near.send("conversation-1")
        assert not await bell.wait(exchange.PULSE_S * 2)


async def test_layer_that_went_away_and_came_back(
    near: Exchange, far: Exchange, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chat.events.exchange")
    await until_heard(near, far)
    redis.kill()
    await until_heard(near, far, heard=False)
    redis.start()
    await until_heard(near, far)
    with Bell("conversation-1") as bell:
        near.send("conversation-1")
        assert await bell.wait(SEEN_S)
    mine = [r.message for r in caplog.records if r.name == "chat.events.exchange"]
    assert sum("is silent" in message for message in mine) == 2  # one line a side, not one a ring


async def test_layer_that_is_held_up_counts_as_away(
    near: Exchange, far: Exchange, redis: RedisServer
) -> None:
    await until_heard(near, far)
    redis.hold()
    await until_heard(near, far, heard=False)
    redis.go_on()
    await until_heard(near, far)


async def test_readers_are_woken_when_the_layer_goes_and_comes(
    near: Exchange, far: Exchange, redis: RedisServer
) -> None:
    await until_heard(near, far)
    with Bell("conversation-1") as bell:
        redis.kill()
        assert await bell.wait(SEEN_S)
        await until_heard(near, far, heard=False)
        bell.clear()
        redis.start()
        assert await bell.wait(SEEN_S)


async def test_readers_look_often_while_the_layer_is_away(
    near: Exchange, far: Exchange, redis: RedisServer
) -> None:
    await until_heard(near)
    seldom = [look_interval_s(is_alone=False) or 0 for _ in range(50)]
    redis.kill()
    await until_heard(near, heard=False)
    often = [look_interval_s(is_alone=False) or 0 for _ in range(50)]
    assert max(often) <= LOOK_OFTEN_S < min(seldom)
    assert look_interval_s(is_alone=True) is None


async def test_begins_without_the_layer(redis: RedisServer) -> None:
    redis.kill()
    late = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
    await late.begin()
    late.send("conversation-1")
    assert not late.is_heard
    redis.start()
    await until_heard(late)
    await late.end()


async def test_rings_that_wait_travel_together(near: Exchange, far: Exchange) -> None:
    """A slow layer gets fewer messages, each with all topics that came meanwhile."""
    await until_heard(near, far)
    bells = [Bell(f"topic-{n}") for n in range(1_000)]
    for bell in bells:
        bell.__enter__()
    for n in range(1_000):
        near.send(f"topic-{n}")
    assert all(await asyncio.gather(*(bell.wait(SEEN_S) for bell in bells)))
    for bell in bells:
        bell.__exit__()


@pytest.fixture
def log() -> Iterator[Log]:
    """What a process writes and readers in another one want; both sides know it by its number."""
    begun = Log(7, uuid4(), Committer())
    yield begun
    live_logs.clear()


@pytest.fixture
def wanted(log: Log) -> Iterator[FarLog]:
    reading = begin_reading(log.generation_id)
    yield reading
    end_reading(reading)


def entries(*numbers: int, chars: int = 0) -> list[Entry]:
    data = json.dumps({"text": "x" * chars})
    at = datetime(2026, 7, 1, 12, 30, 15, 123_456, tzinfo=UTC)
    return [Entry(number, "content_block_delta", data, at) for number in numbers]


async def until_told(reading: FarLog, after: int) -> list[Entry]:
    async with asyncio.timeout(SEEN_S):
        with Bell(topic(reading.generation_id)) as bell:
            while not (found := reading.since(after)):
                await bell.wait(0.1)
                bell.clear()
    return found


@pytest_asyncio.fixture
async def told(near: Exchange, far: Exchange, log: Log, wanted: FarLog) -> FarLog:
    """What is wanted, when its first event is there."""
    log.committed(entries(1))
    await until_told(wanted, 0)
    return wanted


async def test_what_is_committed_is_sent_to_who_wants_it(
    near: Exchange, far: Exchange, log: Log, wanted: FarLog
) -> None:
    log.committed(entries(1, 2))
    assert await until_told(wanted, 0) == entries(1, 2)  # What had been there before.
    log.committed(entries(3))
    assert await until_told(wanted, 2) == entries(3)


async def test_more_than_travels_well_is_left_to_the_database(
    near: Exchange, far: Exchange, log: Log, told: FarLog
) -> None:
    log.committed(entries(2, chars=exchange.MAX_SENT_CHARS))
    log.committed(entries(3))
    while (found := told.since(2)) is not None:
        assert not found
        with Bell(topic(told.generation_id)) as bell:
            await bell.wait(0.1)
    log.committed(entries(4))
    assert await until_told(told, 3) == entries(4)


async def test_while_the_layer_is_away_nothing_is_believed(
    near: Exchange, far: Exchange, log: Log, told: FarLog, redis: RedisServer
) -> None:
    redis.kill()
    await until_heard(near, far, heard=False)
    assert told.since(0) is None
    redis.start()
    await until_heard(near, far)
    log.committed(entries(2))
    assert await until_told(told, 1) == entries(2)


async def test_a_process_that_is_gone_is_sent_nothing(
    near: Exchange, far: Exchange, log: Log, told: FarLog
) -> None:
    await far.end()
    async with asyncio.timeout(SEEN_S):
        while near.wanting(log.generation_id):
            with Bell("anything") as bell:
                await bell.wait(0.1)


async def test_ends_soon_at_any_moment(far: Exchange, redis: RedisServer) -> None:
    """Also while the layer connects, which swallows a cancellation, and others' pulses come."""
    await until_heard(far)
    for step in range(40):
        brief = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
        await brief.begin()
        # Not a wait for something: the moment is what the test is about.
        await asyncio.sleep(step / 4_000)
        async with asyncio.timeout(SEEN_S):
            await brief.end()


async def test_end_leaves_nothing(redis: RedisServer) -> None:
    before = asyncio.all_tasks()
    begun = Exchange(RedisPubSubChannelLayer(hosts=[redis.url]))
    await begun.begin()
    await until_heard(begun)
    await begun.end()
    assert asyncio.all_tasks() == before
