"""Events of the Messages API, as a server sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.demo.wire import frame


def sse(*payloads: Mapping[str, Any]) -> bytes:
    """Return payloads as the API frames them, each under its own type."""
    return b"".join(frame(p["type"], {k: v for k, v in p.items() if k != "type"}) for p in payloads)


def message_start(message_id: str = "msg_1", **members: Any) -> dict[str, Any]:
    message = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
        **members,
    }
    return {"type": "message_start", "message": message}
