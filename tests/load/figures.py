"""What was measured beside its bound: a line of the table each, and all of it as JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.servers import ROOT


@dataclass(frozen=True)
class Figure:
    """A measured number, beside the most that it may be.

    Args:
        bound: of the ratio where there is one; None where the number only stands beside others.
        ratio: to what is measured in the same run.
        is_least: whether the bound is the least that it may be.
        details: for the file alone.
    """

    name: str
    what: str
    value: float
    unit: str
    bound: float | None = None
    ratio: float | None = None
    is_least: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        if self.bound is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.bound if self.is_least else measured <= self.bound

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """What was measured, its ratio, its bound, whether that holds; "" where there is none."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        verdict = {True: "holds", False: "BROKEN", None: ""}[self.holds]
        return f"{_number(self.value)} {self.unit}".strip(), ratio, self._bound(), verdict

    def __str__(self) -> str:
        value, ratio, bound, verdict = self.cells
        return f"{self.what:56}{value:>16}{ratio:>9}{bound:>14}  {verdict}".rstrip()

    def _bound(self) -> str:
        if self.bound is None:
            return ""
        bound = f"{self.bound:,g}"
        unit = "x" if self.ratio is not None else self.unit
        return f"{'>= ' if self.is_least else ''}{bound} {unit}".strip()


HEADER = f"{'':56}{'measured':>16}{'ratio':>9}{'bound':>14}"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write all that was measured, and on what."""
    data = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "figures": [{**asdict(figure), "holds": figure.holds} for figure in figures],
    }
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    """Return what is checked out; "" where that is no repository."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
