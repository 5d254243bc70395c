"""The stream of one message: its events, its silences, and what happens where it is left."""

from __future__ import annotations

import itertools
import json
import socket
import time
from contextlib import aclosing
from urllib.parse import urlsplit

import pytest
from anthropic import Anthropic

from chat import sent_turns, tokens
from chat.api import message_reply
from chat.api.door import Caller
from chat.api.message_reply import Reply
from chat.demo.steps import (
    Attempts,
    Block,
    End,
    Event,
    Stall,
    Start,
    Text,
)
from chat.demo.thread import DemoThread
from chat.models import AccessToken, User
from chat.options import Options
from chat.sockets import SignedIn
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import UPSTREAM_CLOSES_S, finished, prompt, stop
from tests.integration.program import (
    BODY,
    MODEL,
    SLOW,
    asked,
    is_of,
    stream_of,
    user,
)
from tests.site_process import SiteProcess


def test_events_come_as_they_are(model: DemoThread, claude: Anthropic) -> None:
    """Whatever kind of event, block or delta it is, and each one at its place."""
    model.script(
        "strange",
        Start(),
        Event("hologram", {"colour": "blue"}),
        Block({"type": "hologram", "image": 7}, [{"type": "hologram_delta", "more": [1]}]),
        Text("Seen?"),
    )
    with claude.messages.create(
        model=MODEL, max_tokens=100, messages=[user(prompt("strange"))], stream=True
    ) as stream:
        events = [event.to_dict(warnings=False) for event in stream]
    assert events[1] == {"type": "hologram", "colour": "blue"}
    assert events[2]["content_block"] == {"type": "hologram", "image": 7}
    assert events[3]["delta"] == {"type": "hologram_delta", "more": [1]}
    assert [event["type"] for event in events[-3:]] == [
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_request_that_is_made_again_is_one_message(model: DemoThread, claude: Anthropic) -> None:
    """A failure between the message's start and its first word is not told of."""
    fault = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    model.script("again", Attempts([Start(), Event("error", fault), End()], [Text("Here it is.")]))
    with stream_of(claude, user(prompt("again"))) as stream:
        kinds = [event.type for event in stream]
    assert kinds.count("message_start") == 1 and "error" not in kinds
    assert stream.get_final_text() == "Here it is."


def ended(site: SiteProcess, generation_id: str) -> tuple[str, str]:
    """Wait for the end of an answer; return its status and its text."""
    query = (
        "SELECT status, text FROM chat_generation JOIN chat_message "
        "ON chat_message.id = message_id WHERE chat_generation.id = ?"
    )
    deadline = time.monotonic() + 30
    while (row := site.rows(query, int(generation_id))[0])[0] in ("queued", "streaming"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return row[0], row[1]


def check_closed(model: DemoThread, text: str, left_at: float) -> None:
    record = model.wait_closed(asked(model, text))
    assert record.closed_by == "client" and record.closed_at is not None
    assert record.closed_at - left_at < UPSTREAM_CLOSES_S


def test_left_stream_closes_the_upstream(
    site: SiteProcess, model: DemoThread, claude: Anthropic
) -> None:
    model.script("slow", SLOW)
    with stream_of(claude, user(text := prompt("slow"))) as stream:
        words = list(itertools.islice(stream.text_stream, 3))
        generation_id = stream.response.headers["chat-generation"]
        left_at = time.time()
    check_closed(model, text, left_at)
    status, kept = ended(site, generation_id)
    assert status == "stopped" and kept.startswith("".join(words))


@pytest.mark.parametrize("scenario", ["slow", "stall-headers"])
def test_left_request_closes_the_upstream(
    site: SiteProcess, model: DemoThread, token: str, scenario: str
) -> None:
    """Also of one that is answered at once, or not at all yet."""
    model.script("slow", SLOW)
    body = json.dumps({**BODY, "messages": [user(text := prompt(scenario))]})
    head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {token}\r\n"
    address = urlsplit(site.base_url)
    with socket.create_connection((str(address.hostname), address.port or 0)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        model.wait_until(lambda: any(is_of(r, text) for r in model.requests))
        left_at = time.time()
    check_closed(model, text, left_at)
    (row,) = site.rows(
        "SELECT id FROM chat_generation WHERE message_id IN (SELECT id FROM chat_message "
        "WHERE parent_id IN (SELECT id FROM chat_message WHERE text = ?))",
        text,
    )
    assert ended(site, row[0])[0] == "stopped"


@pytest.mark.asyncio
async def test_silence_has_pings(
    worker: Worker, model: DemoThread, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever closes the stream in one stops the answer."""
    monkeypatch.setattr(message_reply, "PING_S", 0.05)
    model.script("falls-silent", Text("One"), Stall())
    messages = [user(prompt("falls-silent"))]
    token = await in_thread(tokens.create, alice, "test", AccessToken.Scope.CHAT)
    options = Options(MODEL, body={**BODY, "messages": messages})
    generation = await in_thread(sent_turns.send_messages, alice, messages, options)
    lines = Reply(generation, Caller(alice, SignedIn.by_token(token.row))).lines("req_7")
    async with aclosing(lines):
        told = [await anext(lines)]
        while told[-1] != message_reply.PING:
            told.append(await anext(lines))
    assert told[0].startswith("event: message_start\n")
    assert (await finished(generation)).status == "stopped"


@pytest.mark.asyncio
async def test_stop_of_a_person_ends_the_message(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("endless", SLOW)
    messages = [user(prompt("endless"))]
    token = await in_thread(tokens.create, alice, "test", AccessToken.Scope.CHAT)
    options = Options(MODEL, body={**BODY, "messages": messages})
    generation = await in_thread(sent_turns.send_messages, alice, messages, options)
    lines = Reply(generation, Caller(alice, SignedIn.by_token(token.row))).lines("req_7")
    async with aclosing(lines):
        await anext(lines)
        await stop(alice, generation)
        *_, last = [line async for line in lines]
    event, data, *_ = last.split("\n")
    error = json.loads(data.removeprefix("data: "))
    assert (event, error["request_id"]) == ("event: error", "req_7")
    assert error["error"]["details"] == {"error_code": "stopped"}
