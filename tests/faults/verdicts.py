"""The table that a run of the fault suite prints: fault, promise, measured figure, verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

PROPERTY = "verdict"


class Verdict(NamedTuple):
    """A row: `measured` is what was seen, with its unit."""

    mode: str
    fault: str
    promise: str
    measured: str
    holds: bool


class Verdicts:
    """Takes the rows of one test, and fails it where a promise does not hold."""

    def __init__(self, node: pytest.Item, mode: str) -> None:
        self._node = node
        self.mode = mode

    def __call__(self, fault: str, promise: str, measured: str, *, holds: bool) -> None:
        row = Verdict(self.mode, fault, promise, measured, holds)
        self._node.user_properties.append((PROPERTY, json.dumps(row)))
        assert holds, f"{fault}: {promise}; measured {measured}"


def collected(reports: Iterable[object]) -> list[Verdict]:
    rows = []
    for report in reports:
        if getattr(report, "when", "") == "call":
            properties = getattr(report, "user_properties", ())
            rows += [Verdict(*json.loads(str(row))) for name, row in properties if name == PROPERTY]
    return sorted(rows)


def table(rows: Iterable[Verdict]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| fault | mode | promise | measured | verdict |", "| --- | --- | --- | --- | --- |"]
    for row in sorted(rows, key=lambda row: (row.fault, row.promise, row.mode)):
        verdict = "holds" if row.holds else "BROKEN"
        lines.append(f"| {row.fault} | {row.mode} | {row.promise} | {row.measured} | {verdict} |")
    return lines


def write(rows: Iterable[Verdict]) -> None:
    """Keep the table as JSON where CHAT_VERDICTS names a file."""
    if path := os.environ.get("CHAT_VERDICTS"):
        facts = [row._asdict() for row in rows]
        Path(path).write_text(json.dumps(facts, indent=1) + "\n")
