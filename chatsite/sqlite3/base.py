"""SQLite as Django has it, but that a few connections are kept, and that writers queue.

To open a connection takes as long as ten queries: its pragmas, Django's functions, the schema read
anew. Work of this site goes from thread to thread, and each gives its connection back at its end;
here the next one gets it, as from PostgreSQL's pool: OPTIONS["pool"] says how many are kept.

SQLite itself tells nobody that its write lock is free: who waits for it sleeps, for longer each
time. So transactions, which all write, take turns in this process before they ask for the lock.
"""

from __future__ import annotations

import atexit
import sqlite3
import threading
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

TURN_S = 1.0
"""After so long a transaction asks for SQLite's lock without its turn, and finds out how it is."""

KEPT_CHARS = 4_000
"""Longer statements are put into SQLite's words each time: they hardly come twice."""

_kept: dict[str, list[sqlite3.Connection]] = {}  # by their files' names
_kept_lock = threading.Lock()
_turn = threading.Lock()


class _Cursor(base.SQLiteCursorWrapper):
    """Puts a statement into SQLite's words once, not each time that it is executed."""

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        if param_names is None and len(query) <= KEPT_CHARS:
            return _converted(query)
        converted: str = super().convert_query(query, param_names=param_names)
        return converted


@lru_cache(maxsize=128)
def _converted(query: str) -> str:
    # Django's own looks at nothing but the statement.
    converted: str = base.SQLiteCursorWrapper.convert_query(None, query)  # type: ignore[arg-type]
    return converted


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection."""

    _max_kept = 0
    _file = ""
    _has_turn = False

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        self._max_kept = params.pop("pool", 0)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        self._file = str(conn_params["database"])
        kept = _take(self._file) if self._max_kept else None
        connection: sqlite3.Connection = kept or super().get_new_connection(conn_params)
        return connection

    def create_cursor(self, name: str | None = None) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self.connection.cursor(factory=_Cursor)
        return cursor

    def _close(self) -> None:
        try:
            if self.connection is not None and not self._keep():
                super()._close()  # type: ignore[misc]  # the stubs leave it out
        finally:
            self._end_turn()

    def _keep(self) -> bool:
        """Keep the connection for the next one; False where it has to be closed."""
        is_clean = not (
            self.errors_occurred or self.in_atomic_block or self.connection.in_transaction
        )
        if not (self._max_kept and is_clean):
            return False
        with _kept_lock:
            kept = _kept.setdefault(self._file, [])
            if has_room := len(kept) < self._max_kept:
                kept.append(self.connection)
        return has_room

    def _start_transaction_under_autocommit(self) -> None:
        self._has_turn = _turn.acquire(timeout=TURN_S)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        # After one that failed, Django rolls back.
        self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()


def _take(file: str) -> sqlite3.Connection | None:
    with _kept_lock:
        kept = _kept.get(file)
        return kept.pop() if kept else None


@atexit.register
def close_kept() -> None:
    """Close what is kept: the last connection to a file takes its write-ahead log away."""
    with _kept_lock:
        connections = [connection for kept in _kept.values() for connection in kept]
        _kept.clear()
    for connection in connections:
        connection.close()
