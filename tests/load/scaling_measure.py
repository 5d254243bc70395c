"""What streams, sockets and messages cost, and what is compared with the simulation.

Costs come from runs that differ in what they have much of: lone deltas, many answers, deltas that
come faster than frames go out, a burst. They are what explains the processor time of all of them
best. What of a lone stream's delay is no processor time was waited for the database and threads.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from tests.load.costs import warm_up
from tests.load.scaling_record import SETTLE_S, STEP_S, Idle, Recorded, record
from tests.load.scaling_rig import Look, Rig, process_s, ring_s
from tests.load.simulation import Costs, Take
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
PEOPLE = 5 + PROMPTS + 1 + MANY + FAST + BURSTS + sum(size.streams for size in TRIALS) + IDLE


@dataclass
class Trial:
    """A size that this machine can do, to be compared with its simulation; times in seconds.

    `cpu_s` of the process that writes, and of the one that has the readers, which may be the same.
    """

    what: str
    processes: int
    takes: list[Take]
    seconds: float
    delays_s: list[float]
    cpu_s: tuple[float, float]
    incomplete: int


@dataclass
class Measured:
    """Costs of one kind of site, and by name: seconds, bytes or numbers of one thing each."""

    costs: Costs
    units: dict[str, float] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)


class Run(NamedTuple):
    recorded: Recorded
    before: Look
    after: Look

    def grown(self, name: str) -> float:
        return self.after.counts.get(name, 0) - self.before.counts.get(name, 0)

    def cpu_s(self, process: int) -> float:
        return self.after.cpu_s[process] - self.before.cpu_s[process]

    @property
    def deltas(self) -> int:
        return len(self.recorded.delays_s)

    @property
    def rows(self) -> float:
        return self.grown("chat_log_events_total")

    @property
    def commits(self) -> float:
        return self.grown("chat_commit_group_events_count")

    @property
    def messages(self) -> float:
        # Each process sends one a second where it has nothing to say (chat/events/exchange.py).
        quiet = len(self.after.cpu_s) - 1
        return self.grown("messages") - quiet * self.recorded.seconds

    def table_bytes(self) -> tuple[float, float]:
        """Return what the log's table has grown by, and all others."""
        names = self.after.sizes
        grown = {name: size - self.before.sizes.get(name, 0) for name, size in names.items()}
        log = grown.pop("chat_event")
        return log, sum(grown.values())


def fit(rows: Sequence[Sequence[float]], totals: Sequence[float]) -> list[float]:
    """Return the costs, none below 0, that explain all totals with the smallest relative errors.

    Args:
        rows: how many there were of each thing in each run.
    """
    scaled = [[n / total for n in row] for row, total in zip(rows, totals, strict=True)]
    costs = [0.0] * len(rows[0])
    for _, column in itertools.product(range(5_000), range(len(costs))):
        weight = sum(row[column] ** 2 for row in scaled)
        off = sum(
            row[column] * (1 - sum(map(float.__mul__, map(float, row), costs))) for row in scaled
        )
        if weight:
            costs[column] = max(0.0, costs[column] + off / weight)
    return costs


