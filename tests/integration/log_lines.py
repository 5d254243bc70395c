"""Log lines as the site would write them, in both formats, for the tests to look at."""

from __future__ import annotations

import json
import logging
from collections import Counter
from typing import Any

from chatsite.logging import ForeignFilter, JsonFormatter, LineFormatter

WORDS = "unmistakable-words-of-a-person"
KEY = "sk-ant-unmistakable-key"
MARKERS = ("unmistakable", "\x1b", "\n")


class Lines(logging.Handler):
    """Formats every record in both formats, as the site's own handler would."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(ForeignFilter())
        self._formatters = (LineFormatter([KEY]), JsonFormatter([KEY]))
        self.lines: list[str] = []
        self.told: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line, told = (formatter.format(record) for formatter in self._formatters)
        self.lines += [line, told]
        self.told.append(json.loads(told))

    def check(self) -> None:
        """Check that each record is one line without anybody's words."""
        for line in self.lines:
            assert not [marker for marker in MARKERS if marker in line], line
            assert line.isprintable()

    def endings(self) -> Counter[tuple[int, str, str, str]]:
        """Count the lines that tell of an end: id, level, status and error code."""
        return Counter(
            (t["generation_id"], t["level"], t["status"], t.get("error_code", ""))
            for t in self.told
            if "status" in t and "generation_id" in t
        )
