from __future__ import annotations

from typing import Any

import pytest

from chat.demo.api_error import ApiError
from chat.demo.validation import check_count_tokens, check_messages

USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "Yes?"}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "n", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1"}]}
SEARCH = {"role": "assistant", "content": [{"type": "server_tool_use", "id": "s1"}]}


def body(**changes: Any) -> dict[str, Any]:
    whole = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [USER], **changes}
    return {name: value for name, value in whole.items() if value is not None}


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"system": "Be brief"},
        {"system": [{"type": "text", "text": "Be brief"}]},
        {"messages": [USER, ASSISTANT, USER, USER]},
        {"messages": [USER, USE, RESULT]},
        {"messages": [USER, SEARCH]},
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "disabled"}, "model": "claude-haiku-5-5"},
    ],
)
def test_accepted(changes: dict[str, Any]) -> None:
    check_messages(body(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"messages": None}, "messages: Field required"),
        ({"messages": []}, "at least one message"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [USER, ASSISTANT]}, "conversation must end with a user message"),
        ({"messages": [ASSISTANT, USER]}, 'must use the "user" role'),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role"),
        ({"messages": user("")}, "non-empty content"),
        ({"messages": user([])}, "non-empty content"),
        ({"messages": user([{"type": "text", "text": ""}])}, "must be non-empty"),
        ({"messages": user(" \n")}, "non-whitespace"),
        ({"messages": user([{"type": "hologram"}])}, "Input tag 'hologram'"),
        ({"messages": [USER, USE, USER]}, "without `tool_result`"),
        ({"messages": [USER, ASSISTANT, RESULT]}, "unexpected `tool_use_id`"),
        (
            {"messages": [USER, {"role": "assistant", "content": [{"type": "thinking"}]}, USER]},
            "signature: Field required",
        ),
        ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks"),
        ({"temperature": 1}, "temperature"),
        ({"top_p": 1}, "top_p"),
        ({"top_k": 1}, "top_k"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"max_tokens": "9"}, "valid integer"),
        ({"max_tokens": 128_001}, "128001 > 128000"),
        ({"model": None}, "model: Field required"),
        ({"thinking": {"type": "disabled"}}, "not supported by claude-sonnet-5-5"),
        ({"tool_choice": {"type": "any"}}, "forced tool use"),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "must be greater than"),
    ],
)
def test_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError) as refusal:
        check_messages(body(**changes))
    assert (refusal.value.status, refusal.value.error_type) == (400, "invalid_request_error")
    assert words in refusal.value.message


def test_retired_model_is_not_found() -> None:
    with pytest.raises(ApiError) as refusal:
        check_messages(body(model="claude-sonnet-4-20250514"))
    assert (refusal.value.status, refusal.value.error_type) == (404, "not_found_error")


def test_not_an_object() -> None:
    with pytest.raises(ApiError):
        check_messages([])


def test_count_tokens_needs_no_max_tokens() -> None:
    check_count_tokens(body(max_tokens=None))
