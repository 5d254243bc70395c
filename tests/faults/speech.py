"""Texts of the model server that are made while they are sent: for `Text` of a scenario."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import overload


class _Words(Sequence[str]):
    """What was said so far, as a sequence; going through it says more."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __len__(self) -> int:
        return len(self.said)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.said[index]

    @property
    def text(self) -> str:
        return "".join(self.said)


class Speech(_Words):
    """Words without end, until `end_after` says how many more there will be.

    `said_at` holds when each was said, in seconds of `time.monotonic()`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.said_at: list[float] = []
        self._is_ending = threading.Event()
        self._left = 0

    def end_after(self, words: int) -> None:
        self._left = words
        self._is_ending.set()

    def __iter__(self) -> Iterator[str]:
        while not self._is_ending.is_set() or self._left > 0:
            if self._is_ending.is_set():
                self._left -= 1
            self.said_at.append(time.monotonic())
            self.said.append(f"word{len(self.said):04d} ")
            yield self.said[-1]


class Stamps(_Words):
    """One word that holds the time at which it is said, in seconds of `time.time()`."""

    def __iter__(self) -> Iterator[str]:
        self.said.append(f"{time.time():.4f} ")
        yield self.said[-1]
