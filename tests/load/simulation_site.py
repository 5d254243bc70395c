"""A site in simulated time: processes, each a queue of its own, and what passes between them.

    deltas come -> read -> commit (group) -> frame
                                          -> message (Redis, to where a reader is) -> frame

A process does one thing after the other, as Python does; what takes long, by turns with the rest.
The database and Redis take the time that they took when they were measured, whatever they do.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from functools import partial

from tests.load.simulation import Clock, Costs, Outcome, Pace, Processor, Take


class Answer:
    """A running answer, and its one reader: the times of deltas, by how far they have come."""

    def __init__(self, writer: Process, reader: Process) -> None:
        self.writer, self.reader = writer, reader
        self.arrived: list[float] = []
        self.pending: list[float] = []
        self.committed: list[float] = []  # and there, where its reader is
        self.is_read = self.is_shown = False
        self.due_at = -1.0


Parcel = list[tuple[Answer, list[float]]]
Parcels = dict["Process", Parcel]


class Process:
    """One process of the site: writes some answers, and shows some."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self.processor = Processor(clock)
        self._site, self._clock = site, clock
        self._waiting: dict[Answer, None] = {}
        self._next_commit_at = 0.0
        self._is_committing = self._is_sending = False
        self._parcels: Parcels = {}

    def arrive(self, answer: Answer) -> None:
        """Take in a delta that has come now; what comes before it is read is read with it."""
        answer.arrived.append(self._clock.now)
        if answer.is_read:
            return
        answer.is_read = True

        def begin() -> float:
            deltas = len(answer.arrived)
            answer.pending += answer.arrived
            answer.arrived.clear()
            answer.is_read = False
            self._site.outcome.deltas += deltas
            return self._site.draw(self._site.costs.event + deltas * self._site.costs.delta)

        self.processor.do(begin, partial(self._wake, answer))

    def _wake(self, answer: Answer) -> None:
        self._waiting[answer] = None
        if not self._is_committing:
            self._is_committing = True
            self._clock.at(self._next_commit_at, self._commit)

    def _commit(self) -> None:
        self._next_commit_at = self._clock.now + self._site.pace.commit_s
        group: list[tuple[Answer, list[float]]] = []

        def begin() -> float:
            for answer in self._waiting:
                group.append((answer, answer.pending))
                answer.pending = []
            self._waiting.clear()
            return self._site.draw(self._site.costs.commit)

        def wait() -> None:
            wait_s = self._site.chance.choice(self._site.costs.commit_waits_s)
            self._clock.at(self._clock.now + wait_s, partial(self._committed, group))

        self.processor.do(begin, wait)

    def _committed(self, group: list[tuple[Answer, list[float]]]) -> None:
        outcome = self._site.outcome
        outcome.commits += 1
        outcome.rows += len(group)
        for answer, deltas in group:
            if answer.reader is self:
                self.ring(answer, deltas)
            else:
                self._send(answer, deltas)
        self._is_committing = bool(self._waiting)
        if self._waiting:
            self._clock.at(self._next_commit_at, self._commit)

    def _send(self, answer: Answer, deltas: list[float]) -> None:
        self._parcels.setdefault(answer.reader, []).append((answer, deltas))
        if not self._is_sending:
            self._is_sending = True
            self._clock.at(self._clock.now, self._publish)

    def _publish(self) -> None:
        parcels, self._parcels = self._parcels, {}
        self._is_sending = bool(parcels)
        if parcels:
            for reader, parcel in parcels.items():
                self._site.publish(reader, parcel)
            again_at = self._clock.now + len(parcels) * self._site.costs.ring_s
            self._clock.at(again_at, self._publish)

    def hear(self, parcel: Parcel) -> None:
        """Take in a message with what another process has committed."""
        costs = self._site.costs

        def end() -> None:
            for answer, deltas in parcel:
                self.ring(answer, deltas)

        self.processor.do(lambda: costs.message + len(parcel) * costs.far_event, end)

    def ring(self, answer: Answer, deltas: list[float]) -> None:
        """Have the reader, who is here, get what was committed."""
        answer.committed += deltas
        if answer.committed and not answer.is_shown:
            self._show(answer, late_s=0.0)

    def _show(self, answer: Answer, late_s: float) -> None:
        """Send what is new; then wait until more may be sent."""
        answer.is_shown = True
        site, clock = self._site, self._clock
        began_at, shown = 0.0, list[float]()

        def begin() -> float:
            nonlocal began_at, shown
            began_at = clock.now
            shown, answer.committed = answer.committed, []
            return site.draw(site.costs.frame)

        def end() -> None:
            site.outcome.frames += 1
            site.outcome.delays_s += [clock.now - at for at in shown]
            slow_s = min(10 * (clock.now - began_at + late_s), site.pace.slow_s)
            interval_s = max(site.pace.frame_s, slow_s)
            answer.due_at = max(answer.due_at, began_at - site.pace.early_s) + interval_s
            clock.at(answer.due_at, partial(self._look, answer, answer.due_at > clock.now))

        self.processor.do(begin, end)

    def _look(self, answer: Answer, has_waited: bool) -> None:
        # The loop learns that it is late when what it had to do before is done.
        def end() -> None:
            late_s = self._clock.now - answer.due_at if has_waited else 0.0
            answer.is_shown = False
            if answer.committed:
                self._show(answer, late_s)

        self.processor.do(lambda: 0.0, end)


