"""SQLite's file locked by somebody else, or on a disk without room, under an answer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.demo.thread import DemoThread
from tests.faults.conftest import open_folder
from tests.faults.outage import (
    BACK_S,
    GIVE_UP_S,
    Outage,
    Stream,
    check_refused,
    said,
    streams,
)
from tests.faults.place import Place
from tests.faults.records import FINAL
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts
from tests.faults.waiting import POLL_S, lasting
from tests.integration.answers import prompt

pytestmark = pytest.mark.asyncio

PROMISE = "waits, or refuses in words; reading works on; the process lives"
QUICK_S = 5.0  # a page that waits for nothing, on a busy machine
MOUNT, UMOUNT = "/bin/mount", "/bin/umount"
DISK_BYTES = 24_000_000
LARGE_CHARS = 500_000


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the write lock, as another program does that writes for long."""
    with contextlib.closing(sqlite3.connect(file, timeout=20, isolation_level=None)) as other:
        # With a write-ahead log, EXCLUSIVE is the same.
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def read_everything(stream: Stream) -> float:
    """Read what there is, on pages and on a socket; return the longest that one took."""
    person, base_url = stream.person, stream.place.sites[0].base_url
    slowest_s = 0.0
    for path in ("/", stream.sent.path, "/conversations/", "/accounts/password/change/"):
        begun_at = time.monotonic()
        response = await person.get(base_url, path)
        assert response.status_code == 200, f"{response.status_code} at {path}"
        slowest_s = max(slowest_s, time.monotonic() - begun_at)
    async with Tab(person, base_url, stream.sent.path) as tab:
        slowest_s = max(slowest_s, await tab.until(lambda tab: tab.frames > 0))
        assert stream.speech.text.startswith(tab.answer) and tab.answer
    return slowest_s


@pytest.mark.parametrize("locked_s", [10.0, pytest.param(30.0, marks=pytest.mark.long)])
async def test_sqlite_locked(single: Place, verdict: Verdicts, locked_s: float) -> None:
    async with streams(single) as running:
        outage = Outage(single, running)
        with locked(single.folder / "site.sqlite3"):
            outage.send(count=3)
            async with lasting(locked_s):
                read_s = await read_everything(running[0])
        back_s = await outage.new_send()
        codes = await outage.answers()
        end = await running[0].end()
        await outage.check()
    verdict(
        f"SQLite locked for {locked_s:.0f} s",
        PROMISE,
        f"{said(codes)}; pages in {read_s:.1f} s; words {outage.late_s:.1f} s late, "
        f"{end.status}; a new send was answered {back_s:.1f} s later",
        holds=set(codes) <= {302, 503}
        and read_s < QUICK_S
        and back_s < BACK_S
        and end.status == "complete",
    )


async def readiness(stream: Stream) -> tuple[int, str]:
    response = await stream.person.get(stream.place.sites[0].base_url, "/readyz")
    return response.status_code, response.json()["database"]


async def until_ready(stream: Stream) -> float:
    """Wait until the process says that it is ready; return how long that took."""
    begun_at = time.monotonic()
    async with asyncio.timeout(GIVE_UP_S):
        while await readiness(stream) != (200, "ok"):
            # A probe is asked: it tells nobody by itself.
            await asyncio.sleep(POLL_S)
    return time.monotonic() - begun_at


class Disk:
    """A small disk of its own in memory. A context manager: mounted on entry, gone after exit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "site.sqlite3"
        self._filler = folder / "filler"

    def __enter__(self) -> Disk:
        self.folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(self.folder)]
        mount = subprocess.run([MOUNT, *options], capture_output=True, text=True)
        if mount.returncode:
            # A right that the machine gives or not: there is nothing to install.
            pytest.skip(f"Run as root where disks may be mounted: {mount.stderr.strip()}")
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run([UMOUNT, str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave no room, in the write-ahead log of the database neither."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4_096))

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk() -> Iterator[Disk]:
    with open_folder() as folder, Disk(folder / "disk") as made:
        yield made


@pytest.fixture
def on_disk(disk: Disk, model: DemoThread) -> Iterator[Place]:
    """One process whose database has a small disk for itself."""
    settings = {"DATABASE_URL": f"sqlite:///{disk.database}"}
    with Place("single", disk.folder.parent, model, settings=settings) as place:
        yield place


@pytest.mark.parametrize("full_s", [6.0, pytest.param(70.0, marks=pytest.mark.long)])
async def test_disk_full(on_disk: Place, disk: Disk, verdict: Verdicts, full_s: float) -> None:
    verdict.mode = "single"
    async with streams(on_disk) as running:
        outage = Outage(on_disk, running)
        large = outage.person().draft(prompt("whole") + "x" * LARGE_CHARS)
        disk.fill()
        async with lasting(full_s):
            outage.send(count=3)
            await outage.people[0].send_again(on_disk.sites[0].base_url, large)
            check_refused(large)
            read_s = await read_everything(running[0])
        assert await readiness(running[0]) == (503, "disk is full")
        disk.free()
        back_s = await outage.new_send()
        back_s = max(back_s, await until_ready(running[0]))
        codes = await outage.answers()
        end = await running[0].end()
        await outage.check()
    verdict(
        f"disk full for {full_s:.0f} s",
        PROMISE,
        f"{said(codes)}; pages in {read_s:.1f} s; words {outage.late_s:.1f} s late, "
        f"{end.status}; ready again, and a new send answered, {back_s:.1f} s later",
        holds=set(codes) <= {302, 503}
        and read_s < QUICK_S
        and back_s < BACK_S
        and end.status in FINAL,
    )
