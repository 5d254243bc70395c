"""What a reader shows already: it says so itself, with the first message on its socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass
class Position:
    """Up to where a reader has a conversation.

    `message_id` is the last message shown (0: none); `generation_id` its running answer (0:
    none), shown to event `seq` but for the last `held` characters. `shown_id` is the newest
    generation of which the reader shows anything, running or ended. `is_between` says that frames
    are to follow at once, before which the reader has no position that could be gone on from.
    """

    message_id: int = 0
    generation_id: int = 0
    seq: int = 0
    held: int = 0
    shown_id: int = 0
    is_between: bool = field(default=False, init=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a position that a client sent; what makes no sense counts as 0."""
        names = ("message_id", "generation_id", "seq", "held", "shown_id")
        return cls(**{name: _natural(data.get(name)) for name in names})

    def take_up(self, generation_id: int, seq: int, held: int) -> None:
        """Note that a running answer is shown, and up to where."""
        self.generation_id, self.seq, self.held = generation_id, seq, held

    def let_go(self) -> None:
        """Note that no running answer is shown any more."""
        self.generation_id = self.seq = self.held = 0


def _natural(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
