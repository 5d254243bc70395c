"""The kinds of events in a log that are this site's own; all others are the Messages API's."""

from __future__ import annotations

REQUEST = "request"
"""A call to Claude begins: number, model, attempt."""

RETRY = "retry"
"""A call failed and is made again: error_code, wait_s, attempt, attempts."""

TOOL_RESULT = "tool_result"
"""What came of a call, made or declined: tool_use_id, name, content, is_error."""

APPROVAL_WANTED = "approval_wanted"
"""A tool that changes something waits for a person: tool_use_id, name, input, wait_s."""

APPROVAL_GIVEN = "approval_given"
"""A person has decided, or the time was over: tool_use_id, is_approved, is_late."""

FINAL = "final"
"""The last event of every log: status, error_code."""

OWN_KINDS = frozenset({REQUEST, RETRY, TOOL_RESULT, APPROVAL_WANTED, APPROVAL_GIVEN, FINAL})
"""A server that sends events under these names is not listened to."""

MAX_KIND_CHARS = 40
