"""The kinds of events in a log that are this site's own; all others are the Messages API's."""

from __future__ import annotations

REQUEST = "request"
"""A call to Claude begins: number, model, attempt."""

RETRY = "retry"
"""A call failed and is made again: error_code, wait_s, attempt, attempts."""

FINAL = "final"
"""The last event of every log: status, error_code."""

OWN_KINDS = frozenset({REQUEST, RETRY, "tool_result", "approval_wanted", FINAL})
"""A server that sends events under these names is not listened to."""

MAX_KIND_CHARS = 40
