"""Answers in JSON with an ETag: what is known is not sent again, what has changed not overwritten.

The tag is made of the answer itself, so that it is a strong one (RFC 9110, 8.8.3).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from chat import errors


def json_answer(request: HttpRequest, data: dict[str, Any], status: int = 200) -> HttpResponse:
    """Answer with data; 304 where a read names its tag in `If-None-Match` (RFC 9110, 13.1.2)."""
    body = _encoded(data)
    tag = _tag(body)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    is_known = "*" in known or any(name.removeprefix("W/") == tag for name in known)
    if is_known and request.method in ("GET", "HEAD"):
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(body, status=status, content_type="application/json", headers={"ETag": tag})


def check_match(request: HttpRequest, data: dict[str, Any]) -> None:
    """Let a change pass that names the present state in `If-Match`, or none (RFC 9110, 13.1.1).

    Raises:
        ChangedMeanwhile: it names another one.
    """
    if (header := request.headers.get("If-Match")) is None:
        return
    named = parse_etags(header)
    if "*" not in named and _tag(_encoded(data)) not in named:
        raise errors.ChangedMeanwhile


def _encoded(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
