"""A request goes out, the API's own events come back.

    Claude.stream -> AsyncAnthropic.messages.create(stream=True) -> its bytes -> wire.py

Every way in which the SDK, its transport or a stream can fail becomes one
GenerationError (failures.py); CancelledError passes through untouched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any, cast

import aiohttp
import anthropic
import httpx2
from anthropic import AsyncAnthropic, DefaultAioHttpClient
from anthropic.resources.messages import AsyncMessages

from chat import errors
from chat.claude.body import Body
from chat.claude.connections import Connections
from chat.claude.failures import error_of_event, to_error
from chat.claude.request import ApiEvent, Request
from chat.claude.wire import WireEvent, WireReader
from chat.json_values import parse_json
from chat.kinds import MAX_KIND_CHARS, OWN_KINDS
from chat.patience import Patience


class Claude:
    """The connection pool to the API: one for each process and event loop.

    Args:
        base_url: the API's address without `/v1`; "" is Anthropic's own.
        connect_timeout_s: how long a connection may take, in seconds.
        read_timeout_s: how long the API may send nothing at all, in seconds; pings count.
    """

    def __init__(
        self, *, api_key: str, base_url: str, connect_timeout_s: float, read_timeout_s: float
    ) -> None:
        self._read_timeout_s = read_timeout_s
        timeout = httpx2.Timeout(read_timeout_s, connect=connect_timeout_s)
        # Half the CPU per event of the default transport.
        http_client = DefaultAioHttpClient(timeout=timeout)
        # anthropic/_vendor/httpx_aiohttp, AiohttpTransport: asks for its session at the first use.
        self._transport = cast("Any", http_client._transport)
        self._transport.client = self._session
        self._connections: Connections | None = None
        self._client = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url or None,
            timeout=timeout,
            # retry.py decides, so that the page can show it and Stop can end the wait.
            max_retries=0,
            # Nothing here reads spans, and to make them takes a tenth of opening a stream.
            open_telemetry=False,
            http_client=http_client,
        )
        # The SDK would load what is behind this when the first prompt is on its way.
        self._messages: AsyncMessages = self._client.messages

    def _session(self) -> aiohttp.ClientSession:
        """Return what the SDK's transport would make itself, but for its pool."""
        limits = self._transport.limits
        self._connections = Connections(
            ssl=self._transport.ssl_context,
            limit=limits.max_connections,
            keepalive_timeout=limits.keepalive_expiry,
        )
        return aiohttp.ClientSession(connector=self._connections)

    def prepare(self) -> None:
        """Have a connection opened for a request that will come in a moment."""
        if self._connections:
            self._connections.prepare()

    async def close(self) -> None:
        """Close the pool; streams that still run break."""
        await self._client.close()
        if self._connections:
            await self._connections.settle()

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        """Open a stream; leaving the block, in whatever way, closes the connection.

        Raises:
            GenerationError: the request failed; or, from within, its stream did.
        """
        try:
            # The SDK's own stream would keep the request beside it, as often as its layers do.
            response = (await self._open(request)).response
        except Exception as error:
            raise to_error(error) from error
        async with aclosing(response):
            with Patience(self._read_timeout_s) as patience, closing(Body(response)) as body:
                yield Stream(body, patience, response.headers.get("request-id", ""))

    async def _open(self, request: Request) -> anthropic.AsyncStream[Any]:
        return await self._messages.create(
            model=request.model,
            max_tokens=request.max_tokens,
            messages=cast("Any", request.messages),  # built by context.py
            system=request.system or anthropic.omit,
            tools=cast("Any", request.tools) or anthropic.omit,
            tool_choice={"type": "none"} if _is_last(request) else anthropic.omit,
            extra_body=dict(request.extra),
            extra_headers=request.headers,
            stream=True,
        )


PIECE_BYTES = 16_384
"""Of what came at once so much is taken in without a pause: about a hundred deltas."""