class Site:
    """Processes that share a database and Redis, and the answers that they write.

    Args:
        idle_sockets: pages that are open in each process while nothing happens in them.
    """

    def __init__(
        self, costs: Costs, pace: Pace, processes: int, *, seed: int = 1, idle_sockets: int = 0
    ) -> None:
        self.chance = random.Random(seed)
        self.costs, self.pace = costs, pace
        self.clock = Clock()
        self.is_alone = processes == 1
        self.processes = [Process(self, self.clock) for _ in range(processes)]
        self.outcome = Outcome(0.0)
        for process in self.processes:
            self._keep_open(process, idle_sockets)
        self.clock.at(0.0, self._pulse)

    def replay(self, take: Take, writer: Process, reader: Process) -> None:
        """Have one answer written as it was recorded."""
        answer = Answer(writer, reader)
        if take.asked_at >= 0:
            self.clock.at(take.asked_at, partial(self._prompt, writer))
        arrivals = iter([at for at in take.arrivals if at >= 0])

        def wait() -> None:
            if (at := next(arrivals, None)) is not None:
                self.clock.at(at, arrive)

        def arrive() -> None:
            writer.arrive(answer)
            wait()

        wait()

    def repeat(self, takes: Sequence[Take], streams: int, until: float) -> None:
        """Have so many answers written at any time, one after the other in any processes."""
        for _ in range(streams):
            take = self.chance.choice(takes)
            begin = -self.chance.uniform(0, take.arrivals[-1])
            while begin < until:
                moved = Take(begin + take.asked_at, [begin + at for at in take.arrivals])
                writer, reader = self.chance.choices(self.processes, k=2)
                self.replay(moved, writer, reader)
                begin += take.arrivals[-1]
                take = self.chance.choice(takes)

    def run(self, until: float, warm_up: float = 0.0) -> Outcome:
        """Let time pass; what comes of the warm-up does not count."""
        if warm_up:
            self.clock.run(warm_up)
        used_s = [process.processor.used_s for process in self.processes]
        self.outcome = Outcome(until - warm_up)
        self.clock.run(until)
        self.outcome.used_s = [
            process.processor.used_s - before_s
            for process, before_s in zip(self.processes, used_s, strict=True)
        ]
        return self.outcome

    def draw(self, cost_s: float) -> float:
        return cost_s * self.chance.choice(self.costs.spread)

    def publish(self, reader: Process, parcel: Parcel) -> None:
        """Carry what was committed to the process of its readers."""
        self.outcome.messages += 1
        self.outcome.far_events += len(parcel)
        wait_s = self.chance.choice(self.costs.ring_waits_s)
        self.clock.at(self.clock.now + wait_s, partial(reader.hear, parcel))

    def _prompt(self, process: Process) -> None:
        self.outcome.prompts += 1
        cost_s = self.chance.choice(self.costs.prompts)
        process.processor.do(lambda: cost_s, lambda: None)
        self._tell_all(self.costs.prompt_messages)

    def _pulse(self) -> None:
        """Have each process hear the pulse of each."""
        self._tell_all(len(self.processes))
        self.clock.at(self.clock.now + self.pace.pulse_s, self._pulse)

    def _tell_all(self, messages: float) -> None:
        if self.is_alone:
            return
        for process in self.processes:
            process.processor.do(lambda: messages * self.costs.message, lambda: None)

    def _keep_open(self, process: Process, sockets: int) -> None:
        """Replay what idle sockets take, from any moment of the record on."""
        if not (self.costs.idle and sockets):
            return
        share = sockets / self.costs.idle_sockets
        begin = self.chance.randrange(len(self.costs.idle))
        steps = itertools.cycle([*self.costs.idle[begin:], *self.costs.idle[:begin]])

        def step() -> None:
            if used_s := next(steps) * share:
                process.processor.do(lambda: used_s, lambda: None)
            self.clock.at(self.clock.now + self.costs.idle_step_s, step)

        self.clock.at(0.0, step)
