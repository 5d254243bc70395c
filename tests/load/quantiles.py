"""Of many times in microseconds, those that are told."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ms(times_us: Sequence[int], percent: float) -> float:
    """Return the time that so many percent of all do not exceed, in ms; NaN where there is none.

    100 is the longest.
    """
    if not times_us:
        return math.nan
    place = math.ceil(len(times_us) * percent / 100)
    return sorted(times_us)[max(0, place - 1)] / 1000


def summary(times_us: Sequence[int]) -> dict[str, float]:
    return {f"p{percent}": ms(times_us, percent) for percent in (50, 95, 99, 100)}
