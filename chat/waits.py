"""What a running answer waits for, beside Claude's words: a retry, tools, a person's word on one.

Fed with the events of its log in order. Pure, and the same for a page that is loaded and one that
is kept up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chat.json_values import readable_json
from chat.kinds import APPROVAL_GIVEN, APPROVAL_WANTED, FINAL, REQUEST, RETRY, TOOL_RESULT


class Question(NamedTuple):
    """A call that a person has to allow: of which tool, and with all of its input, as text."""

    tool_use_id: str
    name: str
    text: str


class Waits:
    """`retry` is the data of a `retry` event, until its request is made again."""

    def __init__(self) -> None:
        self.retry: Mapping[str, Any] | None = None
        self._questions: dict[str, Question] = {}
        # Names of called tools that have not answered, by the id of the call.
        self._called: dict[str, str] = {}
        self._is_calling = False

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(self._questions.values())

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that run now."""
        called = self._called.items() if self._is_calling else ()
        return tuple(name for call, name in called if call not in self._questions)

    def feed(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Take in one event, and return whether there is something else to tell of now."""
        if kind == "content_block_delta":
            return False
        before = (self.retry, self.questions, self.tools)
        if kind == RETRY:
            self.retry = data
        elif kind == REQUEST:
            self.retry, self._called, self._is_calling = None, {}, False
        elif kind == "content_block_start":
            self._note_call(data["content_block"])
        elif kind == "message_delta":
            delta = data.get("delta")
            self._is_calling = isinstance(delta, dict) and delta.get("stop_reason") == "tool_use"
        elif kind == APPROVAL_WANTED:
            self._questions[data["tool_use_id"]] = _question(data)
        elif kind == APPROVAL_GIVEN:
            self._questions.pop(data["tool_use_id"], None)
        elif kind == TOOL_RESULT:
            self._called.pop(data["tool_use_id"], None)
            self._questions.pop(data["tool_use_id"], None)
        elif kind == FINAL:
            self._questions, self._called = {}, {}
        return before != (self.retry, self.questions, self.tools)

    def _note_call(self, block: Mapping[str, Any]) -> None:
        if block.get("type") == "tool_use":
            self._called[str(block.get("id"))] = str(block.get("name"))


def _question(data: Mapping[str, Any]) -> Question:
    return Question(data["tool_use_id"], data["name"], readable_json(data["input"]))
