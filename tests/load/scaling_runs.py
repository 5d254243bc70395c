"""Single runs against a rig, thing by thing: lone prompts, streams, pages that stay open."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from tests.load.costs import warm_up
from tests.load.scaling_record import SETTLE_S, STEP_S, Idle, Recorded, record, write
from tests.load.scaling_rig import WRITTEN, Look, Rig, process_s
from tests.load.simulation import Take
from tests.load.size import PER_S

ANSWER = 300
"""Deltas of an answer."""

PROMPTS = 40
PROMPT_EVERY_S = 0.5
REST_S = 5.0
MANY = 25
FAST, FAST_PER_S = 8, 120
BURSTS, BURST = 4, 5_000
SPREAD_S = 4.0
IDLE, IDLE_S = 500, 30.0


class TrialSize(NamedTuple):
    """How many streams begin within how long; of so many deltas that all are there at once."""

    streams: int
    deltas: int
    spread_s: float


TRIALS = (TrialSize(50, ANSWER, 8.0), TrialSize(200, 2 * ANSWER, 16.0))
PEOPLE = 5 + PROMPTS + 1 + 2 * MANY + FAST + BURSTS + sum(size.streams for size in TRIALS) + IDLE


@dataclass
class Trial:
    """A size that this machine can do, to be compared with its simulation; times in seconds.

    `cpu_s` of the process that writes, and of the one that has the readers, which may be the same;
    `waited_s` is how long the loop of the one that writes was ready to run and got no core.
    """

    what: str
    processes: int
    takes: list[Take]
    seconds: float
    delays_s: list[float]
    cpu_s: tuple[float, float]
    waited_s: float


class Run(NamedTuple):
    recorded: Recorded
    before: Look
    after: Look

    def grown(self, name: str) -> float:
        return self.after.counts.get(name, 0) - self.before.counts.get(name, 0)

    def cpu_s(self, process: int) -> float:
        return self.after.cpu_s[process] - self.before.cpu_s[process]

    @property
    def rows(self) -> float:
        return self.grown("chat_log_events_total")

    @property
    def commits(self) -> float:
        return self.grown("chat_commit_group_events_count")

    @property
    def pulses(self) -> float:
        """Each process sends one a second (chat/events/exchange.py)."""
        return len(self.after.cpu_s) * self.recorded.seconds

    @property
    def messages(self) -> float:
        """Those to a process that has readers, and those of prompts to all."""
        return self.grown("messages") - self.pulses

    def table_bytes(self) -> tuple[float, float]:
        """Return what the log's table has grown by, and all others."""
        names = self.after.sizes
        grown = {name: size - self.before.sizes.get(name, 0) for name, size in names.items()}
        log = grown.pop("chat_event")
        return log, sum(grown.values())


