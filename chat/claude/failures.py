"""Failures: every way in which the SDK, its transport or a stream can break, as one error.

exception -> to_error, `error` event -> error_of_event; CancelledError never comes here
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import anthropic
import httpx2

from chat import errors

# Messages API, "Errors": the type in an error body, in the stream or out of it.
_ERROR_BY_TYPE: dict[str, type[errors.GenerationError]] = {
    "invalid_request_error": errors.BadRequest,
    "authentication_error": errors.AuthFailed,
    "billing_error": errors.BillingFailed,
    "permission_error": errors.PermissionRefused,
    "not_found_error": errors.ModelNotFound,
    "conflict_error": errors.UpstreamError,
    "request_too_large": errors.TooLarge,
    "rate_limit_error": errors.RateLimited,
    "api_error": errors.UpstreamError,
    "timeout_error": errors.UpstreamError,
    "overloaded_error": errors.Overloaded,
}
_ERROR_BY_STATUS: dict[int, type[errors.GenerationError]] = {
    401: errors.AuthFailed,
    402: errors.BillingFailed,
    403: errors.PermissionRefused,
    404: errors.ModelNotFound,
    408: errors.UpstreamError,
    409: errors.UpstreamError,
    413: errors.TooLarge,
    429: errors.RateLimited,
    499: errors.UpstreamError,
    529: errors.Overloaded,
}
# Stable codes in error.details.error_code (anthropic/_error_classes.py) that no wait mends.
_SPEND_LIMITS = frozenset({"contract_spend_limit_reached", "enforced_spend_limit_reached"})
_CONTEXT_TOO_LONG = ("prompt is too long", "exceed context limit", "context window")


def error_of_event(data: Mapping[str, Any]) -> errors.GenerationError:
    """Return the error that an `error` event stands for."""
    error = data.get("error")
    body = error if isinstance(error, dict) else {}
    kind = str(body.get("type"))
    if kind == "invalid_request_error" and _is_context_too_long(str(body.get("message"))):
        return errors.ContextTooLong(kind)
    return _ERROR_BY_TYPE.get(kind, errors.UpstreamError)(_known(kind))


def to_error(error: Exception, *, in_stream: bool = False) -> errors.GenerationError:
    """Return what an exception of the SDK or its transport means for the answer."""
    if isinstance(error, anthropic.APIStatusError):
        return _error_of_status(error)
    if isinstance(error, anthropic.APITimeoutError):
        # The SDK says time-out for both; only its cause tells which.
        is_connect = isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.PoolTimeout)
        return (errors.Unreachable if is_connect else errors.Stalled)(type(error).__name__)
    if isinstance(error, anthropic.APIConnectionError):
        return errors.Unreachable(type(error.__cause__ or error).__name__)
    if isinstance(error, anthropic.CredentialsError):
        return errors.AuthFailed(type(error).__name__)
    if isinstance(error, anthropic.APIError):
        return errors.BadStream(type(error).__name__)
    if isinstance(error, anthropic.AnthropicError):
        return errors.UpstreamError(type(error).__name__)
    return _error_of_transport(error, in_stream=in_stream)


def _error_of_transport(error: Exception, *, in_stream: bool) -> errors.GenerationError:
    name = type(error).__name__
    if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return errors.Unreachable(name)
    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return errors.Stalled(name)
    if isinstance(error, httpx2.DecodingError | httpx2.CookieConflict):
        return errors.BadStream(name)
    if isinstance(error, httpx2.InvalidURL):
        return errors.ModelNotFound(name)
    if isinstance(error, httpx2.HTTPError | httpx2.StreamError | aiohttp.ClientError | OSError):
        return (errors.ConnectionLost if in_stream else errors.Unreachable)(name)
    # UnicodeDecodeError and JSONDecodeError are ValueErrors; the SDK asserts on odd replies.
    if isinstance(error, ValueError | AssertionError | KeyError | RecursionError):
        return errors.BadStream(name)
    return errors.Internal(name)


def _error_of_status(error: anthropic.APIStatusError) -> errors.GenerationError:
    detail = f"{error.status_code} {_known(error.type)}".strip()
    if error.error_code in _SPEND_LIMITS:
        return errors.BillingFailed(detail)
    if error.status_code == 400 and _is_context_too_long(error.api_message or ""):
        return errors.ContextTooLong(detail)
    kind = _ERROR_BY_STATUS.get(error.status_code)
    if kind is None:
        kind = errors.UpstreamError if error.status_code >= 500 else errors.BadRequest
    return kind(detail, retry_after_s=_retry_after_s(error.response.headers))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return what `retry-after` asks for, in seconds (RFC 9110, 10.2.3: seconds or a date)."""
    value = headers.get("retry-after", "")
    try:
        wait_s = float(value)
    except ValueError:
        wait_s = _seconds_until(value)
    return max(0.0, wait_s) if math.isfinite(wait_s) else None


def _seconds_until(http_date: str) -> float:
    try:
        until = parsedate_to_datetime(http_date).astimezone(UTC)
    except (ValueError, OverflowError):
        return math.nan
    return (until - datetime.now(UTC)).total_seconds()


def _known(kind: str | None) -> str:
    """Return a type that the API documents; "" for words of the server's own, which are logged."""
    return kind if kind in _ERROR_BY_TYPE else ""


def _is_context_too_long(message: str) -> bool:
    return any(words in message.lower() for words in _CONTEXT_TOO_LONG)
