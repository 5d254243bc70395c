"""Which exceptions of a database are an outage, with errors that real drivers raised."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError

from chat import outage
from chat.outage import is_outage, tell_outage


def wrapped(cause: Exception, kind: type[DatabaseError | InterfaceError]) -> Exception:
    """Return what Django makes of a driver's exception."""
    try:
        raise kind(str(cause)) from cause
    except (DatabaseError, InterfaceError) as error:
        return error


def of_sqlite(action: Callable[[], object]) -> Exception:
    with pytest.raises(sqlite3.OperationalError) as raised:
        action()
    return wrapped(raised.value, OperationalError)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "some.sqlite3")
    connection.execute("CREATE TABLE texts (text)")
    connection.close()
    return tmp_path / "some.sqlite3"


def test_locked(file: Path) -> None:
    writer, other = sqlite3.connect(file), sqlite3.connect(file, timeout=0)
    writer.execute("BEGIN IMMEDIATE")
    error = of_sqlite(lambda: other.execute("INSERT INTO texts VALUES ('x')"))
    assert is_outage(error), error
    writer.close()
    other.close()


def test_full(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA max_page_count = 1")
    error = of_sqlite(lambda: connection.execute("INSERT INTO texts VALUES (?)", ["x" * 100_000]))
    assert is_outage(error), error
    connection.close()


def test_read_only(file: Path) -> None:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    error = of_sqlite(lambda: connection.execute("INSERT INTO texts VALUES ('x')"))
    assert is_outage(error), error
    connection.close()


def test_gone(tmp_path: Path) -> None:
    assert is_outage(of_sqlite(lambda: sqlite3.connect(tmp_path / "no" / "such.sqlite3")))


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM no_table", "SELECT no_column FROM texts", "!"]
)
def test_mistakes(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    assert not is_outage(of_sqlite(lambda: connection.execute(statement)))
    connection.close()


def test_postgresql_away() -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect("postgres://127.0.0.1:9/none", connect_timeout=5)
    assert is_outage(wrapped(raised.value, OperationalError))


@pytest.mark.parametrize(
    "kind", [psycopg.errors.AdminShutdown, psycopg.errors.CannotConnectNow, psycopg.errors.DiskFull]
)
def test_postgresql_ending(kind: type[psycopg.OperationalError]) -> None:
    assert is_outage(wrapped(kind(), OperationalError))


def test_connection_closed() -> None:
    assert is_outage(InterfaceError("connection already closed"))
    assert is_outage(wrapped(psycopg.InterfaceError("the cursor is closed"), InterfaceError))


@pytest.mark.parametrize("error", [None, ValueError(), DatabaseError(), IntegrityError()])
def test_anything_else(error: Exception | None) -> None:
    assert not is_outage(error)


def test_misuse_of_sqlite() -> None:
    assert not is_outage(wrapped(sqlite3.InterfaceError("bad parameter"), InterfaceError))


def test_told_once_and_without_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "_told_at", float("-inf"))
    cause = psycopg.OperationalError("connection to server at 10.0.0.7 failed")
    for _ in range(3):
        tell_outage(wrapped(cause, OperationalError))
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert record.getMessage() == "the database can't be used at the moment: OperationalError"
    assert record.exc_info is None
