"""What streams, sockets and messages cost, and what is compared with the simulation.

Costs come from runs that differ in what they have much of: lone deltas, many answers, some that
nobody reads, deltas that come faster than frames go out, a burst. They are what explains the
processor time of all of them best. What of a lone stream's delay is no processor time was waited
for the database and threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.load.scaling_record import STEP_S
from tests.load.scaling_rig import Rig, ring_s
from tests.load.scaling_runs import (
    ANSWER,
    BURST,
    BURSTS,
    FAST,
    FAST_PER_S,
    IDLE,
    MANY,
    TRIALS,
    Measuring,
    Run,
    Trial,
)
from tests.load.simulation import Costs
from tests.load.size import PER_S


@dataclass
class Measured:
    """Costs of one kind of site, and by name: seconds, bytes or numbers of one thing each."""

    costs: Costs
    units: dict[str, float] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)


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


def measure_alone(rig: Rig) -> Measured:
    """Measure one process with SQLite."""
    measuring = Measuring(rig)
    lone, spread = measuring.lone()
    runs = [
        lone,
        measuring.run(MANY),
        measuring.unread(MANY),
        measuring.run(FAST, ANSWER * FAST_PER_S // PER_S, FAST_PER_S),
        measuring.run(BURSTS, BURST, 0),
    ]
    rows = [(run.recorded.deltas, run.rows, run.commits, run.recorded.frames) for run in runs]
    delta, event, commit, frame = fit(rows, [measuring.work_s(run, 0) for run in runs])
    waits_s = _beyond(lone.recorded.delays_s, delta + event + commit + frame)
    costs = Costs(
        delta,
        event,
        commit,
        frame,
        0,
        0,
        measuring.prompts_s,
        commit_waits_s=waits_s,
        spread=spread,
    )
    tried = [measuring.trial(size, "one process, SQLite") for size in TRIALS]
    log_bytes, other_bytes = tried[0][0].table_bytes()
    units = {
        "rest": measuring.rest,
        "rows": tried[0][0].rows / TRIALS[0].streams,
        "log_row_bytes": log_bytes / tried[0][0].rows,
        "answer_bytes": other_bytes / TRIALS[0].streams,
    }
    return Measured(costs, units, [trial for _, trial in tried])


def measure_shared(rig: Rig, alone: Costs) -> Measured:
    """Measure three processes with PostgreSQL and Redis.

    Args:
        alone: what deltas and frames cost; events cost no less here.
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
    received_s = [
        max(1e-6, measuring.work_s(each, 1) - each.recorded.frames * alone.frame) for each in runs
    ]
    message, far_event = fit([(each.messages, each.rows) for each in runs], received_s)
    known_s = (each.recorded.deltas * alone.delta + each.rows * alone.event for each in runs)
    written_s = [
        max(1e-6, measuring.work_s(each, 0) - known)
        for each, known in zip(runs, known_s, strict=True)
    ]
    more, commit = fit([(each.rows, each.commits) for each in runs], written_s)
    event = alone.event + more
    commit_s = lone.grown("chat_commit_seconds_sum") / lone.commits
    lone_s = alone.delta + event + commit_s + message + far_event + alone.frame
    idle, units = measuring.idle()
    costs = replace(
        alone,
        event=event,
        commit=commit,
        message=message,
        far_event=far_event,
        prompts=measuring.prompts_s,
        prompt_messages=measuring.prompt_messages,
        commit_waits_s=[max(0.0, commit_s - commit)],
        ring_s=ring_s(rig.redis),
        ring_waits_s=_beyond(lone.recorded.delays_s, lone_s),
        spread=spread,
        idle=idle,
        idle_sockets=IDLE,
        idle_step_s=STEP_S,
    )
    return Measured(costs, units | _shared_units(run, measuring), [trial])


def _shared_units(run: Run, measuring: Measuring) -> dict[str, float]:
    log_bytes, other_bytes = run.table_bytes()
    answers = TRIALS[0].streams
    processes = len(run.after.cpu_s)
    to_all = answers * measuring.prompt_messages + run.pulses
    deliveries = run.messages + run.pulses + to_all * (processes - 1)
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
        "frame_bytes": run.recorded.bytes / run.recorded.frames,
    }


def _beyond(delays_s: Sequence[float], known_s: float) -> list[float]:
    return [max(0.0, delay_s - known_s) for delay_s in delays_s]
