"""One message, one generation, and what can be done with an answer: stop, retry, continue.

What is asked of an answer is done by whoever writes it: 202 tells how it stands meanwhile, and
its events (log.py) tell of its end.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from chat import services
from chat.api.conditional import json_answer
from chat.api.door import Caller, api_view
from chat.api.resources import generation_members, message_members
from chat.models import Generation


@api_view("GET", "HEAD")
def message(request: HttpRequest, caller: Caller, message_id: int) -> HttpResponse:
    """Read a message; an answer that is being written has its content when it has ended."""
    return json_answer(request, message_members(services.get_message(caller.user, message_id)))


@api_view("GET", "HEAD")
def generation(request: HttpRequest, caller: Caller, generation_id: int) -> HttpResponse:
    """Read how an answer stands, or how it ended."""
    shown = services.get_generation(caller.user, generation_id)
    return json_answer(request, generation_members(shown))


@api_view("POST")
def stop(request: HttpRequest, caller: Caller, generation_id: int) -> HttpResponse:
    """Ask for the end of an answer; one that has ended stays as it is."""
    services.stop(caller.user, generation_id)
    return _accepted(request, services.get_generation(caller.user, generation_id))


@api_view("POST")
def retry(request: HttpRequest, caller: Caller, message_id: int) -> HttpResponse:
    """Have the last answer written anew, as another version of it."""
    return _accepted(request, services.retry(caller.user, message_id))


@api_view("POST")
def continue_answer(request: HttpRequest, caller: Caller, message_id: int) -> HttpResponse:
    """Have Claude go on with the last answer, which was cut short."""
    return _accepted(request, services.continue_answer(caller.user, message_id))


def _accepted(request: HttpRequest, generation: Generation) -> HttpResponse:
    return json_answer(request, generation_members(generation), status=202)
