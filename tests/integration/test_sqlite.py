"""Connections of SQLite that are kept, and writers that take turns."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connections, transaction

from chatsite.sqlite3 import base

# A test's own transaction would hold the turn.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[base.DatabaseWrapper]]:
    """Wrappers as two threads have them, of one new file."""
    settings = {
        **connections.settings["default"],
        "NAME": str(tmp_path / "own.sqlite3"),
        "ENGINE": "chatsite.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 0.1, "pool": 1},
    }
    wrappers = [base.DatabaseWrapper({**settings}, alias) for alias in ("one", "other")]
    for each in wrappers:
        connections[each.alias] = each
        each.inc_thread_sharing()
        each.ensure_connection()
    yield wrappers
    for each in wrappers:
        each.close()
        del connections[each.alias]
    base.close_kept()


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("SELECT 1").fetchone())
    except sqlite3.ProgrammingError:
        return False


def test_next_one_gets_what_is_kept(opened: list[base.DatabaseWrapper]) -> None:
    one, other = opened
    first = one.connection
    one.close()
    other.close()  # One is enough.
    other.ensure_connection()
    assert other.connection is first


def test_of_another_file_it_is_not(opened: list[base.DatabaseWrapper]) -> None:
    one, other = opened
    first = one.connection
    one.close()
    other.close()
    other.settings_dict["NAME"] += " of somebody else"
    other.ensure_connection()
    assert other.connection is not first


def test_after_an_error_it_is_closed(opened: list[base.DatabaseWrapper]) -> None:
    one, _ = opened
    first = one.connection
    with pytest.raises(OperationalError):
        one.cursor().execute("SELECT * FROM herons")
    one.close()
    assert not is_open(first)


def test_in_a_transaction_it_is_closed(opened: list[base.DatabaseWrapper]) -> None:
    one, other = opened
    first = one.connection
    with transaction.atomic(using="one"):
        one.close()
    assert not is_open(first)
    with transaction.atomic(using="other"):  # Its turn has ended with it.
        other.cursor().execute("CREATE TABLE herons (name text)")


def test_writers_take_turns(opened: list[base.DatabaseWrapper]) -> None:
    """One that waits is told, long before SQLite's own time-out has been used up."""
    written = threading.Event()

    def write() -> None:
        connections["other"] = opened[1]
        with transaction.atomic(using="other"):
            written.set()

    with transaction.atomic(using="one"):
        thread = threading.Thread(target=write)
        thread.start()
        assert not written.wait(base.TURN_S / 4)
    assert written.wait(base.TURN_S)
    thread.join()
