"""What processes have of the system: memory, files, threads; read from Linux's /proc (proc(5))."""

from __future__ import annotations

import asyncio
import os
import re
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from websockets.exceptions import InvalidStatus

from tests.faults.people import Person
from tests.faults.place import Place
from tests.faults.tab import open_socket
from tests.numbers import scrape

POLL_S = 0.5
REQUESTS_AT_ONCE = 40  # twice the connections of a pool (settings.py)
CHANCE_FILES = 10  # of SQLite: five connections more at once
CONNECTIONS = 22  # of a process: a pool of 20, which keeps them, its heartbeat's, its log writer's
_NUMBER = re.compile(r"[:\[][0-9]+\]?")


class Usage:
    """Reads the numbers of one process."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def memory_mb(self) -> float:
        """What is resident now."""
        return self._status("VmRSS")

    @property
    def peak_mb(self) -> float:
        """The most that was resident since `forget_peak`."""
        return self._status("VmHWM")

    @property
    def threads(self) -> int:
        return len(list((self._folder / "task").iterdir()))

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def files(self) -> Counter[str]:
        """Return how many of each kind are open: sockets and pipes by kind, files by path."""
        links: Counter[str] = Counter()
        for link in (self._folder / "fd").iterdir():
            # One that is closed just now.
            if target := _target(link):
                links[_NUMBER.sub("", target)] += 1
        return links

    def _status(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+) kB", (self._folder / "status").read_text())
        assert found, f"no {name}: the process has ended"
        return int(found[1]) / 1024


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


class Holdings(NamedTuple):
    """What all processes of a site hold together.

    `database` counts connections, or open files of SQLite; `files` are the other ones, with all
    sockets.
    """

    files: int
    threads: int
    database: int
    sockets: int
    running: int
    memory_mb: float

    def is_within(self, bounds: Holdings) -> bool:
        return all(mine <= bound for mine, bound in zip(self, bounds, strict=True))

    def __str__(self) -> str:
        return (
            f"{self.files} files, {self.threads} threads, {self.database} of the database, "
            f"tasks of {self.sockets} sockets and {self.running} answers, {self.memory_mb:.0f} MB"
        )


def holdings(place: Place) -> Holdings:
    """Return what a site holds at this moment; being asked, it holds a little more."""
    gauges = [scrape(site.base_url) for site in place.sites]
    usages = [Usage(site.pid) for site in place.sites]
    files = sum((usage.files() for usage in usages), Counter())
    database = _connections(place) if place.postgres else _of_sqlite(files)
    return Holdings(
        files=files.total() - database,
        threads=sum(usage.threads for usage in usages),
        database=database,
        sockets=int(sum(gauge["chat_open_sockets"] for gauge in gauges)),
        running=int(sum(gauge["chat_running_generations"] for gauge in gauges)),
        memory_mb=sum(usage.memory_mb for usage in usages),
    )


async def at_rest(place: Place, timeout_s: float) -> Holdings:
    """Return what a site holds when two looks in a row see the same files and connections.

    A single look may count a connection of a command that is just ending.
    """
    earlier = await asyncio.to_thread(holdings, place)
    async with asyncio.timeout(timeout_s):
        while True:
            await asyncio.sleep(POLL_S)
            now = await asyncio.to_thread(holdings, place)
            if (now.files, now.database) == (earlier.files, earlier.database):
                return now
            earlier = now


async def until_back(place: Place, bounds: Holdings, timeout_s: float) -> tuple[float, Holdings]:
    """Wait until a site holds no more than `bounds`; return the seconds, and what it holds.

    Returns what it holds at the time-out as well: the caller judges.
    """
    begun_at = time.monotonic()
    while True:
        now = await asyncio.to_thread(holdings, place)
        after_s = time.monotonic() - begun_at
        if now.is_within(bounds) or after_s > timeout_s:
            return after_s, now
        # A process tells nobody of what it gives back: looking is the only way.
        await asyncio.sleep(POLL_S)


def most_of_database(place: Place, before: Holdings) -> int:
    """Return what a site may keep of its database, whatever goes on.

    SQLite can't close a file while a connection of the same process has a lock on it, but opens
    it again from what is left (its source, os_unix.c, "UNUSED FILE DESCRIPTORS"): as many stay
    as were ever in use at once, which is chance. A leak would be one of each conversation.
    """
    if place.postgres:
        return max(before.database, CONNECTIONS * len(place.sites))
    return before.database + CHANCE_FILES


async def fill_pools(place: Place) -> None:
    """Have each process use about as much of its database at once, and as many threads, as it ever
    does: requests have threads of their own, sockets share those of the loop."""
    person = place.person()
    urls = [site.base_url for site in place.sites for _ in range(REQUESTS_AT_ONCE)]
    await asyncio.gather(*(person.get(url, "/") for url in urls))
    await asyncio.gather(*(_be_refused(person, url) for url in urls))


async def _be_refused(person: Person, base_url: str) -> None:
    """Ask for the socket of a conversation that there is not, for which a thread has to look."""
    with suppress(InvalidStatus):
        async with open_socket(person, base_url, f"/c/{uuid.uuid4()}/"):
            raise AssertionError("it is open")


def _connections(place: Place) -> int:
    ((number,),) = place.records.query(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return int(number)


def _of_sqlite(files: Counter[str]) -> int:
    return sum(number for name, number in files.items() if ".sqlite3" in name)
