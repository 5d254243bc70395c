"""The API's errors: their types, statuses and JSON body. Knows nothing of HTTP servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Messages API, "Errors": each type has one status.
STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class ApiError(Exception):
    """A request is refused before any byte of an answer was sent."""

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status or STATUS_OF_TYPE.get(error_type, 500)
        self.error_type = error_type
        self.message = message
        self.headers = dict(headers or {})


def error_body(error_type: str, message: str, request_id: str) -> dict[str, Any]:
    error = {"type": error_type, "message": message}
    return {"type": "error", "error": error, "request_id": request_id}
