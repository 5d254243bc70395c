"""A curve as coordinates."""

from __future__ import annotations

import pytest

from chat.plot import plot


def test_line_goes_from_corner_to_corner() -> None:
    drawn = plot([[0, 0], [2, 5], [4, 10]], 4)
    assert drawn and drawn.points == "0.0,100.0 500.0,50.0 1000.0,0.0 1000.0,0.0"


def test_line_goes_on_to_the_end() -> None:
    drawn = plot([[0, 0], [1, 10]], 4)
    assert drawn and drawn.points.endswith("250.0,0.0 1000.0,0.0")


def test_marks_lie_within() -> None:
    drawn = plot([[0, 0], [1, 10]], 4, [1, 9])
    assert drawn and drawn.marks == ("250.0", "1000.0")


@pytest.mark.parametrize(("points", "end"), [([], 4), ([[0, 0], [1, 10]], 0), ([[1, 0]], 4)])
def test_nothing_is_drawn_of_nothing(points: list[list[float]], end: float) -> None:
    assert plot(points, end) is None
