"""What tells that a program's messages go on with a saved conversation: a digest of their path.

A program sends everything that was said with each request. Each message has a digest of itself
and all before it, so that one look-up finds the answer that the messages go on from. Pure.

Not everything of a message counts, because a program may send an answer back as it came, as its
SDK wrote it down, or as its text alone:

- Texts count as one, whatever blocks and citations they came in.
- Thinking, and what Claude's own tools did, may be left out: neither counts.
- A call of the program's tool counts by its id, which no other has. Its input may come back as
  other JSON: 1 for 1.0, or with members in another order.
- Members that are null, and `cache_control`, which moves on with each request, do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from chat.content import Block, is_text, plain_text

_TOOL_USE = "tool_use"


def path_digests(turns: Iterable[tuple[str, list[Block]]]) -> Iterator[str]:
    """Yield the digest of each path that begins with the first of the turns: role and content."""
    digest = ""
    for role, content in turns:
        digest = next_digest(digest, role, content)
        yield digest


def next_digest(before: str, role: str, content: list[Block]) -> str:
    """Return the digest of a path with one more message; `before` is "" for the first one."""
    others = [_counted(block) for block in content if not is_text(block)]
    if role == "assistant":
        others = [block for block in others if block.get("type") == _TOOL_USE]
    # White space at the ends is cut by some programs.
    said = [before, role, plain_text(content).strip(), others]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _counted(block: Mapping[str, Any]) -> dict[str, Any]:
    if block.get("type") == _TOOL_USE:
        return {name: block.get(name) for name in ("type", "id", "name")}
    counted: dict[str, Any] = _without_marks(block)
    return counted


def _without_marks(value: Any) -> Any:
    if isinstance(value, Mapping):
        marked = {k: v for k, v in value.items() if v is not None and k != "cache_control"}
        return {name: _without_marks(member) for name, member in marked.items()}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value
