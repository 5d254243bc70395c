"""How people and programs learn that something can't be done, or failed: words, and headers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django_htmx.http import reswap, retarget

from chat import errors, metrics


def refused(request: HttpRequest, error: errors.RequestRefused) -> HttpResponse:
    """Answer a request other than a prompt, which has a composer to give back (views.py)."""
    metrics.refused(error.code)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"prompt_error": words(error)}
        piece = render(request, "chat/_composer_error.html", context, status=error.http_status)
        return with_advice(as_swapped(piece, "#composer-error"), error)
    page = render(
        request, "chat/refused.html", {"sentence": words(error)}, status=error.http_status
    )
    return with_advice(page, error)


def words(error: errors.ChatError | type[errors.ChatError]) -> str:
    """Return the sentence for the person, in their language."""
    return gettext(error.text) % getattr(error, "params", {})


def error_members(error: errors.ChatError | type[errors.GenerationError]) -> dict[str, Any]:
    """Return what a program is told of an error."""
    return {"code": error.code, "message": words(error), "retryable": error.retryable}


def stored_error_members(code: str) -> dict[str, Any] | None:
    """Return what a program is told of the error that is stored of an answer; None of none."""
    if not code:
        return None
    # A release that knew more codes may have stored it: its own name is told all the same.
    return {**error_members(errors.generation_error(code)), "code": code}


def with_advice(response: HttpResponse, error: errors.ChatError) -> HttpResponse:
    """Say in a header when to try again, or how to sign in, where the error knows it."""
    if isinstance(error, errors.LimitReached | errors.Unavailable):
        response.headers["Retry-After"] = str(error.retry_after_s)  # RFC 9110, 10.2.3
    if isinstance(error, errors.NotSignedIn):
        response.headers["WWW-Authenticate"] = 'Bearer realm="chat"'  # RFC 6750, 3
    return response


def as_swapped(response: HttpResponse, target: str) -> HttpResponse:
    """Have htmx put an error into the page, which it does with no other error.

    The page's script knows those that are to be shown by this header.
    """
    return reswap(retarget(response, target), "outerHTML")
