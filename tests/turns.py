"""Tests that measure what a site does in milliseconds run alone; all others beside each other.

The processes that run tests at once share the machine. What one of them measures while another
starts a browser and a database says nothing of the site.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_ROOM = Path(__file__)
_GATE = Path(__file__).parent


@contextmanager
def turn(*, is_alone: bool) -> Iterator[None]:
    """Wait until a test may run, beside others or alone; it may for as long as the block runs."""
    with ExitStack() as room:
        # Who waits to be alone holds the gate, so that nobody else goes in before.
        with _locked(_GATE, fcntl.LOCK_EX):
            room.enter_context(_locked(_ROOM, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH))
        yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    """Lock a file as flock(2) does: the lock ends with the process at the latest."""
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)
