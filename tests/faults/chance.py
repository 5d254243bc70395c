"""Chance that can be repeated: its seed is shown, and can be given."""

from __future__ import annotations

import os
import random


def make_random() -> tuple[random.Random, int]:
    """Return a source of chance and its seed: CHAT_FAULTS_SEED, or a new one."""
    given = os.environ.get("CHAT_FAULTS_SEED")
    seed = int(given) if given else random.SystemRandom().randrange(2**32)
    return random.Random(seed), seed
