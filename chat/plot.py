"""A curve as the coordinates of a drawing that may be stretched to any width. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 1000.0, 100.0


class Plot(NamedTuple):
    """What a template draws: `points` as SVG's polyline takes them, and places across."""

    points: str
    marks: tuple[str, ...]
    width: str = f"{WIDTH:g}"
    height: str = f"{HEIGHT:g}"


def plot(points: Sequence[Sequence[float]], end: float, marks: Iterable[float] = ()) -> Plot | None:
    """Draw points, which rise in both directions, from 0 to `end`; None where there are none."""
    if not points or end <= 0 or points[-1][1] <= 0:
        return None
    highest = points[-1][1]
    line = [(_across(x, end), HEIGHT * (1 - y / highest)) for x, y in (*points, (end, highest))]
    return Plot(
        " ".join(f"{x:.1f},{y:.1f}" for x, y in line),
        tuple(f"{_across(mark, end):.1f}" for mark in marks),
    )


def _across(x: float, end: float) -> float:
    return WIDTH * min(1.0, x / end)
