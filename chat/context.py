"""Which messages, and what of them, go to Claude. Pure: stored turns in, a request's turns out.

- Text alone is sent again. Thinking may be left out where no tool is used (Messages API,
  "Extended thinking"); blocks that were cut off can't be resumed.
- A refused exchange is left out, prompt and answer, as the API asks ("Handle streaming
  refusals"): what was refused would be refused again.
- The last turn is the user's: current models accept no prefilled answer. To go on with an answer
  that was cut, a user turn quotes its end (Messages API, "Migrating to Claude 4.6", prefill).
- An answer is one text, whatever parts and blocks it came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from chat.content import Block, text_of

QUOTED_CHARS = 200
"""Of an answer that is to go on, its last characters are quoted."""

_GO_ON = (
    "Your previous response was interrupted and ended with:\n\n{end}\n\n"
    "Continue from where you left off: begin with the very next character, and repeat nothing."
)


class Turn(NamedTuple):
    """A stored message: whose it is, its content blocks, and how its answer ended."""

    role: str
    content: list[Block]
    stop_reason: str = ""


def messages_for_claude(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Return the `messages` of a request: alternating turns, the last one the user's."""
    messages: list[dict[str, Any]] = []
    for turn in _without_refused(turns):
        blocks = _sendable(turn.role, turn.content)
        if not blocks:
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"].extend(blocks)
        else:
            messages.append({"role": turn.role, "content": blocks})
    while messages and messages[-1]["role"] != "user":
        messages.pop()
    return messages


def messages_to_go_on(turns: Iterable[Turn], begun: list[Block]) -> list[dict[str, Any]]:
    """Return the `messages` of a request that goes on with an answer.

    Args:
        turns: what stands before the answer.
        begun: the blocks that the answer has; without text in them it is asked for anew.
    """
    messages = messages_for_claude(turns)
    blocks = _sendable("assistant", begun)
    if not blocks or not messages:
        return messages
    go_on = _GO_ON.format(end=blocks[-1]["text"][-QUOTED_CHARS:])
    return [
        *messages,
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": [{"type": "text", "text": go_on}]},
    ]


def _sendable(role: str, blocks: list[Block]) -> list[dict[str, Any]]:
    # The citations of an answer belong to results that are not sent again.
    texts = [text_of(block) for block in blocks]
    if role == "assistant":
        texts = ["".join(texts)]
    return [{"type": "text", "text": text} for text in texts if text.strip()]


def _without_refused(turns: Iterable[Turn]) -> list[Turn]:
    """Return the turns without refused answers and the prompts that they refused."""
    kept: list[Turn] = []
    for turn in turns:
        if turn.stop_reason != "refusal":
            kept.append(turn)
        elif kept and kept[-1].role == "user":
            kept.pop()
    return kept
