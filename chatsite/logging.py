"""The log format: one record is one line, whatever a message or a trace holds."""

from __future__ import annotations

import logging


class LineFormatter(logging.Formatter):
    """Format a record as `time level logger: message`, control characters escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
