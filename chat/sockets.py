"""Which sockets are open in this process: how many, and what gave each the right to be.

Counted in memory, not over all processes: a limit is here to protect the process, and a person
with N processes has N times as many at most. Used from the loop alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from django.conf import settings

T = TypeVar("T")


class SignedIn(NamedTuple):
    """Who a socket's handshake was by, and what it was good for: not after any of it changes.

    `password` is the stored hash, with which Django ends sessions.
    """

    user_id: int
    password: str
    session_key: str


_open: Counter[int] = Counter()
_signed_in: Counter[SignedIn] = Counter()


@contextmanager
def counted(by: SignedIn) -> Iterator[bool]:
    """Count a socket while it is open; gives whether there is room for it."""
    has_room = (
        _open[by.user_id] < settings.CHAT_SOCKETS_PER_USER
        and _open.total() < settings.CHAT_SOCKETS_PER_PROCESS
    )
    # One without room is closed at once, and must not take it from those that come meanwhile.
    _open[by.user_id] += has_room
    _signed_in[by] += has_room
    try:
        yield has_room
    finally:
        _take_off(_open, by.user_id, has_room)
        _take_off(_signed_in, by, has_room)


def signed_in() -> list[SignedIn]:
    """Return what all open sockets rest on, each once."""
    return [by for by, number in _signed_in.items() if number]


def _take_off(counter: Counter[T], key: T, number: int) -> None:
    counter[key] -= number
    if not counter[key]:
        del counter[key]
