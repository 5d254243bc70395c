"""What the driver is told to do, and what it has measured: JSON on a line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple, Self

from tests.load.plan import Plan
from tests.load.texts import Kind

Way = Literal["page", "api", "bare"]
"""The page's websocket, `POST /api/chat`, or the bare relay's websocket."""

PATIENCE_S = 60


class Account(NamedTuple):
    """Somebody with an open session, a token, and a conversation whose page is at `path`."""

    session_key: str
    token: str
    path: str


NOBODY = Account("", "", "")


class Mark(NamedTuple):
    """What watched processes had used and held when so many stamps had come in all."""

    stamps: int
    at_us: int
    cpu_s: float
    uss_kb: int


@dataclass(frozen=True)
class Job:
    """One answer for each account, all at once.

    Args:
        run: a name that no other job of the same model server has.
        port, reader_port: where prompts go, and where answers are read.
        deltas: of each answer; 0 only opens what would be read from.
        per_s: deltas a second of each answer; 0: as fast as they are taken.
        spread_s: the first prompts and the last ones are so far apart, in seconds.
        stop_after: stops each answer after so many stamps, and a few more by turns; 0: never.
        watched: processes to be measured ten times while the answers are written.
    """

    run: str
    way: Way
    port: int
    reader_port: int
    accounts: list[Account]
    kind: Kind = "prose"
    deltas: int = 0
    per_s: int = 0
    spread_s: float = 0.0
    stop_after: int = 0
    watched: list[int] = field(default_factory=list)

    @property
    def timeout_s(self) -> float:
        return PATIENCE_S + self.spread_s + (self.deltas / self.per_s if self.per_s else 0)

    def plan(self, number: int) -> Plan:
        return Plan(self.kind, self.deltas, self.per_s, f"{self.run}-{number}")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = json.loads(text)
        return cls(**{**data, "accounts": [Account(*each) for each in data["accounts"]]})


@dataclass
class Result:
    """What became of a job; times in microseconds.

    `complete` are the answers that ended with every stamp. `first_us` is how long the first word
    took from the prompt, without what the model server took, of each answer; `stopped_us` when Stop
    was pressed, by the names of plans.
    """

    complete: int = 0
    stamps: int = 0
    delays_us: list[int] = field(default_factory=list)
    first_us: list[int] = field(default_factory=list)
    stopped_us: dict[str, int] = field(default_factory=dict)
    took_us: int = 0
    marks: list[Mark] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        data = json.loads(text)
        return cls(**{**data, "marks": [Mark(*each) for each in data["marks"]]})
