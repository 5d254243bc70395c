"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterable


def number(value: float) -> str:
    """Return a number with two or three digits that count, or all before the point."""
    if value >= 99.5:
        return f"{value:,.0f}"
    if value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.2g}" if value < 0.0995 else f"{value:.2f}".rstrip("0").rstrip(".")


def size(value: float) -> str:
    """Return bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1_000:
            return f"{number(value)} {unit}"
        value /= 1_000
    return f"{number(value)} TB"


def ms(seconds: float) -> str:
    if 0 < seconds < 99.5e-6:
        return f"{number(seconds * 1_000_000)} µs"
    return f"{number(seconds * 1_000)} ms"


def quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0
