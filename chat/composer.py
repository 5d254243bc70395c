"""The form for a prompt: what its template needs, and how it comes back when a prompt was sent."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from chat.models import Conversation
from chat.stencils import ID, ID_2, NUMBER, TEXT, filled, stencil


def composer(
    shown: Conversation | None, *, text: str = "", error: str = "", running_id: int | None = None
) -> dict[str, Any]:
    return {
        "conversation": shown,
        "prompt": text,
        "prompt_error": error,
        "running_id": running_id,
        # A new key for every form: what was refused is sent as a prompt of its own.
        "key": uuid.uuid4(),
    }


def emptied(request: HttpRequest, shown: Conversation) -> str:
    """Return the form for the next prompt, for a page whose socket says what can be done."""
    # The one that came, and was checked: to mask the secret anew asks the system 32 times for a
    # byte, between which the loop takes Python's lock from this thread, and this one from the loop.
    token = request.POST.get("csrfmiddlewaretoken") or get_token(request)
    values = {ID: shown.pk, ID_2: uuid.uuid4(), NUMBER: request.user.pk, TEXT: token}
    return filled(_emptied(), values)


@stencil
def _emptied() -> str:
    return render_to_string(
        "chat/_composer.html",
        {
            **composer(Conversation(pk=ID)),
            "key": ID_2,
            "csrf_token": TEXT,
            "request": {"user": {"pk": NUMBER}},
            # What this answer says of Stop or Send may be older than what the socket said.
            "keeps_actions": True,
        },
    )
