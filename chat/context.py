"""Which messages, and what of them, go to Claude. Pure: stored turns in, a request's turns out.

- Of earlier turns text alone is sent again. Thinking may be left out where no tool is used
  (Messages API, "Extended thinking"); blocks that were cut off can't be resumed. Within an answer
  that calls tools everything goes back as it came.
- A refused exchange is left out, prompt and answer, as the API asks ("Handle streaming
  refusals"): what was refused would be refused again.
- The last turn is the user's: current models accept no prefilled answer. To go on with an answer
  that was cut, a user turn quotes its end (Messages API, "Migrating to Claude 4.6", prefill).
- An answer is one text, whatever parts and blocks it came in.
- What a program asked by itself is asked again as the program put it, with every block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from chat.content import Block, is_text, text_of
from chat.kinds import TOOL_RESULT

QUOTED_CHARS = 200
"""Of an answer that is to go on, its last characters are quoted."""

SYSTEM = "system"
"""The role of a message of a program's own, in midst of others; stored as a block of a user's."""

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


def messages_as_sent(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Return the `messages` of a request as a program made it: every block that is whole."""
    messages = (_as_sent(turn.role, [b for b in turn.content if _is_whole(b)]) for turn in turns)
    return [message for message in messages if message["content"]]


def _as_sent(role: str, blocks: list[Block]) -> dict[str, Any]:
    if [block.get("type") for block in blocks] == [SYSTEM]:
        return {"role": SYSTEM, "content": blocks[0]["content"]}
    if role == "assistant" and any(block.get("type") == TOOL_RESULT for block in blocks):
        # Tools of this site were called, between several requests.
        return {"role": role, "content": _sendable(role, blocks)}
    return {"role": role, "content": blocks}


def _is_whole(block: Block) -> bool:
    """Whether Claude takes a block back: no call that was cut off, no thinking without its end."""
    if block.get("type") == "thinking" and not block.get("signature"):
        return False
    return "partial_json" not in block


def messages_with_answer(
    messages: list[dict[str, Any]], said: Iterable[Block]
) -> list[dict[str, Any]]:
    """Return messages with what Claude said to them, as it is, so that it goes on with that.

    Within one answer thinking goes back unmodified, with its signature (Messages API, "Extended
    thinking", preserving thinking blocks).
    """
    content = [_as_said(block) for block in said if not is_blank(block)]
    if messages[-1]["role"] != "assistant":
        return [*messages, {"role": "assistant", "content": content}]
    last = {**messages[-1], "content": [*messages[-1]["content"], *content]}
    return [*messages[:-1], last]


def messages_with_results(
    messages: list[dict[str, Any]], said: Iterable[Block], results: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return messages with what Claude said, and with what the tools that it called answered.

    Args:
        results: the data of `tool_result` events, in the order of the calls.
    """
    content = [
        {
            "type": "tool_result",
            "tool_use_id": result["tool_use_id"],
            "content": result["content"],
            "is_error": result["is_error"],
        }
        for result in results
    ]
    return [*messages_with_answer(messages, said), {"role": "user", "content": content}]


def is_blank(block: Block) -> bool:
    """Whether it is a text without a word, which the API takes from nobody."""
    return is_text(block) and not text_of(block).strip()


def _as_said(block: Block) -> Block:
    if block.get("type") != "tool_use" or isinstance(block.get("input"), dict):
        # What could not be parsed is told in the result.
        return {name: value for name, value in block.items() if name != "partial_json"}
    return {**block, "input": {}}


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
