"""`python -m tests.load.bench_log`: what group commit gains, on SQLite and on PostgreSQL.

Many answers are written at once, as fast as the database takes them: with a commit for each
delta, and through the log (chat/events/commit.py). Then at the pace of a model, to see how long
a delta waits until it is committed and may be shown.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from deploy.servers import ROOT, Postgres
from tests.load.logs import make_generations, make_process

ANSWERS = 50
BY_ITSELF = 20  # deltas of each answer
GROUPED = 400
PACE_S = 1 / 60
PACED = 180
SECRET_KEY = "of the benchmark alone"


def delta(number: int) -> dict[str, Any]:
    # An index of its own each, so that deltas are not joined and rows are compared with rows.
    return {"index": number, "delta": {"type": "text_delta", "text": f"word{number} "}}


def main() -> None:
    """Measure both databases, each in a process of its own with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="chat-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        measure(f"sqlite:///{folder / 'bench.sqlite3'}")
        with Postgres(folder / "postgres") as postgres:
            measure(postgres.url)


def measure(database_url: str) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET_KEY,
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "tests.load.bench_log", "one"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)


def measure_here() -> None:
    """Measure the database of this process's settings, and print the figures."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    process_id = make_process()
    ids = [(pk, process_id) for pk in make_generations(process_id, ANSWERS)]
    alone_s = asyncio.run(timed(lambda: one_commit_each(ids)))
    grouped_s = asyncio.run(timed(lambda: through_the_log(ids, GROUPED, pace_s=0)))
    waits_s = asyncio.run(through_the_log(ids, PACED, pace_s=PACE_S))
    alone, grouped = ANSWERS * BY_ITSELF / alone_s, ANSWERS * GROUPED / grouped_s
    centiles = statistics.quantiles(waits_s, n=100)
    print(
        f"{connection.vendor}, {ANSWERS} answers at once\n"
        f"  a commit for each delta: {alone:,.0f} deltas a second\n"
        f"  group commit:            {grouped:,.0f} deltas a second, {grouped / alone:.0f} times\n"
        f"  at 60 a second each, a delta waits {centiles[49] * 1000:.0f} ms (median), "
        f"{centiles[94] * 1000:.0f} ms (95 of 100)",
        flush=True,
    )


async def timed(work: Callable[[], Coroutine[Any, Any, object]]) -> float:
    began = time.monotonic()
    await work()
    return time.monotonic() - began


async def one_commit_each(ids: list[tuple[int, uuid.UUID]]) -> None:
    """Write deltas as a program does that saves each one when it comes."""
    from django.utils import timezone

    from chat.models import Event
    from chat.threads import in_thread

    async def write(generation_id: int) -> None:
        for number in range(BY_ITSELF):
            await in_thread(
                Event.objects.create,
                generation_id=generation_id,
                seq=number + 1,
                kind="content_block_delta",
                data=json.dumps(delta(number), separators=(",", ":")),
                at=timezone.now(),
            )

    await asyncio.gather(*(write(generation_id) for generation_id, _ in ids))


async def through_the_log(
    ids: list[tuple[int, uuid.UUID]], deltas: int, *, pace_s: float
) -> list[float]:
    """Write deltas through the log; return how long those that were waited for took, in seconds."""
    from chat.events import Committer, Log
    from chat.models import Event

    waits_s: list[float] = []
    committer = Committer()

    async def write(generation_id: int, process_id: uuid.UUID) -> None:
        last = await Event.objects.filter(generation_id=generation_id).acount()
        log = Log(generation_id, process_id, committer, seq=last)
        due = time.monotonic()
        for number in range(deltas):
            began = time.monotonic()
            await log.append("content_block_delta", delta(number))
            if pace_s:
                await log.flush()
                waits_s.append(time.monotonic() - began)
                due += pace_s
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        await log.flush()
        log.close(None)

    # Spread over one interval, as readers of different answers are.
    starts = itertools.count()

    async def begin(generation_id: int, process_id: uuid.UUID) -> None:
        await asyncio.sleep(pace_s * next(starts) / len(ids))
        await write(generation_id, process_id)

    await asyncio.gather(*(begin(*one) for one in ids))
    await committer.close()
    return waits_s


if __name__ == "__main__":
    if sys.argv[1:]:
        measure_here()
    else:
        main()
