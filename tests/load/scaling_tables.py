"""The tables of docs/scaling.md, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.load.documents import table
from tests.load.scaling_format import ms, number, quantile, size
from tests.load.scaling_measure import Measured
from tests.load.scaling_runs import ANSWER, Trial
from tests.load.scaling_simulate import READERS, STREAMS, Simulated, repeat_trial
from tests.load.scaling_sums import DAY_S, Sums, delta_bytes, peak
from tests.load.simulation import Costs
from tests.load.size import PER_S
from tests.load.texts import DELTA_CHARS

PEOPLE = (1_000, 100_000, 10_000_000)
BUSY = 0.25
"""A site that waited for a core for so much of the time was measured beside other work."""


class Report(NamedTuple):
    """All that the tables tell of; `at` says when and on what it was measured."""

    at: str
    alone: Measured
    sums: Sums
    groups: Sequence[Simulated]
    whole: Simulated


def parts(report: Report) -> Mapping[str, str]:
    """Return each part of the page by its name."""
    return {
        "short": short(report),
        "assumptions": assumptions(report),
        "costs": costs(report),
        "rows": rows(report),
        "trials": trials(report),
        "cells": cells(report),
        "people": people(report),
    }


def short(report: Report) -> str:
    """How far each kind of site goes."""
    sums = report.sums
    fewest = sums.assumed.fewest
    cell = sums.plan(peak(PEOPLE[-1], sums.assumed)).processes
    lines = [
        f"- One process with SQLite: {_most(_alone(report), 1)} people.",
        f"- {fewest} processes with PostgreSQL and Redis, any of which may fail: "
        f"{_most(sums, fewest)}.",
        f"- One group of {cell} processes: {_most(sums, cell)}.",
        "- Beyond that, several such groups, called *cells* here.",
    ]
    return "\n".join(lines)


def _most(sums: Sums, processes: int) -> str:
    people = PEOPLE[-1] * sums.largest_share(peak(PEOPLE[-1], sums.assumed), processes)
    return f"{float(f'{people:.2g}'):,.0f}"


def assumptions(report: Report) -> str:
    assumed = report.sums.assumed
    return table(
        ["assumed", ""],
        [
            ["people who have a page open at the busiest moment", f"{assumed.online:.0%} of all"],
            ["prompts of each of them then", f"{assumed.prompts_per_h:g} an hour"],
            ["conversations that each of them opens then", f"{assumed.opens_per_h:g} an hour"],
            ["prompts of each person on average", f"{assumed.prompts_per_day:g} a day"],
            ["an answer", f"{ANSWER} deltas of {DELTA_CHARS} characters, {PER_S} a second: "
             f"{assumed.answer_s:.0f} s, {assumed.output_tokens:,.0f} tokens"],
            ["what Claude reads for it", f"{assumed.input_tokens:,} tokens"],
            ["a process uses at most", f"{assumed.busy:.0%} of a core"],
            ["it keeps at most", f"{assumed.sockets:,} pages open, {assumed.running} answers"],
            ["TCP, IP and TLS add to a frame", f"{assumed.wrapped_bytes} bytes"],
            ["a cell's database has", f"{assumed.postgres_cores:g} cores, used half at most"],
            ["logs are kept for", f"{assumed.days} days"],
        ],
    )  # fmt: skip


def costs(report: Report) -> str:
    """What each thing takes of the site's own processes."""
    alone, shared = report.alone, report.sums.measured
    units, one, many = shared.units, alone.costs, shared.costs
    prompts = [ms(statistics.mean(costs.prompts)) for costs in (one, many)]
    near = [_stream_s(costs, costs.frame) for costs in (one, many)]
    far = _stream_s(many, many.frame + many.far_event)
    idle_bytes = report.sums.idle_bytes_per_s
    lines = table(
        ["what", "one process, SQLite", "several, PostgreSQL and Redis"],
        [
            ["a process at rest, of a core", f"{alone.units['rest']:.1%}", f"{units['rest']:.1%}"],
            ["a process at rest, memory", size(units["rest_kb"] * 1024), "the same"],
            ["an answer that is written, memory", size(units["stream_kb"] * 1024), "the same"],
            ["an open page, memory", size(units["socket_kb"] * 1024), "the same"],
            ["an open page in which nothing happens", "", f"{ms(60 * units['idle_s'])} a minute"],
            ["the same on the wire", "", f"{size(60 * idle_bytes)} a minute"],
            ["a page that is opened, with its socket", "", ms(units["open_s"])],
            ["a prompt, from the form to the stored answer", *prompts],
            [f"{ANSWER} deltas to a reader in the same process, without commits", *map(ms, near)],
            ["the same, reader in another process, without messages", "", ms(far)],
            ["of that: reading a delta, each", *[ms(c.event + c.delta) for c in (one, many)]],
            ["a commit, of however many answers", ms(one.commit), ms(many.commit)],
            ["a frame to a page", ms(one.frame), "the same"],
            ["a message of another process", "", ms(many.message)],
            ["each event in it", "", ms(many.far_event)],
            ["messages to all processes, for each prompt", "", number(many.prompt_messages)],
            ["a frame on the wire", size(units["frame_bytes"]), "the same"],
        ],
    )  # fmt: skip
    return f"{report.at}{_warning(report)}\n\n{lines}"


