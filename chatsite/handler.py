"""Requests of HTTP: all middleware and a plain view in one call of one thread.

By itself Django takes the request's thread anew for each step of each middleware, 24 times for one
prompt, which costs more than what the steps do. Files that a server finds without the database go
through the middleware in the loop, as the library that serves them wants it.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Handler(ASGIHandler):
    """Django's own, but for the thread of its middleware; async views run in the loop as ever."""

    def __init__(self) -> None:
        super().__init__()
        threaded = BaseHandler()
        threaded.load_middleware()
        self._respond = sync_to_async(threaded.get_response)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(settings.STATIC_URL):
            return await super().get_response_async(request)
        return await self._respond(request)
