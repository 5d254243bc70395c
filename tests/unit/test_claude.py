"""The mapping of the SDK's failures: complete, right, and silent about what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic._error_classes import ERROR_CLASSES, make_status_error
from anthropic.lib.credentials import WorkloadIdentityError
from hypothesis import given
from hypothesis import strategies as st

from chat.claude.failures import error_of_event, to_error
from chat.errors import GenerationError, Internal

REQUEST = httpx2.Request("POST", "https://api.example/v1/messages")
SECRET = "what was asked"
TRANSPORT_ROOTS = (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, httpx2.CookieConflict)
# Parts of the SDK that this site does not use, and that can't be raised by a request.
UNUSED = ("anthropic.lib.tools", "anthropic.lib.foundry", "anthropic.lib._extras")


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for sub in kind.__subclasses__():
        yield from subclasses(sub)


def status_error(
    status: int,
    error_type: str = "api_error",
    message: str = SECRET,
    *,
    error_code: str = "",
    headers: dict[str, str] | None = None,
) -> anthropic.APIStatusError:
    """Make the SDK's error for a response, as its client does."""
    details = {"details": {"error_code": error_code}} if error_code else {}
    body = {"type": "error", "error": {"type": error_type, "message": message, **details}}
    response = httpx2.Response(status, headers=headers, json=body, request=REQUEST)
    return make_status_error(message, body=body, response=response)


def sdk_error(kind: type[Exception]) -> Exception:
    """Make an error of the SDK with what its class asks for."""
    response = httpx2.Response(500, request=REQUEST, json={})
    if issubclass(kind, anthropic.APIStatusError):
        return kind("failed", response=response, body=None)
    if issubclass(kind, anthropic.APIResponseValidationError):
        return kind(response, None)
    if issubclass(kind, anthropic.APITimeoutError):
        return kind(REQUEST)
    if issubclass(kind, anthropic.APIConnectionError):
        return kind(request=REQUEST)
    if issubclass(kind, anthropic.APIError):
        return kind("failed", REQUEST, body=None)
    return kind() if kind.__name__ == "StreamAlreadyConsumed" else kind("failed")


def transport_error(kind: type[Exception]) -> Exception:
    if issubclass(kind, httpx2.HTTPStatusError):
        return kind("failed", request=REQUEST, response=httpx2.Response(500, request=REQUEST))
    takes_nothing = issubclass(kind, httpx2.StreamError) and kind is not httpx2.StreamError
    return kind() if takes_nothing else kind("failed")


def name_of(value: object) -> str:
    """Return an id for a parameter: a code as it is, an error by its class and its cause's."""
    if isinstance(value, str):
        return value
    cause = getattr(value, "__cause__", None)
    return type(value).__name__ + (f"-{type(cause).__name__}" if cause else "")


def unique(kinds: Iterator[type[Exception]]) -> list[Any]:
    # Only of the library: other tests may have made classes of their own.
    named = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in kinds}
    return [
        pytest.param(kind, id=name)
        for name, kind in sorted(named.items())
        if name.startswith(("anthropic", "httpx2")) and not name.startswith(UNUSED)
    ]


SDK_KINDS = unique(subclasses(anthropic.AnthropicError))
TRANSPORT_KINDS = unique(kind for root in TRANSPORT_ROOTS for kind in subclasses(root))
in_stream_or_not = pytest.mark.parametrize("in_stream", [False, True])


def assert_is_mapped(error: Exception, *, in_stream: bool) -> None:
    mapped = to_error(error, in_stream=in_stream)
    assert isinstance(mapped, GenerationError)
    assert not isinstance(mapped, Internal)


@in_stream_or_not
@pytest.mark.parametrize("kind", SDK_KINDS)
def test_every_error_of_the_sdk_is_mapped(kind: type[Exception], in_stream: bool) -> None:
    assert_is_mapped(sdk_error(kind), in_stream=in_stream)


