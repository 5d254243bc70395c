"""The bytes of a response, as they come: past the layers of generators that stand before them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import httpx2

from chat import lanes


class Body:
    """Reads a response's body, several chunks at once.

    Where it can, by aiohttp's own reader: httpx2's generators before that, and a timer that
    aiohttp sets anew at each read, take half the CPU of reading a delta. So who reads has to bound
    the wait.
    """

    def __init__(self, response: httpx2.Response) -> None:
        body = _of_aiohttp(response.stream)
        self._chunks: AsyncIterator[bytes] | None = None
        self._protocol: aiohttp.client_proto.ResponseHandler | None = None
        if body is None or "content-encoding" in response.headers:
            self._chunks = response.aiter_bytes()
            return
        self._reader = body.content
        # Its truth is whether data waits in it.
        if body.connection is not None and body.connection.protocol is not None:
            self._protocol = body.connection.protocol
            self._protocol.read_timeout = None

    async def read(self) -> bytes:
        """Return the next bytes; b"" at the end. Raises what aiohttp or httpx2 raises."""
        if self._chunks:
            return await anext(self._chunks, b"")
        return await self._reader.readany()

    def slow_down(self) -> None:
        """Have the rest read together with other bodies (chat/lanes.py)."""
        if self._protocol is not None:
            lanes.slow_down(self._protocol.transport)

    def close(self) -> None:
        """Leave the connection to the next request as it was, where that takes it."""
        if self._protocol is not None:
            lanes.speed_up(self._protocol.transport)


def _of_aiohttp(stream: object) -> aiohttp.ClientResponse | None:
    # httpx2/_client.py, BoundAsyncStream; anthropic/_vendor/httpx_aiohttp, AiohttpResponseStream.
    inner = getattr(stream, "_stream", None)
    body = getattr(inner, "_aiohttp_response", None)
    return body if isinstance(body, aiohttp.ClientResponse) else None
