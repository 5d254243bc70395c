"""What every request passes that Django has no middleware for."""

from __future__ import annotations

import logging
import sys
from inspect import iscoroutinefunction
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import MiddlewareNotUsed, RequestDataTooBig
from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter
from servestatic.middleware import ServeStaticMiddleware

from chat import errors
from chat.api.outside import retold
from chat.outage import is_outage, tell_outage
from chat.refused import refused
from chat.unavailable import unavailable


class StaticFiles(ServeStaticMiddleware):  # type: ignore[misc]  # servestatic has no types
    """Serves files in the loop; a chain that runs in a thread does without (handler.py)."""

    sync_capable = True

    def __init__(self, get_response: Any) -> None:
        if not iscoroutinefunction(get_response):
            raise MiddlewareNotUsed
        super().__init__(get_response)


class AnswerOutage(MiddlewareMixin):
    """Answers 503 in words where the database was away, whatever needed it.

    That may be a view, the session or another middleware. Django has made a page for error 500
    of the exception before it comes here; its signal tells what it was.
    """

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        # Told of once, not with a trace for every request.
        logging.getLogger("django.request").addFilter(_is_no_outage)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return unavailable(request) if hasattr(request, "outage") else response


@receiver(got_request_exception)
def note_outage(request: HttpRequest, **kwargs: Any) -> None:
    error = sys.exc_info()[1]
    if error and is_outage(error):
        request.outage = error  # type: ignore[attr-defined]
        request.exception_reporter_class = _NoReport
        tell_outage(error)


class _NoReport(ExceptionReporter):
    """The report of DEBUG looks at the user, which would wait for the database once more."""

    def get_traceback_html(self) -> SafeString:
        return SafeString()

    def get_traceback_text(self) -> SafeString:
        return SafeString()


def _is_no_outage(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return not is_outage(error)


class TellPrograms(MiddlewareMixin):
    """Tells a program of an error in its own form, whoever made a page of it."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return retold(request, response)


class OmitBodyOfHead(MiddlewareMixin):
    """Answers HEAD with headers alone (RFC 9110, 9.3.2): Daphne sends whatever body it is given.

    A client takes what comes for its next answer.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        return response


class LoginRequired(LoginRequiredMiddleware):
    """Looks for the user only where the page is not for everybody: probes need no database."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # Django's always redirects
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        """Send a person to the sign-in page, but not in the place of what they have typed."""
        if request.htmx:  # type: ignore[attr-defined]
            return refused(request, errors.SignedOut())
        return super().handle_no_permission(request, view_func)


class RefuseLargeForm(MiddlewareMixin):
    """Answers 413 to a form that Django would refuse with 400, as if it made no sense."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        try:
            # Parsed once and kept; what comes behind this middleware reads it anyway.
            _ = request.POST
        except RequestDataTooBig:
            return render(request, "413.html", status=413)
        return None
