"""The HTTP side of the demo model: routes, keys, errors, records, start and stop.

One catch-all handler owns the life of every exchange, so that each of them ends in exactly one
`closed` record, whoever ended it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from aiohttp import web

from chat.demo import catalogue
from chat.demo.api_error import ApiError, error_body
from chat.demo.message import new_id
from chat.demo.pace import Pace
from chat.demo.player import CutConnection, Player
from chat.demo.records import Book, Log, RequestRecord
from chat.demo.request import Request
from chat.demo.scenarios import BUILT_IN, AttemptCounts, steps_for
from chat.demo.steps import Scenario
from chat.demo.validation import check_count_tokens, check_messages
from chat.demo.wire import JsonSink, SseSink, cut

_LARGEST_BODY_BYTES = 32 * 1024 * 1024
_KEPT_HEADERS = ("anthropic-version", "anthropic-beta", "user-agent", "x-stainless-retry-count")
# What is still running when the server stops is cut: clients of a test need no farewell.
_SHUTDOWN_S = 0.1
DEFAULT_PACE = Pace()


class DemoServer:
    """Speaks the Messages API on a loopback socket; use it from its own event loop only."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pace: Pace = DEFAULT_PACE,
        scenarios: Mapping[str, Scenario] | None = None,
        log: Log | None = None,
        keep: int = 10_000,
    ) -> None:
        """Port 0 takes a free one; `scenarios` come on top of the built-in ones."""
        self.scenarios: MutableMapping[str, Scenario] = {**BUILT_IN, **(scenarios or {})}
        self.pace = pace
        self._host, self._port = host, port
        self._book = Book(log, keep=keep)
        self._attempts = AttemptCounts()
        self._runner: web.AppRunner | None = None
        self._base_url = ""
        self._is_stopping = False

    @property
    def base_url(self) -> str:
        """The address without `/v1`, as the SDK wants it; empty before the start."""
        return self._base_url

    @property
    def requests(self) -> list[RequestRecord]:
        """The newest requests, oldest first."""
        return self._book.records

    async def start(self) -> str:
        """Listen, and return the base URL. Raises: OSError where the port is taken."""
        app = web.Application(client_max_size=_LARGEST_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._is_stopping = False
        # handler_cancellation: a handler that sleeps ends at once when its client goes.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self.stop()
            raise
        self._port = int(self._runner.addresses[0][1])
        self._base_url = f"http://{self._host}:{self._port}"
        return self._base_url

    async def stop(self) -> None:
        """Stop listening and cut what is still running."""
        self._is_stopping = True
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Wait for a condition over the records. Raises: TimeoutError."""
        await self._book.changes.until(condition, timeout_s)

    async def wait_closed(self, record: RequestRecord, timeout_s: float = 5.0) -> RequestRecord:
        """Wait until the exchange is over, whoever ended it. Raises: TimeoutError."""
        await self.wait_until(lambda: record.closed_at is not None, timeout_s)
        return record

    async def wait_requests(self, count: int, timeout_s: float = 5.0) -> list[RequestRecord]:
        """Wait until `count` requests came in all. Raises: TimeoutError."""
        await self.wait_until(lambda: len(self.requests) >= count, timeout_s)
        return list(self.requests)

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        record = _record(http)
        self._book.open(record)
        try:
            return await self._respond(http, record)
        except (asyncio.CancelledError, ConnectionError):
            self._book.close(record, "server" if self._is_stopping else "client")
            raise
        except CutConnection as how:
            self._book.close(record, "server")
            return await cut(http, reset=how.reset)
        finally:
            self._book.close(record, "server")

    async def _respond(self, http: web.Request, record: RequestRecord) -> web.StreamResponse:
        try:
            return await self._route(http, record)
        except ApiError as error:
            record.status = error.status
            body = error_body(error.error_type, error.message, record.id)
            headers = {**error.headers, "request-id": record.id}
            response = web.json_response(body, status=error.status, headers=headers)
            await response.prepare(http)
            record.sent_byte()
            await response.write_eof()
            return response

    async def _route(self, http: web.Request, record: RequestRecord) -> web.StreamResponse:
        if not record.has_key:
            raise ApiError("authentication_error", "x-api-key header is required")
        match http.method, http.path.rstrip("/").split("/")[1:]:
            case "POST", ["v1", "messages"]:
                return await self._messages(http, record)
            case "POST", ["v1", "messages", "count_tokens"]:
                body = await self._body(http, record)
                check_count_tokens(body)
                return _json(record, {"input_tokens": Request.from_body(body).input_tokens})
            case "GET", ["v1", "models"]:
                return _json(record, catalogue.page())
            case "GET", ["v1", "models", model_id]:
                return _json(record, _model(model_id))
        raise ApiError("not_found_error", "Not found")

    async def _messages(self, http: web.Request, record: RequestRecord) -> web.StreamResponse:
        body = await self._body(http, record)
        check_messages(body)
        request = Request.from_body(body)
        if request.scenario is not None:
            record.scenario = request.scenario
            record.attempt = self._attempts.next(request.scenario, request)
        self._book.note_start(record)
        sink = SseSink(http, record) if request.streams else JsonSink(http, record)
        record.status = 200
        steps = steps_for(request, self.scenarios, record.attempt)
        await Player(request, sink, self.pace).play(steps)
        return sink.response

    async def _body(self, http: web.Request, record: RequestRecord) -> Any:
        try:
            data = await http.read()
        except web.HTTPRequestEntityTooLarge:
            raise ApiError("request_too_large", "Request exceeds the maximum size") from None
        try:
            body = json.loads(data)
        except ValueError:
            raise ApiError("invalid_request_error", "The request body is not valid JSON.") from None
        self._book.read(record, body, len(data))
        return body


def _record(http: web.Request) -> RequestRecord:
    kept = {name: http.headers[name] for name in _KEPT_HEADERS if name in http.headers}
    return RequestRecord(
        id=new_id("req"),
        method=http.method,
        path=http.path,
        headers=kept,
        has_key=_has_key(http.headers),
        started_at=time.time(),
    )


def _has_key(headers: Mapping[str, str]) -> bool:
    """Say whether a key came; any will do, and none is kept."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bool(bearer or headers.get("x-api-key", "").strip())


def _json(record: RequestRecord, body: Mapping[str, Any]) -> web.Response:
    record.status = 200
    record.sent_byte()
    return web.json_response(body, headers={"request-id": record.id})


def _model(model_id: str) -> dict[str, Any]:
    model = catalogue.model(model_id)
    if model is None:
        raise ApiError("not_found_error", f"model: {model_id}")
    return model
