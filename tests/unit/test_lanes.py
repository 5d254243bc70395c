"""A loop that reads some streams together: nothing is lost or late, whatever else it does."""

from __future__ import annotations

import asyncio
import selectors
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack

import pytest

from chat import lanes

LATE_S = 5.0
STREAMS = 20


class Reader(asyncio.Protocol):
    def __init__(self) -> None:
        self.received = b""
        self.news = asyncio.Event()
        self.is_closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed.set()

    async def wait_for(self, data: bytes) -> None:
        async with asyncio.timeout(LATE_S):
            while self.received != data:
                self.news.clear()
                await self.news.wait()


class Stream:
    """A socket that a test writes to, and the transport that reads it."""

    def __init__(self, writer: socket.socket, transport: asyncio.Transport, end: Reader) -> None:
        self.writer, self.transport, self.reader = writer, transport, end

    async def close(self) -> None:
        self.writer.close()
        self.transport.abort()
        await self.reader.is_closed.wait()


async def open_stream(stack: AsyncExitStack) -> Stream:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_connection(Reader, sock=theirs)
    stream = Stream(ours, transport, reader)
    stack.push_async_callback(stream.close)
    return stream


def run(
    work: Callable[[AsyncExitStack], Awaitable[None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] = lanes.new_event_loop,
) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            await work(stack)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


class Clock:
    """A clock that a test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Lanes:
    """A selector with files in its lanes, and the other ends of these."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.clock = Clock()
        self.selector = lanes.TwoLaneSelector(self.clock)
        stack.callback(self.selector.close)

    def open(self, name: str, *, is_slow: bool) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._stack.enter_context(ours)
        self._stack.enter_context(theirs)
        self.selector.register(theirs, selectors.EVENT_READ, (name, theirs))
        if is_slow:
            self.selector.slow_down(theirs.fileno())
        return ours

    def read(self, timeout_s: float) -> list[str]:
        """Read what one look finds ready; return whose it is."""
        ready = [key.data for key, _ in self.selector.select(timeout_s)]
        for _, end in ready:
            end.recv(100)
        return sorted(name for name, _ in ready)


@pytest.fixture
def two() -> Iterator[Lanes]:
    with ExitStack() as stack:
        yield Lanes(stack)


def test_slow_files_are_read_together(two: Lanes) -> None:
    names = [f"{number:02}" for number in range(STREAMS)]
    ends = [two.open(name, is_slow=True) for name in names]
    ends[0].send(b"x")
    assert two.read(LATE_S) == names[:1]
    for _ in range(3):
        for end in ends:
            end.send(b"x")
        # Not before the interval is over, and then all of them.
        assert two.read(LATE_S) == []
        two.clock.now += lanes.INTERVAL_S
        assert two.read(LATE_S) == names


def test_the_slow_lane_waits_for_what_is_urgent_and_no_longer(two: Lanes) -> None:
    end = two.open("slow", is_slow=True)
    end.send(b"x")
    assert two.read(LATE_S) == ["slow"]
    end.send(b"x")
    two.clock.now += lanes.INTERVAL_S
    two.selector.hold()
    assert two.read(0) == []
    # However often it is asked to.
    two.clock.now += lanes.HOLD_S
    two.selector.hold()
    assert two.read(LATE_S) == ["slow"]


def test_what_is_urgent_holds_a_slow_lane_once(two: Lanes) -> None:
    end = two.open("slow", is_slow=True)
    end.send(b"x")
    assert two.read(LATE_S) == ["slow"]
    two.selector.hold()
    two.clock.now += lanes.HOLD_S
    for _ in range(2):
        end.send(b"x")
        assert two.read(LATE_S) == ["slow"]
        two.clock.now += lanes.INTERVAL_S


def test_what_comes_after_a_silence_does_not_wait(two: Lanes) -> None:
    end = two.open("slow", is_slow=True)
    for _ in range(3):
        end.send(b"x")
        assert two.read(LATE_S) == ["slow"]
        two.clock.now += lanes.INTERVAL_S


def test_other_files_do_not_wait_for_the_slow_lane(two: Lanes) -> None:
    slow, fast = two.open("slow", is_slow=True), two.open("fast", is_slow=False)
    slow.send(b"x")
    assert two.read(LATE_S) == ["slow"]
    for _ in range(3):
        slow.send(b"x")
        fast.send(b"x")
        assert two.read(LATE_S) == ["fast"]
    two.clock.now += lanes.INTERVAL_S
    fast.send(b"x")
    assert two.read(LATE_S) == ["fast", "slow"]


def test_a_file_that_is_sped_up_is_read_at_once(two: Lanes) -> None:
    end = two.open("slow", is_slow=True)
    key = two.selector.get_key(next(iter(two.selector.get_map())))
    two.selector.speed_up(key.fd)
    for _ in range(3):
        end.send(b"x")
        assert two.read(LATE_S) == ["slow"]


def test_a_lane_where_nothing_comes_wakes_nobody(two: Lanes) -> None:
    end = two.open("slow", is_slow=True)
    end.send(b"x")
    assert two.read(LATE_S) == ["slow"]
    # One look when the interval is over, and then none before the time-out.
    assert two.read(LATE_S) == []
    two.clock.now += lanes.INTERVAL_S
    began = time.monotonic()
    assert two.read(4 * lanes.INTERVAL_S) == []
    assert time.monotonic() - began >= 4 * lanes.INTERVAL_S


def test_files_are_found_in_either_lane(two: Lanes) -> None:
    two.open("slow", is_slow=True)
    two.open("fast", is_slow=False)
    keys = list(two.selector.get_map().values())
    assert sorted(key.data[0] for key in keys) == ["fast", "slow"]
    for key in keys:
        two.selector.modify(key.fileobj, selectors.EVENT_WRITE, key.data)
    assert [key.data[0] for key, _ in two.selector.select(LATE_S)] == ["fast", "slow"]
    for key in keys:
        two.selector.unregister(key.fileobj)
        with pytest.raises(KeyError):
            two.selector.get_key(key.fileobj)


def test_the_end_of_a_slow_stream_is_noticed() -> None:
    async def work(stack: AsyncExitStack) -> None:
        stream = await open_stream(stack)
        lanes.slow_down(stream.transport)
        stream.writer.send(b"x")
        stream.writer.close()
        await asyncio.wait_for(stream.reader.is_closed.wait(), LATE_S)
        assert stream.reader.received == b"x"

    run(work)


def test_a_slow_stream_can_pause_go_on_and_close() -> None:
    async def work(stack: AsyncExitStack) -> None:
        stream = await open_stream(stack)
        lanes.slow_down(stream.transport)
        stream.transport.pause_reading()
        stream.writer.send(b"x")
        await asyncio.sleep(2 * lanes.INTERVAL_S)
        assert stream.reader.received == b""
        stream.transport.resume_reading()
        await stream.reader.wait_for(b"x")
        lanes.slow_down(stream.transport)
        stream.transport.close()
        await asyncio.wait_for(stream.reader.is_closed.wait(), LATE_S)
        # A closed one is in no lane, and may be spoken of.
        lanes.slow_down(stream.transport)
        lanes.speed_up(stream.transport)

    run(work)


def test_elsewhere_nothing_happens() -> None:
    async def work(stack: AsyncExitStack) -> None:
        stream = await open_stream(stack)
        lanes.slow_down(stream.transport)
        stream.writer.send(b"x")
        await stream.reader.wait_for(b"x")

    run(work, asyncio.new_event_loop)
