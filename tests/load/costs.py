"""What a delta costs on its way to a reader, by each way, beside what the bare relay takes.

All trials take turns, round after round, so that what else happens to the machine meets all of
them. A figure is the median of the rounds; times are those of all rounds together.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.load.driving import Driving
from tests.load.figures import Figure
from tests.load.job import Way
from tests.load.quantiles import ms, summary
from tests.load.size import PER_S, Size
from tests.load.texts import Kind
from tests.load.workbench import Contender, Place, Workbench

SPREAD_S = 5.0
WARM_UP = 5
WARM_UP_DELTAS = 30

DELAYS_MS = {50: 10, 95: 35, 99: 50}
FIRST_WORD_MS = {50: 10, 95: 30}
"""The most that may be added, by percent of all, where a trial is bound by it."""


@dataclass(frozen=True)
class Trial:
    """What carries which text to whom; `bound` is of its CPU to the bare relay's.

    `peer_s` is what a peer used for 1,000 deltas on two cores of the same kind, in CPU seconds.
    Where it `is_timed`, how late words come is bound too.
    """

    place: Place
    way: Way
    kind: Kind
    what: str
    bound: float
    peer: str = ""
    peer_s: float = 0.0
    is_timed: bool = False


TRIALS: Mapping[str, Trial] = {
    "prose": Trial(
        "daphne", "page", "prose", "page, Daphne, SQLite: prose", 3.0, "Next.js", 0.356, True
    ),
    "markdown": Trial(
        "daphne", "page", "markdown", "page, Daphne, SQLite: Markdown", 5.0, "Chainlit", 0.563
    ),
    "uvicorn": Trial("uvicorn", "page", "prose", "page, uvicorn, SQLite: prose", 2.5),
    "sse": Trial("daphne", "api", "prose", "SSE API, Daphne, SQLite: prose", 2.0),
    "cluster": Trial("cluster", "page", "prose", "page, PostgreSQL, Redis, 2 processes", 4.0),
}


@dataclass
class Measured:
    """What one way cost in each round, in CPU seconds for 1,000 deltas, and how late all was."""

    costs_s: list[float] = field(default_factory=list)
    delays_us: list[int] = field(default_factory=list)
    first_us: list[int] = field(default_factory=list)
    incomplete: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, other: Measured) -> None:
        """Take in what was measured in other rounds."""
        self.costs_s += other.costs_s
        self.delays_us += other.delays_us
        self.first_us += other.first_us
        self.incomplete += other.incomplete
        self.errors += other.errors

    @property
    def cost_s(self) -> float:
        return statistics.median(self.costs_s)

    @property
    def details(self) -> dict[str, object]:
        return {
            "costs_s": self.costs_s,
            "delay_ms": summary(self.delays_us),
            "first_word_ms": summary(self.first_us),
            "errors": self.errors[:10],
        }


def warm_up(contender: Contender, way: Way | None = None) -> None:
    """Have everything loaded that is loaded once."""
    with Driving(contender.job(WARM_UP, way=way, deltas=WARM_UP_DELTAS, per_s=PER_S)) as driving:
        driving.run()


def measure(bench: Workbench, size: Size, names: Sequence[str]) -> Iterator[Figure]:
    """Try what is named, and the bare relay beside it."""
    trials = {name: TRIALS[name] for name in names}
    measured: defaultdict[str, Measured] = defaultdict(Measured)
    beside: defaultdict[str, Measured] = defaultdict(Measured)
    bare: defaultdict[Kind, Measured] = defaultdict(Measured)
    with ExitStack() as stack:
        places: set[Place] = {"bare", *(trial.place for trial in trials.values())}
        contenders = {place: stack.enter_context(bench.begin(place)) for place in sorted(places)}
        for trial in trials.values():
            warm_up(contenders[trial.place], trial.way)
        for _ in range(size.rounds):
            for name, trial in trials.items():
                # Right before it: a machine that others use as well changes within minutes.
                least = _try(contenders["bare"], "bare", trial.kind, size)
                beside[name].add(least)
                bare[trial.kind].add(least)
                measured[name].add(_try(contenders[trial.place], trial.way, trial.kind, size))
    for kind in sorted(bare):
        yield from _bare_figures(kind, bare[kind])
    for name, trial in trials.items():
        yield from _figures(name, trial, measured[name], beside[name])


def _try(contender: Contender, way: Way, kind: Kind, size: Size) -> Measured:
    """Have answers written at the pace of a model; return what that cost."""
    job = contender.job(
        size.streams, way=way, kind=kind, deltas=size.deltas, per_s=PER_S, spread_s=SPREAD_S
    )
    with Driving(job) as driving:
        before_s = contender.cpu_s
        result = driving.run()
        used_s = contender.cpu_s - before_s
    return Measured(
        costs_s=[used_s * 1_000 / (size.streams * size.deltas)],
        delays_us=result.delays_us,
        first_us=result.first_us,
        incomplete=size.streams - result.complete,
        errors=result.errors,
    )


def _bare_figures(kind: Kind, bare: Measured) -> Iterator[Figure]:
    what = f"bare relay: {kind}, CPU of 1,000 deltas"
    yield Figure("bare", what, bare.cost_s, "s", details=bare.details)
    yield from _times("bare", bare, is_bound=False)


def _figures(name: str, trial: Trial, found: Measured, bare: Measured) -> Iterator[Figure]:
    pairs = zip(found.costs_s, bare.costs_s, strict=True)
    ratio = statistics.median(ours_s / bare_s for ours_s, bare_s in pairs)
    what = f"{trial.what}, CPU of 1,000 deltas"
    yield Figure(name, what, found.cost_s, "s", trial.bound, ratio, details=found.details)
    if trial.peer:
        yield Figure(name, f"  the same, to {trial.peer}'s", found.cost_s, "s", trial.peer_s)
    yield Figure(name, "  answers that did not come whole", found.incomplete, "", 0)
    yield from _times(name, found, is_bound=trial.is_timed)


def _times(name: str, found: Measured, *, is_bound: bool) -> Iterator[Figure]:
    for what, times_us, bounds in (
        ("added delay", found.delays_us, DELAYS_MS),
        ("first word added", found.first_us, FIRST_WORD_MS),
    ):
        for percent, most_ms in bounds.items():
            bound = most_ms if is_bound else None
            yield Figure(name, f"  {what}, p{percent}", ms(times_us, percent), "ms", bound)
