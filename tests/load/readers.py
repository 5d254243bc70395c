"""The ways to ask for an answer and to read it: as the page does, by the API, by the bare relay."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlencode

from tests.frames import ENDED
from tests.load.answer import Answer
from tests.load.bare_relay import DONE, STOP
from tests.load.job import Account, Way
from tests.load.wire import HOST, Socket, Stream, head, open_socket, request

OPEN_AT_ONCE = 10

ACKNOWLEDGE_FRAMES = 32
"""A page says at least as often how many it has (static/chat/socket.js)."""

_TOKEN = "b" * 32  # CSRF compares the form's with the cookie's, whoever made it
_MESSAGE = re.compile(rb'data-message="(\d+)"')
_GENERATION = re.compile(rb'data-generation="(\d+)"')
_STEPS = re.compile(rb"\[(\d+),")
_ENDED = re.compile(ENDED.pattern.encode())


class Reader(Protocol):
    """Asks for one answer, and reads it."""

    async def open(self) -> None:
        """Get ready to read. Raises: OSError, TimeoutError."""

    async def ask(self, prompt: str) -> None: ...

    def acknowledge(self) -> None:
        """Say what was received, where that is asked for; called once a second."""

    def stop(self) -> None: ...

    def close(self) -> None: ...


async def open_all(readers: Iterable[Reader]) -> None:
    """Open readers, a few at once."""
    room = asyncio.Semaphore(OPEN_AT_ONCE)

    async def open_one(reader: Reader) -> None:
        async with room:
            await reader.open()

    await asyncio.gather(*map(open_one, readers))


class PageReader:
    """An open page of a conversation: a form for the prompt, a websocket for what happens.

    Args:
        port: where the form goes.
        reader_port: where the page was loaded, and its socket is.
    """

    _socket: Socket

    def __init__(self, answer: Answer, account: Account, port: int, reader_port: int) -> None:
        self._answer = answer
        self._account = account
        self._port = port
        self._reader_port = reader_port
        self._generation_id = self._shown_id = 0
        self._received = self._acknowledged = 0

    async def open(self) -> None:
        page = await request("GET", self._account.path, self._reader_port, self._headers())
        if page.code != 200:
            raise ConnectionError(f"{page.code} at {self._account.path}")
        self._shown_id = max(map(int, _GENERATION.findall(page.body)), default=0)
        message_id = int(_MESSAGE.findall(page.body)[-1])
        headers = {**self._headers(), "Origin": f"http://{HOST}:{self._reader_port}"}
        self._socket = await open_socket(
            f"/ws{self._account.path}", self._reader_port, headers, self._take, self._answer.end
        )
        self._say(verb="follow", message_id=message_id, shown_id=self._shown_id)

    async def ask(self, prompt: str) -> None:
        form = {
            "csrfmiddlewaretoken": _TOKEN,
            "text": prompt,
            "key": str(uuid.uuid4()),
            "socket": "open",
        }
        headers = {
            **self._headers(),
            "Origin": f"http://{HOST}:{self._port}",
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
        }
        address, body = f"{self._account.path}send/", urlencode(form).encode()
        reply = await request("POST", address, self._port, headers, body)
        if reply.code not in (200, 204):
            self._answer.end(f"{reply.code} to a prompt: {reply.body[:300]!r}")

    def acknowledge(self) -> None:
        if self._received > self._acknowledged:
            self._acknowledged = self._received
            self._say(verb="have", frames=self._received)

    def stop(self) -> None:
        self._say(verb="stop", generation_id=self._generation_id)

    def close(self) -> None:
        self._socket.close()

    def _take(self, frame: bytes) -> None:
        self._received += 1
        if steps := _STEPS.match(frame):
            self._generation_id = int(steps[1])
        self._answer.take(frame)
        if not steps and any(int(number) > self._shown_id for number in _ENDED.findall(frame)):
            self._answer.end()
        if self._received - self._acknowledged >= ACKNOWLEDGE_FRAMES:
            self.acknowledge()

    def _say(self, **message: object) -> None:
        self._socket.send(json.dumps(message).encode())

    def _headers(self) -> dict[str, str]:
        return {"Cookie": f"sessionid={self._account.session_key}; csrftoken={_TOKEN}"}


class ApiReader:
    """A program that uses the site's API; it stops an answer by closing the connection."""

    _transport: asyncio.Transport | None = None

    def __init__(self, answer: Answer, account: Account, port: int) -> None:
        self._answer = answer
        self._account = account
        self._port = port

    async def open(self) -> None:
        pass  # A prompt brings its own connection.

    async def ask(self, prompt: str) -> None:
        loop = asyncio.get_running_loop()
        body = json.dumps({"message": prompt}).encode()
        headers = {
            "Authorization": f"Bearer {self._account.token}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        self._transport, _ = await loop.create_connection(
            lambda: Stream(self._take, self._answer.end), HOST, self._port
        )
        self._transport.write(head("POST", "/api/chat", self._port, headers) + body)

    def acknowledge(self) -> None:
        pass  # TCP does.

    def stop(self) -> None:
        self.close()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def _take(self, lines: bytes) -> None:
        self._answer.take(lines)
        if b"data: [DONE]" in lines:
            self._answer.end()


class BareReader:
    """A page of the bare relay."""

    _socket: Socket

    def __init__(self, answer: Answer, port: int) -> None:
        self._answer = answer
        self._port = port

    async def open(self) -> None:
        self._socket = await open_socket("/", self._port, {}, self._take, self._answer.end)

    async def ask(self, prompt: str) -> None:
        self._socket.send(prompt.encode())

    def acknowledge(self) -> None:
        pass

    def stop(self) -> None:
        self._socket.send(STOP.encode())

    def close(self) -> None:
        self._socket.close()

    def _take(self, frame: bytes) -> None:
        if frame == DONE.encode():
            return self._answer.end()
        self._answer.take(frame)


def reader(way: Way, answer: Answer, account: Account, port: int, reader_port: int) -> Reader:
    if way == "page":
        return PageReader(answer, account, port, reader_port)
    if way == "api":
        return ApiReader(answer, account, port)
    return BareReader(answer, port)
