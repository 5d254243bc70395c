"""PostgreSQL without a free connection: in one process's pool, in every pool, on the server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import psycopg
import pytest

from deploy.servers import Postgres, Site
from tests.faults.outage import BACK_S, GIVE_UP_S, Outage, Stream, said, streams
from tests.faults.place import Place
from tests.faults.verdicts import Verdicts
from tests.faults.waiting import lasting, until

pytestmark = pytest.mark.asyncio

POOL = 20  # connections of a process at most (chatsite/settings.py)
MORE = 5  # sends that find none left
PAGES = ("/", "/conversations/")
EXHAUSTED_S = 12.0  # longer than a request waits for a connection
LATE_S = 5.0
HONEST_S = 30.0
NO_HEARTBEAT = "heartbeats do not reach the database"


@contextlib.contextmanager
def sends_held_up(postgres: Postgres) -> Iterator[None]:
    """Lock what every send needs and no page: each send keeps its connection for as long."""
    with psycopg.connect(postgres.url) as other:
        other.execute("LOCK TABLE chat_idempotencykey IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@contextlib.asynccontextmanager
async def exhausted(
    outage: Outage, *sites: Site, for_s: float = EXHAUSTED_S
) -> AsyncIterator[None]:
    """Have the pools of some processes exhausted, for so long at least."""
    place = outage.place
    assert place.postgres is not None
    with sends_held_up(place.postgres):
        outage.send(*sites, count=POOL + MORE)
        await until(lambda: place.records.lock_waiters() == POOL * len(sites), GIVE_UP_S)
        async with lasting(for_s):
            yield


async def read(stream: Stream, site: Site) -> tuple[int, float]:
    """Load pages at a process; return their status, and the longest time that one took."""
    assert (await stream.person.get(site.base_url, "/healthz")).status_code == 200
    codes, slowest_s = set(), 0.0
    for path in (*PAGES, stream.sent.path):
        begun_at = time.monotonic()
        response = await stream.person.get(site.base_url, path)
        codes.add(response.status_code)
        if response.status_code == 503:
            assert "Nothing is lost" in response.text
            break  # The next one would wait as long.
        slowest_s = max(slowest_s, time.monotonic() - begun_at)
    (code,) = codes
    return code, slowest_s


async def read_everywhere(outage: Outage) -> set[int]:
    """Load pages at every process at once; return their statuses."""
    reads = (read(outage.streams[0], site) for site in outage.place.sites)
    return {code for code, _ in await asyncio.gather(*reads)}


async def end_all(outage: Outage, verdict: Verdicts, fault: str, missed: int) -> None:
    """Have the answers end, check everything, and enter what they went through.

    Args:
        missed: how many heartbeats the logs said to have failed before.
    """
    ends = [await stream.end() for stream in outage.streams]
    await outage.check()
    missed = outage.place.log_text().count(NO_HEARTBEAT) - missed
    late = " and ".join(f"{stream.late_s:.1f}" for stream in outage.streams)
    verdict(
        fault,
        "streams go on or end honestly within 30 s; heartbeats go on",
        f"words {late} s late at most; {', '.join(row.status for row in ends)}; "
        f"{missed} heartbeats missed",
        holds=outage.late_s < HONEST_S
        and not missed
        and {row.status for row in ends} == {"complete"},
    )


async def test_pool_of_one_process(multi: Place, verdict: Verdicts) -> None:
    full, free = multi.sites
    missed = multi.log_text().count(NO_HEARTBEAT)
    async with streams(multi) as running:
        outage = Outage(multi, running)
        async with exhausted(outage, full):
            reads = read(running[0], free), read(running[1], full)
            (code, read_s), (full_code, _) = await asyncio.gather(*reads)
        back_s = await outage.new_send()
        codes = await outage.answers()
        await end_all(outage, verdict, "pool exhausted in one process", missed)
    there_s = running[0].late_s
    verdict(
        "pool exhausted in one process",
        "waits, or refuses in words; in the other reading works on",
        f"{said(codes)}; pages {full_code}, in the other {code} within {read_s:.1f} s and words "
        f"{there_s:.1f} s late; a new send was answered {back_s:.1f} s later",
        holds=(full_code, code) == (503, 200)
        and codes[503] >= MORE
        and max(read_s, there_s) < LATE_S
        and back_s < BACK_S,
    )


@pytest.mark.long
async def test_pools_of_all_processes(multi: Place, verdict: Verdicts) -> None:
    missed = multi.log_text().count(NO_HEARTBEAT)
    async with streams(multi) as running:
        outage = Outage(multi, running)
        async with exhausted(outage, *multi.sites):
            pages = await read_everywhere(outage)
        back_s = await outage.new_send()
        codes = await outage.answers()
        await end_all(outage, verdict, "pools exhausted in all processes", missed)
    verdict(
        "pools exhausted in all processes",
        "waits, or refuses in words; the processes live",
        f"{said(codes)}; pages {sorted(pages)}; a new send was answered {back_s:.1f} s later",
        holds=pages == {503} and codes[503] >= MORE and back_s < BACK_S,
    )


@contextlib.contextmanager
def connections_taken(postgres: Postgres) -> Iterator[int]:
    """Take all connections of the server that are free; yield how many these were."""
    with ExitStack() as stack:
        taken = 0
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(postgres.url))
                taken += 1
        yield taken


@pytest.mark.long
async def test_connections_of_the_server(multi: Place, verdict: Verdicts) -> None:
    """Each process goes on with those that it has."""
    assert multi.postgres is not None
    missed = multi.log_text().count(NO_HEARTBEAT)
    async with streams(multi) as running:
        outage = Outage(multi, running)
        with connections_taken(multi.postgres) as taken:
            async with lasting(EXHAUSTED_S):
                outage.send(count=POOL + MORE)
                pages = await read_everywhere(outage)
        back_s = await outage.new_send()
        codes = await outage.answers()
        await end_all(outage, verdict, "PostgreSQL has no free connection", missed)
    verdict(
        "PostgreSQL has no free connection",
        "waits, or refuses in words; the processes live",
        f"{taken} taken from outside; {said(codes)}; pages {sorted(pages)}; "
        f"a new send was answered {back_s:.1f} s later",
        holds=pages <= {200, 503} and set(codes) <= {302, 503} and back_s < BACK_S,
    )


async def test_restart_after_a_rush(multi: Place, verdict: Verdicts) -> None:
    """All connections that a rush has left in the pools break at once."""
    assert multi.postgres is not None
    outage = Outage(multi, [])
    async with exhausted(outage, *multi.sites, for_s=0):
        pass
    await outage.answers()
    await outage.until_quiet()
    await asyncio.to_thread(multi.postgres.stop)
    await asyncio.to_thread(multi.postgres.start)
    back_s = await outage.new_send()
    await outage.check()
    verdict(
        "PostgreSQL restarted after a rush",
        "a new send works within 10 s",
        f"answered {back_s:.1f} s later, {POOL} connections in each pool",
        holds=back_s < BACK_S,
    )