def _warning(report: Report) -> str:
    """Say where the numbers were taken beside other work, which makes all of them larger."""
    trials = [*report.alone.trials, *report.sums.measured.trials]
    waited = max(trial.waited_s / trial.seconds for trial in trials)
    if waited < BUSY:
        return ""
    return (
        f" **The machine was busy with other work: the site waited for a core for {waited:.0%} of "
        "the time. Costs are too high, and delays can't be compared; measure again.**"
    )


def rows(report: Report) -> str:
    """What an answer leaves in the database."""
    sites = report.alone.units, report.sums.measured.units
    units = sites[1]
    return table(
        [f"an answer of {ANSWER} deltas, one of 50 at once", "SQLite", "PostgreSQL"],
        [
            ["rows of its log", *[number(u["rows"]) for u in sites]],
            ["a row of its log, with the index", *[size(u["log_row_bytes"]) for u in sites]],
            ["its log", *[size(u["rows"] * u["log_row_bytes"]) for u in sites]],
            ["prompt and answer, which stay", *[size(u["answer_bytes"]) for u in sites]],
            ["write-ahead log", "", size(units["wal_bytes"])],
            ["transactions, with those of its reader", "", number(units["transactions"])],
            ["processor time of the database", "in the site's", ms(units["postgres_s"])],
        ],
    )


def trials(report: Report) -> str:
    """The simulation beside what was measured."""
    sites = (report.alone, report.sums.measured)
    lines = [_trial(report, site, trial) for site in sites for trial in site.trials]
    head = [
        "answers at once", "", "delay p50", "delay p99", "cores, writing", "cores, reading",
        "waited for a core",
    ]  # fmt: skip
    return table(head, [line for pair in lines for line in pair])


def _trial(report: Report, site: Measured, trial: Trial) -> list[list[str]]:
    outcome = repeat_trial(trial, site.costs, report.sums.pace)
    used_s = [each + site.units["rest"] * trial.seconds for each in outcome.used_s]
    is_one = trial.processes == 1
    measured, simulated = (
        [
            ms(quantile(delays_s, 0.5)),
            ms(quantile(delays_s, 0.99)),
            f"{cpu_s[0] / trial.seconds:.2f}",
            "the same" if is_one else f"{cpu_s[1] / trial.seconds:.2f}",
            f"{waited_s / trial.seconds:.0%}",
        ]
        for delays_s, cpu_s, waited_s in (
            (trial.delays_s, trial.cpu_s, trial.waited_s),
            (outcome.delays_s, used_s, 0),
        )
    )
    what = f"{len(trial.takes)}, {trial.what}"
    return [[what, "measured", *measured], ["", "simulated", *simulated]]


def cells(report: Report) -> str:
    """What the simulation of one cell of each size gave, and that of all of them."""
    lines = table(
        [
            "processes in a cell", "cells", "processes in all", "of a core, median / most",
            "of that: hearing others", "delay p50 / p99", "messages/s in a cell",
            "commits/s in all", "rows/s in all",
        ],
        [_cells(each) for each in report.groups],
    )  # fmt: skip
    whole = report.whole
    plan = whole.plan
    rest = _cells(whole)
    return (
        f"{READERS:,} idle readers and {STREAMS:,} streams, one cell of each kind:\n\n{lines}\n\n"
        f"All of them, as the arithmetic spreads them over {plan.cells} cells of "
        f"{plan.processes} processes each: {rest[3]} of a core, delay {rest[5]}, "
        f"{rest[7]} commits/s, {rest[8]} rows/s, {number(_per_s(whole, 'messages'))} messages/s, "
        f"{number(_per_s(whole, 'frames'))} frames/s, {number(_per_s(whole, 'prompts'))} prompts/s."
    )


