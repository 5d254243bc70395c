"""A network that can fail: a TCP proxy on an event loop of its own, in a thread.

It passes connections on to one port of this machine, until it is told to cut, refuse, hold,
delay or crumble them. Every method is safe from any thread and returns when it has taken effect.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Self

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a TCP reset
_READ_BYTES = 65_536
_PIECE_S = 0.001  # enough for each piece to arrive by itself
_CALL_S = 30.0


class Proxy:
    """A context manager; `base_url` is what a client uses instead of the server's address."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True
        self._delay_s = 0.0
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut_after: int | None = None
        self._piece_size: Callable[[], int] | None = None
        self._refused = self._withheld = b""
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        future = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.port = future.result(_CALL_S)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_CALL_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_S)
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection that is open; new ones are taken."""
        self._call(self._reset_all)

    def pull(self) -> None:
        """Cut everything, and reset new connections at once until `put_back`."""
        self._call(self._close)

    def put_back(self) -> None:
        self._call(self._open)

    def hold(self) -> None:
        """Pass on nothing more, with all connections open, as for a sleeping machine."""
        self._call(self._flows.clear)

    def release(self) -> None:
        self._call(self._flows.set)

    def delay(self, seconds: float) -> None:
        """Hold each piece up by some time, in both directions; 0 ends it."""

        def set_delay() -> None:
            self._delay_s = seconds

        self._call(set_delay)

    def cut_after(self, size_bytes: int | None) -> None:
        """Cut everything when so many more bytes have come to clients; None takes it back."""

        def set_limit() -> None:
            self._cut_after = size_bytes

        self._call(set_limit)

    def crumble(self, piece_size: Callable[[], int] | None) -> None:
        """Pass on what comes to the client in pieces of so many bytes each; None ends it."""

        def set_size() -> None:
            self._piece_size = piece_size

        self._call(set_size)

    def refuse(self, mark: bytes) -> None:
        """Reset every connection on which a client sends this, as a wall that reads along does."""

        def set_mark() -> None:
            self._refused = mark

        self._call(set_mark)

    def withhold(self, mark: bytes) -> None:
        """Pass on no answer with this in it, as a proxy does that waits for an answer's end."""

        def set_mark() -> None:
            self._withheld = mark

        self._call(set_mark)

    def _call(self, work: Callable[[], None]) -> None:
        async def call() -> None:
            work()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(_CALL_S)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        self._flows.set()
        self._reset_all()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _close(self) -> None:
        self._is_open = False
        self._reset_all()

    def _open(self) -> None:
        self._is_open = True

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_open:
            return _reset(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            return _reset(writer)
        if not self._is_open:  # Pulled in the meantime.
            _reset(far_writer)
            return _reset(writer)
        self._writers |= {writer, far_writer}
        for source, target, is_down in (
            (reader, far_writer, False),
            (far_reader, writer, True),
        ):
            task = asyncio.create_task(self._copy(source, target, is_down=is_down))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_down: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_READ_BYTES):
                if not is_down and self._refused and self._refused in data:
                    _reset(target)
                    break
                if is_down and self._withheld and self._withheld in data:
                    await source.read()
                    break
                await self._flows.wait()
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if is_down and self._cut_after is not None:
                    self._cut_after -= len(data)
                    if self._cut_after <= 0:
                        # What came before the cut has arrived, the rest never does.
                        target.write(data[: self._cut_after or len(data)])
                        await target.drain()
                        self._cut_after = None
                        return self._reset_all()
                await self._pass_on(data, target, is_down=is_down)
        self._writers.discard(target)
        with contextlib.suppress(OSError):
            target.write_eof()
        target.close()

    async def _pass_on(self, data: bytes, target: asyncio.StreamWriter, *, is_down: bool) -> None:
        while is_down and self._piece_size and data:
            size = self._piece_size()
            target.write(data[:size])
            data = data[size:]
            await asyncio.sleep(_PIECE_S)
        target.write(data)
        await target.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
