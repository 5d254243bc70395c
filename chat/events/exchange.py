"""Rings between processes: what one process rings, the bells of the others hear.

    ring -> Exchange -> channel layer (one group, one channel a process) -> Exchange -> bells

Topics that wait for the layer travel in one message, so that a slow layer gets fewer messages,
not a longer queue. The layer may lose any of them. Each process hears its own pulse as well;
when it does not, the layer is away, and readers look into the database by themselves until it
is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from collections.abc import Coroutine
from typing import Any

from chat import metrics
from chat.events.rings import forward_to, ring_all_here, ring_here

logger = logging.getLogger(__name__)

GROUP = "rings"
PULSE_S = 1.0
"""A process sends at least one message in this time."""

SILENT_AFTER_S = 3.0
"""A layer that brought nothing for so long is away."""

CANCEL_AGAIN_S = 0.1

LOOK_OFTEN_S = 4.0
"""Where no ring can come from other processes, an idle reader looks after this time at most."""

LOOK_SELDOM_S = 60.0
"""Where rings come: a single one may still be lost."""

_current: Exchange | None = None


class Exchange:
    """Carries rings between this process and all others of the site.

    Args:
        layer: a channel layer that all processes share.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._name = uuid.uuid4().hex
        self._loop = asyncio.get_running_loop()
        self._waiting: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_ending = False
        self.is_heard = False

    async def begin(self) -> None:
        """Start carrying; return at once, whether the layer is there or not."""
        global _current
        work: tuple[Coroutine[Any, Any, None], ...] = (self._send(), self._receive())
        self._tasks = [asyncio.create_task(each, name="exchange") for each in work]
        forward_to(self.send)
        _current = self

    async def end(self) -> None:
        """Stop carrying; what waits is lost."""
        global _current
        forward_to(None)
        _current = None
        self._is_ending = True
        left = set(self._tasks)
        while left:
            # The layer swallows a cancellation that meets it while it connects, or cleans up.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_S)
        with contextlib.suppress(Exception):
            await self._layer.flush()

    def send(self, topic: str) -> None:
        """Have a topic rung in the other processes. From any thread."""
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody rings any more.
            self._loop.call_soon_threadsafe(self._add, topic)

    def _add(self, topic: str) -> None:
        self._waiting.add(topic)
        self._wake.set()

    async def _send(self) -> None:
        while not self._is_ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    await self._wake.wait()
            self._wake.clear()
            topics, self._waiting = self._waiting, set()
            message = {"type": "ring", "sender": self._name, "topics": sorted(topics)}
            try:
                async with asyncio.timeout(SILENT_AFTER_S):
                    await self._layer.group_send(GROUP, message)
            except Exception:
                # These rings are lost; who waits for them looks without them.
                metrics.rings_lost(len(topics))
                self._fall_silent()
                await asyncio.sleep(PULSE_S)

    async def _receive(self) -> None:
        while not self._is_ending:
            try:
                async with asyncio.timeout(SILENT_AFTER_S):
                    channel = await self._layer.new_channel()
                    await self._layer.group_add(GROUP, channel)
                while not self._is_ending:
                    async with asyncio.timeout(SILENT_AFTER_S):
                        message = await self._layer.receive(channel)
                    self._hear(message)
            except Exception:
                self._fall_silent()
                # A new connection: the old one may be open to a server that forgot the channel.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(SILENT_AFTER_S):
                        await self._layer.flush()
                await asyncio.sleep(PULSE_S)

    def _hear(self, message: dict[str, Any]) -> None:
        if not self.is_heard:
            logger.info("the channel layer carries rings")
            self.is_heard = True
            ring_all_here()
        elif message["sender"] != self._name:
            ring_here(message["topics"])

    def _fall_silent(self) -> None:
        if self.is_heard:
            logger.warning("the channel layer is silent; readers look into the database")
            self.is_heard = False
            # So that those who count on rings begin to look.
            ring_all_here()


def look_interval_s(*, is_alone: bool) -> float | None:
    """Return after how long an idle reader looks by itself, in seconds; None: never.

    Readers of one moment are spread, so that they do not all look at once.

    Args:
        is_alone: whether this process is the whole site, so that no ring comes from elsewhere.
    """
    if is_alone:
        return None
    longest_s = LOOK_SELDOM_S if _current and _current.is_heard else LOOK_OFTEN_S
    return longest_s * random.uniform(0.5, 1.0)  # noqa: S311  (no secret)
