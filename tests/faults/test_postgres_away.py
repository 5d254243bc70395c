"""PostgreSQL restarted, crashed or held up under answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest

from deploy.servers import Postgres
from tests.faults.outage import BACK_S, PEOPLE, Outage, said, streams
from tests.faults.place import Place
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

HONEST_S = 30.0
SEND_EVERY_S = 1.0


class Fault(NamedTuple):
    """How PostgreSQL goes away, for how many seconds, and how it comes back."""

    name: str
    begin: Callable[[Postgres], None]
    end: Callable[[Postgres], None]
    away_s: float = 5.0


RESTARTED = Fault("restarted (5 s)", Postgres.stop, Postgres.start)
FAULTS = [
    Fault("crashed (5 s)", partial(Postgres.stop, mode="immediate"), Postgres.start),
    Fault("held up (5 s)", Postgres.hold, Postgres.go_on),
    # Longer than a request waits: sends are refused.
    Fault("restarted (15 s)", Postgres.stop, Postgres.start, 15.0),
    # Longer than the log of an answer waits.
    Fault("restarted (45 s)", Postgres.stop, Postgres.start, 45.0),
]


async def send_for(outage: Outage, seconds: float) -> None:
    """Have somebody send to every process now, and again every second."""
    over_at = time.monotonic() + seconds
    while (left_s := over_at - time.monotonic()) > 0:
        outage.send()
        # Not a wait for something: so long the fault lasts.
        await asyncio.sleep(min(SEND_EVERY_S, left_s))


@pytest.mark.parametrize(
    "fault",
    [RESTARTED, *(pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS)],
    ids=lambda fault: fault.name,
)
async def test_postgresql_away(multi: Place, verdict: Verdicts, fault: Fault) -> None:
    assert multi.postgres is not None
    async with streams(multi) as running:
        outage = Outage(multi, running)
        outage.send()
        await asyncio.to_thread(fault.begin, multi.postgres)
        await send_for(outage, fault.away_s)
        await asyncio.to_thread(fault.end, multi.postgres)
        back_s, *on_s = await asyncio.gather(
            outage.new_send(), *(stream.goes_on() for stream in running)
        )
        codes = await outage.answers()
        ends = [await stream.end() for stream in running]
        await outage.check()
    verdict(
        f"PostgreSQL {fault.name}",
        "streams go on or end honestly within 30 s",
        f"{max(on_s):.1f} s after it was back; words {outage.late_s:.1f} s late at most; "
        f"{', '.join(row.status for row in ends)}",
        holds=max(on_s) < HONEST_S,
    )
    verdict(
        f"PostgreSQL {fault.name}",
        "sends in between are refused in words, the draft stays; a new one works within 10 s",
        f"{said(codes)}; a new one was answered {back_s:.1f} s later",
        holds=set(codes) <= {302, 503} and back_s < BACK_S,
    )


@pytest.mark.long
async def test_process_starts_without_postgresql(multi: Place, verdict: Verdicts) -> None:
    assert multi.postgres is not None
    site = multi.sites[0]
    multi.gather(PEOPLE)
    site.kill()
    await asyncio.to_thread(multi.postgres.stop)
    await asyncio.to_thread(site.start)
    outage = Outage(multi, [])
    outage.send()
    await asyncio.to_thread(multi.postgres.start)
    back_s = await outage.new_send()
    codes = await outage.answers()
    await outage.check()
    verdict(
        "a process starts while PostgreSQL is away",
        "a new send works within 10 s",
        f"{said(codes)}; a new one was answered {back_s:.1f} s later",
        holds=back_s < BACK_S,
    )
