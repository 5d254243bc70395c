"""Logs that other processes write: what came of them with rings, to spare a look into the database.

Its owner sends what it has committed to those processes that want it (exchange.py). A message may
be lost, so nothing here says that there is no more: after a gap, a doubt or a silence the reader
looks into the database.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from chat.events.entry import Entry
from chat.events.recent import Recent
from chat.events.rings import topic

FRESH_S = 1.0
"""For so long after news of a log it is believed that there was nothing else."""

_far: dict[str, FarLog] = {}  # by the topics of their generations
_announce: Callable[[], None] | None = None


class FarLog:
    """What this process was told of one log, for all of its readers here.

    Args:
        clock: gives the time, in seconds.
    """

    def __init__(self, generation_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.generation_id = generation_id
        self.readers = 0
        self._clock = clock
        self._recent = Recent()
        self._told_at = -math.inf

    def take(self, entries: list[Entry]) -> None:
        """Take in what its owner has sent, some of it again."""
        entries = [entry for entry in entries if entry.seq > self._recent.seq]
        if not entries:
            return
        if entries[0].seq > self._recent.seq + 1:
            self._recent.clear()
        self._recent.add(entries)
        self._told_at = self._clock()

    def doubt(self) -> None:
        """Have readers look into the database, until there is news again."""
        self._recent.clear()

    def since(self, after: int) -> list[Entry] | None:
        """Return the events behind `after`; None where the database has to be asked."""
        is_fresh = self._clock() - self._told_at < FRESH_S
        return self._recent.since(after) if is_fresh else None


def begin_reading(generation_id: int) -> FarLog:
    """Return a log that another process may write, and have it told of here until the end."""
    name = topic(generation_id)
    if (far := _far.get(name)) is None:
        far = _far[name] = FarLog(generation_id)
        if _announce:
            _announce()
    far.readers += 1
    return far


def end_reading(far: FarLog) -> None:
    far.readers -= 1
    if not far.readers:
        del _far[topic(far.generation_id)]


def wanted() -> list[int]:
    """Return the ids of the generations whose logs are read here."""
    return [far.generation_id for far in _far.values()]


def announce_to(announce: Callable[[], None] | None) -> None:
    """Have `announce` called when another log is wanted."""
    global _announce
    _announce = announce


def take(generation_id: int, entries: list[Entry]) -> None:
    """Take in what an owner has sent; an empty list says that it was too much to be sent."""
    if far := _far.get(topic(generation_id)):
        if entries:
            far.take(entries)
        else:
            far.doubt()


def doubt(topics: Iterable[str] | None = None) -> None:
    """Have the readers of some logs look into the database, or of all."""
    for far in list(_far.values()) if topics is None else filter(None, map(_far.get, topics)):
        far.doubt()
