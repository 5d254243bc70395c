"""A process that answers prompts of its own alone, beside the workers of a site."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from chat import events, limits
from chat.demo.thread import DemoThread
from chat.heartbeat import GUEST, Heartbeat
from chat.models import Conversation, Generation, Message, Process, User
from chat.services import conversation_topic
from chat.threads import in_thread
from chat.worker import Worker
from tests.conftest import make_runtime
from tests.integration.answers import answered, prompt

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

INTERVAL_S = 1.0
ON_SQLITE = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="elsewhere pages look by themselves, or hear rings"
)


@pytest_asyncio.fixture
async def guest(transactional_db: None, model: DemoThread) -> AsyncIterator[Worker]:
    begun = Worker(make_runtime(model), heartbeat_s=0.2, is_guest=True)
    await begun.begin()
    yield begun
    await begun.drain(0)


async def written(
    user: User, *, name: str = "", silent_s: float = 0.0, status: str = "streaming"
) -> Generation:
    """Make a generation that another process writes, or nobody yet."""
    at = Now() - timedelta(seconds=silent_s)
    owner = await Process.objects.acreate(
        id=uuid.uuid4(), name=f"{name}other", started_at=at, heartbeat_at=at
    )
    conversation = await Conversation.objects.acreate(owner=user, title="Of another process")
    message = await Message.objects.acreate(conversation=conversation, role="assistant")
    return await Generation.objects.acreate(
        conversation=conversation,
        message=message,
        status=status,
        owner=owner if status == "streaming" else None,
        started_at=timezone.now(),
    )


async def lost(heartbeat: Heartbeat) -> list[int]:
    findings = await in_thread(heartbeat.beat, set(), is_rung=False)
    return [generation_id for generation_id, _ in findings.lost]


async def lost_after_a_while(heartbeat: Heartbeat) -> list[int]:
    """Have a heartbeat be on time for as long as it needs to judge."""
    await lost(heartbeat)
    assert heartbeat._on_time_since is not None
    heartbeat._on_time_since -= timedelta(seconds=10 * INTERVAL_S)
    return await lost(heartbeat)


async def test_guest_answers_its_own(guest: Worker, alice: User) -> None:
    done = await answered(alice, prompt("whole"))
    owner = await Process.objects.aget(pk=guest.process_id)
    assert done.status == "complete" and owner.name.startswith(GUEST)


async def test_guest_leaves_what_is_queued_and_what_others_write(
    transactional_db: None, alice: User
) -> None:
    await written(alice, silent_s=3_600)
    await written(alice, status="queued")
    heartbeat = Heartbeat(uuid.uuid4(), INTERVAL_S, is_guest=True)
    findings = await in_thread(heartbeat.beat, set(), is_rung=True)
    assert (findings.queued, findings.lost) == ([], [])


async def test_site_leaves_what_a_guest_writes(transactional_db: None, alice: User) -> None:
    await written(alice, name=GUEST)
    assert await lost_after_a_while(Heartbeat(uuid.uuid4(), INTERVAL_S)) == []


async def test_site_ends_what_a_silent_guest_wrote(transactional_db: None, alice: User) -> None:
    left = await written(alice, name=GUEST, silent_s=60)
    site = Heartbeat(uuid.uuid4(), INTERVAL_S)
    assert await lost(site) == []
    assert await lost_after_a_while(site) == [left.pk]


@ON_SQLITE
async def test_site_ends_at_once_what_another_site_wrote(
    transactional_db: None, alice: User
) -> None:
    left = await written(alice)
    assert await lost(Heartbeat(uuid.uuid4(), INTERVAL_S)) == [left.pk]


@ON_SQLITE
async def test_pages_of_a_site_hear_of_a_guests_answer(worker: Worker, alice: User) -> None:
    await Conversation.objects.acreate(owner=alice, title="Read meanwhile")
    queued = await written(alice, name=GUEST)
    with events.Bell(conversation_topic(queued.conversation_id)) as bell:
        assert await asyncio.wait_for(bell.wait(None), 10)


async def test_guests_are_no_room_for_more_answers(transactional_db: None, guest: Worker) -> None:
    await Process.objects.acreate(
        id=uuid.uuid4(), name="site", started_at=Now(), heartbeat_at=Now()
    )
    assert await in_thread(limits._processes) == 1
