"""One answer, from the prompt to its final status: real database, real model server, real SDK."""

from __future__ import annotations

import uuid

import pytest

from chat import events, services
from chat.models import Event, Generation, User
from chat.threads import in_thread
from chat.worker import Worker

pytestmark = pytest.mark.asyncio


async def send(user: User, text: str) -> Generation:
    sent = await in_thread(services.send_prompt, user, None, text, uuid.uuid4())
    return await Generation.objects.aget(conversation=sent.conversation)


async def finished(generation: Generation) -> Generation:
    async for _ in events.follow(generation.pk):
        pass
    await generation.arefresh_from_db()
    return generation


async def test_answer_complete(worker: Worker, alice: User) -> None:
    generation = await finished(await send(alice, "Hello there"))
    assert generation.status == "complete"
    assert generation.stop_reason == "end_turn"
    assert generation.output_tokens > 0


async def test_log_has_no_gap(worker: Worker, alice: User) -> None:
    generation = await finished(await send(alice, "Hello there"))
    seqs = [e.seq async for e in Event.objects.filter(generation=generation).order_by("seq")]
    assert seqs == list(range(1, len(seqs) + 1))
