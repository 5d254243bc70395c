"""The site as a process while its database restarts, is locked, or has no room left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.threads import renew
from deploy.servers import Postgres, ProgramMissing
from tests.faults.waiting import until
from tests.integration.answers import prompt
from tests.integration.shown_page import ShownPage
from tests.integration.test_relay import has_ended
from tests.site_process import ADMIN_PASSWORD, SiteProcess
from tests.visitor import Visitor, frames

QUICK_S = 5.0  # a page that waits for nothing, on a busy machine
BACK_S = 10.0  # after a fault a send works within this time
RESTART_S = 3.0  # how long the server is away, the time that it takes to start not counted
# Enough for the log, and too little for what is written to the database's own files.
ROOM_BYTES = 40_000
WORDS = [f"word{number:05d} " for number in range(1_000)]


@contextlib.contextmanager
def signed_in(site: SiteProcess) -> Iterator[Visitor]:
    with Visitor(site.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        yield visitor


def send_until_taken(visitor: Visitor, give_up_s: float) -> float:
    """Send prompts until one is taken; return how long that took, in seconds."""
    began_at = time.monotonic()
    while True:
        response = visitor.post("/", text=prompt("max-tokens"), key=str(uuid.uuid4()))
        took_s = time.monotonic() - began_at
        if response.status_code == 302 or took_s > give_up_s:
            return took_s
        assert response.status_code == 503


# PostgreSQL


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    # Not pytest's own folder, which only its owner can enter: PostgreSQL is somebody else.
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        Path(folder).chmod(0o755)
        try:
            server = Postgres(Path(folder))
        except ProgramMissing as missing:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(missing))
        with server:
            yield server


def test_renewed_pool_serves_those_who_wait_already(postgres: Postgres) -> None:
    check = ConnectionPool.check_connection
    pool = ConnectionPool(postgres.url, min_size=1, max_size=4, check=check, reconnect_timeout=0)

    def has_given_up() -> bool:
        stats = pool.get_stats()
        return bool(stats["requests_waiting"]) and not stats["pool_size"]

    with pool, ThreadPoolExecutor(1) as other:
        pool.wait()
        postgres.stop()
        waiting = other.submit(pool.getconn, 60)
        asyncio.run(until(has_given_up, 30))
        postgres.start()
        renew(pool)
        pool.putconn(waiting.result(timeout=30))


def test_postgresql_restarts_under_an_answer(
    postgres: Postgres, model: DemoThread, tmp_path: Path
) -> None:
    settings = {"ANTHROPIC_BASE_URL": model.base_url, "DATABASE_URL": postgres.url}
    with SiteProcess(tmp_path, settings) as site, signed_in(site) as visitor:
        model.script("through-a-restart", Text(WORDS, interval_s=0.015))
        path = visitor.send(prompt("through-a-restart"))
        page = ShownPage('<div id="messages"></div>')
        with visitor.socket(path) as socket, ThreadPoolExecutor(1) as threads:
            for frame in frames(socket):
                page.apply(frame)
                if "word00020" in frame:
                    break
            generation_id = page.position.generation_id
            postgres.stop("immediate")
            # Waits for the server, or is refused; taken without being saved it is not.
            during = threads.submit(visitor.post, "/", text="Meanwhile", key=str(uuid.uuid4()))
            time.sleep(RESTART_S)
            postgres.start()
            assert during.result().status_code in (302, 503)
            assert send_until_taken(visitor, BACK_S) < BACK_S
            while not has_ended(page, generation_id):
                page.apply(str(socket.recv(timeout=30)))
        assert "Traceback" not in site.log.read_text()
        html = visitor.get(path).text
        assert all(word.strip() in html for word in WORDS)


# SQLite


@pytest.fixture
def sqlite_site(model: DemoThread, tmp_path: Path) -> Iterator[SiteProcess]:
    settings = {
        "ANTHROPIC_BASE_URL": model.base_url,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}",
    }
    with SiteProcess(tmp_path, settings) as site:
        yield site


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the write lock, as another program does that writes for long."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def check_reading_works(visitor: Visitor, path: str) -> None:
    for address in ("/", path, "/conversations/", "/healthz", "/accounts/password/change/"):
        began_at = time.monotonic()
        assert visitor.get(address).status_code == 200
        assert time.monotonic() - began_at < QUICK_S
    with visitor.socket(path) as socket:
        assert next(frames(socket))


def test_sqlite_is_locked(sqlite_site: SiteProcess, tmp_path: Path) -> None:
    with signed_in(sqlite_site) as visitor, ThreadPoolExecutor(1) as threads:
        path = visitor.send(prompt("max-tokens"))
        visitor.get(path)
        with locked(tmp_path / "own.sqlite3"):
            form = {"text": "Patience", "key": str(uuid.uuid4())}
            waiting = threads.submit(visitor.post, f"{path}send/", **form)
            with Visitor(visitor.base_url) as reader:
                reader.http.cookies.update(visitor.http.cookies)
                check_reading_works(reader, path)
            assert not waiting.done()
        assert waiting.result().status_code in (302, 409)  # its answer may still be written
    assert "Traceback" not in sqlite_site.log.read_text()


def test_disk_is_full(sqlite_site: SiteProcess, tmp_path: Path) -> None:
    with signed_in(sqlite_site) as visitor:
        path = visitor.send(prompt("max-tokens"))
        visitor.get(path)
        _, hard = resource.prlimit(sqlite_site.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(sqlite_site.pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
        form = {"text": "x" * 2 * ROOM_BYTES, "key": str(uuid.uuid4())}
        refused = visitor.post("/", **form)
        assert refused.status_code == 503 and form["text"] in refused.text
        check_reading_works(visitor, path)
        resource.prlimit(sqlite_site.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert visitor.post("/", **form).status_code == 302
        assert send_until_taken(visitor, BACK_S) < BACK_S
    assert "Traceback" not in sqlite_site.log.read_text()
