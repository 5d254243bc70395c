"""A page that only takes in what its socket sends, with the moment of each frame.

What it shows is worked out afterwards, so that nothing of that is measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import Self

from websockets.asyncio.client import ClientConnection

from tests.faults.people import Person
from tests.faults.tab import WAIT_S, open_socket
from tests.frames import ENDED
from tests.integration.shown_page import ShownPage


class Watch:
    """A context manager: follows one running answer from its opening to the end of the block.

    `times` are seconds of `time.monotonic()`, one for each of `frames`.
    """

    def __init__(self, person: Person, base_url: str, path: str) -> None:
        self.times: list[float] = []
        self.frames: list[str] = []
        self._person = person
        self._base_url = base_url
        self._path = path
        self._html = ""
        self._ended = asyncio.Event()
        self._opening = open_socket(person, base_url, path)
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._html = (await self._person.get(self._base_url, self._path)).text
        self._socket = await self._opening.__aenter__()
        position = ShownPage(self._html).position
        await self._socket.send(json.dumps({"verb": "follow", **vars(position)}))
        taking_in = self._take_in(self._socket, str(position.shown_id))
        self._task = asyncio.create_task(taking_in, name="watch")
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._socket and self._task
        await self._socket.close()
        await asyncio.wait([self._task])

    async def until_ended(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self._ended.wait()

    @property
    def page(self) -> ShownPage:
        """The page with everything that came."""
        page = ShownPage(self._html)
        for frame in self.frames:
            page.apply(frame)
        return page

    @property
    def largest_bytes(self) -> int:
        return max(len(frame.encode()) for frame in self.frames)

    @property
    def frames_per_s(self) -> float:
        """Between the first frame and the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    def longest_gap_s(self, begin: float, end: float) -> float:
        """Return the longest time without a frame between two moments."""
        times = [begin, *(at for at in self.times if begin < at < end), end]
        return max(later - earlier for earlier, later in pairwise(times))

    async def _take_in(self, socket: ClientConnection, generation_id: str) -> None:
        async for frame in socket:
            self.times.append(time.monotonic())
            self.frames.append(str(frame))
            await socket.send(json.dumps({"verb": "have", "frames": len(self.frames)}))
            if generation_id in ENDED.findall(self.frames[-1]):
                self._ended.set()
