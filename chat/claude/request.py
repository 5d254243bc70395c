"""What goes to Claude, and what comes back. Apart from the SDK, which takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class ApiEvent(NamedTuple):
    """One event of the Messages API: its type, and its payload as it came."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What is asked of Claude. `extra` holds members that not every server knows.

    `headers` are the API's own, of a program that speaks another version of it, or uses a beta.
    Without `may_call_tools` they are told of, because there are results of them, and no more.
    """

    model: str
    max_tokens: int
    messages: list[dict[str, Any]]
    system: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    may_call_tools: bool = True