@in_stream_or_not
@pytest.mark.parametrize("kind", TRANSPORT_KINDS)
def test_every_error_of_the_transport_is_mapped(kind: type[Exception], in_stream: bool) -> None:
    assert_is_mapped(transport_error(kind), in_stream=in_stream)


def test_every_class_of_the_sdk_is_tried() -> None:
    tried = {param.values[0] for param in SDK_KINDS}
    assert set(ERROR_CLASSES.values()) <= tried


@pytest.mark.parametrize(("status", "error_code"), ERROR_CLASSES)
def test_every_error_code_of_the_sdk_is_mapped(status: int, error_code: str | None) -> None:
    assert_is_mapped(status_error(status, error_code=error_code or ""), in_stream=False)


@in_stream_or_not
@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "reset"),
        BrokenPipeError(32, "gone"),
        TimeoutError(),
    ],
    ids=name_of,
)
def test_error_below_the_transport_is_mapped(error: Exception, in_stream: bool) -> None:
    assert_is_mapped(error, in_stream=in_stream)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (401, "auth"),
        (402, "billing"),
        (403, "permission"),
        (404, "not_found"),
        (405, "bad_request"),
        (408, "upstream_error"),
        (409, "upstream_error"),
        (412, "bad_request"),
        (413, "too_large"),
        (418, "bad_request"),
        (422, "bad_request"),
        (429, "rate_limited"),
        (431, "bad_request"),
        (451, "bad_request"),
        (499, "upstream_error"),
        (500, "upstream_error"),
        (501, "upstream_error"),
        (502, "upstream_error"),
        (503, "upstream_error"),
        (504, "upstream_error"),
        (520, "upstream_error"),
        (524, "upstream_error"),
        (529, "overloaded"),
    ],
)
def test_http_status_gives_the_code(status: int, code: str) -> None:
    assert to_error(status_error(status)).code == code


@pytest.mark.parametrize("status", range(400, 530))
def test_every_http_status_is_mapped(status: int) -> None:
    assert_is_mapped(status_error(status), in_stream=False)


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 208310 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 16000 > 200000",
        "Prompt is too long",
    ],
)
def test_context_too_long_is_recognised(message: str) -> None:
    assert to_error(status_error(400, "invalid_request_error", message)).code == "context_too_long"


def test_context_too_long_is_recognised_in_the_stream() -> None:
    error = {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}
    assert error_of_event({"error": error}).code == "context_too_long"


@pytest.mark.parametrize("status", [401, 429, 500])
def test_context_too_long_is_a_bad_request_alone(status: int) -> None:
    assert to_error(status_error(status, message="prompt is too long")).code != "context_too_long"


@pytest.mark.parametrize(
    "error_code", ["contract_spend_limit_reached", "enforced_spend_limit_reached"]
)
def test_spend_limit_is_billing(error_code: str) -> None:
    error = status_error(429, "rate_limit_error", error_code=error_code)
    assert to_error(error).code == "billing"


def test_ramp_limit_is_a_rate_limit() -> None:
    error = status_error(429, "rate_limit_error", error_code="ramp_limit_exceeded")
    assert to_error(error).code == "rate_limited"


@pytest.mark.parametrize(
    ("error_type", "code"),
    [
        ("invalid_request_error", "bad_request"),
        ("authentication_error", "auth"),
        ("billing_error", "billing"),
        ("permission_error", "permission"),
        ("not_found_error", "not_found"),
        ("conflict_error", "upstream_error"),
        ("request_too_large", "too_large"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "upstream_error"),
        ("timeout_error", "upstream_error"),
        ("overloaded_error", "overloaded"),
        ("hologram_error", "upstream_error"),
    ],
)
def test_error_event_gives_the_code(error_type: str, code: str) -> None:
    data = {"type": "error", "error": {"type": error_type, "message": SECRET}}
    assert error_of_event(data).code == code


@pytest.mark.parametrize("data", [{}, {"error": None}, {"error": "x"}, {"error": {}}])
def test_error_event_that_says_nothing_is_upstreams(data: dict[str, Any]) -> None:
    assert error_of_event(data).code == "upstream_error"


