"""Requests of HTTP: all middleware and a plain view in one call of one thread.

By itself Django takes the request's thread anew for each step of each middleware, 24 times for one
prompt, which costs more than what the steps do; and it starts a thread for each request, and
another one that ends it. Files that a server finds without the database go through the middleware
in the loop, as the library that serves them wants it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import lanes, worker
from chatsite.turns import Turns

MAX_IDLE = 8
"""So many threads wait for the next request; others end with theirs."""

PROMPTS_AT_ONCE = 3
"""So many prompts of pages are in their threads at once. Python runs one thread at a time: more of
them would not be done sooner, and hold up all streams. With this bound 99 of 100 deltas of 200
answers that begin within 2 s are a fifth as late."""

PATIENCE_S = 0.1
"""Where none of those has ended for so long, one more begins: they may wait for the database."""

_PROMPTS = ("/c/", "/m/")

_PROMPTS_OF_PROGRAMS = ("/api/", "/v1/")

_ANSWERED = "chatsite.answered"


class Handler(ASGIHandler):
    """Django's own, but for the thread of its middleware; async views run in the loop as ever."""

    def __init__(self) -> None:
        super().__init__()
        self._threaded = BaseHandler()
        self._threaded.load_middleware()
        self._respond = sync_to_async(self._respond_in_thread)
        # A way to the thread less: `_respond_in_thread` calls them.
        request_started.disconnect(close_old_connections)
        request_started.disconnect(reset_queries)
        self._idle: list[ThreadPoolExecutor] = []
        self._turns = Turns(PROMPTS_AT_ONCE, PATIENCE_S)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            with self._thread() as thread:
                async with ThreadSensitiveContext(executor=thread):
                    await self.handle(scope, receive, send)
        finally:
            # Its user, its messages and more know the request, which knows them: all of it would
            # stay until the collector finds it.
            if request := scope.pop(_ANSWERED, None):
                vars(request).clear()

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(settings.STATIC_URL):
            return await super().get_response_async(request)
        if may_ask(request):
            worker.expect()
        async with self._turns if takes_a_turn(request) else nullcontext():
            lanes.hold()
            response = await self._respond(request)
        # Not before: where the client leaves, the thread goes on with the request.
        request.scope[_ANSWERED] = request  # type: ignore[attr-defined]
        return response

    async def listen_for_disconnect(self, receive: Any) -> None:
        """Return when the client has left, which ends the request as well as Django's exception.

        That one's traceback would keep all that a request has made, until the collector finds it.
        """
        await receive()

    def _respond_in_thread(self, request: HttpRequest) -> HttpResponseBase:
        close_old_connections()
        reset_queries()
        return self._threaded.get_response(request)

    @contextmanager
    def _thread(self) -> Iterator[ThreadPoolExecutor]:
        """Lend one thread, which starts with its first work; the last one given back goes first."""
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
        try:
            yield thread
        except BaseException:
            thread.shutdown(wait=False)  # It may be at work still.
            raise
        if len(self._idle) < MAX_IDLE:
            self._idle.append(thread)
        else:
            thread.shutdown(wait=False)


def takes_a_turn(request: HttpRequest) -> bool:
    """Whether a request is a prompt of a page, or something like it.

    Others wait for something else than Python: for an answer, where a program asks, or for a
    password to be checked. Whoever presses Stop does not wait at all.
    """
    return _is_post_to(request, _PROMPTS)


def may_ask(request: HttpRequest) -> bool:
    """Whether a request may be a prompt, of a page or of a program."""
    return _is_post_to(request, _PROMPTS + _PROMPTS_OF_PROGRAMS)


def _is_post_to(request: HttpRequest, beginnings: tuple[str, ...]) -> bool:
    path = request.path_info
    return request.method == "POST" and (path == "/" or path.startswith(beginnings))
