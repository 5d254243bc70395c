"""Simulated time, processors, and what a simulation is given and gives. All times are seconds.

Pure: what everything costs, and when deltas come, is measured elsewhere (scaling_measure.py).
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

SLICE_S = 0.005
"""After so long another thread has its turn (Python's documentation, sys.setswitchinterval)."""


@dataclass(frozen=True)
class Costs:
    """Seconds of processor time for each of what a process does, and waits for others.

    Args:
        delta, event: what each delta takes, and what is read of an answer at once beside that.
        commit: of the logs of all answers, whatever it holds, with what is sent of it.
        frame: to a reader.
        message, far_event: a message that comes from another process, and each event in it.
        prompts: each from the form to the stored answer, without its deltas, as measured.
        prompt_messages: that go to all processes for each of them.
        commit_waits_s, ring_s: what the database and Redis take meanwhile; `ring_waits_s` how long
            it takes in all until a message is there.
        spread: measured service times, each by their mean.
        idle: what a process with `idle_sockets` took in each `idle_step_s`.
    """

    delta: float
    event: float
    commit: float
    frame: float
    message: float
    far_event: float
    prompts: Sequence[float]
    prompt_messages: float = 0.0
    commit_waits_s: Sequence[float] = (0.0,)
    ring_s: float = 0.0
    ring_waits_s: Sequence[float] = (0.0,)
    spread: Sequence[float] = (1.0,)
    idle: Sequence[float] = ()
    idle_sockets: int = 1
    idle_step_s: float = 0.01


@dataclass(frozen=True)
class Pace:
    """The intervals of chat/events/ (commits and pulses) and of chat/relay/pace.py."""

    commit_s: float
    frame_s: float
    slow_s: float
    early_s: float
    pulse_s: float


class Take(NamedTuple):
    """One answer as it was recorded: when it was asked for, and when its deltas came."""

    asked_at: float
    arrivals: Sequence[float]


@dataclass
class Outcome:
    """What came of a simulation; counts are of all processes in `seconds`."""

    seconds: float
    delays_s: list[float] = field(default_factory=list)
    used_s: list[float] = field(default_factory=list)
    prompts: int = 0
    deltas: int = 0
    commits: int = 0
    rows: int = 0
    frames: int = 0
    messages: int = 0
    far_events: int = 0

    @property
    def utilisations(self) -> list[float]:
        return sorted(used_s / self.seconds for used_s in self.used_s)


class Clock:
    """Calls what is due, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, time: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._due, (max(time, self.now), next(self._numbers), call))

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _, call = heapq.heappop(self._due)
            call()


class Processor:
    """Does one job after the other; one that is long goes to the end of the queue again."""

    def __init__(self, clock: Clock) -> None:
        self.used_s = 0.0
        self._clock = clock
        self._queue: deque[tuple[Callable[[], float], Callable[[], None]]] = deque()
        self._is_busy = False

    def do(self, begin: Callable[[], float], end: Callable[[], None]) -> None:
        """Queue a job; `begin` says how long it takes when its turn has come."""
        self._queue.append((begin, end))
        if not self._is_busy:
            self._next()

    def _next(self) -> None:
        self._is_busy = bool(self._queue)
        if not self._is_busy:
            return
        begin, end = self._queue.popleft()
        left_s = begin()
        now_s = min(left_s, SLICE_S)
        self.used_s += now_s
        self._clock.at(self._clock.now + now_s, partial(self._end, left_s - now_s, end))

    def _end(self, left_s: float, end: Callable[[], None]) -> None:
        if left_s > 0:
            self._queue.append((lambda: left_s, end))
        else:
            end()
        self._next()
