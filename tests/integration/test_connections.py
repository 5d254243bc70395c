"""A connection to the API that is opened before there is something to ask."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
import pytest_asyncio

from chat import errors
from chat.claude.request import Request
from chat.claude.stream import Claude
from deploy.program import free_port
from tests.api_events import message_start, sse
from tests.integration.answers import message_end, text_block
from tests.site_process import ADMIN_PASSWORD, SiteProcess
from tests.visitor import Visitor

pytestmark = pytest.mark.asyncio

REQUEST = Request("claude-x", 100, [{"role": "user", "content": "Hello"}])
EVENTS = [message_start(), *text_block(0, "Hello."), *message_end()]
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
ANSWER = HEAD.encode() + sse(*EVENTS)


class OneAnswerEach:
    """A model server that closes each connection behind its first answer, and counts them."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[object] = asyncio.Queue()
        self.asked: asyncio.Queue[object] = asyncio.Queue()
        self.port = free_port()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")
        self.opened.put_nowait(client)
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked.put_nowait(client)
            writer.write(ANSWER)
            await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OneAnswerEach]:
    async with OneAnswerEach() as running:
        yield running


@pytest_asyncio.fixture
async def claude(server: OneAnswerEach) -> AsyncIterator[Claude]:
    """A client that has asked once, and has no connection left."""
    client = Claude(api_key="none", base_url=server.base_url, connect_timeout_s=5, read_timeout_s=5)
    await ask(client)
    assert await server.opened.get() == await server.asked.get()
    yield client
    await client.close()
    assert "connect" not in {task.get_name() for task in asyncio.all_tasks()}


async def ask(claude: Claude) -> None:
    async with claude.stream(REQUEST) as stream:
        assert [event.kind async for event in stream][-1] == "message_stop"


async def test_request_takes_the_connection_that_was_prepared(
    claude: Claude, server: OneAnswerEach
) -> None:
    claude.prepare()
    prepared = await server.opened.get()
    assert server.asked.empty()
    await ask(claude)
    assert await server.asked.get() == prepared and server.opened.empty()


async def test_request_waits_for_the_connection_that_is_being_prepared(
    claude: Claude, server: OneAnswerEach
) -> None:
    claude.prepare()
    claude.prepare()
    await ask(claude)
    assert await server.asked.get() == await server.opened.get() and server.opened.empty()


async def test_one_to_spare_is_enough(claude: Claude, server: OneAnswerEach) -> None:
    claude.prepare()
    prepared = await server.opened.get()
    claude.prepare()
    await ask(claude)
    assert await server.asked.get() == prepared and server.opened.empty()


async def test_server_that_is_gone_is_told_of_once(claude: Claude, server: OneAnswerEach) -> None:
    await server.__aexit__()
    claude.prepare()
    with pytest.raises(errors.Unreachable):
        await ask(claude)
    async with server:
        await ask(claude)


async def test_nothing_is_left_of_one_that_nobody_needed(
    claude: Claude, server: OneAnswerEach
) -> None:
    claude.prepare()
    await claude.close()
    claude.prepare()


async def test_prompt_has_a_connection_opened(server: OneAnswerEach, tmp_path: Path) -> None:
    """Of one that is refused the connection is all that reaches the model server."""

    def send(text: str) -> int:
        with Visitor(site.base_url) as visitor:
            visitor.sign_in("admin", ADMIN_PASSWORD)
            return visitor.post("/", text=text, key=str(uuid.uuid4())).status_code

    with SiteProcess(tmp_path, {"ANTHROPIC_BASE_URL": server.base_url}) as site:
        assert await asyncio.to_thread(send, "Hello") == 302
        assert await server.opened.get() == await server.asked.get()
        assert await asyncio.to_thread(send, " ") == 400
        assert await server.opened.get() and server.asked.empty()
