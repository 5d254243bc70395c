"""Time stamps inside a text: words of nine letters that are found again in whatever it became.

Each says when it was sent, by a clock that all processes of one machine share under Linux
(clock_gettime(2), CLOCK_MONOTONIC). They are plain letters, so that no renderer changes them.
"""

from __future__ import annotations

import re
import time

STAMP = re.compile(rb"q([a-p]{8})")
ASKED = re.compile(rb"r([a-p]{8})")
"""Stands right before the first stamp, and says when its sender was asked."""

PLACE = "@"
"""Where a stamp stands in a text to be sent."""

CHARS = 9
WRAP_US = 16**8
"""They begin anew after so many microseconds, 71 minutes."""

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DIGITS = bytes.maketrans(b"abcdefghijklmnop", b"0123456789abcdef")


def now_us() -> int:
    return time.monotonic_ns() // 1000


def stamp(at_us: int) -> str:
    return f"q{_letters(at_us)}"


def first_stamp(asked_us: int, at_us: int) -> str:
    return f"r{_letters(asked_us)} {stamp(at_us)}"


def _letters(at_us: int) -> str:
    return f"{at_us % WRAP_US:08x}".translate(_LETTERS)


def read(letters: bytes) -> int:
    """Return the time of a stamp, from what STAMP or ASKED found."""
    return int(letters.translate(_DIGITS), 16)


def since_us(earlier_us: int, later_us: int) -> int:
    """Return the microseconds between two times of which either may be a stamp's."""
    return (later_us - earlier_us) % WRAP_US


def is_newer(at_us: int, than_us: int) -> bool:
    return 0 < since_us(than_us, at_us) < WRAP_US // 2
