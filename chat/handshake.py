"""Who opens a websocket: its cookies, their session, and whose that is.

Channels' AuthMiddlewareStack finds the same in three layers. Each of them stays in memory, with a
copy of the scope, for as long as the socket is open, and looks at all that is sent.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import parse_cookie

from chat.sockets import whose
from chat.threads import in_thread


class SignedInScope:
    """ASGI middleware for websockets: adds `cookies`, `session` and `user` to the scope."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        sent = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
        cookies = parse_cookie(sent.decode("latin1"))
        session, user = await in_thread(whose, cookies.get(settings.SESSION_COOKIE_NAME))
        scope = {**scope, "cookies": cookies, "session": session, "user": user}
        await self._application(scope, receive, send)
