"""The simulation, where the outcome can be told without it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.load.scaling_measure import Measured, fit
from tests.load.scaling_sums import Assumptions, Load, Sums, peak
from tests.load.simulation import Clock, Costs, Outcome, Pace, Processor, Take
from tests.load.simulation_site import Site

PACE = Pace(commit_s=0.01, frame_s=1 / 30, slow_s=0.25, early_s=0.2, pulse_s=1.0)
COSTS = Costs(
    delta=0.0001,
    event=0.0002,
    commit=0.0005,
    frame=0.0004,
    message=0.0001,
    far_event=0.00001,
    prompts=(0.05,),
    prompt_messages=3,
    commit_waits_s=(0.003,),
    ring_s=0.0005,
    ring_waits_s=(0.0007,),
)
UNITS = {
    "rest": 0.01,
    "idle_s": 0.0001,
    "open_s": 0.02,
    "frame_bytes": 300.0,
    "postgres_s": 0.05,
    "idle_postgres_s": 0.00001,
    "redis_s": 0.00003,
}


def arrivals(count: int, per_s: float = 10, begin: float = 1.0) -> list[float]:
    return [begin + n / per_s for n in range(count)]


def replayed(processes: int, takes: Sequence[Take], until: float = 20, *, far: bool) -> Outcome:
    site = Site(COSTS, PACE, processes)
    for take in takes:
        site.replay(take, site.processes[0], site.processes[-1 if far else 0])
    return site.run(until)


def test_lone_delta_takes_what_its_parts_take() -> None:
    outcome = replayed(1, [Take(0, arrivals(5))], far=False)
    assert outcome.delays_s == pytest.approx([0.0001 + 0.0002 + 0.0005 + 0.003 + 0.0004] * 5)


def test_far_reader_waits_for_a_message() -> None:
    outcome = replayed(2, [Take(0, arrivals(5, begin=1.05))], far=True)
    heard_s = 0.0007 + 0.0001 + 0.00001
    assert outcome.delays_s == pytest.approx([0.0008 + 0.003 + heard_s + 0.0004] * 5)
    assert outcome.messages == outcome.far_events == 5


def test_only_who_has_readers_gets_messages() -> None:
    takes = [Take(0, arrivals(10, begin=1.05))] * 20
    near, far = (replayed(3, takes, far=is_far) for is_far in (False, True))
    assert (near.messages, far.far_events) == (0, 200)
    # Of pulses, and of prompts, every process hears.
    assert near.used_s[1] == pytest.approx(0.0001 * (3 * 21 + 3 * 20))
    assert far.used_s[1] == pytest.approx(near.used_s[1])


def test_utilisation_is_the_sum_of_costs() -> None:
    outcome = replayed(1, [Take(0, arrivals(100))], far=False)
    assert outcome.used_s == pytest.approx([0.05 + 100 * 0.0012])
    assert outcome.utilisations == pytest.approx([(0.05 + 0.12) / 20])


def test_answers_of_one_moment_share_a_commit() -> None:
    outcome = replayed(1, [Take(0, arrivals(10))] * 20, far=False)
    assert outcome.rows == 200
    assert outcome.commits <= 30


def test_process_that_is_too_slow_joins_deltas() -> None:
    outcome = replayed(1, [Take(0, arrivals(300, per_s=30))] * 100, 12, far=False)
    assert outcome.utilisations[0] > 0.9
    assert outcome.frames < outcome.deltas / 2


def test_long_job_lets_others_pass() -> None:
    clock = Clock()
    processor = Processor(clock)
    ended_at: list[float] = []
    processor.do(lambda: 0.1, lambda: ended_at.append(clock.now))
    processor.do(lambda: 0.001, lambda: ended_at.append(clock.now))
    clock.run(1)
    assert ended_at == pytest.approx([0.006, 0.101])


def test_idle_sockets_take_what_was_recorded() -> None:
    costs = replace(COSTS, idle=[0.001, 0, 0, 0], idle_sockets=100)
    outcome = Site(costs, PACE, 1, idle_sockets=200).run(until=4)
    assert outcome.utilisations == pytest.approx([0.002 / 0.04], rel=0.02)


def test_same_seed_gives_the_same() -> None:
    def delays_s() -> list[float]:
        site = Site(COSTS, PACE, 3, seed=7)
        site.repeat([Take(0, arrivals(50))], 20, until=8)
        return site.run(8, warm_up=2).delays_s

    assert delays_s() == delays_s() != []


def test_fit_finds_the_costs() -> None:
    rows = [(300, 300, 300), (7500, 7500, 1000), (9600, 900, 1000)]
    totals = [sum(n * cost for n, cost in zip(row, (2, 3, 5), strict=True)) for row in rows]
    assert fit(rows, totals) == pytest.approx([2, 3, 5], rel=0.01)


def test_fit_finds_nothing_below_0() -> None:
    assert min(fit([(1, 1), (1, 2)], [2, 1])) >= 0


@pytest.fixture
def sums() -> Sums:
    return Sums(Measured(COSTS, UNITS), Assumptions(), PACE)


def test_sums_agree_with_the_simulation(sums: Sums) -> None:
    site = Site(COSTS, PACE, 4)
    site.repeat([Take(0, arrivals(300, 30, 0.1))], 40, until=20)
    simulated = statistics.mean(site.run(20, warm_up=5).utilisations)
    load = Load(sockets=0, streams=40, prompts_per_s=40 / 10.1, opens_per_s=0)
    assert sums.utilisation(load, 4) - UNITS["rest"] == pytest.approx(simulated, rel=0.1)


def test_plan_fits_and_one_process_less_does_not(sums: Sums) -> None:
    load = peak(100_000, sums.assumed)
    plan = sums.plan(load)
    assert sums.fits(load.part(1 / plan.cells), plan.processes)
    assert not sums.fits(load.part(1 / plan.cells), plan.processes - 1)


def test_more_people_than_one_group_can_carry(sums: Sums) -> None:
    load = peak(10_000_000, sums.assumed)
    assert not any(sums.fits(load, processes) for processes in range(1, 10_000, 7))
    assert sums.plan(load).cells > 1
