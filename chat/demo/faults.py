"""The scripted failures: refusals by status, broken streams, silences."""

from __future__ import annotations

from collections.abc import Mapping

from chat.demo.steps import (
    Answer,
    Attempts,
    Cut,
    End,
    Event,
    Pings,
    Raw,
    Scenario,
    Stall,
    Start,
    Status,
    Step,
    Text,
    Wait,
)

_PARTIAL = "These words arrive before the fault, and they should stay on the page. "
_RATE_MESSAGE = "This request would exceed your organization's rate limit of 50 requests per minute"


def _rate_limit(headers: Mapping[str, str] | None = None) -> Status:
    return Status(429, "rate_limit_error", _RATE_MESSAGE, headers or {})


def _error_event(error_type: str, message: str) -> Event:
    return Event("error", {"error": {"type": error_type, "message": message}})


def _once(fault: Step) -> Attempts:
    return Attempts([fault], [Answer()])


_OVERLOADED = Status(529, "overloaded_error", "Overloaded")
_SERVER_ERROR = Status(500, "api_error", "Internal server error")
_OVERLOADED_EVENT = _error_event("overloaded_error", "Overloaded")

BY_STATUS = {
    "rate-limited-once": Scenario(
        "429 that asks to wait 1 s, then the answer", _once(_rate_limit({"retry-after": "1"}))
    ),
    "rate-limited-long": Scenario(
        "429 that asks to wait an hour", _rate_limit({"retry-after": "3600"})
    ),
    "rate-limited-no-retry-after": Scenario(
        "429 that does not say how long to wait", _rate_limit()
    ),
    "overloaded-once": Scenario("529 once, then the answer", _once(_OVERLOADED)),
    "overloaded": Scenario("529 every time", _OVERLOADED),
    "server-error-once": Scenario("500 once, then the answer", _once(_SERVER_ERROR)),
    "server-error": Scenario("500 every time", _SERVER_ERROR),
    "timeout": Scenario(
        "504 every time", Status(504, "timeout_error", "The request timed out. Please try again.")
    ),
    "bad-request": Scenario(
        "400, a request that the API can't read",
        Status(400, "invalid_request_error", "messages.0.content: Input should be a valid list"),
    ),
    "context-too-long": Scenario(
        "400, more tokens than fit",
        Status(
            400,
            "invalid_request_error",
            "prompt is too long: 1203456 tokens > 1000000 maximum",
        ),
    ),
    "auth": Scenario(
        "401, a key that is not valid", Status(401, "authentication_error", "invalid x-api-key")
    ),
    "billing": Scenario(
        "402, no credit left",
        Status(402, "billing_error", "Your credit balance is too low to access the Claude API."),
    ),
    "permission": Scenario(
        "403, a key without the right",
        Status(
            403, "permission_error", "Your API key does not have permission to use this resource."
        ),
    ),
    "not-found": Scenario(
        "404, a model that does not exist",
        Status(404, "not_found_error", "model: claude-that-never-was"),
    ),
    "too-large": Scenario(
        "413, more than 32 MB",
        Status(413, "request_too_large", "Request exceeds the maximum size"),
    ),
}

BROKEN_STREAMS = {
    "error-event-early": Scenario(
        "An `error` event before any content", Start(), _OVERLOADED_EVENT, End()
    ),
    "error-event-late": Scenario(
        "An `error` event after some content", Text(_PARTIAL * 2), _OVERLOADED_EVENT, End()
    ),
    "error-event-once": Scenario(
        "An `error` event before any content, then the answer",
        Attempts([Start(), _OVERLOADED_EVENT, End()], [Answer()]),
    ),
    "reset-early": Scenario("The connection is reset before the headers", Cut()),
    "reset-once": Scenario(
        "The connection is reset before the headers, then the answer", _once(Cut())
    ),
    "reset-start": Scenario("The connection is reset before any content", Start(), Cut()),
    "reset-late": Scenario("The connection is reset after some content", Text(_PARTIAL * 2), Cut()),
    "closed-late": Scenario(
        "The connection is closed in the middle of the body", Text(_PARTIAL * 2), Cut(reset=False)
    ),
    "truncated": Scenario("The stream ends without its last events", Text(_PARTIAL * 2), End()),
    "truncated-early": Scenario("The stream ends before any content", Start(), End()),
    "garbage": Scenario(
        "Broken JSON after some content",
        Text(_PARTIAL * 2),
        Raw(b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'),
        End(),
    ),
    "bad-utf8": Scenario(
        "Bytes that are no UTF-8 after some content",
        Text(_PARTIAL * 2),
        Raw(
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
            b'"delta":{"type":"text_delta","text":"\xff\xfe\xc3\x28"}}\n\n'
        ),
        End(),
    ),
}

SILENCES = {
    "stall": Scenario("Silence after some content", Text(_PARTIAL * 2), Stall()),
    "stall-early": Scenario("Silence before any content", Start(), Stall()),
    "stall-headers": Scenario("Silence from the start, not even headers", Stall()),
    "pings": Scenario(
        "A second and a half of pings before the answer", Pings(30, 0.05), Text(_PARTIAL)
    ),
    "pause": Scenario(
        "Two seconds of silence in the middle",
        Text(_PARTIAL),
        Wait(2.0),
        Text("And these come after the pause."),
    ),
    "slow-words": Scenario(
        "One word every 0.4 s",
        Text([f"{word} " for word in (_PARTIAL + _PARTIAL).split()], interval_s=0.4),
    ),
}