class Measuring:
    """Measures one rig, thing by thing."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._first = rig.contender.pids[0]
        self._last = len(rig.contender.ports) - 1
        warm_up(rig.contender)
        before = rig.look()
        time.sleep(REST_S)
        used_s = zip(before.cpu_s, rig.look().cpu_s, strict=True)
        self.rest = statistics.mean((after - then) / REST_S for then, after in used_s)
        self.prompts_s = self._prompts_s()

    def run(
        self, streams: int, deltas: int = ANSWER, per_s: int = PER_S, spread_s: float = SPREAD_S
    ) -> Run:
        job = self._rig.contender.job(streams, deltas=deltas, per_s=per_s, spread_s=spread_s)
        return _checked(Run(*asyncio.run(record(job, self._rig.look))))

    def work_s(self, run: Run, process: int) -> float:
        """Return what a process used beside its rest and prompts."""
        used_s = run.cpu_s(process) - self.rest * run.recorded.seconds
        if process == 0:
            used_s -= len(run.recorded.takes) * statistics.mean(self.prompts_s)
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
            recorded.incomplete,
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


def measure_alone(rig: Rig) -> Measured:
    """Measure one process with SQLite."""
    measuring = Measuring(rig)
    lone, spread = measuring.lone()
    runs = [
        lone,
        measuring.run(MANY),
        measuring.run(FAST, ANSWER * FAST_PER_S // PER_S, FAST_PER_S),
        measuring.run(BURSTS, BURST, 0),
    ]
    rows = [(run.deltas, run.rows, run.commits, run.recorded.frames) for run in runs]
    delta, event, commit, frame = fit(rows, [measuring.work_s(run, 0) for run in runs])
    waits_s = _beyond(lone.recorded.delays_s, delta + event + commit + frame)
    costs = Costs(delta, event, commit, frame, 0, 0, 0, measuring.prompts_s, waits_s, spread=spread)
    tried = [measuring.trial(size, "one process, SQLite") for size in TRIALS]
    log_bytes, other_bytes = tried[0][0].table_bytes()
    units = {
        "rest": measuring.rest,
        "log_row_bytes": log_bytes / tried[0][0].rows,
        "answer_bytes": other_bytes / TRIALS[0].streams,
    }
    return Measured(costs, units, [trial for _, trial in tried])


def measure_shared(rig: Rig, alone: Costs) -> Measured:
    """Measure three processes with PostgreSQL and Redis.

    Args:
        alone: what a delta and a frame in the process that writes cost, which is the same here.
    """
    assert rig.redis
    measuring = Measuring(rig)
    lone, spread = measuring.lone()
    runs = [
        lone,
        measuring.run(MANY),
        measuring.run(FAST, ANSWER * FAST_PER_S // PER_S, FAST_PER_S),
    ]
    run, trial = measuring.trial(TRIALS[0], "two processes, PostgreSQL, Redis")
    message, topic = fit(
        [(each.messages, each.rows) for each in runs], [measuring.work_s(r, 2) for r in runs]
    )
    far_frame = statistics.median(
        (measuring.work_s(each, 1) - measuring.work_s(each, 2)) / each.recorded.frames
        for each in runs
    )
    heard_s = [each.messages * message + each.rows * topic for each in runs]
    written_s = [
        max(1e-6, measuring.work_s(each, 0) - heard - each.deltas * alone.delta)
        for each, heard in zip(runs, heard_s, strict=True)
    ]
    event, commit = fit([(each.rows, each.commits) for each in runs], written_s)
    commit_s = lone.grown("chat_commit_seconds_sum") / lone.commits
    costs = replace(
        alone,
        event=event,
        commit=commit,
        far_frame=far_frame,
        message=message,
        topic=topic,
        prompts=measuring.prompts_s,
        commit_waits_s=[max(0.0, commit_s - commit)],
        ring_s=ring_s(rig.redis),
        spread=spread,
    )
    known_s = alone.delta + event + commit_s + costs.ring_s + message + topic + far_frame
    idle, units = measuring.idle()
    costs = replace(
        costs,
        read_waits_s=_beyond(lone.recorded.delays_s, known_s),
        idle=idle,
        idle_sockets=IDLE,
        idle_step_s=STEP_S,
    )
    return Measured(costs, units | _shared_units(run, measuring), [trial])


def _shared_units(run: Run, measuring: Measuring) -> dict[str, float]:
    log_bytes, other_bytes = run.table_bytes()
    deliveries = run.messages * len(run.after.cpu_s)
    answers = TRIALS[0].streams
    return {
        "rest": measuring.rest,
        "log_row_bytes": log_bytes / run.rows,
        "answer_bytes": other_bytes / answers,
        "rows": run.rows / answers,
        "wal_bytes": run.grown("wal_bytes") / answers,
        "transactions": run.grown("transactions") / answers,
        "postgres_s": run.grown("postgres_s") / answers,
        "redis_s": run.grown("redis_s") / deliveries,
        "redis_out_bytes": run.grown("redis_out_bytes") / deliveries,
        "topics": run.rows / run.messages,
        "frames": run.recorded.frames / answers,
        "frame_bytes": run.recorded.bytes / run.recorded.frames,
    }


def _checked(run: Run) -> Run:
    """Say where another process than the first wrote answers: one that is too busy leaves them."""
    written = run.grown("chat_time_to_first_token_seconds_count")
    if run.recorded.incomplete or written != len(run.recorded.takes):
        print(
            f"{run.recorded.incomplete} answers did not come whole, and {written:.0f} of "
            f"{len(run.recorded.takes)} came from the first process: the machine is too busy.",
            file=sys.stderr,
        )
    return run


def _beyond(delays_s: Sequence[float], known_s: float) -> list[float]:
    return [max(0.0, delay_s - known_s) for delay_s in delays_s]