class Stream:
    """An async iterator of ApiEvent that ends after message_stop and never before."""

    def __init__(self, body: Body, patience: Patience, request_id: str = "") -> None:
        self._body = body
        self._patience = patience
        self._message_id: str | None = None
        self._has_words = False
        self.request_id = request_id

    async def __aiter__(self) -> AsyncIterator[ApiEvent]:
        # Not the SDK's own events: the payload is kept as the API sent it, with what this SDK's
        # release does not know, and to build a model for each would cost more than all the rest.
        wire = WireReader()
        while True:
            data = await self._next()
            for begin in range(0, len(data), PIECE_BYTES):
                if begin:
                    await asyncio.sleep(0)  # Others have their turn.
                for event in self._events(wire.feed(data[begin : begin + PIECE_BYTES])):
                    yield event
                    if event.kind == "content_block_delta" and not self._has_words:
                        # The first word is worth a wake-up of its own.
                        self._has_words = True
                        self._body.slow_down()
                    if event.kind == "message_stop":
                        return
                    if event.kind == "error":
                        raise error_of_event(event.data)

    async def _next(self) -> bytes:
        """Wait for more bytes, at least one."""
        try:
            # The transport's own time-out is not enough: where the framing of the body is
            # broken, aiohttp 3.14 closes the connection and tells nobody.
            data = await self._patience.wait(self._body.read())
        except Exception as error:
            raise to_error(error, in_stream=True) from error
        if not data:
            raise errors.Truncated("the stream ended without message_stop")
        return data

    def _events(self, events: Iterable[WireEvent]) -> Iterator[ApiEvent]:
        """Yield the events that are not passed over; those before a bad one count."""
        try:
            for kind, text in events:
                if not (kind and text) or _is_passed_over(kind):
                    continue
                data = parse_json(text)
                if not isinstance(data, dict):
                    raise errors.BadStream("an event holds no object")
                if self._is_valid(kind, data):
                    yield ApiEvent(kind, data)
        except errors.GenerationError:
            raise
        except Exception as error:
            raise to_error(error, in_stream=True) from error

    def _is_valid(self, kind: str, data: dict[str, Any]) -> bool:
        """Check the order of events; False for a harmless repetition."""
        if kind == "message_start":
            return self._start_message(data)
        if kind in _BLOCK_MEMBERS:
            _check_block_event(kind, data)
        if self._message_id is None and kind in _AFTER_START:
            raise errors.BadStream(f"{kind} came before message_start")
        return True

    def _start_message(self, data: dict[str, Any]) -> bool:
        message = data.get("message")
        if not isinstance(message, dict):
            raise errors.BadStream("message_start holds no message")
        message_id = str(message.get("id"))
        if self._message_id is None:
            self._message_id = message_id
            return True
        if self._message_id != message_id:
            raise errors.BadStream("a second message began inside the stream of the first")
        return False


def _is_passed_over(kind: str) -> bool:
    return kind == "ping" or kind in OWN_KINDS or len(kind) > MAX_KIND_CHARS


def _is_last(request: Request) -> bool:
    return bool(request.tools) and not request.may_call_tools


_BLOCK_MEMBERS = {
    "content_block_start": "content_block",
    "content_block_delta": "delta",
    "content_block_stop": "",
}
_AFTER_START = _BLOCK_MEMBERS.keys() | {"message_delta"}
_TEXT_MEMBERS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


def _check_block_event(kind: str, data: dict[str, Any]) -> None:
    member = _BLOCK_MEMBERS[kind]
    if not isinstance(data.get("index"), int):
        raise errors.BadStream(f"{kind} has no index")
    if member and not isinstance(data.get(member), dict):
        raise errors.BadStream(f"{kind} has no {member}")
    if member == "delta":
        _check_delta(data["delta"])


def _check_delta(delta: Mapping[str, Any]) -> None:
    """Check that what grows a block is text; unknown types of delta are passed on as they are."""
    kind = str(delta.get("type"))
    member = _TEXT_MEMBERS.get(kind)
    if member and not isinstance(delta.get(member), str):
        raise errors.BadStream(f"{kind} holds no text")
