"""What may be shown of a log record: no words of an exception, no address that is a key."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest
from django.urls import resolve

from chat import errors
from chatsite.records import fields_of, message_of, trace_of

WORDS = "unmistakable words of a person"


def raised(error: BaseException, *, cause: BaseException | None = None) -> BaseException:
    """Return an exception as it is after it was raised and caught."""
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def record(
    message: str, *args: object, error: BaseException | None = None, **members: object
) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    given = {"name": "chat", "msg": message, "args": args, "exc_info": exc_info, **members}
    return logging.makeLogRecord(given)


def last_line(error: BaseException) -> str:
    return trace_of(record("failed", error=raised(error))).splitlines()[-1]


# Traces


@pytest.mark.parametrize(
    "error",
    [
        ValueError(WORDS),
        KeyError(WORDS),
        UnicodeEncodeError("utf-8", WORDS, 0, 1, WORDS),
        OSError(WORDS),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trace_names_the_kind_alone(error: Exception) -> None:
    assert last_line(error) == type(error).__name__


def test_trace_shows_the_way() -> None:
    trace = trace_of(record("failed", error=raised(ValueError(WORDS))))
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "in raised\n    raise error from cause\n" in trace


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AttributeError("no such member"), "AttributeError: no such member"),
        (errors.Stalled("ReadTimeout"), f"{errors.Stalled.__module__}.Stalled: ReadTimeout"),
        (ConnectionRefusedError(111, WORDS), "ConnectionRefusedError: ECONNREFUSED"),
        (FileNotFoundError(2, "No such file", WORDS), "FileNotFoundError: ENOENT"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_trace_tells_what_holds_nobodys_words(error: Exception, told: str) -> None:
    assert last_line(error) == told


@pytest.mark.parametrize("kind", [DisallowedHost, ImproperlyConfigured])
def test_trace_tells_what_to_configure(kind: type[Exception]) -> None:
    assert last_line(kind("ALLOWED_HOSTS")).endswith(f".{kind.__name__}: ALLOWED_HOSTS")


def test_trace_of_sqlite_tells_its_code() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE line (words TEXT CHECK (words = ''))")
    with pytest.raises(sqlite3.IntegrityError) as refusal:
        connection.execute("INSERT INTO line VALUES (?)", [WORDS])
    connection.close()
    assert last_line(refusal.value) == "sqlite3.IntegrityError: SQLITE_CONSTRAINT_CHECK"


def test_trace_of_postgresql_tells_code_and_names() -> None:
    class Refused(psycopg.errors.CheckViolation):
        # A real one holds the server's answer; the integration tests make one.
        diag: Any = SimpleNamespace(
            table_name="chat_event", column_name=None, constraint_name="role_known"
        )

    assert last_line(Refused(WORDS)).endswith(".Refused: 23514 chat_event role_known")


def test_trace_has_causes_first() -> None:
    error = raised(errors.Internal("x"), cause=raised(ValueError(WORDS)))
    lines = trace_of(record("failed", error=error)).splitlines()
    assert WORDS not in "".join(lines)
    assert "ValueError" in lines[:-1] and lines[-1].endswith(".Internal: x")


def test_trace_of_a_chain_without_end_ends() -> None:
    first, second = ValueError(WORDS), KeyError(WORDS)
    first.__cause__, second.__cause__ = second, first
    assert trace_of(record("failed", error=first)).count("Traceback") == 2


def test_notes_are_not_shown() -> None:
    error = ValueError("x")
    error.add_note(WORDS)
    assert last_line(error) == "ValueError"


def test_no_trace_without_an_exception() -> None:
    assert trace_of(record("fine")) == ""


@pytest.mark.parametrize(("status", "is_shown"), [(400, False), (500, True)])
def test_no_trace_of_what_a_client_did_wrong(status: int, *, is_shown: bool) -> None:
    told = record("Bad request", error=raised(ValueError()), status_code=status)
    assert bool(trace_of(told)) == is_shown


# Messages


def test_message_of_a_server_does_not_repeat_the_exception() -> None:
    error = raised(ValueError(WORDS))
    message = message_of(record("Exception inside application: %s", error, error=error))
    assert message == "Exception inside application: ValueError"


def test_message_does_not_repeat_what_is_being_handled() -> None:
    try:
        raise ValueError(WORDS)
    except ValueError as error:
        message = message_of(record(f"Failed: {error!r} at last"))
    assert message == "Failed: ValueError at last"


def test_message_does_not_repeat_a_cause() -> None:
    error = raised(errors.Internal("x"), cause=ValueError(WORDS))
    assert message_of(record(f"because of {WORDS}", error=error)) == "because of ValueError"


async def _fail() -> None:
    raise ValueError(WORDS)


class Keeper(logging.Handler):
    """Keeps the records that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_task_that_nobody_awaited_tells_no_words() -> None:
    """As asyncio reports it, with the exception in the task's own words."""
    keeper = Keeper()
    logger = logging.getLogger("asyncio")
    logger.addHandler(keeper)

    async def leave() -> None:
        task = asyncio.create_task(_fail(), name="left-alone")
        await asyncio.wait([task])

    try:
        asyncio.run(leave())
    finally:
        logger.removeHandler(keeper)
    lost = next(r for r in keeper.records if "never retrieved" in r.getMessage())
    assert WORDS in lost.getMessage()
    assert WORDS not in message_of(lost) and "left-alone" in message_of(lost)


