"""What a prompt of the benchmark asks the model server for; it says so itself, in one word."""

from __future__ import annotations

import re
from typing import NamedTuple, Self, cast

from tests.load.texts import Kind

_WORD = re.compile(rb"bench:(prose|markdown):(\d+):(\d+):([\w-]+)")


class Plan(NamedTuple):
    """An answer of `deltas`, `per_s` of them a second; 0: as fast as they are taken."""

    kind: Kind
    deltas: int
    per_s: int
    name: str

    @property
    def prompt(self) -> str:
        return f"bench:{self.kind}:{self.deltas}:{self.per_s}:{self.name}"

    @classmethod
    def last_in(cls, body: bytes) -> Self:
        """Return what the newest prompt of a request says. Raises: ValueError."""
        *_, found = [None, *_WORD.finditer(body)]
        if found is None:
            raise ValueError("no prompt of the benchmark")
        kind, deltas, per_s, name = found.groups()
        return cls(cast("Kind", kind.decode()), int(deltas), int(per_s), name.decode())
