"""What is simulated: what was measured, to be compared with it, and what no one machine can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.scaling_runs import Trial
from tests.load.scaling_sums import Load, Plan, Sums
from tests.load.simulation import Costs, Outcome, Pace, Take
from tests.load.simulation_site import Site

READERS, STREAMS = 100_000, 2_000
GROUPS = (3, 6, 12, 24, 48)
UNTIL_S, WARM_UP_S = 10.0, 3.0


@dataclass(frozen=True)
class Simulated:
    """One cell of a plan, or all; `hearing` is the share of a core that messages take in each."""

    plan: Plan
    hearing: float
    outcomes: list[Outcome]

    @property
    def seconds(self) -> float:
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def delays_s(self) -> list[float]:
        return sorted(delay for outcome in self.outcomes for delay in outcome.delays_s)

    @property
    def utilisations(self) -> list[float]:
        return sorted(each for outcome in self.outcomes for each in outcome.utilisations)


def repeat_trial(trial: Trial, costs: Costs, pace: Pace) -> Outcome:
    """Replay what was recorded, in as many processes."""
    site = Site(costs, pace, trial.processes)
    reader = site.processes[0 if trial.processes == 1 else 1]
    for take in trial.takes:
        site.replay(take, site.processes[0], reader)
    return site.run(trial.seconds)


def simulate(sums: Sums, plan: Plan, takes: Sequence[Take], *, cells: int) -> Simulated:
    """Simulate so many of the plan's cells."""
    sockets, streams = READERS / plan.total, round(STREAMS / plan.cells)
    outcomes = []
    for seed in range(cells):
        costs = sums.measured.costs
        site = Site(costs, sums.pace, plan.processes, seed=seed, idle_sockets=round(sockets))
        site.repeat([_from_prompt(take) for take in takes], streams, UNTIL_S)
        outcomes.append(site.run(UNTIL_S, WARM_UP_S))
    hearing = sums.hearing(load(sums).part(1 / plan.cells), plan.processes)
    return Simulated(plan, hearing, outcomes)


def load(sums: Sums) -> Load:
    """Return what the simulation is of: nobody opens a page meanwhile."""
    return Load(READERS, STREAMS, STREAMS / sums.assumed.answer_s, 0)


def simulate_groups(sums: Sums, takes: Sequence[Take]) -> list[Simulated]:
    """Simulate one cell of each size."""
    plans = [sums.in_cells(load(sums), processes) for processes in GROUPS]
    return [simulate(sums, plan, takes, cells=1) for plan in plans]


def simulate_all(sums: Sums, takes: Sequence[Take]) -> Simulated:
    """Simulate all readers and streams, as the arithmetic spreads them."""
    plan = sums.plan(load(sums))
    return simulate(sums, plan, takes, cells=plan.cells)


def _from_prompt(take: Take) -> Take:
    return Take(0, [at - take.asked_at for at in take.arrivals])
