"""The arithmetic: from people to processes, rows, messages and bytes. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from tests.load.scaling_measure import Measured
from tests.load.scaling_runs import ANSWER
from tests.load.simulation import Pace
from tests.load.size import PER_S
from tests.load.stamps import CHARS
from tests.load.texts import DELTA_CHARS
from tests.load.upstream import chunk, delta_parts

HOUR_S, DAY_S = 3_600, 86_400


@dataclass(frozen=True)
class Assumptions:
    """What nobody can measure before the site runs; put your own here.

    Args:
        online: of all people, at the busiest moment, each with one open page.
        prompts_per_h, opens_per_h: of each who is online then; conversations that are opened.
        prompts_per_day: of each person, on average over all.
        input_tokens: of a prompt with the conversation before it.
        token_chars: of a token, on average.
        busy: the most of a core that a process should use.
        fewest: processes of a site that is never away.
        sockets, running: of each process (CHAT_SOCKETS_PER_PROCESS, CHAT_RUNNING_PER_PROCESS).
        connections: of each process to PostgreSQL (docs/deployment.md).
        postgres_cores: of the database of a cell, which are used half.
        wrapped_bytes: what TCP, IP and TLS add to each frame of a socket, and what acknowledges it.
        days: CHAT_EVENT_DAYS.
    """

    online: float = 0.1
    prompts_per_h: float = 10
    opens_per_h: float = 10
    prompts_per_day: float = 3
    input_tokens: int = 4_000
    token_chars: float = 4
    busy: float = 0.5
    fewest: int = 3
    sockets: int = 2_000
    running: int = 200
    connections: int = 22
    postgres_cores: float = 16
    wrapped_bytes: int = 126
    days: int = 30

    @property
    def output_tokens(self) -> float:
        return ANSWER * DELTA_CHARS / self.token_chars

    @property
    def answer_s(self) -> float:
        return ANSWER / PER_S


@dataclass(frozen=True)
class Load:
    """What goes on at one moment, over all processes of a site."""

    sockets: float
    streams: float
    prompts_per_s: float
    opens_per_s: float

    def part(self, share: float) -> Load:
        return Load(
            self.sockets * share,
            self.streams * share,
            self.prompts_per_s * share,
            self.opens_per_s * share,
        )


@dataclass(frozen=True)
class Plan:
    """So many cells, each with so many processes: a site of its own each."""

    cells: int
    processes: int
    utilisation: float

    @property
    def total(self) -> int:
        return self.cells * self.processes


def peak(people: float, assumed: Assumptions) -> Load:
    """Return the load of the busiest moment."""
    online = people * assumed.online
    prompts_per_s = online * assumed.prompts_per_h / HOUR_S
    opens_per_s = online * assumed.opens_per_h / HOUR_S
    return Load(online, prompts_per_s * assumed.answer_s, prompts_per_s, opens_per_s)


@dataclass(frozen=True)
class Sums:
    """What a load takes, from what was measured."""

    measured: Measured
    assumed: Assumptions
    pace: Pace

    def commits_per_s(self, load: Load, processes: int) -> float:
        """Of all processes: deltas that come by chance meet a commit in so many cases."""
        deltas_per_s = load.streams * PER_S / processes
        return processes * deltas_per_s / (1 + deltas_per_s * self.pace.commit_s)

    def messages_per_s(self, load: Load, processes: int) -> float:
        """Of all processes, each to one: a commit is told to every process with a reader of it."""
        if processes == 1:
            return 0.0
        commits_per_s = self.commits_per_s(load, processes)
        logs = load.streams * PER_S / max(1e-9, commits_per_s)
        # Of the readers of so many logs none is there.
        nobody = math.pow(1 - 1 / processes, logs)
        return commits_per_s * (processes - 1) * (1 - nobody)

    def to_all_per_s(self, load: Load, processes: int) -> float:
        """Return how many messages each process hears that go to all: of prompts, and pulses."""
        if processes == 1:
            return 0.0
        return (
            load.prompts_per_s * self.measured.costs.prompt_messages + processes / self.pace.pulse_s
        )

    def hearing(self, load: Load, processes: int) -> float:
        """Return what each process takes to hear the others, as a share of a core."""
        costs, far = self.measured.costs, 1 - 1 / processes
        messages_per_s = self.messages_per_s(load, processes) / processes
        messages_per_s += self.to_all_per_s(load, processes)
        far_events_per_s = far * load.streams * PER_S / processes
        return messages_per_s * costs.message + far_events_per_s * costs.far_event

    def utilisation(self, load: Load, processes: int) -> float:
        """Return what each process of one group takes, as a share of a core.

        Each delta has a frame of its own: not more go out in a second than deltas come.
        """
        costs, units = self.measured.costs, self.measured.units
        used = [
            load.sockets * units["idle_s"],
            load.prompts_per_s * statistics.mean(costs.prompts),
            load.opens_per_s * units["open_s"],
            load.streams * PER_S * (costs.event + costs.delta + costs.frame),
            self.commits_per_s(load, processes) * costs.commit,
        ]
        return units["rest"] + sum(used) / processes + self.hearing(load, processes)

    def postgres_cores(self, load: Load) -> float:
        """Return what the database takes."""
        units = self.measured.units
        return load.prompts_per_s * units["postgres_s"] + load.sockets * units["idle_postgres_s"]

    def redis_deliveries_per_s(self, load: Load, processes: int) -> float:
        """Return how many messages go out of Redis."""
        to_all_per_s = self.to_all_per_s(load, processes) * processes
        return self.messages_per_s(load, processes) + to_all_per_s

    def fits(self, load: Load, processes: int) -> bool:
        assumed, units = self.assumed, self.measured.units
        redis = self.redis_deliveries_per_s(load, processes) * units["redis_s"]
        return (
            self.utilisation(load, processes) <= assumed.busy
            and load.sockets <= processes * assumed.sockets
            and load.streams <= processes * assumed.running
            and (processes == 1 or self.postgres_cores(load) <= assumed.postgres_cores / 2)
            and redis <= assumed.busy
        )

    def largest_share(self, load: Load, processes: int) -> float:
        """Return how much of a load one group can carry, 1 at most."""
        low, high = 0.0, 1.0
        if self.fits(load, processes):
            return 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self.fits(load.part(middle), processes) else (low, middle)
        return low

    def plan(self, load: Load, most: int = 64) -> Plan:
        """Return the fewest cells that take hardly more processes than the fewest possible."""
        # A group can be so large that its pulses alone are too much.
        sizes = [n for n in range(self.assumed.fewest, most) if self.fits(load.part(0), n)]
        plans = [self.in_cells(load, n) for n in sizes]
        fewest = min(plan.total for plan in plans)
        return min(
            (plan for plan in plans if plan.total <= 1.1 * fewest),
            key=lambda plan: (plan.cells, plan.total),
        )

    def in_cells(self, load: Load, processes: int) -> Plan:
        """Return how many cells of so many processes carry a load."""
        cells = math.ceil(1 / self.largest_share(load, processes) - 1e-9)
        return Plan(cells, processes, self.utilisation(load.part(1 / cells), processes))

    def memory_bytes(self, load: Load, processes: int) -> float:
        units = self.measured.units
        streams, sockets = load.streams * units["stream_kb"], load.sockets * units["socket_kb"]
        return (processes * units["rest_kb"] + streams + sockets) * 1024

    def out_bytes_per_s(self, load: Load) -> float:
        """Return what goes to browsers."""
        frame_bytes = self.measured.units["frame_bytes"] + self.assumed.wrapped_bytes
        return load.streams * PER_S * frame_bytes + load.sockets * self.idle_bytes_per_s

    @property
    def idle_bytes_per_s(self) -> float:
        """Of one page in which nothing happens, to it alone: TLS counts for half its packets."""
        units = self.measured.units
        packets = units["idle_packets"] / 2
        return units["idle_out_bytes"] + packets * self.assumed.wrapped_bytes / 2


def delta_bytes() -> float:
    """Return what a delta of Claude's is on the wire."""
    sizes = [
        len(chunk(before + (after or b""))) + (CHARS if after is not None else 0)
        for before, after in delta_parts("prose")
    ]
    return statistics.mean(sizes)
