"""Every error has a status and a type that the Messages API documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse

from chat import errors
from chat.api.message_errors import error_event, error_message

# Messages API, "Errors"; 405 and 502 to 503 are HTTP's.
DOCUMENTED = {
    "invalid_request_error": {400, 405},
    "authentication_error": {401},
    "permission_error": {403},
    "not_found_error": {404},
    "conflict_error": {409},
    "request_too_large": {413},
    "rate_limit_error": {429},
    "api_error": {410, 412, 500, 502, 503},
    "timeout_error": {504},
    "overloaded_error": {529},
}


# What those are made with that say more than their class.
MADE_WITH: dict[type[errors.ChatError], tuple[object, ...]] = {
    errors.PromptTooLong: (7, 5),
    errors.InvalidRequest: ("No.",),
    errors.BodyTooLarge: (7,),
    errors.TooManyTokens: (7,),
    **dict.fromkeys(errors.LimitReached.__subclasses__(), (7, 10)),
}


def every_error(kind: type[errors.ChatError] = errors.ChatError) -> Iterator[errors.ChatError]:
    """Make one of each class that has none below it."""
    for below in kind.__subclasses__():
        yield from every_error(below)
    if not kind.__subclasses__():
        yield kind(*MADE_WITH.get(kind, ()))


def told(error: errors.ChatError) -> tuple[HttpResponse, dict[str, Any]]:
    response = error_message(error)
    assert isinstance(response, HttpResponse)
    return response, json.loads(response.content)


@pytest.mark.parametrize("error", list(every_error()), ids=lambda error: error.code)
def test_error(error: errors.ChatError) -> None:
    response, body = told(error)
    assert set(body) == {"type", "error", "request_id"} and body["type"] == "error"
    assert response.status_code in DOCUMENTED[body["error"]["type"]]
    assert body["request_id"] == response.headers["request-id"]
    assert body["error"]["message"] and body["error"]["details"] == {"error_code": error.code}


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.Overloaded(), 529, "overloaded_error"),
        (errors.Stalled(), 504, "timeout_error"),
        (errors.Unreachable(), 503, "api_error"),
        (errors.ContextTooLong(), 400, "invalid_request_error"),
        (errors.AuthFailed(), 502, "api_error"),
        (errors.Internal(), 500, "api_error"),
    ],
)
def test_failure_of_claude(error: errors.ChatError, status: int, kind: str) -> None:
    response, body = told(error)
    assert (response.status_code, body["error"]["type"]) == (status, kind)


@pytest.mark.parametrize(
    "error", [errors.AuthFailed(), errors.Stopped(), errors.NotFound(), errors.StreamEnded()]
)
def test_what_no_other_try_mends(error: errors.ChatError) -> None:
    assert error_message(error).headers["x-should-retry"] == "false"


@pytest.mark.parametrize("error", [errors.Overloaded(), errors.Stalled(), errors.Unavailable()])
def test_what_another_try_may_mend(error: errors.ChatError) -> None:
    assert "x-should-retry" not in error_message(error).headers


def test_limit_says_when_to_try_again() -> None:
    assert error_message(errors.TooManySends(7, 42)).headers["Retry-After"] == "42"


def test_event_of_a_stream() -> None:
    event, data, *rest = error_event(errors.Overloaded(), "req_7").split("\n")
    assert (event, rest) == ("event: error", ["", ""])
    body = json.loads(data.removeprefix("data: "))
    assert (body["request_id"], body["error"]["type"]) == ("req_7", "overloaded_error")
