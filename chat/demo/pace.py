"""How fast the demo model writes: cuts text into deltas and says when each one is due.

The pieces and their times depend on the text and the seed alone, so the same prompt always
streams in the same way. Only `Schedule` sleeps.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Roughly where a tokenizer cuts: short runs of letters with the blank before them, single
# ideographs, and single signs.
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]| ?[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,6}"
    r"|\s+|[^\w\s]"
)
_CHARACTERS_PER_TOKEN = 4
_LARGEST_DELTA_TOKENS = 3
_JITTER = 0.3  # of the time a piece takes; both ways


def token_count(text: str) -> float:
    """Estimate tokens: four ASCII characters are one, other scripts take more a character."""
    # Encoding counts a megabyte in a millisecond; a loop would hold up every other stream.
    ascii_characters = len(text.encode("ascii", "ignore"))
    return ascii_characters / _CHARACTERS_PER_TOKEN + (len(text) - ascii_characters) * 0.75


@dataclass(frozen=True, slots=True)
class Pace:
    """The silence before the first word, and the speed after it."""

    first_word_s: float = 0.5
    tokens_per_s: float = 60.0

    def deltas(self, text: str, seed: str) -> Iterator[tuple[str, float]]:
        """Yield each delta of `text` with the seconds that pass before it."""
        chance = random.Random(seed)
        for piece in _pieces(text, chance):
            jitter = chance.uniform(1 - _JITTER, 1 + _JITTER)
            yield piece, token_count(piece) / self.tokens_per_s * jitter


class Schedule:
    """Sleeps until absolute deadlines, so that late wake-ups do not add up."""

    def __init__(self) -> None:
        self._due = asyncio.get_running_loop().time()

    async def wait(self, seconds: float) -> None:
        """Sleep until `seconds` after the previous deadline; always lets other tasks run."""
        self._due += seconds
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))


def _pieces(text: str, chance: random.Random) -> Iterator[str]:
    tokens = _TOKEN.findall(text)
    at = 0
    while at < len(tokens):
        size = chance.randint(1, _LARGEST_DELTA_TOKENS)
        yield "".join(tokens[at : at + size])
        at += size
