"""Where the CPU time of a delta goes, stage by stage.

    read (SDK, events) -> log (group commit) -> follow (ring) -> render (Markdown, frames)

All in one process, but for the model server: answers are read alone, then also written, then also
followed, then also rendered. A figure is what its stage adds for a delta. What the page path costs
beyond their sum is what a server does: websockets, and the beginning and end of each answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from deploy.servers import ROOT
from tests.load.bare_relay import REQUEST, texts
from tests.load.figures import Figure
from tests.load.logs import make_generations, make_process
from tests.load.plan import Plan
from tests.load.size import PER_S, Size
from tests.load.texts import KINDS, Kind
from tests.load.workbench import Workbench

if TYPE_CHECKING:
    from chat.claude.request import Request
    from chat.claude.stream import Claude
    from chat.events import Committer, Log

ROUNDS = 3
MAX_SECONDS = 6
WARM_UP_DELTAS = 10
BARE = "bare"
STAGES = {
    "read": "read it (SDK, events)",
    "log": "write it to the log (group commit)",
    "follow": "follow the log (ring)",
    "render": "render it (Markdown, frames)",
}
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "chatsite.settings",
    "SECRET_KEY": "of the benchmark alone",
    "LOG_LEVEL": "WARNING",
}


class Cost(NamedTuple):
    """CPU time of a delta, in microseconds."""

    loop_us: float
    others_us: float


@dataclass
class Bench:
    """What all answers share."""

    claude: Claude
    committer: Committer
    process_id: uuid.UUID
    port: int

    async def read_bare(self, request: Request, log: Log) -> None:
        """Read as the bare relay does, as a yardstick."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps({"messages": request.messages}).encode()
        writer.write(REQUEST.format(len(body)).encode() + body)
        async for _ in texts(reader):
            pass
        writer.close()

    async def read(self, request: Request, log: Log) -> None:
        async with self.claude.stream(request) as stream:
            async for _ in stream:
                pass

    async def write(self, request: Request, log: Log) -> None:
        from chat.calls import Caller
        from chat.ending import Answer
        from chat.models import User
        from chat.rounds import Rounds
        from chat.tools import Toolset

        caller = Caller(log.generation_id, User(), Toolset(rounds=0))
        await Rounds(self.claude, 0, log, Answer(), caller).write(request)
        await log.flush()

    async def follow(self, request: Request, log: Log) -> None:
        from chat.events import Follower

        async def reader() -> None:
            with Follower(log.generation_id) as follower:
                while follower.after < log.seq or not writing.done():
                    await follower.next(0.2)

        writing = asyncio.ensure_future(self.write(request, log))
        await asyncio.gather(writing, reader())

    async def render(self, request: Request, log: Log) -> None:
        from chat.models import Generation
        from chat.relay.answer import LiveAnswer
        from chat.relay.pace import paced
        from chat.relay.position import Position
        from chat.transcript import MessageView

        async def reader() -> None:
            rows = Generation.objects.select_related("message", "conversation__owner")
            generation = await rows.aget(pk=log.generation_id)
            answer = LiveAnswer(MessageView(generation.message, generation))
            async for _ in paced(answer, log.generation_id, Position()):
                pass

        reading = asyncio.ensure_future(reader())
        await self.write(request, log)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def stages(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure all stages of a delta in a process of its own, beside the bare relay's reading."""
    for kind in KINDS:
        command = [sys.executable, "-m", "tests.load.stages", kind, str(bench.upstream_port)]
        file = bench.folder / f"stages-{kind}.sqlite3"
        environment = ENVIRONMENT | {"DATABASE_URL": f"sqlite:///{file}"}
        printed = subprocess.run(
            [*command, str(size.streams), str(min(size.seconds, MAX_SECONDS))],
            cwd=ROOT,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        yield from _figures(kind, {name: Cost(*each) for name, each in json.loads(printed).items()})


def _figures(kind: Kind, costs: dict[str, Cost]) -> Iterator[Figure]:
    bare_us = costs.pop(BARE).loop_us
    yield Figure("stages", f"{kind}, a delta: the bare relay reads it", bare_us, "us")
    before = Cost(0, 0)
    for stage, cost in costs.items():
        own = Cost(cost.loop_us - before.loop_us, cost.others_us - before.others_us)
        before = cost
        details = own._asdict()
        yield Figure("stages", f"  {STAGES[stage]}", sum(own), "us", details=details)


def main(kind: Kind, port: int, streams: int, seconds: int) -> None:
    """Measure in this process, and print what was found as JSON."""
    import django

    django.setup()
    from django.core.management import call_command

    from chat.lanes import new_event_loop

    call_command("migrate", verbosity=0)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        print(json.dumps(runner.run(measure(kind, port, streams, seconds))))


async def measure(kind: Kind, port: int, streams: int, seconds: int) -> dict[str, Cost]:
    """Return what a delta costs up to the end of each stage, as the median of some rounds."""
    from chat.claude.stream import Claude
    from chat.events import Committer
    from chat.threads import in_thread

    claude = Claude(
        api_key="none",
        base_url=f"http://127.0.0.1:{port}",
        connect_timeout_s=10,
        read_timeout_s=60,
    )
    process_id = await in_thread(make_process)
    bench = Bench(claude, Committer(), process_id, port)
    ways = (bench.read_bare, bench.read, bench.write, bench.follow, bench.render)
    runs = dict(zip((BARE, *STAGES), ways, strict=True))
    costs: dict[str, list[Cost]] = {stage: [] for stage in runs}
    for stage, run in runs.items():
        await _cost(bench, run, Plan(kind, WARM_UP_DELTAS, PER_S, stage), streams)
    for _ in range(ROUNDS):
        for stage, run in runs.items():
            plan = Plan(kind, seconds * PER_S, PER_S, stage)
            costs[stage].append(await _cost(bench, run, plan, streams))
    await bench.committer.close()
    await claude.close()
    return {
        stage: Cost(*map(statistics.median, zip(*rounds, strict=True)))
        for stage, rounds in costs.items()
    }


async def _cost(
    bench: Bench, run: Callable[[Request, Log], Awaitable[None]], plan: Plan, streams: int
) -> Cost:
    from chat.claude.request import Request
    from chat.events import Log
    from chat.threads import in_thread

    messages = [{"role": "user", "content": plan.prompt}]
    request = Request("claude-opus-4-5", 1024, messages)
    ids = await in_thread(make_generations, bench.process_id, streams)
    logs = [Log(pk, bench.process_id, bench.committer) for pk in ids]
    tasks: list[asyncio.Task[None]] = []
    began_s, began_thread_s = time.process_time(), time.thread_time()
    for log in logs:
        tasks.append(asyncio.create_task(run(request, log)))  # type: ignore[arg-type]
        await asyncio.sleep(1 / streams)
    await asyncio.gather(*tasks)
    loop_s = time.thread_time() - began_thread_s
    all_s = time.process_time() - began_s
    for log in logs:
        log.close(None)
    deltas = streams * plan.deltas
    return Cost(loop_s * 1e6 / deltas, (all_s - loop_s) * 1e6 / deltas)


if __name__ == "__main__":
    main(cast("Kind", sys.argv[1]), *map(int, sys.argv[2:]))
