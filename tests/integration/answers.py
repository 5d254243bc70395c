"""What the tests of answers share: ask, wait for the end, read the log, compare."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from chat import events, services
from chat.demo import steps
from chat.demo.records import RequestRecord
from chat.demo.reply import reply_to
from chat.demo.request import Request
from chat.demo.thread import DemoThread
from chat.events import Entry
from chat.models import Conversation, Generation, Message, User
from chat.threads import in_thread
from chat.words import clean

END_S = 60.0  # longer than an answer takes where the machine is busy
UPSTREAM_CLOSES_S = 1.0  # after its owner knows of a stop


def prompt(scenario: str) -> str:
    """Return a prompt that plays a scenario and is like no other, so that attempts count anew."""
    return f"/demo {scenario}\nQuestion {uuid.uuid4()}"


async def send(user: User, text: str, conversation: Conversation | None = None) -> Generation:
    """Send a prompt, in a new conversation where none is given; return its queued generation."""
    where = conversation.pk if conversation else None
    sent = await in_thread(services.send_prompt, user, where, text, uuid.uuid4())
    generations = Generation.objects.select_related("conversation", "message")
    return await generations.aget(message__parent=sent.message)


async def finished(generation: Generation) -> Generation:
    """Wait for the end of an answer; return it with its message, as stored."""
    async with asyncio.timeout(END_S):
        async for _ in events.follow(generation.pk):
            pass
    rows = Generation.objects.select_related("conversation", "message__parent")
    return await rows.aget(pk=generation.pk)


async def answered(user: User, text: str, conversation: Conversation | None = None) -> Generation:
    return await finished(await send(user, text, conversation))


async def reached(generation: Generation, kind: str, count: int = 1) -> Entry:
    """Wait for the n-th event of a kind in the log."""
    async with asyncio.timeout(END_S):
        async for entry in events.follow(generation.pk):
            count -= entry.kind == kind
            if not count:
                return entry
    raise AssertionError(f"the log ended without {kind}")


async def stop(user: User, generation: Generation) -> None:
    await in_thread(services.stop, user, generation.pk)


async def entries(generation: Generation) -> list[Entry]:
    return await in_thread(events.read, generation.pk)


async def data_of(generation: Generation, kind: str) -> list[dict[str, Any]]:
    return [json.loads(e.data) for e in await entries(generation) if e.kind == kind]


async def check_log(generation: Generation) -> None:
    """Check what holds for every finished log, whatever happened."""
    log = await entries(generation)
    kinds = [entry.kind for entry in log]
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert kinds.count("final") == 1 and kinds[-1] == "final"
    final = json.loads(log[-1].data)
    assert final == {"status": generation.status, "error_code": generation.error_code}
    assert (kinds[-2:-1] == ["message_stop"]) or generation.status != "complete"
    assert generation.finished_at is not None


def text_in_log(log: Iterable[Entry]) -> str:
    """Return the text that a log's messages, blocks and deltas begin or go on with."""
    text = ""
    for entry in log:
        data = json.loads(entry.data)
        if entry.kind == "message_start":
            begun = data["message"].get("content") or []
            text += "".join(block["text"] for block in begun if block["type"] == "text")
        elif entry.kind == "content_block_start" and data["content_block"]["type"] == "text":
            text += data["content_block"]["text"]
        elif entry.kind == "content_block_delta" and data["delta"]["type"] == "text_delta":
            text += data["delta"]["text"]
    return text


def calls(model: DemoThread, message: Message) -> list[RequestRecord]:
    """Return the requests that the model server saw for a prompt."""
    return [r for r in model.requests if r.body and prompt_in(r.body) == message.text]


def prompt_in(body: Mapping[str, Any]) -> str:
    """Return the newest text of the person's; behind it an answer may have been paused."""
    turns = (turn["content"] for turn in reversed(body["messages"]) if turn["role"] == "user")
    for content in turns:
        texts = [content] if isinstance(content, str) else [b.get("text") for b in content]
        if texts[-1] is not None:
            return str(texts[-1])
    return ""


async def closed(model: DemoThread, generation: Generation) -> RequestRecord:
    """Wait until the exchange of an answer is over at the model's end."""
    assert generation.message.parent is not None
    record = calls(model, generation.message.parent)[-1]
    return await asyncio.to_thread(model.wait_closed, record)


async def came(model: DemoThread, text: str) -> RequestRecord:
    """Wait until the model server has read the request of a prompt."""

    def is_there() -> bool:
        return any(r.status and prompt_in(r.body) == text for r in model.requests if r.body)

    await asyncio.to_thread(model.wait_until, is_there)
    return next(r for r in model.requests if r.body and prompt_in(r.body) == text)


def sent_text(record: RequestRecord, played: Iterable[steps.Step]) -> str:
    """Return the text that the model server sends when it plays `played` to its end."""
    parts = []
    for step in played:
        match step:
            case steps.Text():
                parts += list(step.pieces())
            case steps.SplitText(text):
                parts.append(text)
            case steps.Block():
                parts += [str(d["text"]) for d in step.deltas if d["type"] == "text_delta"]
            case steps.Answer():
                parts.append(reply_to(Request.from_body(record.body)).text)
    # Each delta is cleaned for itself: a pair of surrogates never comes in two.
    return "".join(clean(part) for part in parts)


def block(index: int, start: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a whole block."""
    return [
        {"type": "content_block_start", "index": index, "content_block": dict(start)},
        *({"type": "content_block_delta", "index": index, "delta": dict(d)} for d in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text_block(index: int, *pieces: str) -> list[dict[str, Any]]:
    deltas = ({"type": "text_delta", "text": piece} for piece in pieces)
    return block(index, {"type": "text", "text": ""}, *deltas)


def message_end(stop_reason: str = "end_turn", **members: Any) -> list[dict[str, Any]]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    usage = {"output_tokens": 42}
    return [
        {"type": "message_delta", "delta": delta, "usage": usage, **members},
        {"type": "message_stop"},
    ]
