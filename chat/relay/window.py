"""What was sent to a reader and is not acknowledged yet.

A server, a proxy and the network buffer what a client does not read, so that `send` tells little
about it. So the page says how many frames it has, and nothing more is sent while too much is under
way. The log waits. A client that lies about it is held up by the server (chatsite/pacing.py).
"""

from __future__ import annotations

import asyncio
from collections import deque

WINDOW_CHARS = 256_000
"""So much may be under way, or a single larger frame; at most four bytes a character."""

ACKNOWLEDGE_S = 30.0
"""A reader that acknowledges nothing, or takes nothing, for so long has stopped reading."""


class Window:
    """Counts what is under way to one reader, in characters."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque()
        self._chars = 0
        self._acknowledged = 0
        self._progress: asyncio.Event | None = None  # for who waits

    async def has_room(self) -> bool:
        """Wait until another frame may be sent; False where the reader has stopped reading."""
        while self._chars >= WINDOW_CHARS:
            self._progress = asyncio.Event()
            try:
                async with asyncio.timeout(ACKNOWLEDGE_S):
                    await self._progress.wait()
            except TimeoutError:
                return False
        return True

    def sent(self, frame: str) -> None:
        """Count a frame that is under way."""
        self._sizes.append(len(frame))
        self._chars += len(frame)

    def acknowledged(self, frames: int) -> None:
        """Take in how many frames the reader has in all; what makes no sense changes nothing."""
        while self._sizes and self._acknowledged < frames:
            self._acknowledged += 1
            self._chars -= self._sizes.popleft()
            if self._progress:
                self._progress.set()
