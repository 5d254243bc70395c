"""Streams that are recorded: when deltas came, when they were shown, and what that took meanwhile.

The driver in this process; whoever measures takes turns with it, and does nothing else meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from tests.load.answer import Answer
from tests.load.driver import Driver
from tests.load.job import Account, Job
from tests.load.readers import PageReader, open_all
from tests.load.simulation import Take
from tests.load.stamps import now_us

SETTLE_S = 0.5
QUIET_S = 10.0
"""A page that hears nothing for so long asks whether the site lives (static/chat/socket.js)."""

STEP_S = 0.01

# struct tcp_info of linux/tcp.h: bytes_acked, bytes_received, segs_out, segs_in.
_COUNTERS = struct.Struct("QQII")
_COUNTERS_AT = 120

T = TypeVar("T")


class Wire(NamedTuple):
    """What has passed on connections in all, seen from the page: bytes, and packets."""

    sent: int
    received: int
    packets_out: int
    packets_in: int

    def since(self, before: Wire) -> Wire:
        return Wire(*(now - then for now, then in zip(self, before, strict=True)))


@dataclass
class Recorded:
    """A run; times are seconds from its beginning, `bytes` those of frames that showed deltas."""

    seconds: float
    answers: int
    deltas: int
    takes: list[Take]
    delays_s: list[float]
    frames: int
    bytes: int
    errors: list[str]


class Recording(Answer):
    """An answer that notes when it was asked for, when deltas came, and each frame with some."""

    def __init__(
        self, stamps: int, on_ask: Callable[[], object], on_frame: Callable[[], object]
    ) -> None:
        super().__init__(stamps, self._note_frame)
        self._on_ask, self._on_frame = on_ask, on_frame
        self.asked_us = 0
        self.arrivals_us: list[int] = []
        self.frames = self.bytes = 0

    def ask(self) -> None:
        self._on_ask()
        self.asked_us = now_us()
        super().ask()

    def take(self, data: bytes) -> None:
        came_us, before = now_us(), len(self.delays_us)
        super().take(data)
        if shown := self.delays_us[before:]:
            self.frames += 1
            self.bytes += len(data)
            self.arrivals_us += [came_us - delay_us for delay_us in shown]

    def _note_frame(self, came: int) -> None:
        self._on_frame()


class Recorder(Driver):
    """A driver that records.

    Args:
        on_ask: called before each prompt.
        on_frame: called after each frame that shows deltas.
    """

    def __init__(
        self, job: Job, on_ask: Callable[[], object], on_frame: Callable[[], object]
    ) -> None:
        self.recordings: list[Recording] = []
        self._on_ask, self._on_frame = on_ask, on_frame
        super().__init__(job)

    def _answer(self, number: int) -> Answer:
        recording = Recording(self._expected, self._on_ask, self._on_frame)
        self.recordings.append(recording)
        return recording


def _nothing() -> None:
    pass


async def record(
    job: Job,
    look: Callable[[], T],
    on_ask: Callable[[], object] = _nothing,
    on_frame: Callable[[], object] = _nothing,
) -> tuple[Recorded, T, T]:
    """Have answers written; return what was recorded, and what `look` saw before and after."""
    recorder = Recorder(job, on_ask, on_frame)
    try:
        await recorder.open()
        await asyncio.sleep(SETTLE_S)
        before, begun_us = look(), now_us()
        result = await recorder.run()
        await asyncio.sleep(SETTLE_S)
        after, ended_us = look(), now_us()
    finally:
        recorder.close()
    recordings = recorder.recordings
    takes = [_take(each, begun_us) for each in recordings if each.arrivals_us]
    recorded = Recorded(
        seconds=(ended_us - begun_us) / 1e6,
        answers=len(recordings),
        deltas=len(result.delays_us),
        takes=takes,
        delays_s=[delay_us / 1e6 for delay_us in result.delays_us],
        frames=sum(each.frames for each in recordings),
        bytes=sum(each.bytes for each in recordings),
        errors=result.errors,
    )
    return recorded, before, after


async def write(
    job: Job, look: Callable[[], T], written: Callable[[], float]
) -> tuple[Recorded, T, T]:
    """Have answers written that nobody reads; as `record`, where `written` counts those."""
    pages = [
        PageReader(Answer(0, lambda came: None), account, job.port, job.port)
        for account in job.accounts
    ]
    before, begun_us, all_written = look(), now_us(), written() + len(pages)

    async def ask(number: int) -> None:
        await asyncio.sleep(job.spread_s * number / len(pages))
        await pages[number].ask(job.plan(number).prompt)

    async with asyncio.timeout(job.timeout_s):
        await asyncio.gather(*map(ask, range(len(pages))))
        while written() < all_written:
            await asyncio.sleep(SETTLE_S)  # The site tells nobody else: asking is the only way.
    after, seconds = look(), (now_us() - begun_us) / 1e6
    deltas = len(pages) * job.deltas
    return Recorded(seconds, len(pages), deltas, [], [], 0, 0, []), before, after


def _take(recording: Recording, begun_us: int) -> Take:
    arrivals = [(at_us - begun_us) / 1e6 for at_us in recording.arrivals_us]
    return Take((recording.asked_us - begun_us) / 1e6, arrivals)


class OpenPage(PageReader):
    """A page in which nothing happens."""

    def ping(self) -> None:
        self._say(verb="ping")

    @property
    def wire(self) -> Wire:
        info = self._socket.network.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return Wire(*_COUNTERS.unpack_from(info, _COUNTERS_AT))


class Idle:
    """Open pages; to be used inside one event loop."""

    def __init__(self, accounts: Sequence[Account], port: int) -> None:
        self._pages = [
            OpenPage(Answer(0, lambda came: None), account, port, port) for account in accounts
        ]

    async def open(self) -> None:
        await open_all(self._pages)

    async def stay(self, seconds: float, cpu_s: Callable[[], float]) -> list[float]:
        """Ask as pages do, spread over the time; return what `cpu_s` grew by in each step."""
        pinging = asyncio.create_task(self._ping(), name="ping")
        steps: list[float] = []
        due_at, before_s = time.monotonic(), cpu_s()
        try:
            while len(steps) < seconds / STEP_S:
                due_at += STEP_S
                await asyncio.sleep(due_at - time.monotonic())
                now_s = cpu_s()
                steps.append(now_s - before_s)
                before_s = now_s
        finally:
            pinging.cancel()
        return steps

    @property
    def wire(self) -> Wire:
        return _sum(page.wire for page in self._pages)

    def close(self) -> None:
        for page in self._pages:
            page.close()

    async def _ping(self) -> None:
        while True:
            for page in self._pages:
                page.ping()
                await asyncio.sleep(QUIET_S / len(self._pages))


def _sum(wires: Iterable[Wire]) -> Wire:
    return Wire(*map(sum, zip(*wires, strict=True)))
