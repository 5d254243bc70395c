"""One answer as a reader gets it: which stamps came, how late, and whether it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.load.stamps import ASKED, STAMP, is_newer, now_us, read, since_us


class Answer:
    """Takes in what comes, in the order in which it comes.

    Args:
        stamps: how many there are.
        note: called with the number of stamps that came just now, where any came.
    """

    def __init__(self, stamps: int, note: Callable[[int], None]) -> None:
        self.delays_us: list[int] = []
        self.first_us = 0
        self.error = ""
        self.ended = asyncio.Event()
        self._stamps = stamps
        self._note = note
        self._asked_us = 0
        self._newest_us: int | None = None

    @property
    def is_complete(self) -> bool:
        return self.ended.is_set() and not self.error and len(self.delays_us) == self._stamps

    def ask(self) -> None:
        """Note that the prompt is sent now."""
        self._asked_us = now_us()

    def take(self, data: bytes) -> None:
        """Find stamps; a page gets what it shows at the end of a text again and again."""
        came_us, before = now_us(), len(self.delays_us)
        for letters in STAMP.findall(data):
            at_us = read(letters)
            if self._newest_us is None:
                self.first_us = came_us - self._asked_us - _of_the_model(data, at_us)
            elif not is_newer(at_us, self._newest_us):
                continue
            self._newest_us = at_us
            self.delays_us.append(since_us(at_us, came_us))
        if came := len(self.delays_us) - before:
            self._note(came)

    def end(self, error: str = "") -> None:
        """Take in the end; only the first one counts."""
        if not self.ended.is_set():
            self.error = error
            self.ended.set()


def _of_the_model(data: bytes, first_at_us: int) -> int:
    """Return how long the model server took from its being asked to its first word."""
    asked = ASKED.search(data)
    assert asked, "the first word came without the time at which it was asked for"
    return since_us(read(asked[1]), first_at_us)
