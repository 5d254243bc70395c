"""A server that stands in for a process of the site behind nginx, and does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from deploy.program import free_port

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY_BYTES = 64 * 2**20


async def say_ok(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


class StandIn:
    """Answers every request with `answer`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answer: Answer = say_ok
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if not request.headers.get("Upgrade"):
            self.bodies.append(await request.read())
        return await self.answer(request)


@asynccontextmanager
async def serving(stand_in: StandIn) -> AsyncIterator[StandIn]:
    application = web.Application(client_max_size=MAX_BODY_BYTES)
    application.router.add_route("*", "/{path:.*}", stand_in.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", stand_in.port).start()
    try:
        yield stand_in
    finally:
        await runner.cleanup()


def answering(status: int, text: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


async def reset(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer, as a process that is killed does."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def streaming(pieces: asyncio.Queue[bytes | None], headers: Mapping[str, str]) -> Answer:
    """Answer with pieces as they come; None is the end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        while (piece := await pieces.get()) is not None:
            await response.write(piece)
        return response

    return answer


async def echo(request: web.Request) -> web.StreamResponse:
    """Take a websocket, and send back what comes."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket
