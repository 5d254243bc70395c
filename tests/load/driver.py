"""`python -m tests.load.driver`: many readers in one process, cheap enough to be measured against.

A job comes as one line; then "ready" goes out as soon as all readers are open, and the result when
all answers have ended, after another line has come.
"""

from __future__ import annotations

import asyncio
import sys

from tests.load.answer import Answer
from tests.load.job import Job, Mark, Result
from tests.load.processes import cpu_s, memory
from tests.load.readers import open_all, reader
from tests.load.stamps import now_us
from tests.load.texts import stamps

ACKNOWLEDGE_S = 1.0
STOP_TURNS = 20
GOLDEN = (5**0.5 - 1) / 2
"""Answers begin that part of the time apart, begun anew at its end: spread evenly, and yet of no
common beat, in which the deltas of all of them would come at the same moments."""

MARKS = 10


class Driver:
    """Does one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._result = Result()
        self._expected = stamps(job.kind, job.deltas)
        self._mark_every = max(1, self._expected * len(job.accounts) // MARKS)
        self._answers = [self._answer(number) for number in range(len(job.accounts))]
        self._readers = [
            reader(job.way, answer, account, job.port, job.reader_port)
            for answer, account in zip(self._answers, job.accounts, strict=True)
        ]

    async def open(self) -> None:
        await open_all(self._readers)

    async def run(self) -> Result:
        """Have all answers written; return what was measured."""
        begun_us = now_us()
        acknowledging = asyncio.create_task(self._acknowledge(), name="acknowledge")
        try:
            async with asyncio.timeout(self._job.timeout_s):
                await asyncio.gather(*map(self._ask, range(len(self._readers))))
        except TimeoutError:
            self._result.errors.append(f"not over after {self._job.timeout_s:.0f} s")
        finally:
            acknowledging.cancel()
        self._result.took_us = now_us() - begun_us
        self._sum_up()
        return self._result

    def close(self) -> None:
        for each in self._readers:
            each.close()

    def _answer(self, number: int) -> Answer:
        def note(came: int) -> None:
            self._note(number, came)

        return Answer(self._expected, note)

    async def _ask(self, number: int) -> None:
        if not self._job.deltas:
            return
        await asyncio.sleep(self._job.spread_s * (number * GOLDEN % 1))
        self._answers[number].ask()
        await self._readers[number].ask(self._job.plan(number).prompt)
        await self._answers[number].ended.wait()

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGE_S)
            for each in self._readers:
                each.acknowledge()

    def _note(self, number: int, came: int) -> None:
        """Take in how many stamps of one answer came just now."""
        result = self._result
        result.stamps += came
        if self._job.watched and result.stamps >= len(result.marks) * self._mark_every:
            self._mark()
        if self._job.stop_after:
            self._stop_in_time(number)

    def _mark(self) -> None:
        watched = self._job.watched
        mark = Mark(self._result.stamps, now_us(), cpu_s(watched), memory(watched).uss_kb)
        self._result.marks.append(mark)

    def _stop_in_time(self, number: int) -> None:
        name = self._job.plan(number).name
        came = len(self._answers[number].delays_us)
        is_due = came >= self._job.stop_after + number % STOP_TURNS
        if is_due and name not in self._result.stopped_us:
            self._result.stopped_us[name] = now_us()
            self._readers[number].stop()

    def _sum_up(self) -> None:
        for answer in self._answers:
            self._result.complete += answer.is_complete
            self._result.delays_us += answer.delays_us
            self._result.first_us += [answer.first_us] if answer.delays_us else []
            self._result.errors += [answer.error] if answer.error else []


async def main() -> None:
    driver = Driver(Job.from_json(sys.stdin.readline()))
    await driver.open()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print((await driver.run()).to_json(), flush=True)
    driver.close()


if __name__ == "__main__":
    asyncio.run(main())
