"""A validated Messages API request, and what the model reads out of it.

Pure. Consecutive turns of one role count as one turn, as the API documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from chat.demo.pace import token_count

ContentBlock: TypeAlias = Mapping[str, Any]

_COMMAND = re.compile(r"^/demo(?!\S)(?:[ \t]+(\S+))?[^\n]*(?:\n|$)")
# As the Messages API has it ("Streaming", error recovery).
_GO_ON = re.compile(r"\bcontinue\b.{0,20}\b(where|from where) you left off|^continue\W*$", re.I)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKENS_PER_FILE = 1_500


@dataclass(frozen=True)
class Turn:
    role: str
    blocks: tuple[ContentBlock, ...]

    @cached_property
    def text(self) -> str:
        # A prompt that got no answer stands before the newest one in the same turn.
        texts = [block["text"] for block in self.blocks if block.get("type") == "text"]
        # Lone surrogates arrive as JSON escapes and can't be sent back as UTF-8.
        return _SURROGATE.sub("\ufffd", texts[-1] if texts else "")


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the application sent back for one call of a tool."""

    tool: str
    text: str
    is_error: bool


@dataclass(frozen=True)
class Request:
    body: Mapping[str, Any]
    turns: tuple[Turn, ...]

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Request:
        return cls(body, tuple(_merged(body["messages"])))

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def streams(self) -> bool:
        return self.body.get("stream") is True

    @property
    def max_tokens(self) -> int:
        return int(self.body["max_tokens"])

    @property
    def tools(self) -> Sequence[Mapping[str, Any]]:
        """The tools that the application runs; server tools have no schema."""
        return [tool for tool in self.body.get("tools") or [] if "input_schema" in tool]

    @property
    def thinks(self) -> bool:
        return (self.body.get("thinking") or {}).get("type") in {"adaptive", "enabled"}

    @property
    def shows_thinking(self) -> bool:
        # "Adaptive thinking": `display` is `omitted` unless asked for on these models.
        return self.thinks and self.body["thinking"].get("display") == "summarized"

    @cached_property
    def prompts(self) -> list[str]:
        """The texts of the user's turns, oldest first; the last is what is asked now."""
        return [turn.text for turn in self.turns if turn.role == "user" and turn.text.strip()]

    @property
    def prompt(self) -> str:
        return self.prompts[-1] if self.prompts else ""

    @property
    def scenario(self) -> str | None:
        """The name after `/demo` in the first line of the prompt; empty for none."""
        command = _COMMAND.match(self.prompt)
        return command and (command[1] or "")

    @property
    def call(self) -> int:
        """How many tool results or pauses of this answer came before this request."""
        asked_at = max(
            (at for at, turn in enumerate(self.turns) if turn.role == "user" and turn.text.strip()),
            default=0,
        )
        since = self.turns[asked_at + 1 :]
        return sum(turn.role == "user" for turn in since) + (self.turns[-1].role == "assistant")

    @property
    def tool_results(self) -> list[ToolResult]:
        names = {
            block.get("id"): str(block.get("name"))
            for turn in self.turns
            for block in turn.blocks
            if block.get("type") == "tool_use"
        }
        return [
            ToolResult(
                names.get(block.get("tool_use_id"), "unknown"),
                _result_text(block.get("content")),
                bool(block.get("is_error")),
            )
            for block in self.turns[-1].blocks
            if block.get("type") == "tool_result"
        ]

    @cached_property
    def input_tokens(self) -> int:
        """Estimate the size of the whole prompt; never the real API's number."""
        tokens = 3 + token_count(json.dumps(self.body.get("tools") or []))
        for turn in [*self.turns, *_merged([_system(self.body)])]:
            tokens += 4 + sum(_block_tokens(block) for block in turn.blocks)
        return int(tokens)


def asks_to_go_on(prompt: str) -> bool:
    """Whether an application asks for the rest of an answer that was interrupted."""
    return _GO_ON.search(prompt) is not None


def without_command(prompt: str) -> str:
    return _COMMAND.sub("", prompt, count=1).strip()


def blocks_of(content: Any) -> list[ContentBlock]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content or [])


def _merged(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    for message in messages:
        blocks = tuple(blocks_of(message["content"]))
        if turns and turns[-1].role == message["role"]:
            blocks = turns.pop().blocks + blocks
        turns.append(Turn(message["role"], blocks))
    return turns


def _system(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"role": "system", "content": body.get("system")}


def _block_tokens(block: ContentBlock) -> float:
    if block.get("type") in {"image", "document"}:
        return _TOKENS_PER_FILE
    if block.get("type") == "text":
        return token_count(block["text"])
    return token_count(json.dumps(block, ensure_ascii=False))


def _result_text(content: Any) -> str:
    texts = (block.get("text", "") for block in blocks_of(content))
    return _SURROGATE.sub("\ufffd", "\n".join(texts))
