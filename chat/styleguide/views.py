"""The index of the style guide, and one page for each state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_GET

from chat.models import User
from chat.styleguide import answers, pages
from chat.styleguide.pieces import State, conversation, groups, numbered

_GROUPS = {"Answers": answers.STATES, "The page": pages.STATES}


def _address(made: Callable[[], State]) -> str:
    return made.__name__.replace("_", "-")


STATES = {_address(made): made for states in _GROUPS.values() for made in states}
"""The functions that make the states, by their address."""


@require_GET
@login_not_required
def index(request: HttpRequest) -> HttpResponse:
    """List all states; the docstrings of the functions that make them say what they are."""
    _require_debug()
    listed = {
        heading: [(_address(made), made.__doc__) for made in states]
        for heading, states in _GROUPS.items()
    }
    others = [(name, template) for name, (template, _) in pages.other_pages().items()]
    context = {**_everywhere(), "groups": {**listed, "Other pages": others}}
    return HttpResponse(render_to_string("chat/styleguide.html", context))


@require_GET
@login_not_required
def state(request: HttpRequest, name: str) -> HttpResponse:
    """Show one state as the whole page would show it."""
    _require_debug()
    if name in STATES:
        return HttpResponse(_page(STATES[name]()))
    if name not in (others := pages.other_pages()):
        raise Http404(name)
    template, context = others[name]
    return HttpResponse(render_to_string(template, {**_everywhere(), **context}))


def _require_debug() -> None:
    if not settings.DEBUG:
        raise Http404


def _page(shown: State) -> str:
    with translation.override(shown.language or translation.get_language()):
        context = _context(shown)
        html: str = render_to_string("chat/styleguide_state.html", context)
        if shown.instead:
            html = html.replace(render_to_string("chat/_messages.html", context), shown.instead)
    for step in shown.steps:
        html = step.taken(html)
    return html


def _context(shown: State) -> dict[str, Any]:
    """Return what chat/views.py gives the page, for somebody who is not there."""
    views = numbered(shown.views)
    running = next((view.generation for view in views if view.is_running), None)
    current = conversation(1, shown.title, is_running=bool(running)) if shown.title else None
    return {
        **_everywhere(),
        "request": SimpleNamespace(user=User(username="ada", is_staff=True)),
        "conversation": current,
        "current": current,
        "groups": groups(current),
        "views": views,
        "running_id": running.pk if running else None,
        "key": pages.KEY,
        **shown.context,
    }


def _everywhere() -> Mapping[str, Any]:
    # Nothing can be sent from here: a real token would be another one each time.
    return {"site_name": settings.SITE_NAME, "csrf_token": "of the style guide"}
