"""Daphne's sockets wait for a client that reads slowly, as those of other servers do.

By itself Daphne takes whatever is sent, and keeps in memory what the client does not read. Here
`send` returns when the transport's buffer, of 64 kB and one message, has room again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

_reply = Server.handle_reply


def install() -> None:
    """Have every socket that opens from now on wait for its client."""
    WebSocketFactory.protocol = PacedSocket
    Server.handle_reply = _reply_and_wait


class PacedSocket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """A socket that is its transport's push producer (twisted.internet.interfaces)."""

    def __init__(self) -> None:
        super().__init__()
        self.drained = asyncio.Event()
        self.drained.set()

    def onOpen(self) -> None:  # noqa: N802  (autobahn's name, as the others)
        # HTTP's channel is registered, and has nothing more to produce here.
        self.unregisterProducer()
        self.registerProducer(self, True)
        super().onOpen()

    def onClose(self, *reason: Any) -> None:  # noqa: N802
        self.drained.set()
        super().onClose(*reason)

    def pauseProducing(self) -> None:  # noqa: N802
        self.drained.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.drained.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.drained.set()


async def _reply_and_wait(server: Server, protocol: Any, message: dict[str, Any]) -> None:
    await _reply(server, protocol, message)
    if message["type"] == "websocket.send":
        await protocol.drained.wait()
