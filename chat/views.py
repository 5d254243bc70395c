"""Pages, and the forms that change things: parse, form, service, render.

Everything works without script: a form posts, and a redirect shows the result. For htmx the
same views answer with the piece that changed; what the page's websocket delivers anyway is
not sent twice (`socket=open` in the form says that there is one).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from chat import details, errors, metrics, services
from chat.composer import composer, emptied
from chat.forms import TitleForm, posted_prompt
from chat.models import Conversation, User
from chat.refused import as_swapped, refused, with_advice, words
from chat.sidebar import SIDEBAR_CONVERSATIONS, grouped, recent_conversations
from chat.transcript import load_message, load_messages

STOP_SHOWN_S = 2.0
"""A stop is shown on the next page if it takes effect within this time."""

STOP_POLL_S = 0.05

View = Callable[..., HttpResponse]


def not_theirs_is_404(view: View) -> View:
    """Answer 404 for what does not exist, and the same for what is somebody else's."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ObjectDoesNotExist as error:
            raise Http404 from error

    return wrapped


@never_cache
@require_http_methods(["GET", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show an empty conversation, or send its first prompt."""
    if request.method == "POST":
        return _send(request, None)
    return render(request, "chat/page.html", _page(request, None))


@never_cache
@require_GET
@not_theirs_is_404
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Show a conversation: its newest messages, or for `?before=` those before a message."""
    shown = services.get_conversation(_user(request), conversation_id)
    context = _page(request, shown, before=_natural(request.GET.get("before")))
    is_piece = request.htmx and "before" in request.GET  # type: ignore[attr-defined]
    return render(request, "chat/_messages.html" if is_piece else "chat/page.html", context)


@never_cache
@require_POST
@not_theirs_is_404
def send(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Send a prompt in a conversation."""
    return _send(request, conversation_id)


@never_cache
@require_POST
@not_theirs_is_404
def stop(request: HttpRequest, generation_id: int) -> HttpResponse:
    """Stop an answer."""
    stopped = services.stop(_user(request), generation_id)
    if not _has_socket(request):
        _await_end(stopped)
    return _changed(request, stopped)


@never_cache
@require_POST
@not_theirs_is_404
def approve(request: HttpRequest, generation_id: int) -> HttpResponse:
    """Allow or decline a call of a tool: `allow` or `decline` holds its id."""
    word = "decline" if "decline" in request.POST else "allow"
    call, is_approved = request.POST.get(word, ""), word == "allow"
    try:
        changed = services.approve(_user(request), generation_id, call, is_approved=is_approved)
    except errors.RequestRefused as error:
        return refused(request, error)
    return _changed(request, changed)


@never_cache
@require_POST
@not_theirs_is_404
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Have the last answer written anew."""
    try:
        changed = services.retry(_user(request), message_id).conversation
    except errors.RequestRefused as error:
        return refused(request, error)
    return _changed(request, changed)


@never_cache
@require_POST
@not_theirs_is_404
def continue_answer(request: HttpRequest, message_id: int) -> HttpResponse:
    """Have Claude go on with the last answer, which was cut short."""
    try:
        changed = services.continue_answer(_user(request), message_id).conversation
    except errors.RequestRefused as error:
        return refused(request, error)
    return _changed(request, changed)


@never_cache
@require_GET
@not_theirs_is_404
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Return one message, which was too large for the page's socket."""
    view = load_message(_user(request), message_id)
    return render(request, "chat/_message.html", {"view": view})


@never_cache
@require_GET
@not_theirs_is_404
def message_text(request: HttpRequest, message_id: int) -> HttpResponse:
    """Return the text of a message as it was written: an answer's Markdown, to be copied."""
    shown = load_message(_user(request), message_id)
    return HttpResponse(shown.message.text, content_type="text/plain; charset=utf-8")


@never_cache
@require_GET
@not_theirs_is_404
def timeline(request: HttpRequest, generation_id: int) -> HttpResponse:
    """Show when an answer did what."""
    timed = services.get_generation(_user(request), generation_id)
    return render(request, "chat/timeline.html", details.timeline_page(timed))


@never_cache
@require_http_methods(["GET", "POST"])
@not_theirs_is_404
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Ask for a new title, or give it to the conversation."""
    shown = services.get_conversation(_user(request), conversation_id)
    posted = request.POST if request.method == "POST" else None
    form = TitleForm(posted, initial={"title": shown.title})
    if form.is_valid():
        shown = services.rename(_user(request), shown.pk, form.cleaned_data["title"])
        return _changed(request, shown)
    code = 400 if form.errors else 200
    context = {"conversation": shown, "form": form}
    return render(request, "chat/rename.html", context, status=code)


@never_cache
@require_http_methods(["GET", "POST"])
@not_theirs_is_404
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Ask whether a conversation shall go, or delete it."""
    if request.method == "POST":
        services.delete(_user(request), conversation_id)
        return _redirect(request, reverse("home"))
    shown = services.get_conversation(_user(request), conversation_id)
    context = {"conversation": shown}
    return render(request, "chat/delete.html", context)


@never_cache
@require_GET
def conversations(request: HttpRequest) -> HttpResponse:
    """Return a further page of the list at the left, behind `?after=` conversations."""
    context = _sidebar(request, None, skip=_natural(request.GET.get("after")) or 0)
    return render(request, "chat/_conversations.html", context)


def _send(request: HttpRequest, conversation_id: UUID | None) -> HttpResponse:
    text, key = posted_prompt(request.POST)
    user = _user(request)
    try:
        sent = services.send_prompt(user, conversation_id, text, key)
    except errors.RequestRefused as error:
        shown = services.get_conversation(user, conversation_id) if conversation_id else None
        return _refused_prompt(request, shown, text, error)
    if conversation_id and _has_socket(request):
        return HttpResponse(emptied(request, sent.conversation))
    return _redirect(request, _address(sent.conversation))


def _refused_prompt(
    request: HttpRequest, shown: Conversation | None, text: str, error: errors.RequestRefused
) -> HttpResponse:
    """Give the prompt back in the composer, with what was wrong with it."""
    metrics.refused(error.code)
    is_piece = bool(request.htmx)  # type: ignore[attr-defined]
    running = shown.running_generation() if shown else None
    context = composer(
        shown, text=text, error=words(error), running_id=running.pk if running else None
    )
    context["keeps_actions"] = _has_socket(request)
    context = context if is_piece else {**_page(request, shown), **context}
    template = "chat/_composer.html" if is_piece else "chat/page.html"
    response = with_advice(render(request, template, context, status=error.http_status), error)
    return as_swapped(response, "#composer") if is_piece else response


def _changed(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """Answer a change that the page's socket, where it has one, shows by itself."""
    if _has_socket(request):
        return HttpResponse(status=204)
    return _redirect(request, _address(shown))


def _await_end(conversation: Conversation) -> None:
    """Wait a moment for the end of an answer, for a page that nothing tells of it later."""
    give_up_at = time.monotonic() + STOP_SHOWN_S
    while conversation.running_generation() and time.monotonic() < give_up_at:
        time.sleep(STOP_POLL_S)


def _redirect(request: HttpRequest, address: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(address)
    return redirect(address)


def _page(
    request: HttpRequest, shown: Conversation | None, *, before: int | None = None
) -> dict[str, Any]:
    """Return the context of the whole page."""
    views, has_older = load_messages(shown, before=before) if shown else ([], False)
    running = next((view.generation for view in views if view.is_running), None)
    return {
        **_sidebar(request, shown),
        **composer(shown, running_id=running.pk if running else None),
        "conversation": shown,
        "views": views,
        "has_older": has_older,
        "before": before,
        "is_demo": settings.CHAT_DEMO,
    }


def _sidebar(request: HttpRequest, current: Conversation | None, skip: int = 0) -> dict[str, Any]:
    listed = recent_conversations(_user(request), skip)
    return {
        "groups": grouped(listed[:SIDEBAR_CONVERSATIONS]),
        "current": current,
        "next_skip": skip + SIDEBAR_CONVERSATIONS if len(listed) > SIDEBAR_CONVERSATIONS else None,
    }


def _address(shown: Conversation) -> str:
    return reverse("conversation", args=[shown.pk])


def _has_socket(request: HttpRequest) -> bool:
    return bool(request.htmx) and request.POST.get("socket") == "open"  # type: ignore[attr-defined]


def _natural(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
