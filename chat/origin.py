"""Refuse websockets that a foreign page opened, before they are accepted.

Browsers send cookies with every websocket, so the Origin header is what protects it
(RFC 6455, 10.2). Scheme, host and port must be this site's own, or one that
CSRF_TRUSTED_ORIGINS names; a missing or null origin is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = dict[str, Any]
AsgiApplication = Callable[[Scope, Any, Any], Awaitable[None]]


class SameOrigin:
    """ASGI middleware for websockets."""

    def __init__(self, application: AsgiApplication) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if is_same_origin(scope):
            return await self._application(scope, receive, send)
        await WebsocketDenier()(scope, receive, send)  # type: ignore[arg-type]  # a plain dict


def is_same_origin(scope: Scope) -> bool:
    """Whether the page that opened the socket was served by this site."""
    headers: dict[bytes, str] = {name: value.decode("latin1") for name, value in scope["headers"]}
    host = headers.get(b"host", "").lower()
    domain, _ = split_domain_port(host)
    own = f"{_scheme(scope, headers)}://{host}"
    is_own_valid = validate_host(domain, settings.ALLOWED_HOSTS)
    return is_trusted(headers.get(b"origin", ""), own if is_own_valid else "")


def is_trusted(origin: str, own: str) -> bool:
    """Whether an origin is this site's own, or one that CSRF_TRUSTED_ORIGINS names."""
    origin = origin.lower()
    trusted = (name.lower() for name in settings.CSRF_TRUSTED_ORIGINS)
    return bool(origin) and (origin == own.lower() or any(_matches(origin, t) for t in trusted))


def _matches(origin: str, trusted: str) -> bool:
    """Whether an origin is this one; `https://*.example.org` stands for subdomains."""
    scheme, _, domain = trusted.partition("://")
    if not domain.startswith("*."):
        return origin == trusted
    return origin.startswith(f"{scheme}://") and origin.endswith(domain[1:])


def _scheme(scope: Scope, headers: dict[bytes, str]) -> str:
    """Return the scheme that the browser used; a trusted proxy may have ended its TLS."""
    is_secure = scope.get("scheme") == "wss"
    if settings.BEHIND_PROXY:
        # The leftmost, as Django reads it (HttpRequest.scheme).
        is_secure = headers.get(b"x-forwarded-proto", "").split(",")[0].strip() == "https"
    return "https" if is_secure else "http"
