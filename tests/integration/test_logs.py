"""What the site logs when things go wrong: one line for each failure, and nobody's words."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.db import connection
from django.test import Client

from chat.claude.stream import Claude
from chat.demo.scenarios import BUILT_IN
from chat.demo.steps import Cut, Event, Raw, Start, Status, Step, Text
from chat.demo.thread import DemoThread
from chat.heartbeat import Heartbeat
from chat.models import Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.conftest import make_runtime
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.log_lines import KEY, WORDS, Lines
from tests.integration.pages import to
from tests.site_process import ADMIN_PASSWORD, SiteProcess
from tests.visitor import Visitor

SEEN_S = 30.0
FAILING = {"failed": logging.WARNING, "interrupted": logging.WARNING}


@pytest.fixture
def lines() -> Iterator[Lines]:
    kept = Lines()
    loggers = [logging.getLogger(name) for name in ("", "chat", "chatsite", "django")]
    levels = [logger.level for logger in loggers]
    logging.getLogger().addHandler(kept)
    for logger in loggers[1:]:
        logger.setLevel(logging.DEBUG)
    yield kept
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    logging.getLogger().removeHandler(kept)


@pytest_asyncio.fixture
async def worker(transactional_db: None, model: DemoThread) -> AsyncIterator[Worker]:
    """A worker whose key to Claude must not be told."""
    runtime = make_runtime(model)
    await runtime.claude.close()
    claude = Claude(api_key=KEY, base_url=model.base_url, connect_timeout_s=5, read_timeout_s=1)
    # Seldom enough that a busy machine does not take itself for dead.
    begun = Worker(dataclasses.replace(runtime, claude=claude), heartbeat_s=5)
    await begun.begin()
    yield begun
    await begun.drain(0)


def asked(scenario: str) -> str:
    return f"{prompt(scenario)}\n{WORDS}\x1b[31m"


def expected(generations: Sequence[Generation]) -> Counter[tuple[int, str, str, str]]:
    return Counter(
        (g.pk, "WARNING" if g.status in FAILING else "INFO", g.status, g.error_code)
        for g in generations
    )


# Answers


@pytest.mark.asyncio
async def test_every_scenario_ends_with_one_line_without_words(
    worker: Worker, alice: User, lines: Lines
) -> None:
    ended = await asyncio.gather(*(answered(alice, asked(name)) for name in BUILT_IN))
    lines.check()
    assert lines.endings() == expected(ended)
    assert {g.status for g in ended} == {"complete", "failed"}


HOSTILE: dict[str, Sequence[Step]] = {
    "status": [Status(400, "invalid_request_error", WORDS)],
    "status-type": [Status(418, WORDS, WORDS)],
    "header": [Status(429, "rate_limit_error", WORDS, {"retry-after": WORDS})],
    "error-type": [Start(), Text(WORDS), Event("error", {"error": {"type": WORDS}})],
    "error-message": [
        Start(),
        Event("error", {"error": {"type": "invalid_request_error", "message": WORDS}}),
    ],
    "event-name": [Start(), Raw(f'event: {WORDS}\ndata: "{WORDS}"\n\n'.encode())],
    "event-data": [Start(), Raw(f"event: content_block_start\ndata: {WORDS}\n\n".encode())],
    "no-utf8": [Start(), Raw(f"event: {WORDS}\ndata: ".encode() + b"\xff\n\n")],
    "reset": [Text(WORDS), Cut()],
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", HOSTILE)
async def test_what_the_api_says_is_not_repeated(
    worker: Worker, model: DemoThread, alice: User, lines: Lines, name: str
) -> None:
    model.script(f"hostile-{name}", *HOSTILE[name])
    ended = await answered(alice, asked(f"hostile-{name}"))
    assert ended.status == "failed"
    lines.check()
    assert lines.endings() == expected([ended])


def since_created(generation: Generation, at: datetime | None) -> Any:
    assert at is not None
    return pytest.approx((at - generation.created_at).total_seconds(), abs=0.001)


@pytest.mark.asyncio
async def test_line_of_an_end_has_its_facts(worker: Worker, alice: User, lines: Lines) -> None:
    ended = await answered(alice, asked("reset-late"))
    told = next(t for t in lines.told if t.get("generation_id") == ended.pk)
    assert told == {
        "time": told["time"],
        "level": "WARNING",
        "logger": "chat.ending",
        "message": "answer ended",
        "generation_id": ended.pk,
        "request_id": ended.request_id,
        "conversation_id": str(ended.conversation_id),
        "model": ended.model,
        "status": "failed",
        "error_code": "connection_lost",
        "detail": told["detail"],
        "first_word_s": since_created(ended, ended.first_word_at),
        "duration_s": since_created(ended, ended.finished_at),
        "input_tokens": ended.input_tokens,
        "output_tokens": ended.output_tokens,
    }
    assert ended.request_id and told["detail"]


@pytest.mark.asyncio
async def test_stop_is_told_in_one_line(
    worker: Worker, model: DemoThread, alice: User, lines: Lines
) -> None:
    model.script("stopped-logs", Text(f"{WORDS} " * 2_000, interval_s=0.01))
    generation = await send(alice, asked("stopped-logs"))
    await reached(generation, "content_block_delta", 3)
    await stop(alice, generation)
    ended = await finished(generation)
    assert ended.status == "stopped"
    lines.check()
    assert lines.endings() == expected([ended])


@pytest.mark.asyncio
async def test_lost_answer_is_told_in_one_line(alice: User, lines: Lines) -> None:
    """One that was taken by a process that is not there any more."""
    generation = await send(alice, asked("emoji"))
    await Generation.objects.filter(pk=generation.pk).aupdate(status="streaming")
    finder = Heartbeat(uuid.uuid4(), 60)
    await in_thread(finder.beat, set(), is_rung=False)
    await in_thread(finder.take_over, generation.pk, None)
    ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "owner_lost")
    assert lines.endings() == expected([ended])


# A database that refuses


@contextmanager
def refusing(table: str, column: str, verb: str) -> Iterator[None]:
    """Have the database refuse every row with WORDS in a column, with words of its own about it."""
    like = f"{column} LIKE '%unmistakable%'"
    if connection.vendor == "sqlite":
        make = (
            f"CREATE TRIGGER refuse BEFORE {verb} ON {table} WHEN new.{like} "
            f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        )
        undo = "DROP TRIGGER refuse"
    else:
        # Its error names the whole row.
        make = f"ALTER TABLE {table} ADD CONSTRAINT refuse CHECK (NOT {like})"
        undo = f"ALTER TABLE {table} DROP CONSTRAINT refuse"
    with connection.cursor() as cursor:
        cursor.execute(make)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(undo)


@pytest_asyncio.fixture
async def refused_events(worker: Worker) -> AsyncIterator[None]:
    made = refusing("chat_event", "data", "INSERT")
    await in_thread(made.__enter__)
    yield
    await in_thread(made.__exit__, None, None, None)


@pytest.mark.asyncio
async def test_error_of_the_database_tells_no_row(
    worker: Worker, refused_events: None, model: DemoThread, alice: User, lines: Lines
) -> None:
    model.script("refused-row", Text(f"{WORDS} and more", chunk=0))
    ended = await answered(alice, asked("refused-row"))
    assert (ended.status, ended.error_code) == ("failed", "internal")
    lines.check()
    assert lines.endings() == expected([ended])
    traces = [t for t in lines.told if "trace" in t]
    assert traces and all(t["generation_id"] == ended.pk for t in traces)
    code = "SQLITE_CONSTRAINT_TRIGGER" if connection.vendor == "sqlite" else "23514"
    assert all(code in t["trace"] and "IntegrityError" in t["trace"] for t in traces)


@pytest.mark.django_db(transaction=True)
def test_failed_request_tells_its_name_and_no_words(ended: Generation, lines: Lines) -> None:
    owner = ended.conversation.owner
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    place = to("rename", ended.conversation_id)
    with refusing("chat_conversation", "title", "UPDATE"):
        assert client.post(place, {"title": f"{WORDS}\x1b"}).status_code == 500
    lines.check()
    told = next(t for t in lines.told if t["level"] == "ERROR")
    assert told["message"] == "Internal Server Error: rename"
    assert told["conversation_id"] == str(ended.conversation_id)
    assert told["status_code"] == 500 and "IntegrityError" in told["trace"]
    cookie = client.cookies["sessionid"].value
    assert not [line for line in lines.lines if cookie in line]


# Requests


@pytest.mark.django_db
def test_refused_requests_tell_no_words(lines: Lines) -> None:
    anybody = Client(enforce_csrf_checks=True, raise_request_exception=False)
    anybody.get(f"/nowhere/at/{WORDS}/", {"q": WORDS})
    anybody.get(f"/accounts/confirm-email/{WORDS}:1/")
    anybody.post(f"/accounts/password/reset/key/1-{WORDS}/", {"password1": WORDS})
    anybody.post("/accounts/login/", {"login": "anna", "password": WORDS})
    Client().post("/accounts/login/", {"login": WORDS, "password": WORDS})
    Client().post(f"/accounts/confirm-email/{WORDS}:1/")
    Client().get("/nowhere\x1b[31m\r\n2026-01-01 ERROR forged")
    lines.check()
    assert len({t["message"] for t in lines.told}) >= 3
    assert not [t for t in lines.told if t["level"] == "ERROR"]


# A whole site


def test_log_of_a_site_is_json(model: DemoThread, tmp_path: Path) -> None:
    model.script("json-site", Text(f"I repeat: {WORDS}. ", interval_s=0), Cut())
    settings = {
        "ANTHROPIC_BASE_URL": model.base_url,
        "ANTHROPIC_API_KEY": KEY,
        "LOG_FORMAT": "json",
        # The SDK's own logs would tell whole requests.
        "ANTHROPIC_LOG": "debug",
        "LOG_LEVEL": "DEBUG",
    }
    with SiteProcess(tmp_path, settings) as site, Visitor(site.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        visitor.send(f"{prompt('json-site')} {WORDS}")
        visitor.get("/nowhere/")
        cookie = visitor.http.cookies["sessionid"]
        give_up_at = time.monotonic() + SEEN_S
        while '"status": "failed"' not in (log := site.read_log()):
            assert time.monotonic() < give_up_at, log[-4000:]
            time.sleep(0.05)  # A file tells nobody that it grew.
    told = [json.loads(line) for line in log.splitlines() if not line.startswith("Chat is ready")]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(t) for t in told))
    failed = [t for t in told if t.get("status") == "failed"]
    assert [t["error_code"] for t in failed] == ["connection_lost"]
    for secret in ("unmistakable", cookie, ADMIN_PASSWORD):
        assert secret not in log
