"""Rings between processes: what one process rings, the bells of the others hear.

    ring -> Exchange -> channel layer (one group, one channel a process) -> Exchange -> bells

Topics that wait for the layer travel in one message, so that a slow layer gets fewer messages,
not a longer queue. The layer may lose any of them. Each process hears its own pulse as well;
when it does not, the layer is away, and readers look into the database by themselves until it
is back.

With a process's pulse goes which logs are read in it; whoever writes one of them sends what it has
committed to that process alone, and spares its readers the database (far.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import uuid
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from chat import metrics
from chat.events import commit, far, rings
from chat.events.entry import Entry

logger = logging.getLogger(__name__)

GROUP = "rings"
PULSE_S = 1.0
"""A process sends at least one message in this time."""

SILENT_AFTER_S = 3.0
"""A layer that brought nothing for so long is away."""

MAX_SENT_CHARS = 100_000
"""More of one log is not sent at once: its readers look into the database."""

CANCEL_AGAIN_S = 0.1

LOOK_OFTEN_S = 4.0
"""Where no ring can come from other processes, an idle reader looks after this time at most."""

LOOK_SELDOM_S = 60.0
"""Where rings come: a single one may still be lost."""

_current: Exchange | None = None


class Exchange:
    """Carries rings, and what is wanted of logs, between this process and all others of the site.

    Args:
        layer: a channel layer that all processes share.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._name = uuid.uuid4().hex
        self._loop = asyncio.get_running_loop()
        self._channel = ""  # This process's own, while it can be heard there.
        self._topics: set[str] = set()
        self._has_new_wants = False
        # What other processes want, by their channels.
        self._wants: dict[str, _Wants] = {}
        # What waits to be sent to them, by their channels and by generation.
        self._parcels: dict[str, dict[int, list[Entry]]] = {}
        self._pulse_at = -math.inf  # of the loop's clock
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_ending = False
        self.is_heard = False

    async def begin(self) -> None:
        """Start carrying; return at once, whether the layer is there or not."""
        global _current
        work: tuple[Coroutine[Any, Any, None], ...] = (self._send(), self._receive())
        self._tasks = [asyncio.create_task(each, name="exchange") for each in work]
        rings.forward_to(self.send)
        commit.share_by(self.share)
        far.announce_to(self._want_more)
        _current = self

    async def end(self) -> None:
        """Stop carrying; what waits is lost."""
        global _current
        rings.forward_to(None)
        commit.share_by(None)
        far.announce_to(None)
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

    def share(self, generation_id: int, entries: Sequence[Entry]) -> None:
        """Send what was committed to those processes that want it. From the loop alone."""
        for channel in self.wanting(generation_id):
            self._put_in(channel, generation_id, entries)

    def wanting(self, generation_id: int) -> list[str]:
        """Return the channels of those processes that want a log."""
        return [name for name, it in self._wants.items() if generation_id in it.generation_ids]

    def _add(self, topic: str) -> None:
        self._topics.add(topic)
        self._wake.set()

    def _want_more(self) -> None:
        self._has_new_wants = True
        self._wake.set()

    def _put_in(self, channel: str, generation_id: int, entries: Sequence[Entry]) -> None:
        self._parcels.setdefault(channel, {}).setdefault(generation_id, []).extend(entries)
        self._wake.set()

    async def _send(self) -> None:
        while not self._is_ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(max(self._pulse_at, self._loop.time())):
                    await self._wake.wait()
            self._wake.clear()
            topics, self._topics = self._topics, set()
            parcels, self._parcels = self._parcels, {}
            try:
                async with asyncio.timeout(SILENT_AFTER_S):
                    for channel, logs in parcels.items():
                        await self._layer.send(channel, self._parcel(logs))
                    if topics or self._has_new_wants or self._loop.time() >= self._pulse_at:
                        await self._layer.group_send(GROUP, self._pulse(topics))
            except Exception:
                # These rings are lost; who waits for them looks without them.
                metrics.rings_lost(len(topics) + len(parcels))
                self._fall_silent()
                await asyncio.sleep(PULSE_S)

    def _pulse(self, topics: set[str]) -> dict[str, Any]:
        now = self._loop.time()
        self._pulse_at = now + PULSE_S
        self._has_new_wants = False
        # Processes that say nothing any more are gone.
        self._wants = {name: it for name, it in self._wants.items() if it.at > now - SILENT_AFTER_S}
        wants = {"channel": self._channel, "wants": far.wanted()} if self._channel else {}
        return self._message(topics=sorted(topics), **wants)

    def _parcel(self, logs: dict[int, list[Entry]]) -> dict[str, Any]:
        return self._message(logs=[[pk, _packed(entries)] for pk, entries in logs.items()])

    def _message(self, **content: Any) -> dict[str, Any]:
        return {"type": "ring", "sender": self._name, **content}

    async def _receive(self) -> None:
        while not self._is_ending:
            try:
                async with asyncio.timeout(SILENT_AFTER_S):
                    channel = await self._layer.new_channel()
                    await self._layer.group_add(GROUP, channel)
                self._channel = channel
                self._want_more()
                while not self._is_ending:
                    async with asyncio.timeout(SILENT_AFTER_S):
                        message = await self._layer.receive(channel)
                    self._hear(message)
            except Exception:
                self._channel = ""
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
            rings.ring_all_here()
        if message["sender"] == self._name:
            return
        if channel := message.get("channel"):
            self._note_wants(channel, message["wants"])
        for generation_id, packed in message.get("logs", ()):
            _hand_out(generation_id, packed)
        topics = message.get("topics", ())
        far.doubt(topics)
        rings.ring_here(topics)

    def _note_wants(self, channel: str, generation_ids: list[int]) -> None:
        """Note what a process wants now, and send it what it has not had of that."""
        before = self._wants.get(channel)
        wants = self._wants[channel] = _Wants(frozenset(generation_ids), self._loop.time())
        for generation_id in wants.generation_ids - (before.generation_ids if before else set()):
            if (log := commit.live_logs.get(generation_id)) and (recent := log.since(0)):
                self._put_in(channel, generation_id, recent)

    def _fall_silent(self) -> None:
        if self.is_heard:
            logger.warning("the channel layer is silent; readers look into the database")
            self.is_heard = False
            far.doubt()
            # So that those who count on rings begin to look.
            rings.ring_all_here()


class _Wants(NamedTuple):
    """Whose logs a process reads, and when it said so, by the clock of the loop."""

    generation_ids: frozenset[int]
    at: float


def _packed(entries: list[Entry]) -> list[list[Any]]:
    """Return entries as they travel; [] where they are too much to be sent."""
    if sum([len(entry.data) for entry in entries]) > MAX_SENT_CHARS:
        return []
    return [[entry.seq, entry.kind, entry.data, entry.at.isoformat()] for entry in entries]


def _hand_out(generation_id: int, packed: list[list[Any]]) -> None:
    """Give what an owner has sent to the readers here."""
    entries = [Entry(seq, kind, data, datetime.fromisoformat(at)) for seq, kind, data, at in packed]
    far.take(generation_id, entries)
    rings.ring_readers_here(generation_id, entries[-1].kind if entries else "")


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
