"""The places of a process: it writes so many answers at once. Safe to use from any thread."""

from __future__ import annotations

import threading

from django.conf import settings


class Places:
    """Who has one, by generation id: each is taken once.

    `was_full` says whether one was wanted for which there was no room, since that was last noted;
    `is_closed`, that nobody gets one any more.
    """

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._lock = threading.Lock()
        self.is_closed = False
        self.was_full = False

    def __contains__(self, generation_id: object) -> bool:
        return generation_id in self._taken

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, generation_id: int) -> bool:
        """Take a place; False where it has one, or there is none."""
        with self._lock:
            if self.is_closed or generation_id in self._taken:
                return False
            if len(self._taken) >= settings.CHAT_RUNNING_PER_PROCESS:
                self.was_full = True
                return False
            self._taken.add(generation_id)
            return True

    def leave(self, generation_id: int) -> None:
        """Give a place back."""
        with self._lock:
            self._taken.discard(generation_id)

    def close(self) -> None:
        """Let nobody take one from now on."""
        with self._lock:
            self.is_closed = True
