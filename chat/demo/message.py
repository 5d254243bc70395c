"""Writes one assistant message as events: ids, block indexes, usage, the closing events.

Owns the order that the API promises (Messages API, "Streaming"): `message_start`, blocks one
after the other, `message_delta`, `message_stop`. Knows nothing of time.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from collections.abc import Mapping
from typing import Any

from chat.demo.pace import token_count
from chat.demo.request import Request
from chat.demo.wire import Sink

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Return an id in the API's style, such as `msg_01` and 22 letters and digits."""
    return f"{prefix}_01" + "".join(secrets.choice(_ALPHABET) for _ in range(22))


class MessageWriter:
    def __init__(self, request: Request, sink: Sink) -> None:
        self._request = request
        self._sink = sink
        self._index = 0
        self._open_type: str | None = None
        self._is_started = False
        self._output_tokens = 0.0
        self._thinking_tokens = 0.0
        self._thought = ""

    async def start(self) -> None:
        """Send `message_start` and the first `ping`, once."""
        if self._is_started:
            return
        self._is_started = True
        await self._sink.start()
        await self._sink.event("message_start", {"message": self._message()})
        await self.ping()

    async def ping(self) -> None:
        await self._sink.event("ping", {})

    async def open(self, block: Mapping[str, Any]) -> None:
        """Start a block, after the open one was closed."""
        await self.start()
        await self.close()
        self._open_type = str(block["type"])
        await self._sink.event(
            "content_block_start", {"index": self._index, "content_block": dict(block)}
        )

    async def open_text(self) -> None:
        """Make sure that a text block is open."""
        if self._open_type != "text":
            await self.open({"type": "text", "text": ""})

    async def delta(self, delta: Mapping[str, Any]) -> None:
        self._count(delta)
        await self._sink.event("content_block_delta", {"index": self._index, "delta": dict(delta)})

    async def text(self, piece: str) -> None:
        await self.delta({"type": "text_delta", "text": piece})

    async def thought(self, piece: str) -> None:
        await self.delta({"type": "thinking_delta", "thinking": piece})

    async def sign(self, hidden_thought: str = "") -> None:
        """Send the one `signature_delta` of a thinking block."""
        self._thinking_tokens += token_count(hidden_thought)
        self._output_tokens += token_count(hidden_thought)
        seed = f"{self._request.model}\n{self._thought}{hidden_thought}"
        digest = hashlib.sha512(seed.encode()).digest()
        signature = base64.b64encode(b"demo" + digest * 3).decode()
        await self.delta({"type": "signature_delta", "signature": signature})
        self._thought = ""

    async def close(self) -> None:
        """Stop the open block, if there is one."""
        if self._open_type is None:
            return
        self._open_type = None
        await self._sink.event("content_block_stop", {"index": self._index})
        self._index += 1

    async def finish(
        self,
        stop_reason: str,
        *,
        stop_sequence: str | None = None,
        stop_details: Mapping[str, Any] | None = None,
    ) -> None:
        await self.start()
        await self.close()
        delta: dict[str, Any] = {"stop_reason": stop_reason, "stop_sequence": stop_sequence}
        if stop_details is not None:
            delta["stop_details"] = dict(stop_details)
        await self._sink.event("message_delta", {"delta": delta, "usage": self._usage()})
        await self._sink.event("message_stop", {})
        await self._sink.end()

    @property
    def is_open(self) -> bool:
        return self._open_type is not None

    @property
    def index(self) -> int:
        return self._index

    def _count(self, delta: Mapping[str, Any]) -> None:
        for key in ("text", "thinking", "partial_json"):
            piece = delta.get(key)
            if isinstance(piece, str):
                self._output_tokens += token_count(piece)
        if isinstance(delta.get("thinking"), str):
            self._thought += delta["thinking"]
            self._thinking_tokens += token_count(delta["thinking"])

    def _message(self) -> dict[str, Any]:
        return {
            "id": new_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": {
                **self._usage(),
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "service_tier": "standard",
                "inference_geo": "not_available",
            },
        }

    def _usage(self) -> dict[str, Any]:
        """Return the counts so far; in `message_delta` they replace the earlier ones."""
        # "output_tokens will be non-zero even for an empty string response".
        usage: dict[str, Any] = {
            "input_tokens": self._request.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": max(1, round(self._output_tokens)),
        }
        if self._thinking_tokens:
            usage["output_tokens_details"] = {"thinking_tokens": round(self._thinking_tokens)}
        return usage
