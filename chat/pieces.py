"""A text that grows by small pieces, in little memory. Pure."""

from __future__ import annotations

from collections.abc import Iterator

AT_ONCE = 16
"""So many pieces are kept by themselves: each takes 60 bytes beside its text."""

LARGE_CHARS = 8_192
"""Joined pieces are joined again with those before them while they are no longer than this."""


class Pieces:
    """Takes pieces at a cost that does not grow with the text."""

    __slots__ = ("_joined", "_new")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._new: list[str] = []

    def append(self, text: str) -> None:
        """Take in what comes next."""
        self._new.append(text)
        if len(self._new) >= AT_ONCE:
            joined = "".join(self._new)
            self._new.clear()
            # Of two of one size: each character is copied only a few times.
            while self._joined and len(self._joined[-1]) <= len(joined) < LARGE_CHARS:
                joined = self._joined.pop() + joined
            self._joined.append(joined)

    @property
    def chars(self) -> int:
        """How long the text is, in characters."""
        return sum(map(len, self))

    def __iter__(self) -> Iterator[str]:
        """Yield the text in pieces, of whatever length."""
        yield from self._joined
        yield from self._new

    def __str__(self) -> str:
        """Return the text."""
        return "".join(self)
