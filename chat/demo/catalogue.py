"""The models the demo server offers, in the shape of `GET /v1/models`."""

from __future__ import annotations

from typing import Any

# Ids and limits: Messages API, "Models overview". The names say that none of them is Claude.
_CONTEXT_TOKENS = 1_000_000
MAX_OUTPUT_TOKENS = 128_000
_NAMES = {
    "claude-sonnet-5-5": ("Claude Sonnet 5.5 (demo)", "sonnet", "2026-09-22T00:00:00Z"),
    "claude-haiku-5-5": ("Claude Haiku 5.5 (demo)", "haiku", "2026-10-07T00:00:00Z"),
    "claude-opus-5-5": ("Claude Opus 5.5 (demo)", "opus", "2026-09-22T00:00:00Z"),
}
# Messages API, "Model deprecations".
_RETIRED = frozenset({"claude-sonnet-4-20250514", "claude-opus-4-1-20250805", "claude-opus-4-1"})
# Messages API, "Adaptive thinking", per model: these think always, so they refuse `disabled`,
# and with it a forced `tool_choice`.
ALWAYS_THINKING = frozenset({"claude-sonnet-5-5", "claude-opus-5-5"})


def model(model_id: str) -> dict[str, Any] | None:
    if model_id not in _NAMES:
        return None
    name, line, created_at = _NAMES[model_id]
    return {
        "type": "model",
        "id": model_id,
        "display_name": name,
        "created_at": created_at,
        "line": line,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": _CONTEXT_TOKENS,
        "max_tokens": MAX_OUTPUT_TOKENS,
        "capabilities": None,
    }


def is_answered(model_id: str) -> bool:
    """Whether requests for a model are answered: any that Claude has, listed here or not."""
    return model_id.startswith("claude-") and model_id not in _RETIRED


def page() -> dict[str, Any]:
    ids = list(_NAMES)
    data = [model(model_id) for model_id in ids]
    return {"data": data, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}
