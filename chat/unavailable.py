"""The answer while the database is away, locked or full; made without it.

A prompt is given back in a form of its own, with its key: where it was saved after all, and only
the answer was lost, sending it again sends nothing twice.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext
from django_htmx.middleware import HtmxDetails

from chat import errors
from chat.forms import posted_prompt
from chat.refused import as_swapped

TAKES_PROMPTS = ("home", "send")
"""The names of the addresses that prompts are sent to."""


def unavailable(request: HttpRequest) -> HttpResponse:
    """Answer 503 with a sentence, and with the prompt where one was sent."""
    if HtmxDetails(request):
        # The page still has what was typed.
        piece = render_to_string("chat/_composer_error.html", {"prompt_error": _sentence(request)})
        response = as_swapped(HttpResponse(piece, status=503), "#composer-error")
    else:
        response = HttpResponse(render_to_string("503.html", _context(request)), status=503)
    response.headers["Retry-After"] = str(errors.Unavailable.retry_after_s)
    add_never_cache_headers(response)
    return response


def _sentence(request: HttpRequest) -> str:
    if request.method in ("GET", "HEAD"):
        return gettext("This site can't show what is saved at the moment. Nothing is lost.")
    if _takes_prompts(request):
        return gettext(
            "This site can't save anything at the moment. What you typed is kept: "
            "try again in half a minute."
        )
    return gettext("This site can't save anything at the moment. Nothing was changed.")


def _context(request: HttpRequest) -> dict[str, Any]:
    # No request for the templates: its user and its messages would be looked for in the database.
    context = {"site_name": settings.SITE_NAME, "sentence": _sentence(request)}
    if request.method != "POST" or not _takes_prompts(request):
        return {**context, "address": request.get_full_path() if request.method == "GET" else ""}
    text, key = posted_prompt(request.POST)
    kept = {"prompt": text, "key": key}
    return {**context, **kept, "action": request.path, "csrf_token": get_token(request)}


def _takes_prompts(request: HttpRequest) -> bool:
    try:
        return resolve(request.path_info).url_name in TAKES_PROMPTS
    except Resolver404:
        return False
