"""Tells a database that is away, locked or full from a mistake of ours, and says so once.

A fault of a database passes: whoever meets one waits, or refuses in words. Django raises the same
two classes for some mistakes, such as a missing table in SQLite; those keep their trace.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

TELL_INTERVAL_S = 10.0
"""While it lasts, an outage is told of at most once in this time."""

# SQLite's primary result codes (sqlite.org/rescode.html) of what passes by itself, or when
# somebody makes room.
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}

_lock = threading.Lock()
_told_at = float("-inf")


def is_outage(error: BaseException | None) -> bool:
    """Whether an exception of Django's database layer is a fault that passes."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        # Extended codes have the primary one in their lowest byte.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _PASSING
    # PostgreSQL has classes of its own for mistakes.
    return True


def tell_outage(error: BaseException) -> None:
    """Log an outage, without a trace and without the words, which may name the server."""
    global _told_at
    with _lock:
        if time.monotonic() < _told_at + TELL_INTERVAL_S:
            return
        _told_at = time.monotonic()
    reason = type(error.__cause__ or error).__name__
    logger.warning("the database can't be used at the moment: %s", reason)
