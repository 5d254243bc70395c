"""A client that follows a conversation and then takes nothing from its connection any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import socket
from typing import Self

from websockets.client import ClientProtocol
from websockets.typing import Origin
from websockets.uri import parse_uri

from tests.faults.people import Person
from tests.faults.tab import OPEN_S, Position

RECEIVE_BYTES = 4_096
CLAIM_S = 0.02
MORE_THAN_CAME = 10**9


class Mute:
    """A context manager; follows from `position`, and has read nothing but the handshake.

    Args:
        claims: whether it goes on saying that it has every frame, and asking for an answer.
    """

    def __init__(
        self, person: Person, base_url: str, path: str, position: Position, *, claims: bool = False
    ) -> None:
        uri = parse_uri(f"{base_url.replace('http', 'ws', 1)}/ws{path}")
        self._protocol = ClientProtocol(uri, origin=Origin(base_url))
        self._cookies = person.cookie_header
        self._address = (uri.host, uri.port)
        self._position = position
        self._claims = claims
        self._socket = socket.socket()
        self._claiming: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        # Before it connects: the window that a system offers first is taken from it.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._socket.setblocking(False)
        try:
            async with asyncio.timeout(OPEN_S):
                await self._open()
        except BaseException:
            self._socket.close()
            raise
        if self._claims:
            self._claiming = asyncio.create_task(self._claim(), name="claims")
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._claiming:
            self._claiming.cancel()
            await asyncio.wait([self._claiming])
        self._socket.close()

    async def until_closed(self, timeout_s: float) -> bool:
        """Wait for the site's reset, which comes past all that was not read; whether it came."""
        poll = select.poll()
        poll.register(self._socket, 0)  # Errors and hang-ups alone.
        return bool(await asyncio.to_thread(poll.poll, timeout_s * 1000))

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        request = self._protocol.connect()
        request.headers["Cookie"] = self._cookies
        self._protocol.send_request(request)
        await self._send()
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await loop.sock_recv(self._socket, 1)
        assert b" 101 " in answer, answer
        self._protocol.receive_data(answer)
        await self._say({"verb": "follow", **vars(self._position)})

    async def _claim(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self._say({"verb": "have", "frames": MORE_THAN_CAME})
                await self._say({"verb": "ping"})
                await asyncio.sleep(CLAIM_S)

    async def _say(self, message: dict[str, object]) -> None:
        self._protocol.send_text(json.dumps(message).encode())
        await self._send()

    async def _send(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
