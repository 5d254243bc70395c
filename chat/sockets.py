"""How many sockets are open in this process: of each person, and of everybody.

Counted in memory, not over all processes: a limit is here to protect the process, and a person
with N processes has N times as many at most. Used from the loop alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

_open: Counter[int] = Counter()


@contextmanager
def counted(user_id: int) -> Iterator[bool]:
    """Count a socket while it is open; gives whether there is room for it."""
    has_room = (
        _open[user_id] < settings.CHAT_SOCKETS_PER_USER
        and _open.total() < settings.CHAT_SOCKETS_PER_PROCESS
    )
    # One without room is closed at once, and must not take it from those that come meanwhile.
    _open[user_id] += has_room
    try:
        yield has_room
    finally:
        _open[user_id] -= has_room
        if not _open[user_id]:
            del _open[user_id]
