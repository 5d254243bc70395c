"""`python -m tests.load.bare_relay PORT UPSTREAM_PORT`: the least that a relay can do.

The yardstick of the benchmark: a websocket for each page (websockets, with its defaults, which
compress for whoever offers it), one message for each delta, events parsed by hand. It saves
nothing, renders nothing, and knows nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

STOP, DONE = "stop", "[DONE]"

_DELTA = b"event: content_block_delta\ndata: "
REQUEST = (
    "POST /v1/messages HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: {}\r\n\r\n"
)


async def texts(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the text of each delta to the end of the stream."""
    await reader.readuntil(b"\r\n\r\n")
    rest = b""
    while size := int(await reader.readline(), 16):
        data = await reader.readexactly(size + 2)
        *events, rest = (rest + data[:-2]).split(b"\n\n")
        for event in events:
            if event.startswith(_DELTA):
                yield json.loads(event[len(_DELTA) :])["delta"]["text"]


async def relay(page: ServerConnection, prompt: str, upstream_port: int) -> None:
    """Ask for one answer and pass it on; cancelled, it closes the stream at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream_port)
    try:
        body = json.dumps({"messages": [{"role": "user", "content": prompt}]}).encode()
        writer.write(REQUEST.format(len(body)).encode() + body)
        async for text in texts(reader):
            await page.send(text)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionClosed):
            await page.send(DONE)


async def serve_page(page: ServerConnection, upstream_port: int) -> None:
    answer: asyncio.Task[None] | None = None
    try:
        async for message in page:
            if message != STOP:
                answer = asyncio.create_task(relay(page, str(message), upstream_port))
            elif answer:
                answer.cancel()
    finally:
        if answer:
            answer.cancel()


async def main(port: int, upstream_port: int) -> None:
    async def handle(page: ServerConnection) -> None:
        await serve_page(page, upstream_port)

    async with serve(handle, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
