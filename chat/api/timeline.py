"""`GET /api/generations/<id>/timeline`: when an answer did what, in seconds, as JSON.

Of an answer that is still written it tells how far that has come.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from chat import details, services
from chat.api.conditional import json_answer
from chat.api.door import Caller, api_view


@api_view("GET", "HEAD")
def timeline(request: HttpRequest, caller: Caller, generation_id: int) -> HttpResponse:
    """Return the timeline of an answer."""
    timed = services.get_generation(caller.user, generation_id)
    return json_answer(request, details.timeline_json(timed))
