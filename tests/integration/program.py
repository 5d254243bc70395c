"""A program that uses the official SDK, or plain HTTP, with the site as its server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx2
from anthropic import Anthropic
from anthropic.types import Message, MessageParam

from chat.demo.records import RequestRecord
from chat.demo.steps import (
    Text,
)
from chat.demo.thread import DemoThread
from tests.site_process import SiteProcess

MODEL = "claude-sonnet-5-5"


SLOW = Text(["word "] * 2_000, interval_s=0.01)
BODY: dict[str, Any] = {"model": MODEL, "max_tokens": 100}


def unique() -> str:
    return f"Question {uuid.uuid4()}"


def user(text: str) -> MessageParam:
    return {"role": "user", "content": text}


def stream_of(client: Anthropic, *messages: MessageParam, **members: Any) -> Any:
    return client.messages.stream(model=MODEL, max_tokens=1_000, messages=messages, **members)


def streamed(client: Anthropic, *messages: MessageParam, **members: Any) -> Message:
    with stream_of(client, *messages, **members) as stream:
        message: Message = stream.get_final_message()
        return message


def created(client: Anthropic, *messages: MessageParam, **members: Any) -> Message:
    message: Message = client.messages.create(
        model=MODEL, max_tokens=1_000, messages=messages, **members
    )
    return message


def raw(client: Anthropic, *messages: Any, **members: Any) -> tuple[Message, str]:
    """Return the answer, and the conversation that the site says it stands in."""
    response = client.messages.with_raw_response.create(
        model=MODEL, max_tokens=1_000, messages=messages, **members
    )
    return response.parse(), conversation_of(response.headers)


def conversation_of(headers: Mapping[str, str]) -> str:
    """Return the id of a conversation as both databases take it."""
    return uuid.UUID(headers["chat-conversation"]).hex


def is_of(record: RequestRecord, text: str) -> bool:
    """Whether a request of the site to the model server ends with a text."""
    return bool(record.body) and json.dumps(text) in json.dumps(record.body["messages"][-1])


def asked(model: DemoThread, text: str) -> RequestRecord:
    return next(record for record in model.requests if is_of(record, text))


def post(
    site: SiteProcess, body: dict[str, Any], token: str = "", **headers: str
) -> httpx2.Response:
    known = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{site.base_url}/v1/messages"
    return httpx2.post(address, content=json.dumps(body), headers={**known, **headers}, timeout=30)


def token_of(site: SiteProcess, name: str, scope: str = "chat", password: str | None = None) -> str:
    """Make an account with a token; return the token."""
    code = (
        "from chat import tokens; from chat.models import User;"
        f"user = User.objects.create_user({name!r}, None, {password!r});"
        f"print(tokens.create(user, 'test', {scope!r}).secret)"
    )
    return site.manage("shell", "--no-imports", "--command", code).strip()


def whole(message: Message) -> dict[str, Any]:
    """Return all of a message; members that are null, the SDK adds by itself."""
    return message.to_dict(exclude_none=True, warnings=False)


def holds(got: Any, expected: Any) -> bool:
    """Whether all that the SDK put together is there; new members of an event it passes over."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return all(name in got and holds(got[name], expected[name]) for name in expected)
    if isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        return all(map(holds, got, expected))
    return bool(got == expected)
