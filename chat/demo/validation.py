"""Refuses what the Messages API refuses, with its types and words. Pure.

Only rules an application can break by accident are here; the rest is let through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chat.demo import catalogue
from chat.demo.api_error import ApiError
from chat.demo.request import ContentBlock, blocks_of

# Migration guide for API version 2026-10-21: "no longer supported, even at their defaults".
_SAMPLING = ("temperature", "top_p", "top_k")
_SMALLEST_THINKING_BUDGET_TOKENS = 1024
_BLOCK_TYPES = {
    "user": {
        "text",
        "image",
        "document",
        "search_result",
        "tool_result",
        "container_upload",
    },
    "assistant": {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
        "fallback",
    },
}


def check_messages(body: Any) -> None:
    """Raise ApiError where `POST /v1/messages` would be refused."""
    check_count_tokens(body)
    _check_max_tokens(body)
    _check_thinking(body)


def check_count_tokens(body: Any) -> None:
    """Raise ApiError where `POST /v1/messages/count_tokens` would be refused."""
    if not isinstance(body, Mapping):
        raise _invalid("The request body is not a JSON object.")
    for name in _SAMPLING:
        if name in body:
            raise _invalid(f"{name}: no longer supported; remove it from the request")
    _check_model(body)
    _check_texts("system", blocks_of(body.get("system")))
    _check_turns(body.get("messages"))


def _check_model(body: Mapping[str, Any]) -> None:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _invalid("model: Field required")
    if not catalogue.is_answered(model):
        raise ApiError("not_found_error", f"model: {model}")


def _check_max_tokens(body: Mapping[str, Any]) -> None:
    tokens = body.get("max_tokens")
    if tokens is None:
        raise _invalid("max_tokens: Field required")
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        raise _invalid("max_tokens: Input should be a valid integer")
    if tokens < 1:
        raise _invalid("max_tokens: Input should be greater than or equal to 1")
    if tokens > catalogue.MAX_OUTPUT_TOKENS:
        raise _invalid(
            f"max_tokens: {tokens} > {catalogue.MAX_OUTPUT_TOKENS}, which is the maximum "
            f"allowed number of output tokens for {body['model']}"
        )


def _check_thinking(body: Mapping[str, Any]) -> None:
    thinking = body.get("thinking") or {}
    always = body["model"] in catalogue.ALWAYS_THINKING
    if always and thinking.get("type") == "disabled":
        raise _invalid(f"thinking.type: `disabled` is not supported by {body['model']}")
    if always and (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        raise _invalid(f"tool_choice: forced tool use is not supported by {body['model']}")
    if thinking.get("type") == "enabled":
        _check_budget(thinking.get("budget_tokens"), body["max_tokens"])


def _check_budget(budget_tokens: Any, max_tokens: int) -> None:
    field = "thinking.enabled.budget_tokens"
    if not isinstance(budget_tokens, int):
        raise _invalid(f"{field}: Field required")
    if budget_tokens < _SMALLEST_THINKING_BUDGET_TOKENS:
        raise _invalid(
            f"{field}: Input should be greater than or equal to {_SMALLEST_THINKING_BUDGET_TOKENS}"
        )
    if budget_tokens >= max_tokens:
        raise _invalid("`max_tokens` must be greater than `thinking.budget_tokens`")


def _check_turns(messages: Any) -> None:
    if not isinstance(messages, list):
        raise _invalid("messages: Field required")
    if not messages:
        raise _invalid("messages: at least one message is required")
    for at, message in enumerate(messages):
        _check_turn(f"messages.{at}", message)
    if messages[0]["role"] != "user":
        raise _invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] != "user" and not _is_paused(messages[-1]):
        raise _invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    _check_tool_pairs(messages)


def _check_turn(path: str, message: Any) -> None:
    if not isinstance(message, Mapping) or message.get("role") not in _BLOCK_TYPES:
        raise _invalid(f"{path}.role: Input should be 'user' or 'assistant'")
    content = message.get("content")
    if not isinstance(content, str | list):
        raise _invalid(f"{path}.content: Field required")
    if not content:
        raise _invalid(f"{path}: all messages must have non-empty content")
    for at, block in enumerate(blocks_of(content)):
        _check_block(f"{path}.content.{at}", block, message["role"])
    _check_texts("messages", blocks_of(content))


def _check_block(path: str, block: Any, role: str) -> None:
    known = _BLOCK_TYPES[role]
    if not isinstance(block, Mapping) or block.get("type") not in known:
        tag = block.get("type") if isinstance(block, Mapping) else block
        raise _invalid(
            f"{path}: Input tag '{tag}' found using 'type' does not match any of the "
            f"expected tags: {', '.join(sorted(known))}"
        )
    if block["type"] == "thinking" and not block.get("signature"):
        raise _invalid(f"{path}.thinking.signature: Field required")
    if block["type"] == "redacted_thinking" and not block.get("data"):
        raise _invalid(f"{path}.redacted_thinking.data: Field required")


def _check_texts(path: str, blocks: Sequence[ContentBlock]) -> None:
    for block in blocks:
        if block.get("type") != "text":
            continue
        text = block.get("text")
        if not isinstance(text, str):
            raise _invalid(f"{path}: text.text: Field required")
        if not text:
            raise _invalid(f"{path}: text content blocks must be non-empty")
        if not text.strip():
            raise _invalid(f"{path}: text content blocks must contain non-whitespace text")


def _is_paused(message: Mapping[str, Any]) -> bool:
    """Say whether an assistant turn ends in a server tool's block, as `pause_turn` leaves it."""
    last = str(blocks_of(message["content"])[-1]["type"])
    return last == "server_tool_use" or last.endswith("_tool_result")


def _check_tool_pairs(messages: Sequence[Mapping[str, Any]]) -> None:
    wanted: set[str] = set()
    for at, message in enumerate(messages):
        given = _ids(message, "tool_result", "tool_use_id")
        if message["role"] == "user" and given - wanted:
            raise _invalid(
                f"messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(sorted(given - wanted))}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message."
            )
        if message["role"] == "user" and wanted - given:
            raise _invalid(
                f"messages.{at}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(sorted(wanted - given))}."
            )
        wanted = _ids(message, "tool_use", "id")


def _ids(message: Mapping[str, Any], block_type: str, key: str) -> set[str]:
    blocks = blocks_of(message["content"])
    return {str(block.get(key)) for block in blocks if block.get("type") == block_type}


def _invalid(message: str) -> ApiError:
    return ApiError("invalid_request_error", message)
