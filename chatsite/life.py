"""What a process of the site runs beside its requests: the worker and the offline model."""

from __future__ import annotations

import asyncio
import sys
import uuid
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from chat.checks import TAG
from chat.claude import Claude
from chat.demo.server import DemoServer
from chat.events import Committer, Exchange
from chat.generation import Runtime
from chat.worker import Worker

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


class Life:
    """Begins once, on the first call, and ends once; every later caller waits for the first."""

    def __init__(self) -> None:
        self._begun: asyncio.Task[None] | None = None
        self._ended: asyncio.Task[None] | None = None
        self._worker: Worker | None = None
        self._demo: DemoServer | None = None
        self._exchange: Exchange | None = None

    async def begin(self) -> None:
        """Start what the process runs; return when recovery is done.

        What failed, because the database was away, is tried again by the next caller.
        """
        has_failed = self._begun and self._begun.done() and self._begun.exception()
        if self._begun is None or has_failed:
            self._begun = asyncio.create_task(self._begin(), name="begin")
        await asyncio.shield(self._begun)

    async def end(self) -> None:
        """Drain the worker; generations that can't finish in time end as interrupted."""
        if self._ended is None:
            self._ended = asyncio.create_task(self._end(), name="end")
        await asyncio.shield(self._ended)

    async def _begin(self) -> None:
        if settings.CHAT_DEMO and self._demo is None:
            self._demo = DemoServer(keep=DEMO_RECORDS)
            await self._demo.start()
        base_url = self._demo.base_url if self._demo else settings.ANTHROPIC_BASE_URL
        if settings.REDIS_URL and self._exchange is None:
            self._exchange = Exchange(get_channel_layer())
            await self._exchange.begin()
        self._worker = Worker(_runtime(base_url), heartbeat_s=settings.CHAT_HEARTBEAT_S)
        await self._worker.begin()
        _end_with_reactor(self)

    async def _end(self) -> None:
        if self._worker:
            await self._worker.drain(settings.CHAT_DRAIN_S)
        if self._exchange:
            await self._exchange.end()
        if self._demo:
            await self._demo.stop()


def _runtime(base_url: str) -> Runtime:
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
    )


def _end_with_reactor(life: Life) -> None:
    """Under Daphne, have Twisted wait for the end; other servers have lifespan for it."""
    if "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    def end() -> Deferred[Any]:
        return Deferred.fromFuture(asyncio.ensure_future(life.end()))

    if reactor.running:
        # Twisted's interfaces leave out self, which type checkers take for the first argument.
        reactor.addSystemEventTrigger("before", "shutdown", end)  # type: ignore[arg-type]
