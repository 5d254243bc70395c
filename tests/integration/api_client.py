"""A program that uses the API, in the test's own process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from django.test import AsyncClient

from chat import tokens
from chat.models import AccessToken, User
from chat.threads import in_thread
from tests.integration.answers import END_S

CHAT, READ = AccessToken.Scope.CHAT, AccessToken.Scope.READ
JSON = "application/json"


class Read(NamedTuple):
    """What a client that only knows the guide's stream has read."""

    text: str
    errors: list[dict[str, Any]]
    is_done: bool


class Program:
    """Sends a token of a person with everything it asks."""

    def __init__(self, token: str) -> None:
        self._client = AsyncClient()
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **headers: str) -> Any:
        return await self._client.get(path, headers={**self._headers, **headers})

    async def head(self, path: str) -> Any:
        return await self._client.head(path, headers=self._headers)

    async def post(self, body: str | bytes | dict[str, str], content_type: str = JSON) -> Any:
        return await self._client.post(
            "/api/chat", body, content_type=content_type, headers=self._headers
        )

    async def ask(self, message: str, **members: Any) -> Any:
        return await self.post(json.dumps({"message": message, **members}))


async def program(user: User, scope: AccessToken.Scope = CHAT) -> Program:
    token = await in_thread(tokens.create, user, "a program", scope)
    return Program(token.secret)


async def pieces(response: Any) -> AsyncIterator[str]:
    """Yield what the site writes at once, which a client may get as one chunk."""
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "text/event-stream"
    async for piece in response.streaming_content:
        yield piece.decode()


async def read(response: Any) -> Read:
    return as_read([piece async for piece in pieces(response)])


async def left(response: Any, count: int) -> list[str]:
    """Read so many pieces, then go away while waiting for more, as a closed connection does."""
    came: asyncio.Queue[str] = asyncio.Queue()

    async def reading() -> None:
        async for piece in pieces(response):
            came.put_nowait(piece)

    task = asyncio.create_task(reading())
    async with asyncio.timeout(END_S):
        got = [await came.get() for _ in range(count)]
    task.cancel()
    await asyncio.wait({task})
    return got


def as_read(chunks: list[str]) -> Read:
    """Read chunks one by one, and keep nothing of one for the next."""
    text, errors, is_done = "", [], False
    for line in (line for chunk in chunks for line in chunk.split("\n")):
        if not line.startswith("data: "):
            continue
        if line == "data: [DONE]":
            is_done = True
            continue
        data = json.loads(line.removeprefix("data: "))
        text += data["text"]
        errors += [data["error"]] if "error" in data else []
    return Read(text, errors, is_done)


def error_of(response: Any) -> dict[str, Any]:
    """Return the error of a response that is one, and is shaped as every one is."""
    assert response.headers["Content-Type"] == JSON, response.headers
    (error,) = json.loads(response.content).values()
    assert set(error) == {"code", "message", "retryable"} and error["message"]
    return dict(error)
