"""Where a message's events go: an SSE stream, or one JSON body where `stream` is off.

Owns framing and bytes; knows nothing of what the events mean, apart from folding them into the
message that a request without `stream` gets.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

from aiohttp import web

from chat.demo.api_error import ApiError
from chat.demo.records import RequestRecord


class Sink(Protocol):
    """Takes the events of one answer."""

    async def start(self) -> None: ...

    async def event(self, event_type: str, payload: Mapping[str, Any]) -> None: ...

    async def raw(self, data: bytes) -> None: ...

    async def end(self) -> None: ...


def frame(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """Return one server-sent event as the API frames it."""
    data = {"type": event_type, **payload}
    try:
        return _framed(event_type, data, ensure_ascii=False)
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8; JSON can still carry it as an escape.
        return _framed(event_type, data, ensure_ascii=True)


def _framed(event_type: str, data: Mapping[str, Any], *, ensure_ascii: bool) -> bytes:
    text = json.dumps(data, ensure_ascii=ensure_ascii, separators=(",", ":"))
    return f"event: {event_type}\ndata: {text}\n\n".encode()


class SseSink:
    """Streams events to the client as they come."""

    def __init__(self, request: web.Request, record: RequestRecord) -> None:
        self._request = request
        self._record = record
        self.response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache",
                "request-id": record.id,
            }
        )

    async def start(self) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)
            self._record.sent_byte()

    async def event(self, event_type: str, payload: Mapping[str, Any]) -> None:
        await self.raw(frame(event_type, payload))
        self._record.sent_event()

    async def raw(self, data: bytes) -> None:
        await self.start()
        await self.response.write(data)

    async def end(self) -> None:
        await self.start()
        await self.response.write_eof()


class JsonSink:
    """Gathers the events into one message. Bytes of `raw` have no place in it."""

    def __init__(self, request: web.Request, record: RequestRecord) -> None:
        self._request = request
        self._record = record
        self._fold = MessageFold()
        self.response: web.StreamResponse = web.Response(
            content_type="application/json", headers={"request-id": record.id}
        )

    async def start(self) -> None:
        """Send nothing: the headers come with the body."""

    async def event(self, event_type: str, payload: Mapping[str, Any]) -> None:
        self._fold.feed(event_type, payload)

    async def raw(self, data: bytes) -> None:
        """Drop the bytes."""

    async def end(self) -> None:
        body = json.dumps(self._fold.message).encode()
        if not self._fold.is_whole:
            body = body[: len(body) // 2]
        self.response = web.Response(
            body=body, content_type="application/json", headers={"request-id": self._record.id}
        )
        await self.response.prepare(self._request)
        self._record.sent_byte()
        await self.response.write_eof()


class MessageFold:
    """Folds stream events into the message that they describe."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.is_whole = False
        self._tool_json = ""

    def feed(self, event_type: str, payload: Mapping[str, Any]) -> None:
        match event_type:
            case "message_start":
                self.message = json.loads(json.dumps(payload["message"]))
            case "content_block_start":
                self._tool_json = ""
                self.message["content"].append(dict(payload["content_block"]))
            case "content_block_delta":
                self._delta(payload["delta"])
            case "content_block_stop" if self._tool_json:
                self.message["content"][-1]["input"] = json.loads(self._tool_json)
            case "message_delta":
                self.message.update(payload["delta"])
                self.message["usage"].update(payload["usage"])
            case "message_stop":
                self.is_whole = True
            case "error":
                raise ApiError(payload["error"]["type"], payload["error"]["message"])

    def _delta(self, delta: Mapping[str, Any]) -> None:
        block = self.message["content"][-1]
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "input_json_delta":
                self._tool_json += delta["partial_json"]
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or []), delta["citation"]]


async def cut(request: web.Request, *, reset: bool) -> NoReturn:
    """Drop the connection: with a TCP reset, or with a FIN in the middle of the body."""
    transport = request.transport
    if transport is not None:
        if reset:
            _close_by_reset(transport.get_extra_info("socket"))
        transport.abort()
    # The loss of the connection cancels this handler.
    await forever()


async def forever() -> NoReturn:
    while True:
        await asyncio.Event().wait()


def _close_by_reset(sock: socket.socket) -> None:
    # abort() alone sends a FIN; closing with a linger time of zero sends a reset.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
