"""What a delta takes on its way to a reader, in calls of functions: no matter on what machine.

Counted are those of Python's functions and of C's that Python calls (sys.setprofile). The bounds
lie a tenth above what CPython 3.11 takes; newer ones take fewer. `make bench` measures time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from django.conf import settings
from django.db.models.functions import Now

from chat.claude.body import Body
from chat.claude.stream import Stream
from chat.ending import Answer
from chat.events import Committer, Entry, Log
from chat.events.rows import write
from chat.models import Conversation, Generation, Message, Process, User
from chat.patience import Patience
from chat.relay.answer import LiveAnswer
from chat.threads import in_thread
from chat.transcript import MessageView
from tests.load.stamps import CHARS, PLACE
from tests.load.texts import Kind, pieces

READING, NOTING = 67, 58
# On PostgreSQL one statement takes all rows.
COMMITTING = 28 if settings.IS_SQLITE else 10
RENDERING, RENDERING_MARKDOWN = 96, 442

DELTAS = 400
GROUP = 20
"""So many answers share a commit, of one delta each."""


class Count:
    calls = 0


@contextmanager
def counted() -> Iterator[Count]:
    count = Count()

    def note(frame: FrameType, event: str, argument: object) -> None:
        count.calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        yield count
    finally:
        sys.setprofile(None)


def texts(kind: Kind) -> list[str]:
    deltas = pieces(kind)
    return [deltas[n % len(deltas)].replace(PLACE, "q" * CHARS) for n in range(DELTAS)]


def opening() -> list[tuple[str, dict[str, Any]]]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": {}}
    block = {"type": "text", "text": ""}
    return [
        ("message_start", {"type": "message_start", "message": message}),
        (
            "content_block_start",
            {"type": "content_block_start", "index": 0, "content_block": block},
        ),
    ]


def deltas(kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "content_block_delta",
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": text},
            },
        )
        for text in texts(kind)
    ]


def check(what: str, calls: int, number: int, bound: float) -> None:
    print(f"{what}: {calls / number:.1f} calls of at most {bound}")
    assert calls / number <= bound


@pytest.mark.asyncio
async def test_reading_a_stream() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for kind, data in [*opening(), *deltas("prose"), ("message_stop", {})]:
            yield f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()

    body = Body(httpx2.Response(200, content=chunks()))
    with Patience(60) as patience, counted() as count:
        events = [event async for event in Stream(body, patience)]
    assert len(events) == DELTAS + 3
    check("reading", count.calls, DELTAS, READING)


@pytest.fixture
def process(transactional_db: None) -> Process:
    return Process.objects.create(id=uuid4(), name="test", started_at=Now(), heartbeat_at=Now())


def new_generation(owner: User, process: Process) -> Generation:
    conversation = Conversation.objects.create(owner=owner, title="Herons")
    message = Message.objects.create(conversation=conversation, role="assistant")
    return Generation.objects.create(
        conversation=conversation,
        message=message,
        status=Generation.Status.STREAMING,
        owner=process,
    )


def entries(kind: Kind) -> list[Entry]:
    events = [*opening(), *deltas(kind)]
    return [
        Entry(seq, name, json.dumps(data), datetime.now(UTC))
        for seq, (name, data) in enumerate(events, 1)
    ]


@pytest.mark.asyncio
async def test_noting_what_came(alice: User, process: Process) -> None:
    generation = await in_thread(new_generation, alice, process)
    answer, committer = Answer(), Committer()
    log = Log(generation.pk, process.pk, committer)
    for kind, data in opening():
        answer.feed(kind, data, datetime.now(UTC))
    with counted() as count:
        for kind, data in deltas("prose"):
            at = datetime.now(UTC)
            answer.feed(kind, data, at)
            await log.append(kind, data, at)
            assert len(log.take()) == 1
    await committer.close()
    log.close(None)
    check("noting", count.calls, DELTAS, NOTING)


def test_committing_a_group(alice: User, process: Process) -> None:
    committer = Committer()
    logs = [Log(new_generation(alice, process).pk, process.pk, committer) for _ in range(GROUP)]
    entry = entries("prose")[-1]
    write({log: [entry._replace(seq=1)] for log in logs})  # The first connection takes more.
    with counted() as count:
        written = write({log: [entry] for log in logs})
    assert len(written) == GROUP
    for log in logs:
        log.close(None)
    check("committing", count.calls, GROUP, COMMITTING)


@pytest.mark.parametrize(
    ("kind", "bound"), [("prose", RENDERING), ("markdown", RENDERING_MARKDOWN)]
)
def test_rendering_for_a_reader(alice: User, process: Process, kind: Kind, bound: float) -> None:
    generation, log = new_generation(alice, process), entries(kind)

    def render() -> None:
        answer = LiveAnswer(MessageView(generation.message, generation))
        for entry in log:
            answer.feed(entry)
            answer.frames(overdue=False)

    render()  # What is loaded once, such as a template, does not count.
    with counted() as count:
        render()
    check(f"rendering {kind}", count.calls, DELTAS, bound)
