"""The language of a websocket: the one in which the page that opened it was made.

Requests get theirs from Django's LocaleMiddleware, which websockets do not pass.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language_from_request


def language_of(scope: Any) -> str:
    """Return the code of the language that a handshake asks for, by its cookie or headers."""
    request = HttpRequest()
    request.COOKIES = scope["cookies"]
    headers = (value for name, value in scope["headers"] if name == b"accept-language")
    # Several headers are one list (RFC 9110, 5.3).
    request.META["HTTP_ACCEPT_LANGUAGE"] = b",".join(headers).decode("latin1")
    return get_language_from_request(request)
