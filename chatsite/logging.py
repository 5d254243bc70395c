"""The log formats: one record is one line, whatever a message or a trace holds.

record -> records.py (what may be shown of it) -> LineFormatter or JsonFormatter -> stderr
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chatsite.records import fields_of, message_of, trace_of

MIN_SECRET_CHARS = 6
"""Shorter ones would be found in words that have nothing to do with them."""

OWN_LOGGERS = frozenset({"chat", "chatsite", "django", "daphne", "uvicorn", "_granian"})
"""Of everybody else only warnings are shown: libraries tell requests whole when they tell much."""


class SafeFormatter(logging.Formatter):
    """What both formats share. Arguments: texts that may stand in no line, such as keys."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS]

    def safe(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    def safe_fields(self, record: logging.LogRecord) -> dict[str, int | float | str]:
        return {
            name: value if isinstance(value, int | float) else self.safe(str(value))
            for name, value in fields_of(record).items()
        }


class LineFormatter(SafeFormatter):
    """Format a record as `time level logger: message key=value`, control characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={_quoted(value)}" for name, value in self.safe_fields(record).items()]
        said = " ".join([self.safe(message_of(record)), *fields])
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {said}"
        if trace := trace_of(record):
            line += "\n" + self.safe(trace)
        if line.isprintable():
            return line
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


class JsonFormatter(SafeFormatter):
    """Format a record as one JSON object, everything but printable ASCII escaped."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.safe(message_of(record)),
            **self.safe_fields(record),
        }
        if trace := trace_of(record):
            told["trace"] = self.safe(trace)
        return json.dumps(told)


class ForeignFilter(logging.Filter):
    """Lets through warnings, and what OWN_LOGGERS say beside them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.name.split(".")[0] in OWN_LOGGERS


def configuration(style: str, level: str, secrets: Sequence[str]) -> dict[str, Any]:
    """Return Django's LOGGING: one line a record, to standard error."""
    formatter = JsonFormatter if style == "json" else LineFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"safe": {"()": formatter, "secrets": secrets}},
        "filters": {"foreign": {"()": ForeignFilter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "safe",
                "filters": ["foreign"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "chat": {"level": level},
            "chatsite": {"level": level},
            "django": {"handlers": [], "level": level},
            # Statements with their parameters, which are people's words.
            "django.db.backends": {"level": "INFO"},
            # Servers bring handlers of their own; their lines go the way of all others.
            "uvicorn": {"handlers": [], "propagate": True},
            "_granian": {"handlers": [], "propagate": True},
            # They hold addresses, and those of password resets are keys.
            "uvicorn.access": {"handlers": [], "propagate": False},
            "granian.access": {"handlers": [], "propagate": False},
        },
    }


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "=') else text