def test_short_words_are_not_looked_for() -> None:
    assert message_of(record("id 1 of 1", error=raised(KeyError(1)))) == "id 1 of 1"


# Requests


def request(path: str, *, is_known: bool = True) -> HttpRequest:
    made = HttpRequest()
    made.path = path
    made.resolver_match = resolve(path) if is_known else None
    return made


CONVERSATION = "0190a4b2-0000-4000-8000-000000000007"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/c/{CONVERSATION}/send/", "send"),
        ("/accounts/password/reset/key/1-secret-key/", "account_reset_password_from_key"),
        ("/accounts/confirm-email/secret-key/", "account_confirm_email"),
        ("/", "home"),
    ],
)
def test_address_is_shown_by_its_name(path: str, shown: str) -> None:
    for arg in (path, path.encode("unicode_escape").decode()):
        told = record("%s: %s", "Not Found", arg, request=request(path))
        assert message_of(told) == f"Not Found: {shown}"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "/"),
        ("/nowhere", "/nowhere"),
        ("/nowhere/", "/nowhere"),
        ("/static/gone.js", "/static/gone.js"),
        ("/accounts/password/reset/key/1-secret-key", "/accounts/password/…"),
        (f"/{'a' * 50}/b/", f"/{'a' * 40}/b"),
    ],
)
def test_beginning_of_an_unknown_address_is_shown(path: str, shown: str) -> None:
    told = record("%s: %s", "Not Found", path, request=request(path, is_known=False))
    assert message_of(told) == f"Not Found: {shown}"


def test_ids_of_an_address_are_fields() -> None:
    told = record("x", request=request(f"/c/{CONVERSATION}/"), status_code=500)
    assert {k: str(v) for k, v in fields_of(told).items()} == {
        "conversation_id": CONVERSATION,
        "status_code": "500",
    }


Make = Callable[[], logging.LogRecord]


@pytest.mark.parametrize(
    "make",
    [
        lambda: logging.LogRecord("chat", logging.INFO, "", 1, "%(a)s", ({"a": 1},), None),
        lambda: record("%s"),
        lambda: record("100 %"),
    ],
    ids=["mapping", "no-argument", "percent"],
)
def test_message_without_a_request_is_pythons_own(make: Make) -> None:
    assert message_of(make()) == make().getMessage()
