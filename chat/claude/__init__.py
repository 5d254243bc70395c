"""The only package that knows the SDK. It knows no database.

Claude.stream -> AsyncAnthropic.messages.create(stream=True) -> raw server-sent events
"""

from __future__ import annotations

from chat.claude.failures import error_of_event, to_error
from chat.claude.stream import ApiEvent, Claude, Request, Stream

__all__ = ["ApiEvent", "Claude", "Request", "Stream", "error_of_event", "to_error"]
