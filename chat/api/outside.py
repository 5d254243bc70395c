"""Errors that a program meets outside the views: no such address, a large form, an outage.

Whatever makes such an answer makes a page of it; what a program asked for is told as its view
would tell it.
"""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import errors
from chat.api.door import ErrorResponse, error_json
from chat.api.message_errors import error_message

TELLERS: dict[str, ErrorResponse] = {"/api/": error_json, "/v1/": error_message}
"""How an error is told, by what the address begins with."""


def retold(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return an error's page as what a program reads, with its headers; all else as it is."""
    tell = next((t for start, t in TELLERS.items() if request.path_info.startswith(start)), None)
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if tell is None or not is_page or response.status_code < HTTPStatus.BAD_REQUEST:
        return response
    told = tell(_error(response.status_code))
    told.status_code = response.status_code
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length"):
            told.headers.setdefault(name, value)
    told.cookies = response.cookies
    return told


def _error(code: int) -> errors.ChatError:
    match code:
        case HTTPStatus.NOT_FOUND:
            return errors.NotFound()
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return errors.MethodRefused()
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return errors.BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return errors.Unavailable()
        case _ if code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return errors.InvalidRequest("The request can't be read; send it as HTTP has it.")
    return errors.Internal()