def _cells(simulated: Simulated) -> list[str]:
    plan, used = simulated.plan, simulated.utilisations
    delays_s = simulated.delays_s
    return [
        number(plan.processes),
        number(plan.cells),
        number(plan.total),
        f"{statistics.median(used):.0%} / {used[-1]:.0%}",
        f"{simulated.hearing:.0%}",
        f"{ms(quantile(delays_s, 0.5))} / {ms(quantile(delays_s, 0.99))}",
        number(_per_s(simulated, "messages") / plan.cells),
        number(_per_s(simulated, "commits")),
        number(_per_s(simulated, "rows")),
    ]


def _per_s(simulated: Simulated, name: str) -> float:
    """Of all cells, where one of them or all were simulated."""
    counts: list[int] = [getattr(each, name) for each in simulated.outcomes]
    return statistics.mean(counts) / simulated.outcomes[0].seconds * simulated.plan.cells


def people(report: Report) -> str:
    """The arithmetic for some numbers of people."""
    columns = [_column(report, count) for count in PEOPLE]
    names = list(columns[0])
    lines = [[name, *[column[name] for column in columns]] for name in names]
    return table(["people", *[f"{count:,}" for count in PEOPLE]], lines)


def _column(report: Report, count: int) -> dict[str, str]:
    sums, assumed, units = report.sums, report.sums.assumed, report.sums.measured.units
    load = peak(count, assumed)
    plan = sums.plan(load)
    cell = load.part(1 / plan.cells)
    commits_per_s = sums.commits_per_s(cell, plan.processes)
    answers_per_day = count * assumed.prompts_per_day
    log_bytes = answers_per_day * ANSWER * units["log_row_bytes"]
    deliveries_per_s = sums.redis_deliveries_per_s(cell, plan.processes)
    requests = load.prompts_per_s * 60
    return {
        "**At the busiest moment**": "",
        "open pages": number(load.sockets),
        "prompts a second": number(load.prompts_per_s),
        "answers at once": number(load.streams),
        "**Processes**": "",
        "one process with SQLite would use, of a core": _share(_alone(report).utilisation(load, 1)),
        "cells x processes": f"{plan.cells:,} x {plan.processes}",
        "processes in all": number(plan.total),
        "each uses, of a core": f"{plan.utilisation:.0%}",
        "memory of all": size(sums.memory_bytes(load, plan.total)),
        "open files of one process": number((cell.sockets + cell.streams) / plan.processes + 100),
        "open files of a cell's nginx": number(2 * cell.sockets + 100),
        "**Of each cell: PostgreSQL**": "",
        "connections": number(plan.processes * assumed.connections),
        "commits a second of logs": number(commits_per_s),
        "rows a second of logs, at most": number(cell.streams * PER_S),
        "write-ahead log a second": size(cell.prompts_per_s * units["wal_bytes"]),
        "cores": number(sums.postgres_cores(cell)),
        "**Of each cell: Redis**": "",
        "messages a second, out": number(deliveries_per_s),
        "of a core": f"{deliveries_per_s * units['redis_s']:.1%}",
        "sent a second": size(deliveries_per_s * units["redis_out_bytes"]),
        "**Of all cells, a day**": "",
        "answers": number(answers_per_day),
        "rows of logs, at most": number(answers_per_day * ANSWER),
        "bytes of logs, at most": size(log_bytes),
        f"logs of {assumed.days} days": size(assumed.days * log_bytes),
        "what stays of answers, a year": size(365 * answers_per_day * units["answer_bytes"]),
        "logs to prune a second, on average": number(answers_per_day / DAY_S),
        "**Network**": "",
        "to browsers": f"{size(sums.out_bytes_per_s(load))} a second",
        "from Claude": f"{size(load.streams * PER_S * delta_bytes())} a second",
        "**Claude's limits**": "",
        "requests a minute": number(requests),
        "input tokens a minute": number(requests * assumed.input_tokens),
        "output tokens a minute": number(requests * assumed.output_tokens),
    }


def _alone(report: Report) -> Sums:
    """Of one process with SQLite; what was not measured there is taken to be the same."""
    alone = report.alone
    units = report.sums.measured.units | alone.units
    return Sums(Measured(alone.costs, units), report.sums.assumed, report.sums.pace)


def _share(used: float) -> str:
    return f"{used:.0%}" if used < 1 else "more than one"


def _stream_s(costs: Costs, frame_s: float) -> float:
    """Of an answer that is written beside many, whose commits it shares: those come on top."""
    return ANSWER * (costs.event + costs.delta + frame_s)
