"""Connections to the API: one that will be needed is opened before.

To save a prompt takes as long as to open a connection, so that the first word comes sooner.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL


class _Destination(NamedTuple):
    url: URL
    ssl: Any
    timeout: aiohttp.ClientTimeout


class Connections(aiohttp.TCPConnector):
    """aiohttp's pool, whose `prepare` puts a connection into it for the next request."""

    _last: _Destination | None = None
    _preparing: asyncio.Task[Exception | None] | None = None

    def prepare(self) -> None:
        """Have a connection open to where the last request went, where none is to spare."""
        if self._last and not self._preparing:
            self._preparing = asyncio.create_task(self._open(self._last), name="connect")

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        self._last = _Destination(req.url.origin(), req.ssl, timeout)
        if preparing := self._preparing:
            await asyncio.wait({preparing})
            # To try again would take as long again.
            if error := preparing.result():
                raise error
        return await super().connect(req, traces, timeout)

    async def settle(self) -> None:
        """Return when nothing is being prepared any more."""
        if self._preparing:
            await asyncio.wait({self._preparing})

    async def _open(self, where: _Destination) -> Exception | None:
        """Return what went wrong, for whoever has waited for it."""
        request = aiohttp.ClientRequest("HEAD", where.url, loop=self._loop, ssl=where.ssl)
        try:
            (await super().connect(request, [], where.timeout)).release()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return error
        finally:
            self._preparing = None
        return None
