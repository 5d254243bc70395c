"""A program's streams: counted like sockets, and closed when the right to read ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient, override_settings
from pytest_django import Settings

from chat import services, sockets, tokens
from chat.demo.thread import DemoThread
from chat.models import AccessToken, Conversation, Generation, User
from chat.threads import in_thread
from tests.integration.answers import send, stop
from tests.integration.program import BODY, is_of, user
from tests.integration.test_consumers import (  # noqa: F401  (the fixture is used by its name)
    site_life,
    slow,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("site_life")]

BEGUN_S = 30.0
CLOSED_S = 5.0  # after the right to read has ended


class Program(AsyncClient):
    """A program of a person's, with a token of its own."""

    def __init__(self, made: tokens.NewToken) -> None:
        super().__init__()
        self.token = made.row
        self._headers = {"Authorization": f"Bearer {made.secret}"}

    @classmethod
    async def of(cls, owner: User) -> Program:
        return cls(await in_thread(tokens.create, owner, "test", AccessToken.Scope.CHAT))

    async def ask(self, path: str, body: Any = None) -> Any:
        if body is None:
            return await self.get(path, headers=self._headers)
        return await self.post(path, body, "application/json", headers=self._headers)

    @asynccontextmanager
    async def stream(self, path: str, body: Any = None) -> AsyncIterator[asyncio.Task[bytes]]:
        """Open a stream, and read it to its end, or until the block ends: then it is cancelled,
        as a server cancels what a client has left.
        """
        response = await self.ask(path, body)
        assert response.status_code == 200
        has_begun = asyncio.Event()

        async def read() -> bytes:
            text = b""
            async for piece in response.streaming_content:
                text += piece
                has_begun.set()
            return text

        task = asyncio.create_task(read())
        await asyncio.wait_for(has_begun.wait(), BEGUN_S)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def check_refused(self, generation: Generation) -> None:
        before = await Conversation.objects.acount()
        for response in (
            await self.ask(events_of(generation)),
            await self.ask("/api/chat", {"message": "Hi"}),
        ):
            assert (response.status_code, response.headers["Retry-After"]) == (429, "10")
            assert response.json()["error"]["code"] == "too_many_streams"
        assert await Conversation.objects.acount() == before


def events_of(generation: Generation) -> str:
    return f"/api/generations/{generation.pk}/events"


async def test_events_of_a_person_are_counted(
    model: DemoThread, alice: User, bob: User, settings: Settings
) -> None:
    settings.CHAT_SOCKETS_PER_USER = 1
    generation = await send(alice, slow(model))
    first, second = await Program.of(alice), await Program.of(alice)
    async with first.stream(events_of(generation)):
        await first.check_refused(generation)
        await second.check_refused(generation)
        async with (await Program.of(bob)).stream("/api/chat", {"message": "Hi"}):
            pass
    async with second.stream(events_of(generation)):
        pass
    await stop(alice, generation)


async def test_prompt_is_counted(model: DemoThread, alice: User, settings: Settings) -> None:
    settings.CHAT_SOCKETS_PER_USER = 1
    program = await Program.of(alice)
    async with program.stream("/api/chat", {"message": slow(model)}):
        await program.check_refused(await Generation.objects.aget())
    assert not sockets.signed_in()


async def test_all_of_a_process_are_counted(
    model: DemoThread, alice: User, bob: User, settings: Settings
) -> None:
    settings.CHAT_SOCKETS_PER_PROCESS = 1
    generation = await send(bob, slow(model))
    async with (await Program.of(alice)).stream("/api/chat", {"message": slow(model)}):
        await (await Program.of(bob)).check_refused(generation)
    await stop(bob, generation)


async def test_stranger_learns_nothing_from_a_full_process(
    model: DemoThread, alice: User, bob: User, settings: Settings
) -> None:
    settings.CHAT_SOCKETS_PER_PROCESS = 1
    generation = await send(alice, slow(model))
    async with (await Program.of(alice)).stream(events_of(generation)):
        assert (await (await Program.of(bob)).ask(events_of(generation))).status_code == 404
    await stop(alice, generation)


def revoke(token: AccessToken) -> None:
    token.delete()


def revoke_silently(token: AccessToken) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM chat_accesstoken WHERE id = %s", [token.pk])


def close_account(token: AccessToken) -> None:
    User.objects.filter(pk=token.owner_id).update(is_active=False)


@pytest.mark.parametrize("take_away", [revoke, revoke_silently, close_account])
@pytest.mark.parametrize("is_prompt", [False, True])
async def test_stream_closes_when_its_token_is_good_no_more(
    model: DemoThread, alice: User, take_away: Callable[[AccessToken], None], is_prompt: bool
) -> None:
    program = await Program.of(alice)
    if is_prompt:
        opened = program.stream("/api/chat", {"message": slow(model)})
    else:
        opened = program.stream(events_of(await send(alice, slow(model))))
    async with opened as reading:
        await in_thread(take_away, program.token)
        text = await asyncio.wait_for(reading, CLOSED_S)
    assert (b"[DONE]" in text) == (b"stream_ended" in text) == is_prompt
    assert b"event: final" not in text
    assert not sockets.signed_in()
    await in_thread(services.stop, alice, (await Generation.objects.aget()).pk)


async def test_message_goes_on_when_its_token_is_good_no_more(
    model: DemoThread, alice: User
) -> None:
    """An SDK does not ask for it again: it would be written twice."""
    program, text = await Program.of(alice), slow(model)
    body = {**BODY, "messages": [user(text)]}
    asking = asyncio.create_task(program.ask("/v1/messages", body))
    await asyncio.to_thread(model.wait_until, lambda: any(is_of(r, text) for r in model.requests))
    await in_thread(revoke, program.token)
    response = await asyncio.wait_for(asking, CLOSED_S)
    assert (response.status_code, response.headers["x-should-retry"]) == (503, "false")
    assert response.json()["error"]["details"] == {"error_code": "stream_ended"}
    generation = await Generation.objects.aget()
    assert generation.is_running
    await stop(alice, generation)


async def test_model_that_claude_does_not_have(alice: User) -> None:
    """Told as the caller's mistake; where the settings name it, it is the admin's."""
    program = await Program.of(alice)
    answer = await program.ask("/api/chat", {"message": "Hi", "model": "heron-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_unknown")
    with override_settings(CHAT_MODEL="heron-1"):
        answer = await program.ask("/api/chat", {"message": "Hi"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "not_found")
