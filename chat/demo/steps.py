"""What a scripted scenario is made of: steps, variations by attempt and by round, `Scenario`.

Only data; `player` gives the steps their meaning. The steps that write content open the message
(headers, `message_start`, `ping`) and the block they need by themselves, and a scenario that
ends without `Finish`, `Refuse`, `End`, `Cut` or `Stall` is finished with `end_turn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """Refuse the request with an HTTP status. Only before anything was sent."""

    code: int
    error_type: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Send headers, `message_start` and a `ping`, and no content yet."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Write these bytes as they are, in a TCP write of their own."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """Send one event with this payload as it is; `type` is added to the payload."""

    type: str
    payload: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """Stream text: `chunk` characters a delta (0: all in one), or the deltas as given."""

    text: str | Sequence[str]
    chunk: int = 12
    interval_s: float = 0.005

    def pieces(self) -> Iterator[str]:
        if not isinstance(self.text, str):
            yield from self.text
            return
        size = self.chunk or len(self.text) or 1
        for at in range(0, len(self.text), size):
            yield self.text[at : at + size]


@dataclass(frozen=True, slots=True)
class SplitText:
    """Send one text delta in two TCP writes, cut inside its first multi-byte character."""

    text: str
    pause_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Thinking:
    """Stream a thinking block, whether the request asks for one or not."""

    text: str
    chunk: int = 24
    interval_s: float = 0.005


@dataclass(frozen=True, slots=True)
class Delta:
    """Send one delta of any type to the open block (a text block where none is open)."""

    delta: Payload


@dataclass(frozen=True, slots=True)
class Block:
    """Send a whole block of any type: its start, its deltas, its stop."""

    start: Payload
    deltas: Iterable[Payload] = ()
    interval_s: float = 0.005


@dataclass(frozen=True, slots=True)
class ToolUse:
    """Call a tool: by default the request's first, with input made up from its schema."""

    name: str | None = None
    input: Payload | None = None
    chunk: int = 8
    interval_s: float = 0.005


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Pings:
    """Send `n` pings, one each interval."""

    n: int
    interval_s: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing more until the client goes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Drop the connection: with a TCP reset, or with a FIN in the middle of the body."""

    reset: bool = True


@dataclass(frozen=True, slots=True)
class End:
    """End the body cleanly, without the events that should still come."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Close the open block and send `message_delta` and `message_stop`."""

    stop_reason: str = "end_turn"
    stop_details: Payload | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Finish with the stop reason `refusal`."""

    category: str = "general_harms"
    explanation: str = "The demo model was told to refuse this request."


@dataclass(frozen=True, slots=True)
class Answer:
    """Play the normal answer, at the server's pace, to its end."""


Step: TypeAlias = (
    Status
    | Start
    | Raw
    | Event
    | Text
    | SplitText
    | Thinking
    | Delta
    | Block
    | ToolUse
    | Wait
    | Pings
    | Stall
    | Cut
    | End
    | Finish
    | Refuse
    | Answer
)


class _Variants:
    def __init__(self, *lists: Sequence[Step]) -> None:
        if not lists:
            raise ValueError("at least one list of steps is needed")
        self.lists = tuple(tuple(steps) for steps in lists)

    def pick(self, number: int) -> tuple[Step, ...]:
        return self.lists[min(number, len(self.lists) - 1)]


class Attempts(_Variants):
    """The n-th request with the same last user text gets the n-th list; the last repeats."""


class Rounds(_Variants):
    """The n-th call of one answer (after n tool results or pauses) gets the n-th list."""


class Scenario:
    """A scripted answer with the line that describes it in the menu."""

    def __init__(self, description: str, *parts: Step | Attempts | Rounds) -> None:
        self.description = description
        self._parts = parts

    def steps(self, attempt: int = 0, call: int = 0) -> list[Step]:
        """Return the steps for one request; `attempt` and `call` count from 0."""
        if call and not any(isinstance(part, Rounds) for part in self._parts):
            # A plain scenario scripts the first call; what follows a tool result is an answer.
            return [Answer()]
        steps: list[Step] = []
        for part in self._parts:
            if isinstance(part, Attempts):
                steps.extend(part.pick(attempt))
            elif isinstance(part, Rounds):
                steps.extend(part.pick(call))
            else:
                steps.append(part)
        return steps
