"""HTTP and websockets by hand, at a fraction of what a library costs for each frame.

The driver shares the machine with what it measures. A server's frames come unmasked and whole, so
that there is little to parse (RFC 6455, 5.2). Compression is offered, as every browser offers it
(RFC 7692), and what the driver sends itself is never compressed.
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

HOST = "127.0.0.1"
OPEN_S = 30.0

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FIN, _COMPRESSED, _KIND = 0x80, 0x40, 0x0F
_MASKED = 0x80
_NO_MASK = b"\0\0\0\0"
_DEFLATE = "permessage-deflate; client_max_window_bits"
_DEFLATE_END = b"\0\0\xff\xff"


class Reply(NamedTuple):
    code: int
    body: bytes


def head(method: str, path: str, port: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def request(
    method: str, path: str, port: int, headers: Mapping[str, str], body: bytes = b""
) -> Reply:
    """Make one request on a connection of its own, and read all that comes."""
    headers = {**headers, "Connection": "close", "Content-Length": str(len(body))}
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(head(method, path, port, headers) + body)
        start, _, content = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return Reply(_code(start), content)


def _code(start: bytes) -> int:
    return int(start.split(b" ", 2)[1])


class Stream(asyncio.Protocol):
    """The body of one response, as it comes; `take` gets whole lines, with what frames them."""

    def __init__(self, take: Callable[[bytes], None], end: Callable[[str], None]) -> None:
        self._take = take
        self._end = end
        self._rest = b""
        self._has_head = False

    def data_received(self, data: bytes) -> None:
        whole, found, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if not found:
            return
        if not self._has_head:
            self._has_head = True
            if _code(whole) != 200:
                return self._end(whole[:300].decode(errors="replace"))
        self._take(whole)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection was closed: {error}")


class Socket(asyncio.Protocol):
    """A websocket, once `opened` is done; `take` gets each frame of text.

    Args:
        end: called with a reason when the other side closes it.
    """

    _transport: asyncio.Transport

    def __init__(self, take: Callable[[bytes], None], end: Callable[[str], None]) -> None:
        self._take = take
        self._end = end
        self._data = b""
        self._deflated = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self.opened.done() and not self._open():
            return
        at = 0
        while found := _frame_at(self._data, at):
            begin, end = found
            self._receive(self._data[at], self._data[begin:end])
            at = end
        self._data = self._data[at:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("no websocket was opened"))
        self._end(f"the socket was closed: {error}")

    def send(self, text: bytes) -> None:
        self._write(_TEXT, text)

    def close(self) -> None:
        self._transport.abort()

    @property
    def network(self) -> socket.socket:
        """The connection, whose counters tell what has passed."""
        found: socket.socket = self._transport.get_extra_info("socket")
        return found

    def _open(self) -> bool:
        start, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return False
        if (code := _code(start)) != 101:
            self.opened.set_exception(ConnectionError(f"{code} instead of a websocket"))
            self._transport.abort()
            return False
        self._data = rest
        self.opened.set_result(None)
        return True

    def _receive(self, first: int, payload: bytes) -> None:
        kind = first & _KIND
        if first & _COMPRESSED:
            payload = self._deflated.decompress(payload + _DEFLATE_END)
        if kind == _TEXT:
            self._take(payload)
        elif kind == _PING:
            self._write(_PONG, payload)
        elif kind == _CLOSE:
            self._end(f"the socket was closed with {int.from_bytes(payload[:2], 'big')}")

    def _write(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([_MASKED | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        # A mask of zeros leaves the text as it is; a server has to take it like any other.
        self._transport.write(bytes([_FIN | kind]) + length + _NO_MASK + payload)


def _frame_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `at` begins and ends; None where it is not whole."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1], at + 2
    if size >= 126:
        begin += 2 if size == 126 else 8
        size = int.from_bytes(data[at + 2 : begin], "big")
    end = begin + size
    return (begin, end) if end <= len(data) else None


async def open_socket(
    path: str,
    port: int,
    headers: Mapping[str, str],
    take: Callable[[bytes], None],
    end: Callable[[str], None],
) -> Socket:
    """Open a websocket. Raises: OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    transport, opened = await loop.create_connection(lambda: Socket(take, end), HOST, port)
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = {
        **headers,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Extensions": _DEFLATE,
    }
    transport.write(head("GET", path, port, upgrade))
    async with asyncio.timeout(OPEN_S):
        await opened.opened
    return opened
