"""Errors as the Messages API tells them: a status, a type, a sentence, the id of the request.

Source: Messages API, "Errors". SDKs choose their exception by the status, and try again by it.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase

from chat import errors
from chat.api.sse import sent_event
from chat.refused import with_advice, words

REQUEST_ID = "request-id"

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OTHER_TYPE = "api_error"

# Where the program's own request is at fault, it is told so as Claude told this site. What is
# wrong with the site's key, or its account, is no fault of the program's: 502.
_STATUSES: dict[type[errors.ChatError], int] = {
    errors.BadRequest: 400,
    errors.ContextTooLong: 400,
    errors.PermissionRefused: 403,
    errors.TooLarge: 413,
    errors.Overloaded: 529,
}


def new_request_id() -> str:
    """Return an id in the API's style; it is this site's own, not that of a request to Claude."""
    return f"req_{uuid.uuid4().hex}"


def error_message(error: errors.ChatError) -> HttpResponseBase:
    """Return an error as the answer to a request."""
    request_id = new_request_id()
    response = JsonResponse(_members(error, request_id), status=_status(error))
    response.headers[REQUEST_ID] = request_id
    if not error.retryable or isinstance(error, errors.Stopped | errors.StreamEnded):
        # SDKs make a request again by its status alone, unless this tells them not to. Behind a
        # stream that ended early the answer goes on: asked again, it would be written twice.
        response.headers["x-should-retry"] = "false"
    return with_advice(response, error)


def error_event(error: errors.ChatError, request_id: str) -> str:
    """Return an error as an event of a stream that has begun."""
    return sent_event(json.dumps(_members(error, request_id)), "error")


def _members(error: errors.ChatError, request_id: str) -> dict[str, Any]:
    kind = _TYPES.get(_status(error), _OTHER_TYPE)
    details = {"error_code": error.code}
    told = {"type": kind, "message": words(error), "details": details}
    return {"type": "error", "error": told, "request_id": request_id}


def _status(error: errors.ChatError) -> int:
    return _STATUSES.get(type(error), error.http_status)
