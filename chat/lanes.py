"""An event loop with a slow lane: streams in it are read together, up to ninety times a second.

Many streams bring a few bytes each, every one at a moment of its own. To wake up for each costs
more than what is done with it; read together they are also committed, rendered and sent together
(chat/events/commit.py). Network cards moderate their interrupts in the same way. What comes after a
silence does not wait, and nothing else is in the slow lane.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

INTERVAL_S = 0.011
"""From one look into the slow lane to the next."""

HOLD_S = 0.022
"""The same where somebody waits for a page, or for an answer's first word."""

_selectors: WeakKeyDictionary[asyncio.AbstractEventLoop, TwoLaneSelector] = WeakKeyDictionary()


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop with a slow lane; an ordinary one where the system has none."""
    if not hasattr(selectors.DefaultSelector, "fileno"):
        return asyncio.new_event_loop()  # It can't wait for both lanes at once.
    selector = TwoLaneSelector()
    loop = asyncio.SelectorEventLoop(selector)
    _selectors[loop] = selector
    return loop


def slow_down(transport: asyncio.BaseTransport | None) -> None:
    """Read a transport in the slow lane from now on, where the running loop has one.

    It leaves the lane when its reading is paused, or it is closed.
    """
    _move(transport, TwoLaneSelector.slow_down)


def speed_up(transport: asyncio.BaseTransport | None) -> None:
    """Read a transport at once again."""
    _move(transport, TwoLaneSelector.speed_up)


def hold() -> None:
    """Leave the slow lane alone for a moment, where the running loop has one: there is work that
    somebody waits for, and of a stream's reader nobody sees so short a time."""
    if selector := _selectors.get(asyncio.get_running_loop()):
        selector.hold()


def _move(
    transport: asyncio.BaseTransport | None, how: Callable[[TwoLaneSelector, int], None]
) -> None:
    selector = _selectors.get(asyncio.get_running_loop())
    socket = transport.get_extra_info("socket") if transport else None
    # A closed one has no file.
    if selector and socket and (fd := socket.fileno()) >= 0:
        how(selector, fd)


class TwoLaneSelector(selectors.BaseSelector):
    """Two selectors of which the slow one is a file of the fast one, while that lane is open.

    Args:
        clock: gives the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fast, self._slow = selectors.DefaultSelector(), selectors.DefaultSelector()
        maps: list[Any] = [self._fast.get_map(), self._slow.get_map()]
        self._map: Mapping[FileDescriptorLike, selectors.SelectorKey] = ChainMap(*maps)
        self._is_open = False
        self._open_at = self._shut_at = 0.0  # of the clock

    def slow_down(self, fd: int) -> None:
        """Move a file that is registered to the slow lane."""
        self._move(fd, self._fast, self._slow)

    def speed_up(self, fd: int) -> None:
        """Move it back."""
        self._move(fd, self._slow, self._fast)

    def hold(self) -> None:
        """Open the slow lane as late as it may be, this time."""
        if not self._is_open:
            self._open_at = self._shut_at + HOLD_S

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._fast.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._lane(fileobj).unregister(fileobj)

    def modify(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._lane(fileobj).modify(fileobj, events, data)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._map

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for what is ready, as every selector does; [] when `timeout` seconds have passed."""
        if not self._is_open and self._slow.get_map():
            left_s = self._open_at - self._clock()
            if left_s <= 0:
                self._open()
            elif timeout is None or timeout > left_s:
                timeout = left_s  # asyncio asks again, where nothing comes.
        ready: list[tuple[selectors.SelectorKey, int]] = self._fast.select(timeout)
        for place, (key, _) in enumerate(ready):
            if key.data is self:
                del ready[place]
                self._shut()
                ready += self._slow.select(0)
                break
        return ready

    def close(self) -> None:
        self._fast.close()
        self._slow.close()

    def _lane(self, fileobj: FileDescriptorLike) -> selectors.BaseSelector:
        return self._slow if fileobj in self._slow.get_map() else self._fast

    def _move(self, fd: int, before: selectors.BaseSelector, after: selectors.BaseSelector) -> None:
        if fd in before.get_map():
            key = before.unregister(fd)
            after.register(fd, key.events, key.data)

    def _open(self) -> None:
        self._is_open = True
        self._fast.register(self._slow.fileno(), selectors.EVENT_READ, self)

    def _shut(self) -> None:
        self._is_open = False
        self._shut_at = self._clock()
        self._open_at = self._shut_at + INTERVAL_S
        self._fast.unregister(self._slow.fileno())
