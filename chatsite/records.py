"""What may be shown of a log record: its message, fields and trace without anybody's words.

Only the fields named here are shown. The words of an exception are not: they may be a row of the
database, an answer of Claude's, or an address with a password. Its type, the way it took, and
what can't hold anybody's words (a code, a constraint's name) are.
"""

from __future__ import annotations

import errno
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest

from chat.errors import ChatError

FIELDS = (
    *("generation_id", "request_id", "conversation_id", "message_id", "model"),
    *("status", "error_code", "detail", "first_word_s", "duration_s"),
    *("input_tokens", "output_tokens", "status_code"),
)
"""What call sites give as `extra`, in the order in which it is shown."""

MIN_WORDS_CHARS = 6
"""Shorter words of an exception are found in messages that have nothing to do with it."""

MAX_SEGMENT_CHARS = 40

SERVER_ERROR = 500
"""Statuses below it say that the client did something wrong (RFC 9110, 15)."""

# Their words are the code's own, a setting's, or a host's name.
_PLAIN_ERRORS = (
    *(ChatError, AttributeError, ImportError, NameError),
    *(DisallowedHost, ImproperlyConfigured),
)


def message_of(record: logging.LogRecord) -> str:
    """Return the message, without the words of an exception that is being handled."""
    message = str(record.msg)
    if record.args:
        message %= _shown_args(record)
    # Servers and asyncio put an exception into the message as well.
    raised = record.exc_info[1] if record.exc_info else sys.exc_info()[1]
    for error in _chain(raised):
        if not isinstance(error, _PLAIN_ERRORS):
            for words in (repr(error), str(error)):
                if len(words) >= MIN_WORDS_CHARS:
                    message = message.replace(words, type(error).__name__)
    return message


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what is known of a record, by name; ids also from the address of a request."""
    values = {**_kwargs(getattr(record, "request", None)), **vars(record)}
    known = {name: values.get(name) for name in FIELDS}
    return {name: value for name, value in known.items() if value is not None and value != ""}


def trace_of(record: logging.LogRecord) -> str:
    """Return the way that an exception took, and that of its causes, the first one first.

    None of a request that was wrong: it tells nothing of who made it, and anybody can make them.
    """
    if vars(record).get("status_code", SERVER_ERROR) < SERVER_ERROR:
        return ""
    raised = record.exc_info[1] if record.exc_info else None
    parts = [_way(error) for error in _chain(raised)][::-1]
    return "\n".join([*parts, record.stack_info] if record.stack_info else parts)


def _shown_args(record: logging.LogRecord) -> Any:
    """Return a record's arguments, the address of a request in them without what may be a key."""
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record.args
    # Django escapes them (django/utils/log.py, log_message).
    paths = (request.path, request.path.encode("unicode_escape").decode("ascii"))
    return tuple(_address(request) if arg in paths else arg for arg in record.args)


def _address(request: HttpRequest) -> str:
    """Return the name of what an address stands for, or the beginning of an unknown one."""
    if request.resolver_match:
        return request.resolver_match.view_name
    first, second, *more = [*request.path.split("/")[1:], "", ""]
    shown = [part[:MAX_SEGMENT_CHARS] for part in (first, second) if part]
    # The addresses that hold keys have them in their third part, or later.
    return "/" + "/".join([*shown, "…"] if any(more) else shown)


def _kwargs(request: object) -> Mapping[str, Any]:
    if isinstance(request, HttpRequest) and request.resolver_match:
        return request.resolver_match.kwargs
    return {}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it, the last one first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        hidden = error.__suppress_context__
        error = error.__cause__ or (None if hidden else error.__context__)


def _way(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{_described(error)}"


def _described(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    told = str(error) if isinstance(error, _PLAIN_ERRORS) else " ".join(_facts(error))
    return f"{name}: {told}" if told else name


def _facts(error: BaseException) -> Iterator[str]:
    """Yield what is known of an exception beside its words: codes, and names in the schema."""
    if isinstance(error, OSError) and error.errno is not None:
        yield errno.errorcode.get(error.errno, str(error.errno))
    diagnosis = getattr(error, "diag", None)  # psycopg, "Diagnostics"
    for owner, member in (
        (error, "sqlite_errorname"),
        (error, "sqlstate"),
        (diagnosis, "table_name"),
        (diagnosis, "column_name"),
        (diagnosis, "constraint_name"),
    ):
        if fact := getattr(owner, member, None):
            yield str(fact)
