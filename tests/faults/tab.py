"""A page of one conversation without a browser: it follows its socket, and comes back by itself.

What it shows is kept as a page (ShownPage), swapped as htmx swaps it; what it has shown is
noted whenever it could be the last that anybody saw.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import websockets
from websockets.asyncio.client import ClientConnection, connect

from chat.relay import Position
from tests.faults.people import Person
from tests.frames import ENDED
from tests.integration.shown_page import Element, ShownPage

OPEN_S = 15.0
WAIT_S = 60.0
MAX_FRAME_BYTES = 2**20
NOT_ALLOWED = 4403


@dataclass(frozen=True)
class Shown:
    """What a tab showed of a message at a moment (`time.time()`)."""

    at: float
    message_id: int
    text: str


class Tab:
    """A context manager; follows from its opening to the end of the block.

    Args:
        base_url: where the page and its socket are; may be changed, for the next connection.
        reconnect_s: the longest wait before it connects again, as the page's script has one.
        page: what it shows already; loaded where there is none.
    """

    def __init__(
        self,
        person: Person,
        base_url: str,
        path: str,
        *,
        reconnect_s: float = 3.0,
        page: ShownPage | None = None,
    ) -> None:
        self.person = person
        self.base_url = base_url
        self.path = path
        self.page = page or ShownPage("")
        self._is_loaded = page is not None
        self.frames = 0
        self.largest_frame_bytes = 0
        self.frame_times: list[float] = []
        self.connections = 0
        self.close_codes: list[int] = []
        self.positions: list[tuple[int, int, int]] = []
        self.seen: list[Shown] = []
        self.endings: dict[int, int] = {}
        self.is_connected = False
        self._reconnect_s = reconnect_s
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not self._is_loaded:
            await self.load()
        self._task = asyncio.create_task(self._stay(), name="tab")
        self._task.add_done_callback(lambda _: self._changed.set())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.note()

    async def load(self) -> None:
        """Load the page anew, as a reload does."""
        response = await self.person.get(self.base_url, self.path)
        assert response.status_code == 200, f"{response.status_code} at {self.path}"
        self.page = ShownPage(response.text)
        self.endings = {}  # as a reader of its own

    async def reload(self) -> None:
        """Load the page anew and open its socket anew."""
        self.note()
        await self.load()
        if self._socket:
            await self._socket.close()

    async def stop(self, generation_id: int) -> None:
        """Press Stop, on the socket."""
        await self.until(lambda tab: tab.is_connected)
        assert self._socket is not None
        await self._socket.send(json.dumps({"verb": "stop", "generation_id": generation_id}))

    def text(self, message_id: int) -> str:
        """Return the text of an answer, without what is folded away."""
        walked = (element for element, _ in self.page.body(message_id).walk())
        return "".join(element.text for element in walked if _is_text(element)).strip()

    @property
    def answer(self) -> str:
        """The text of the last message shown; "" where that is no answer."""
        ids = self.page.message_ids
        return self.text(ids[-1]) if ids and self.page.element(f"message-{ids[-1]}-body") else ""

    @property
    def status(self) -> str:
        """What the page says below the last message: what it waits for, or how that ended."""
        ids = self.page.message_ids
        shown = self.page.article(ids[-1]).find(_is_status) if ids else None
        return " ".join(shown.text.split()) if shown else ""

    def note(self) -> None:
        """Keep what is shown now of the last answer, to be held against what is stored."""
        if self.answer:
            self.seen.append(Shown(time.time(), self.page.message_ids[-1], self.answer))

    async def until(self, condition: Callable[[Tab], bool], timeout_s: float = WAIT_S) -> float:
        """Wait until the page shows what is wanted; return the seconds that it took.

        Raises:
            TimeoutError: with what is shown instead.
        """
        begun_at = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                while not condition(self):
                    self._changed.clear()
                    if self._task and self._task.done():
                        self._task.result()  # What it died of, where it did.
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(
                f"after {timeout_s} s the page shows {self.answer!r} at {self.page.position}; "
                f"connected: {self.is_connected}, closed with {self.close_codes[-3:]}"
            ) from None
        return time.monotonic() - begun_at

    async def until_ended(self, timeout_s: float = WAIT_S) -> float:
        return await self.until(has_ended, timeout_s)

    async def _stay(self) -> None:
        retries = 0
        while True:
            try:
                await self._follow()
                retries = 0
            except (OSError, TimeoutError, websockets.WebSocketException):
                retries += 1
            if self._was_sent_away():
                return
            ceiling_s = min(2.0**retries, self._reconnect_s)
            await asyncio.sleep(ceiling_s * random.uniform(0.5, 1.0))

    def _was_sent_away(self) -> bool:
        """Whether the site closed the last connection for good."""
        return bool(self.close_codes) and self.close_codes[-1] == NOT_ALLOWED

    async def _follow(self) -> None:
        """Open the socket and take in frames until it closes."""
        async with open_socket(self.person, self.base_url, self.path) as socket:
            self._socket, self.is_connected = socket, True
            self.connections += 1
            self._changed.set()
            try:
                # The site may close it before that: whose rights end just now gets no frame.
                await socket.send(json.dumps({"verb": "follow", **vars(self.page.position)}))
                await self._take_in(socket)
            finally:
                self._socket, self.is_connected = None, False
                # 1006: none came, or the tab itself left (RFC 6455, 7.1.5).
                end = socket.protocol
                was_closed = end.close_rcvd is not None and end.close_rcvd_then_sent
                self.close_codes.append(end.close_rcvd.code if was_closed else 1006)
                self.note()
                self._changed.set()

    async def _take_in(self, socket: ClientConnection) -> None:
        frames, page = 0, self.page
        async for frame in socket:
            if self.page is not page:
                return  # What comes is for the page that was there before the reload.
            self._apply(str(frame))
            frames += 1
            await socket.send(json.dumps({"verb": "have", "frames": frames}))

    def _apply(self, frame: str) -> None:
        self.frames += 1
        self.frame_times.append(time.monotonic())
        self.largest_frame_bytes = max(self.largest_frame_bytes, len(frame.encode()))
        self.page.apply(frame)
        for ended in ENDED.findall(frame):
            self.endings[int(ended)] = self.endings.get(int(ended), 0) + 1
        position = self.page.position
        if position.seq:
            self.positions.append((self.connections, position.generation_id, position.seq))
        self._changed.set()


def open_socket(person: Person, base_url: str, path: str) -> connect:
    """Return the socket of a conversation's page, to be opened by `async with`."""
    return connect(
        f"{base_url.replace('http', 'ws', 1)}/ws{path}",
        additional_headers={"Cookie": person.cookie_header},
        origin=base_url,  # type: ignore[arg-type]
        open_timeout=OPEN_S,
        max_size=MAX_FRAME_BYTES,
        compression=None,
        proxy=None,
    )


def has_ended(tab: Tab) -> bool:
    """Whether the last message is an answer that is shown as ended."""
    return (
        bool(tab.page.message_ids) and not tab.page.has_running and tab.page.position.shown_id > 0
    )


def says(text: str) -> Callable[[Tab], bool]:
    """Whether the last message's status line holds a text."""
    return lambda tab: text in tab.status


def _is_text(element: Element) -> bool:
    return "block-text" in element.attributes.get("class", "")


def _is_status(element: Element) -> bool:
    return "message-status" in element.attributes.get("class", "")


def shows(text: str) -> Callable[[Tab], bool]:
    return lambda tab: text in tab.answer


__all__ = ["Position", "Shown", "Tab", "has_ended", "open_socket", "says", "shows"]
