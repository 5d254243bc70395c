"""Which messages are found again, however a program writes them down."""

from __future__ import annotations

from typing import Any

import pytest

from chat.content import Block
from chat.digests import next_digest, path_digests

TEXT: Block = {"type": "text", "text": "Herons wait."}
CALL: Block = {"type": "tool_use", "id": "t1", "name": "find", "input": {"a": 1.0, "b": None}}
THOUGHT: Block = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
SEARCH: Block = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
FOUND: Block = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
RESULT: Block = {"type": "tool_result", "tool_use_id": "t1", "content": [TEXT]}
IMAGE: Block = {"type": "image", "source": {"type": "url", "url": "https://a.example"}}


def answer(*blocks: Block) -> str:
    return next_digest("", "assistant", list(blocks))


def asked(*blocks: Block) -> str:
    return next_digest("", "user", list(blocks))


@pytest.mark.parametrize(
    "blocks",
    [
        [{**TEXT, "citations": None}],
        [{**TEXT, "citations": [{"type": "char_location"}]}],
        [{**TEXT, "cache_control": {"type": "ephemeral"}}],
        [{**TEXT, "text": "Herons "}, {**TEXT, "text": "wait."}],
        [{**TEXT, "text": " Herons wait.\n"}],
        [THOUGHT, TEXT],
        [{"type": "redacted_thinking", "data": "x"}, TEXT],
        [{**TEXT, "text": "Herons"}, SEARCH, FOUND, {**TEXT, "text": " wait."}],
    ],
)
def test_same_answer(blocks: list[Block]) -> None:
    assert answer(*blocks) == answer(TEXT)


@pytest.mark.parametrize(
    "call", [{**CALL, "input": {"b": None, "a": 1}}, {**CALL, "caller": {"type": "direct"}}]
)
def test_same_call(call: Block) -> None:
    assert answer(TEXT, call) == answer(TEXT, CALL)


@pytest.mark.parametrize(
    "blocks", [[], [{**TEXT, "text": "Herons"}], [TEXT, CALL], [TEXT, {**CALL, "id": "t2"}]]
)
def test_other_answer(blocks: list[Block]) -> None:
    assert len({answer(*blocks), answer(TEXT), answer(TEXT, {**CALL, "id": "t3"})}) == 3


@pytest.mark.parametrize("member", ["cache_control", "citations"])
def test_same_prompt(member: str) -> None:
    marked: Any = {**RESULT, "content": [{**TEXT, member: None}], member: None}
    assert asked(marked, IMAGE) == asked(RESULT, IMAGE)


@pytest.mark.parametrize(
    "blocks",
    [[RESULT], [IMAGE], [{**RESULT, "is_error": True}, IMAGE], [RESULT, {**IMAGE, "source": {}}]],
)
def test_other_prompt(blocks: list[Block]) -> None:
    assert asked(*blocks) != asked(RESULT, IMAGE)


def test_role_counts() -> None:
    assert asked(TEXT) != answer(TEXT)


def test_all_before_counts() -> None:
    one = list(path_digests([("user", [TEXT]), ("assistant", [TEXT]), ("user", [IMAGE])]))
    other = list(path_digests([("user", [CALL]), ("assistant", [TEXT]), ("user", [IMAGE])]))
    assert len({*one, *other}) == 6
    assert one[1] == next_digest(one[0], "assistant", [TEXT])
