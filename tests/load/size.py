"""How much the benchmark does: all of it, or so little that it shows only that it works."""

from __future__ import annotations

from dataclasses import dataclass

PER_S = 30
"""Deltas a second of each answer, about as many as Claude sends."""


@dataclass(frozen=True)
class Size:
    """Numbers of one run; `people` are the accounts that each site begins with."""

    rounds: int = 3
    streams: int = 50
    seconds: int = 20
    people: int = 600
    crowd: int = 200
    burst_deltas: int = 50_000
    long_chars: int = 1_000_000
    idle: int = 500
    messages: int = 2_000
    conversations: int = 10_000
    loads: int = 9
    page_deltas: int = 2_000
    long_page_deltas: int = 20_000
    starts: int = 3

    @property
    def deltas(self) -> int:
        """Of each answer."""
        return self.seconds * PER_S


QUICK = Size(
    rounds=1,
    streams=5,
    seconds=2,
    people=60,
    crowd=10,
    burst_deltas=2_000,
    long_chars=24_000,
    idle=20,
    messages=100,
    conversations=100,
    loads=3,
    page_deltas=200,
    long_page_deltas=800,
    starts=1,
)
