"""What a caller may ask of an answer beside its messages; kept with the generation as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

MAX_MODEL_CHARS = 100
"""How long the name of a model may be."""


@dataclass(frozen=True)
class Options:
    """What an answer shall be written by. What is not given, the settings decide.

    `tools` are names of the registry; `max_seconds` counts from when the generation is taken.
    `body` is a whole request of the Messages API, sent on as it came, of which the members above
    count no more; its `messages` are left out once the answer has ended. `headers` go with it.
    """

    model: str = ""
    system: str | None = None
    max_tokens: int | None = None
    tools: tuple[str, ...] | None = None
    max_seconds: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self:
        """Read what `to_json` wrote; None stands for nothing asked for."""
        known = {name: value for name, value in (data or {}).items() if name in cls.__match_args__}
        if known.get("tools") is not None:
            known["tools"] = tuple(known["tools"])
        return cls(**known)

    def to_json(self) -> dict[str, Any] | None:
        """Return what is asked for; None where that is nothing."""
        given = [(name, getattr(self, name)) for name in self.__match_args__]
        return {name: value for name, value in given if value != getattr(_NOTHING, name)} or None


_NOTHING = Options()


def without_messages(options: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what is left of the JSON when the answer has ended: its messages are stored.

    Nor are the servers kept that Claude was to call, which come with their tokens.
    """
    if not (options and "body" in options):
        return options
    kept = {k: v for k, v in options["body"].items() if k not in ("messages", "mcp_servers")}
    return {**options, "body": kept}
