"""What a process of the site runs beside its requests: the worker and the offline model."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from chat.checks import TAG
from chat.claude.stream import Claude
from chat.events import Committer, Exchange
from chat.generation import Runtime
from chat.rights import watch
from chat.tools import offered
from chat.worker import Worker, leave
from chatsite.memory import keep_giving_back

if TYPE_CHECKING:
    from chat.demo.server import DemoServer

DEMO_RECORDS = 100
"""Of so many requests the offline model keeps a record, which nobody but a test reads."""


def refuse_bad_settings() -> None:
    """Stop a server that starts without what the site needs; servers run no system checks.

    Raises:
        ImproperlyConfigured: with the sentences of chat/checks.py.
    """
    serious = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    if serious:
        raise ImproperlyConfigured(" ".join(f"{m.msg} {m.hint}" for m in serious))


LAST_WORDS_S = 0.5
"""So long readers have for the end of an answer, and late requests to arrive."""

CONNECTIONS_END_S = 3.0
"""Requests and sockets have so long to end once nothing is written any more."""


class Life:
    """Begins once, on the first call, and ends once; every later caller waits for the first.

    `stop_listening` has the server take no more connections; servers with a lifespan have done
    that, and closed their sockets, before they say that it is over.
    """

    def __init__(self) -> None:
        self.stop_listening: Callable[[], None] = lambda: None
        self.beginning: asyncio.Future[None] | None = None
        self._begun: asyncio.Task[None] | None = None
        self._ended: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[Any]] = set()
        self._worker: Worker | None = None
        self._demo: DemoServer | None = None
        self._exchange: Exchange | None = None
        self._chores: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start what the process runs; return when recovery is done.

        What failed, because the database was away, is tried again by the next caller.
        """
        has_failed = self._begun and self._begun.done() and self._begun.exception()
        if self._begun is None or has_failed:
            self._begun = asyncio.create_task(self._begin(), name="begin")
        await asyncio.shield(self._begun)

    @property
    def is_ending(self) -> bool:
        return self._ended is not None

    def end(self) -> asyncio.Future[None]:
        """Drain the worker; generations that can't finish in time end as interrupted."""
        if self._ended is None:
            self._ended = asyncio.create_task(self._end(), name="end")
        return asyncio.shield(self._ended)

    def hurry(self) -> None:
        """End at once what is still being written."""
        if self._worker:
            self._worker.hurry()

    async def serve(self, connection: Awaitable[None]) -> None:
        """Serve a request or a socket, which the process does not cut off when it ends."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (for the types)
        self._connections.add(task)
        try:
            await connection
        finally:
            self._connections.discard(task)

    async def _begin(self) -> None:
        if settings.CHAT_DEMO and self._demo is None:
            # Loaded only where it answers.
            from chat.demo.server import DemoServer

            self._demo = DemoServer(keep=DEMO_RECORDS)
            await self._demo.start()
        base_url = self._demo.base_url if self._demo else settings.ANTHROPIC_BASE_URL
        if settings.REDIS_URL and self._exchange is None:
            self._exchange = Exchange(get_channel_layer())
            await self._exchange.begin()
        if not self._chores:
            self._chores = [
                asyncio.create_task(watch(), name="rights"),
                asyncio.create_task(keep_giving_back(), name="memory"),
            ]
        self._worker = Worker(make_runtime(base_url), heartbeat_s=settings.CHAT_HEARTBEAT_S)
        await self._worker.begin()

    async def _end(self) -> None:
        if self._begun:
            with contextlib.suppress(Exception):
                await self._begun
        if not settings.IS_SQLITE:
            # Other processes take what comes. Alone, this one goes on saving prompts, which
            # are answered after the next start.
            self.stop_listening()
        if self._worker:
            await self._worker.drain(settings.CHAT_DRAIN_S)
        self.stop_listening()
        await asyncio.sleep(min(LAST_WORDS_S, settings.CHAT_DRAIN_S))
        leave()
        await self._end_connections()
        for chore in self._chores:
            chore.cancel()
        if self._chores:
            await asyncio.wait(self._chores)
        if self._exchange:
            await self._exchange.end()
        if self._demo:
            await self._demo.stop()

    async def _end_connections(self) -> None:
        """Wait for requests, and for sockets, which close by themselves when the process leaves."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + CONNECTIONS_END_S
        while self._connections and loop.time() < give_up_at:
            await asyncio.wait(self._connections, timeout=give_up_at - loop.time())
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=1)


def make_runtime(base_url: str) -> Runtime:
    """Return what the settings say that generations run with."""
    thinking = {"thinking": {"type": "adaptive", "display": "summarized"}}
    return Runtime(
        process_id=uuid.uuid4(),
        claude=Claude(
            # Servers of one's own need no key, but the SDK sends one.
            api_key=settings.ANTHROPIC_API_KEY or "none",
            base_url=base_url,
            connect_timeout_s=settings.CHAT_CONNECT_TIMEOUT_S,
            read_timeout_s=settings.CHAT_READ_TIMEOUT_S,
        ),
        committer=Committer(),
        max_tokens=settings.CHAT_MAX_TOKENS,
        system=settings.CHAT_SYSTEM_PROMPT,
        max_retry_wait_s=settings.CHAT_RETRY_MAX_WAIT_S,
        extra=thinking if settings.CHAT_SENDS_THINKING else {},
        toolset=offered(),
    )