class Measuring:
    """Measures one rig, thing by thing."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._last = len(rig.contender.ports) - 1
        warm_up(rig.contender)
        before = rig.look()
        time.sleep(REST_S)
        used_s = zip(before.cpu_s, rig.look().cpu_s, strict=True)
        self.rest = statistics.mean((after - then) / REST_S for then, after in used_s)
        before = rig.look()
        begun_at = time.monotonic()
        self.prompts_s = self._prompts_s()
        pulses = len(rig.contender.pids) * (time.monotonic() - begun_at)
        grown = rig.look().counts.get("messages", 0) - before.counts.get("messages", 0)
        self.prompt_messages = max(0.0, grown - pulses) / PROMPTS

    def run(
        self, streams: int, deltas: int = ANSWER, per_s: int = PER_S, spread_s: float = SPREAD_S
    ) -> Run:
        job = self._rig.contender.job(streams, deltas=deltas, per_s=per_s, spread_s=spread_s)
        return _checked(Run(*asyncio.run(record(job, self._rig.look))))

    def unread(self, streams: int) -> Run:
        """Run streams without any reader."""
        job = self._rig.contender.job(streams, deltas=ANSWER, per_s=PER_S, spread_s=SPREAD_S)
        return Run(*asyncio.run(write(job, self._rig.look, self._rig.written)))

    def work_s(self, run: Run, process: int) -> float:
        """Return what a process used beside its rest and prompts."""
        used_s = run.cpu_s(process) - self.rest * run.recorded.seconds
        if process == 0:
            used_s -= run.recorded.answers * statistics.mean(self.prompts_s)
        return max(used_s, 1e-6)

    def lone(self) -> tuple[Run, list[float]]:
        """Run one stream; return what its deltas took, each by their mean."""
        marks: list[float] = []

        def mark() -> None:
            marks.append(sum(map(process_s, self._rig.contender.pids)))

        job = self._rig.contender.job(1, deltas=ANSWER, per_s=PER_S)
        run = _checked(Run(*asyncio.run(record(job, self._rig.look, on_frame=mark))))
        steps = [after - before for before, after in itertools.pairwise(marks)]
        mean = statistics.mean(steps)
        return run, [step / mean for step in steps]

    def trial(self, size: TrialSize, what: str) -> tuple[Run, Trial]:
        run = self.run(size.streams, size.deltas, spread_s=size.spread_s)
        recorded = run.recorded
        cpu_s = (run.cpu_s(0), run.cpu_s(self._last))
        trial = Trial(
            what,
            len(run.after.cpu_s),
            recorded.takes,
            recorded.seconds - SETTLE_S,
            recorded.delays_s,
            cpu_s,
            run.after.waited_s - run.before.waited_s,
        )
        return run, trial

    def idle(self) -> tuple[list[float], dict[str, float]]:
        """Keep pages open; return the steps of processor time, and what each page takes."""
        return asyncio.run(self._idle())

    async def _idle(self) -> tuple[list[float], dict[str, float]]:
        rig, process = self._rig, self._last
        idle = Idle(rig.contender.take(IDLE), rig.contender.ports[-1])
        cpu_s = partial(process_s, rig.contender.pids[process])
        before_s = cpu_s()
        try:
            await idle.open()
            await asyncio.sleep(SETTLE_S)
            open_s = (cpu_s() - before_s) / IDLE
            before, wire = rig.look(), idle.wire
            steps = await idle.stay(IDLE_S, cpu_s)
            after, wire = rig.look(), idle.wire.since(wire)
        finally:
            idle.close()
        seconds = len(steps) * STEP_S * IDLE
        units = {
            "open_s": open_s,
            "idle_s": (sum(steps) - self.rest * len(steps) * STEP_S) / seconds,
            "idle_out_bytes": wire.received / seconds,
            "idle_in_bytes": wire.sent / seconds,
            "idle_packets": (wire.packets_in + wire.packets_out) / seconds,
        }
        for name in ("postgres_s", "transactions"):
            units[f"idle_{name}"] = (after.counts[name] - before.counts[name]) / seconds
        return steps, units

    def _prompts_s(self) -> list[float]:
        """Send prompts one after the other; return what each took, with one delta."""
        marks: list[float] = []

        def mark() -> None:
            marks.append(sum(map(process_s, self._rig.contender.pids)))

        spread_s = PROMPTS * PROMPT_EVERY_S
        job = self._rig.contender.job(PROMPTS, deltas=1, per_s=PER_S, spread_s=spread_s)
        asyncio.run(record(job, self._rig.look, on_ask=mark))
        rest_s = self.rest * len(self._rig.contender.pids) * PROMPT_EVERY_S
        return [after - before - rest_s for before, after in itertools.pairwise(marks)]


def _checked(run: Run) -> Run:
    """Say where another process than the first wrote answers: one that is too busy leaves them."""
    errors, answers = run.recorded.errors, run.recorded.answers
    written = run.grown(WRITTEN)
    if errors or written != answers:
        print(
            f"{written:.0f} of {answers} answers came from the process that should write them: "
            f"the machine is too busy, or something is wrong. {errors[:3]}",
            file=sys.stderr,
        )
    return run
