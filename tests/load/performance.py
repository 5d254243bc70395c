"""`python -m tests.load.performance [FILE]`: writes what `make bench` measured into its document.

Figures stand in marked parts of docs/performance.md; how an answer's cost grows is drawn beside it.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from deploy.servers import ROOT
from tests.load.documents import fill, table
from tests.load.figures import Figure

DOCUMENT = ROOT / "docs" / "performance.md"
DRAWING = ROOT / "docs" / "performance-growth.svg"

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420, 220, 60, 34, 28
VERDICTS = {"holds": "holds", "BROKEN": "not yet", "": ""}
LINE, AXIS = "#3b82c4", "#808080"


def main(file: Path) -> None:
    measured = json.loads(file.read_text(encoding="utf-8"))
    figures = [figure_of(each) for each in measured["figures"]]
    stages = [figure for figure in figures if figure.name == "stages"]
    others = [figure for figure in figures if figure.name != "stages"]
    parts = {
        "machine": machine(measured),
        "table": figure_table(others),
        "stages": stage_table(stages),
    }
    fill(DOCUMENT, parts)
    if marks := [figure.details["marks"] for figure in figures if "marks" in figure.details]:
        DRAWING.write_text(growth_drawing(marks[0]), encoding="utf-8")


def figure_of(data: Mapping[str, Any]) -> Figure:
    """Read a figure back from what was written of it."""
    return Figure(**{name: value for name, value in data.items() if name != "holds"})


def machine(measured: Mapping[str, Any]) -> str:
    """Say when and on what it was measured."""
    of = measured["machine"]
    at = datetime.fromisoformat(measured["at"])
    return (
        f"Measured on {at:%d %B %Y} on {of['cores']} cores with Python {of['python']}, "
        f"the model server and the readers on the same machine."
    )


def figure_table(figures: Sequence[Figure]) -> str:
    """Return all figures beside their bounds."""
    return table(("what", "measured", "ratio", "bound", ""), map(_row, figures))


def _row(figure: Figure) -> Sequence[str]:
    what = figure.what.lstrip()
    indent = "&nbsp;" * (len(figure.what) - len(what))
    *measured, verdict = figure.cells
    return (indent + what, *measured, VERDICTS[verdict])


def stage_table(figures: Sequence[Figure]) -> str:
    """Return what each stage of a delta takes, in microseconds of the loop and of other threads."""
    return table(
        ("stage", "event loop, µs", "other threads, µs"),
        (
            (figure.what.strip(), f"{own['loop_us']:.0f}", f"{own['others_us']:.0f}")
            for figure in figures
            for own in [figure.details or {"loop_us": figure.value, "others_us": 0.0}]
        ),
    )


def growth_drawing(marks: Sequence[Sequence[float]]) -> str:
    """Draw what one long answer costs while it grows: CPU of a delta, and the process's memory.

    Args:
        marks: job.Mark by Mark: deltas so far, time in us, CPU in s, memory in kB.
    """
    costs_us = [
        (after[0], (after[2] - before[2]) * 1e6 / (after[0] - before[0]))
        for before, after in itertools.pairwise(marks)
    ]
    memory_mb = [(mark[0], (mark[3] - marks[0][3]) / 1024) for mark in marks]
    panels = [
        *_panel("CPU of a delta, in µs", costs_us, 0),
        *_panel("memory on top of that at its start, in MB", memory_mb, WIDTH),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{AXIS}">\n{chr(10).join(panels)}\n</svg>\n'
    )


def _panel(title: str, points: Sequence[tuple[float, float]], left: int) -> Iterator[str]:
    right, bottom = left + WIDTH - 20, HEIGHT - BOTTOM
    most_x = max(x for x, _ in points)
    most_y = max(max(y for _, y in points) * 1.25, 1e-9)

    def place(x: float, y: float) -> str:
        across = left + LEFT + (right - left - LEFT) * x / most_x
        return f"{across:.1f},{bottom - (bottom - TOP) * max(0.0, y) / most_y:.1f}"

    line = " ".join(place(x, y) for x, y in points)
    yield f'<text x="{left + LEFT}" y="18">{title}</text>'
    yield (
        f'<path d="M{left + LEFT},{TOP} V{bottom} H{right}" fill="none" stroke="{AXIS}"/>'
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2"/>'
    )
    yield f'<text x="{left + LEFT - 6}" y="{TOP + 8}" text-anchor="end">{most_y:.3g}</text>'
    yield f'<text x="{left + LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
    deltas = f"{most_x:,.0f} deltas"
    yield f'<text x="{right}" y="{HEIGHT - 8}" text-anchor="end">{deltas}</text>'


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "bench.json")