def timeout_error(cause: Exception) -> anthropic.APITimeoutError:
    error = anthropic.APITimeoutError(REQUEST)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (timeout_error(httpx2.ConnectTimeout("")), "unreachable"),
        (timeout_error(httpx2.PoolTimeout("")), "unreachable"),
        (timeout_error(httpx2.ReadTimeout("")), "stalled"),
        (timeout_error(httpx2.WriteTimeout("")), "stalled"),
        (anthropic.APIConnectionError(request=REQUEST), "unreachable"),
        (anthropic.CredentialsError("none found"), "auth"),
        (WorkloadIdentityError("no token"), "upstream_error"),
        (httpx2.ConnectError("refused"), "unreachable"),
        (httpx2.ConnectTimeout("late"), "unreachable"),
        (httpx2.ReadTimeout("late"), "stalled"),
    ],
    ids=name_of,
)
def test_failure_before_the_stream(error: Exception, code: str) -> None:
    assert to_error(error).code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (httpx2.ReadError("reset"), "connection_lost"),
        (httpx2.RemoteProtocolError("cut"), "connection_lost"),
        (ConnectionResetError(104, "reset"), "connection_lost"),
        (httpx2.ReadTimeout("silence"), "stalled"),
        (httpx2.DecodingError("no gzip"), "bad_stream"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "bad_stream"),
        (json.JSONDecodeError("no JSON", "x", 0), "bad_stream"),
        (RecursionError("nested too deeply"), "bad_stream"),
        (AssertionError(), "bad_stream"),
        (KeyError("index"), "bad_stream"),
    ],
    ids=name_of,
)
def test_failure_within_the_stream(error: Exception, code: str) -> None:
    assert to_error(error, in_stream=True).code == code


def test_fault_of_this_site_is_internal() -> None:
    assert to_error(ZeroDivisionError()).code == "internal"


@pytest.mark.parametrize("status", range(400, 530, 7))
def test_error_holds_no_message_of_the_api(status: int) -> None:
    assert SECRET not in str(to_error(status_error(status)))


def test_error_of_event_holds_no_message_of_the_api() -> None:
    assert SECRET not in str(error_of_event({"error": {"type": "api_error", "message": SECRET}}))


def test_error_of_the_transport_holds_no_message() -> None:
    assert SECRET not in str(to_error(httpx2.ReadError(SECRET), in_stream=True))


def retry_after_s(value: str, status: int = 429) -> float | None:
    return to_error(status_error(status, headers={"retry-after": value})).retry_after_s


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [("0", 0.0), ("7", 7.0), ("0.25", 0.25), ("-3", 0.0), ("", None), ("soon", None)],
)
def test_retry_after_in_seconds(value: str, expected_s: float | None) -> None:
    assert retry_after_s(value) == expected_s


@pytest.mark.parametrize("status", [429, 500, 503, 529])
def test_retry_after_is_read_of_every_status(status: int) -> None:
    assert retry_after_s("7", status) == 7.0


def test_retry_after_may_be_missing() -> None:
    assert to_error(status_error(429)).retry_after_s is None


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert retry_after_s(date) == pytest.approx(100, abs=2)


def test_retry_after_as_a_date_in_the_past() -> None:
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_retry_after_that_is_no_number_is_none() -> None:
    assert retry_after_s("nan") is None


@pytest.mark.parametrize(
    "value",
    [
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Mon, 01 Jan 0001 00:00:00 +2300",
        "Mon, 99 Foo 2020 99:99:99 GMT",
        "Wed, 21 Oct 2015 07:28:00",
        "Wed, 21 Oct 2015 07:28:00 +99999999",
        "1111111111111111111111111",
        "inf",
    ],
)
def test_odd_retry_after_is_no_fault(value: str) -> None:
    wait_s = retry_after_s(value)
    assert wait_s is None or wait_s >= 0


header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(header_values)
def test_any_retry_after_is_no_fault(value: str) -> None:
    wait_s = retry_after_s(value)
    assert wait_s is None or wait_s >= 0
