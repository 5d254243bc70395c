"""What is measured: a site on SQLite, or three processes with PostgreSQL and Redis; its counters.

Of the three, one writes answers, one has their readers, and one has nothing to do with them.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import redis

from deploy.servers import Postgres, Redis, Site
from tests.load.loading import get
from tests.load.workbench import Contender, Workbench

PROCESSES = 3
WRITTEN = "chat_time_to_first_token_seconds_count"
"""Counts answers that ended, if they had a word."""

PINGS = 200

_METRIC = re.compile(rb"^(\w+) ([\d.e+-]+)$", re.MULTILINE)
_SQLITE_SIZES = (
    "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name "
    "WHERE m.tbl_name LIKE 'chat_%' GROUP BY 1"
)
_POSTGRES_SIZES = (
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relname LIKE 'chat_%'"
)
_POSTGRES_COUNTS = (
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8, xact_commit::float8 "
    "FROM pg_stat_database WHERE datname = current_database()"
)


@dataclass(frozen=True)
class Look:
    """Counters at one moment; `cpu_s` of each process of the site, `waited_s` of the first one.

    `sizes` are bytes of tables with their indexes, `counts` all else by name.
    """

    cpu_s: tuple[float, ...]
    waited_s: float
    counts: Mapping[str, float]
    sizes: Mapping[str, int]


@dataclass
class Rig:
    """Something that answers, and what it is built of."""

    contender: Contender
    database: Path | None = None
    postgres: Postgres | None = None
    redis: Redis | None = None

    def written(self) -> float:
        """Return how many answers the first process has written."""
        return self._metrics()[WRITTEN]

    def look(self) -> Look:
        """Read all counters. Takes a few ms of the first process."""
        counts = self._metrics()
        if self.postgres:
            counts |= self._postgres_counts(self.postgres)
        if self.redis:
            counts |= _redis_counts(self.redis)
        cpu_s = tuple(map(process_s, self.contender.pids))
        waited_s = _waited_s(self.contender.pids[0])
        return Look(cpu_s, waited_s, counts, dict(self._sizes()))

    def _metrics(self) -> dict[str, float]:
        page = get(self.contender.ports[0], "/metrics")
        return {name.decode(): float(value) for name, value in _METRIC.findall(page)}

    def _postgres_counts(self, postgres: Postgres) -> dict[str, float]:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            wal_bytes, transactions = connection.execute(_POSTGRES_COUNTS).fetchone() or (0, 0)
        children = Path(f"/proc/{postgres.pid}/task/{postgres.pid}/children").read_text()
        used_s = sum(process_s(pid) for pid in [postgres.pid, *map(int, children.split())])
        return {"wal_bytes": wal_bytes, "transactions": transactions, "postgres_s": used_s}

    def _sizes(self) -> list[tuple[str, int]]:
        if self.postgres:
            with psycopg.connect(self.postgres.url, autocommit=True) as connection:
                return connection.execute(_POSTGRES_SIZES).fetchall()
        assert self.database
        with contextlib.closing(sqlite3.connect(self.database)) as lite:
            return lite.execute(_SQLITE_SIZES).fetchall()


def process_s(pid: int) -> float:
    """Return what a process has used, in seconds, to the nanosecond; 0 for one that is gone.

    The number of the clock is made as clock_getcpuclockid(3) makes it.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _waited_s(pid: int) -> float:
    """Return how long a process's first thread was ready to run and got no core, in seconds.

    The second number of schedstat (Linux, Documentation/scheduler/sched-stats).
    """
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def ring_s(server: Redis) -> float:
    """Return what it takes to ask Redis and get an answer, in seconds."""
    with redis.Redis.from_url(server.url) as client:
        client.ping()
        begun_at = time.monotonic()
        for _ in range(PINGS):
            client.ping()
        return (time.monotonic() - begun_at) / PINGS


def _redis_counts(server: Redis) -> dict[str, float]:
    with redis.Redis.from_url(server.url) as client:
        stats: Any = client.info("stats")
        commands: Any = client.info("commandstats")
    return {
        "messages": commands.get("cmdstat_publish", {}).get("calls", 0),
        "redis_out_bytes": stats["total_net_output_bytes"],
        "redis_s": process_s(server.pid),
    }


@contextlib.contextmanager
def alone(bench: Workbench) -> Iterator[Rig]:
    """Start one process with SQLite."""
    with bench.begin("daphne") as contender:
        site = contender.programs[0]
        assert isinstance(site, Site)
        path = site.environment["DATABASE_URL"].removeprefix("sqlite:///")
        yield Rig(contender, database=Path(path))


@contextlib.contextmanager
def shared(bench: Workbench) -> Iterator[Rig]:
    """Start three processes with PostgreSQL and Redis."""
    with bench.cluster(PROCESSES) as cluster:
        yield Rig(cluster.contender, postgres=cluster.postgres, redis=cluster.redis)
