"""Daphne's sockets wait for a client that reads slowly, as those of other servers do.

By itself Daphne takes whatever is sent, and keeps in memory what the client does not read. Here
`send` returns when the transport's buffer, of 64 kB and one message, has room again.

A frame, and a piece of a response, goes out at once where nothing waits before it: that takes a
third of the CPU of the way through the reactor, which asks the system twice more, and through a
line for the log of each frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from daphne import http_protocol
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.tcp import Server as TCPTransport

_reply = Server.handle_reply

_PIECES = frozenset({"websocket.send", "http.response.body"})
"""What is sent again and again on one connection."""


def install() -> None:
    """Have every socket that opens from now on wait for its client, and forms left to Django."""
    http_protocol.WebRequest = PlainRequest
    WebSocketFactory.protocol = PacedSocket
    Server.handle_reply = _reply_and_wait
    TCPTransport.writeSequence = _write_all  # type: ignore[method-assign]


class PlainRequest(http_protocol.WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request whose form Django parses, in a thread.

    By itself Twisted parses it too, in the loop, for nobody: of a prompt of 1 MB for 0.2 s.
    """

    drained = None  # A socket's alone is ever something else.

    def __init__(self, *channel: object) -> None:
        super().__init__(*channel, parsePOSTFormSubmission=False)

    def handle_reply(self, message: dict[str, Any]) -> None:
        # Daphne looks up how to write through a module that Twisted has made slow to look into.
        if self._response_started and message.get("more_body") and not self.finished:
            self.write(message.get("body", b""))
        else:
            super().handle_reply(message)


class PacedSocket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """A socket that is its transport's push producer (twisted.internet.interfaces)."""

    drained: asyncio.Event | None = None
    """Set as soon as there is room again, where there was none; None where there always was."""

    def onOpen(self) -> None:  # noqa: N802  (autobahn's name, as the others)
        # HTTP's channel is registered, and has nothing more to produce here.
        self.unregisterProducer()
        self.registerProducer(self, True)
        super().onOpen()

    def onClose(self, *reason: Any) -> None:  # noqa: N802
        self.resumeProducing()
        super().onClose(*reason)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        if self.state != self.STATE_OPEN or self.send_queue:
            super().serverSend(content, binary)
            return
        payload = content if isinstance(content, bytes) else content.encode()
        _write(self.transport, _head(len(payload), is_binary=binary) + payload)

    def pauseProducing(self) -> None:  # noqa: N802
        self.drained = asyncio.Event()

    def resumeProducing(self) -> None:  # noqa: N802
        if self.drained:
            self.drained.set()

    stopProducing = resumeProducing  # noqa: N815


async def _reply_and_wait(server: Server, protocol: Any, message: dict[str, Any]) -> None:
    if message["type"] not in _PIECES:
        await _reply(server, protocol, message)
        return
    # As Daphne's own does, but for what it looks for in the headers of a response.
    connection = server.connections.get(protocol)
    if connection is None or connection.get("disconnected"):
        return
    protocol.handle_reply(message)
    if protocol.drained:
        await protocol.drained.wait()


def _head(length: int, *, is_binary: bool) -> bytes:
    """Return what stands before a whole unmasked message (RFC 6455, 5.2)."""
    kind = 0x82 if is_binary else 0x81
    if length < 126:
        return bytes((kind, length))
    if length < 1 << 16:
        return bytes((kind, 126)) + length.to_bytes(2, "big")
    return bytes((kind, 127)) + length.to_bytes(8, "big")


def _write_all(transport: Any, pieces: Iterable[bytes]) -> None:
    """Write what a response, or a piece of one, is framed of."""
    _write(transport, b"".join(pieces))


def _write(transport: Any, data: bytes) -> None:
    """Have the system take what it can at once, and the transport keep the rest."""
    if _is_plain_and_empty(transport):
        try:
            sent = transport.socket.send(data)
        except OSError:
            sent = 0  # It is full, or broken: the transport finds out by itself, and tells of it.
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)


def _is_plain_and_empty(transport: Any) -> bool:
    if type(transport) is not TCPTransport or transport.TLS or not transport.connected:
        return False
    return not (transport.dataBuffer or transport._tempDataBuffer)
