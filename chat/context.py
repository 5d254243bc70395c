"""Which messages, and what of them, go to Claude. Pure: stored turns in, a request's turns out.

- Text alone is sent again. Thinking may be left out where no tool is used (Messages API,
  "Extended thinking"); blocks that were cut off can't be resumed.
- A refused exchange is left out, prompt and answer, as the API asks ("Handle streaming
  refusals"): what was refused would be refused again.
- The last turn is the user's: current models accept no prefilled answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from chat.content import Block, text_of


class Turn(NamedTuple):
    """A stored message: whose it is, its content blocks, and how its answer ended."""

    role: str
    content: list[Block]
    stop_reason: str = ""


def messages_for_claude(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Return the `messages` of a request: alternating turns, the last one the user's."""
    messages: list[dict[str, Any]] = []
    for turn in _without_refused(turns):
        blocks = [_sendable(block) for block in turn.content if text_of(block).strip()]
        if not blocks:
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"].extend(blocks)
        else:
            messages.append({"role": turn.role, "content": blocks})
    while messages and messages[-1]["role"] != "user":
        messages.pop()
    return messages


def _sendable(block: Block) -> dict[str, Any]:
    # The citations of an answer belong to results that are not sent again.
    return {"type": "text", "text": block["text"]}


def _without_refused(turns: Iterable[Turn]) -> list[Turn]:
    """Return the turns without refused answers and the prompts that they refused."""
    kept: list[Turn] = []
    for turn in turns:
        if turn.stop_reason != "refusal":
            kept.append(turn)
        elif kept and kept[-1].role == "user":
            kept.pop()
    return kept
