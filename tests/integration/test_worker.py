"""The worker: it takes each generation once, and leaves none without an end."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from chat import events
from chat import worker as workers
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.events import Entry
from chat.models import Conversation, Event, Generation, Message, Process, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.api_events import message_start
from tests.conftest import make_runtime
from tests.integration.answers import (
    answered,
    calls,
    check_log,
    closed,
    entries,
    finished,
    prompt,
    reached,
    send,
    text_block,
)

pytestmark = pytest.mark.asyncio

SEEN_S = 10.0  # what no ring told is seen at a heartbeat, every 0.2 s here


def slow(model: DemoThread, words: int = 2_000) -> str:
    model.script("slow-worker", Text(["word "] * words, interval_s=0.01))
    return prompt("slow-worker")


@pytest_asyncio.fixture
async def leaving(transactional_db: None, model: DemoThread) -> Worker:
    """A worker that its test drains."""
    begun = Worker(make_runtime(model), heartbeat_s=0.2)
    await begun.begin()
    return begun


async def process(*, silent_s: float = 0.0) -> Process:
    """Return another process of the site, whose last heartbeat was `silent_s` ago."""
    silent_since = Now() - timedelta(seconds=silent_s)
    return await Process.objects.acreate(
        id=uuid.uuid4(), name="other", started_at=silent_since, heartbeat_at=silent_since
    )


async def left_queued(user: User, **fields: Any) -> Generation:
    """Make a generation whose process died between the commit and the start."""
    text = prompt("whole")
    conversation = await Conversation.objects.acreate(owner=user, title="Queued")
    asked = await Message.objects.acreate(
        conversation=conversation, role="user", text=text, content=[{"type": "text", "text": text}]
    )
    answer = await Message.objects.acreate(
        conversation=conversation, role="assistant", parent=asked
    )
    generation = await Generation.objects.acreate(
        conversation=conversation, message=answer, model=settings.CHAT_MODEL, **fields
    )
    return await Generation.objects.select_related("message__parent").aget(pk=generation.pk)


async def left_behind(user: User, owner: Process | None) -> Generation:
    """Make a generation that was being written, with its log so far."""
    conversation = await Conversation.objects.acreate(owner=user, title="Left behind")
    asked = await Message.objects.acreate(conversation=conversation, role="user", text="Why?")
    answer = await Message.objects.acreate(
        conversation=conversation, role="assistant", parent=asked
    )
    generation = await Generation.objects.acreate(
        conversation=conversation,
        message=answer,
        owner=owner,
        status=Generation.Status.STREAMING,
        started_at=timezone.now(),
    )
    payloads = [message_start(), *text_block(0, "Because ", "of the tides.")[:-1]]
    rows = [
        Entry(seq, str(data["type"]), json.dumps(data), timezone.now())
        for seq, data in enumerate(payloads, start=1)
    ]
    await in_thread(events.insert_entries, generation.pk, rows)
    return generation


async def test_started_twice_it_is_answered_once(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, prompt("whole"))
    for _ in range(5):
        worker.start(generation.pk)
    ended = await finished(generation)
    worker.start(generation.pk)
    await answered(alice, prompt("whole"))
    assert ended.message.parent is not None
    assert len(calls(model, ended.message.parent)) == 1
    await check_log(ended)


async def test_two_workers_answer_once(worker: Worker, model: DemoThread, alice: User) -> None:
    other = Worker(make_runtime(model), heartbeat_s=60)
    await other.begin()
    generation = await send(alice, prompt("whole"))
    worker.start(generation.pk)
    other.start(generation.pk)
    ended = await finished(generation)
    await check_log(ended)
    assert ended.message.parent is not None
    assert len(calls(model, ended.message.parent)) == 1
    await other.drain(5)


async def test_cancel_of_an_unknown_generation(worker: Worker, alice: User) -> None:
    worker.cancel(10**9)
    worker.start(10**9)
    assert (await answered(alice, prompt("whole"))).status == "complete"


async def test_stop_flag_whose_ring_was_lost(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model))
    await reached(generation, "content_block_delta")
    await Generation.objects.filter(pk=generation.pk).aupdate(stop_requested_at=timezone.now())
    async with asyncio.timeout(SEEN_S):
        assert (await finished(generation)).status == "stopped"


async def test_queued_generation_that_nobody_started(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """Its process died between the commit and the start."""
    generation = await left_queued(alice)
    async with asyncio.timeout(SEEN_S):
        assert (await finished(generation)).status == "complete"


async def test_stop_of_a_queued_generation_that_nobody_started(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await left_queued(alice, stop_requested_at=timezone.now())
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert ended.status == "stopped"
    assert ended.message.parent is not None
    assert calls(model, ended.message.parent) == []


async def test_worker_that_begins_ends_what_a_dead_one_wrote(
    model: DemoThread, alice: User
) -> None:
    generation = await left_behind(alice, await process(silent_s=3_600))
    begun = Worker(make_runtime(model), heartbeat_s=0.2)
    await begun.begin()
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "owner_lost")
    assert ended.message.text == "Because of the tides."
    assert ended.message.rendered == ["<p>Because of the tides.</p>"]
    assert ended.usage["input_tokens"] == ended.input_tokens == 11
    await check_log(ended)
    await begun.drain(0)


async def test_worker_ends_what_has_no_owner(worker: Worker, alice: User) -> None:
    generation = await left_behind(alice, None)
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "owner_lost")


async def test_stopped_and_then_lost_is_stopped(worker: Worker, alice: User) -> None:
    generation = await left_behind(alice, await process(silent_s=3_600))
    await Generation.objects.filter(pk=generation.pk).aupdate(stop_requested_at=timezone.now())
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("stopped", "")


async def test_own_row_without_a_task_is_ended(worker: Worker, alice: User) -> None:
    owner = await Process.objects.aget(pk=worker._runtime.process_id)
    generation = await left_behind(alice, owner)
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "owner_lost")


async def test_one_that_cannot_be_ended_holds_up_no_other(worker: Worker, alice: User) -> None:
    """A log that can't be read is that generation's trouble alone."""
    owner = await process(silent_s=3_600)
    broken, sound = await left_behind(alice, owner), await left_behind(alice, owner)
    await Event.objects.filter(generation=broken, seq=1).aupdate(data="no JSON")
    queued = await send(alice, prompt("whole"))
    async with asyncio.timeout(SEEN_S):
        assert (await finished(sound)).status == "interrupted"
        assert (await finished(queued)).status == "complete"


async def test_site_starts_although_one_cannot_be_ended(model: DemoThread, alice: User) -> None:
    broken = await left_behind(alice, await process(silent_s=3_600))
    await Event.objects.filter(generation=broken, seq=1).aupdate(data="no JSON")
    begun = Worker(make_runtime(model), heartbeat_s=60)
    await begun.begin()
    assert (await answered(alice, prompt("whole"))).status == "complete"
    await begun.drain(0)


async def test_drain_lets_short_answers_finish(
    leaving: Worker, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model, 30))
    await reached(generation, "content_block_delta")
    await leaving.drain(5)
    assert (await finished(generation)).status == "complete"


async def test_drain_interrupts_long_answers(
    leaving: Worker, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model))
    await reached(generation, "content_block_delta")
    await leaving.drain(0.1)
    ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "shutdown")
    assert ended.message.text.startswith("word word")
    assert (await closed(model, ended)).closed_by == "client"
    await check_log(ended)


async def test_drain_takes_no_more_work(leaving: Worker, model: DemoThread, alice: User) -> None:
    draining = asyncio.create_task(leaving.drain(0))
    await asyncio.sleep(0)
    generation = await send(alice, prompt("whole"))
    leaving.start(generation.pk)
    await draining
    await generation.arefresh_from_db()
    assert generation.status == "queued"


async def test_what_was_queued_at_the_end_is_answered_after_the_start(
    leaving: Worker, model: DemoThread, alice: User
) -> None:
    await leaving.drain(0)
    generation = await send(alice, prompt("whole"))
    successor = Worker(make_runtime(model), heartbeat_s=0.1)
    await successor.begin()
    async with asyncio.timeout(SEEN_S):
        assert (await finished(generation)).status == "complete"
    await successor.drain(0)


async def test_drain_removes_the_process(leaving: Worker, alice: User) -> None:
    assert await Process.objects.acount() == 1
    await leaving.drain(0)
    assert await Process.objects.acount() == 0 and not workers.is_running()


async def test_lost_process_row_is_made_again(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """And what the process was writing is not appended to without an owner."""
    generation = await send(alice, slow(model))
    await reached(generation, "content_block_delta")
    await Process.objects.all().adelete()
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
        while not await Process.objects.filter(pk=worker._runtime.process_id).aexists():
            await asyncio.sleep(0.01)
    assert ended.status == "interrupted"
    await check_log(ended)
    before = await entries(ended)
    assert (await answered(alice, prompt("whole"))).status == "complete"
    assert await entries(ended) == before


async def test_generation_that_another_process_took(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """This one was held up for too long: it adds nothing, and its request ends."""
    generation = await send(alice, slow(model))
    await reached(generation, "content_block_delta")
    other = await process()
    await Generation.objects.filter(pk=generation.pk).aupdate(owner=other)
    async with asyncio.timeout(SEEN_S):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "owner_lost")
    await check_log(ended)
    assert (await closed(model, ended)).closed_by == "client"


async def test_heartbeat_is_in_the_row(worker: Worker, alice: User) -> None:
    first = await Process.objects.aget()
    async with asyncio.timeout(SEEN_S):
        while (await Process.objects.aget()).heartbeat_at <= first.heartbeat_at:
            await asyncio.sleep(0.02)
