"""`POST /v1/messages`: the site as a server of the Messages API, for SDKs that are pointed at it.

A request goes on to Claude as it came, with the version and the betas that its headers name. It
is saved, limited and shown like any other chat (sent_turns.py). `GET /v1/models` names the model
that the pages use.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from chat import errors, sent_turns
from chat.api.body import Members, json_object
from chat.api.door import Caller, api_view
from chat.api.message_errors import REQUEST_ID, error_message, new_request_id
from chat.api.message_reply import Reply
from chat.api.sse import check_room, event_stream, joined, queued
from chat.content import plain_text
from chat.context import SYSTEM
from chat.models import Message
from chat.options import MAX_MODEL_CHARS, Options
from chat.threads import in_request

MAX_MESSAGES = 10_000
MAX_HEADER_CHARS = 1_000

_USER = Message.Role.USER
_ROLES = (*Message.Role.values, SYSTEM)
_SENT_ON = ("anthropic-version", "anthropic-beta")


@api_view("POST", error_response=error_message)
async def messages(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    """Answer messages: with a stream of events, or with one message."""
    # In a thread: to read a large body takes its time.
    body = await in_request(json_object, request)
    options = _options(request, body)
    is_stream = Members(body).boolean("stream") or False
    _check_messages(body.get("messages"))
    check_room(caller.by)
    sending = in_request(sent_turns.send_messages, caller.user, body["messages"], options)
    generation = await queued(sending, caller.user)
    request_id = new_request_id()
    reply = Reply(generation, caller)
    response: HttpResponseBase
    if is_stream:
        lines = reply.lines(request_id)
        response = event_stream(joined(await anext(lines), lines))
    else:
        response = JsonResponse(await reply.whole())
    response.headers[REQUEST_ID] = request_id
    response.headers["Chat-Conversation"] = str(generation.conversation_id)
    response.headers["Chat-Generation"] = str(generation.pk)
    return response


@api_view("GET", "HEAD", error_response=error_message)
def models(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    """List the model that the pages use; others can be asked for by their names."""
    model = {
        "type": "model",
        "id": settings.CHAT_MODEL,
        "display_name": settings.CHAT_MODEL,
        # "May be set to an epoch value if the release date is unknown" (Models API).
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }
    ids = {"first_id": model["id"], "last_id": model["id"]}
    response = JsonResponse({"data": [model], "has_more": False, **ids})
    response.headers[REQUEST_ID] = new_request_id()
    return response


def _options(request: HttpRequest, body: dict[str, Any]) -> Options:
    members = Members(body)
    model = members.name("model", maximum=MAX_MODEL_CHARS)
    if model is None:
        raise errors.InvalidRequest("`model` is missing; send the name of a model.")
    max_tokens = members.integer("max_tokens", minimum=1, maximum=settings.CHAT_MAX_TOKENS)
    if max_tokens is None:
        raise errors.InvalidRequest("`max_tokens` is missing; send a whole number from 1 on.")
    # A whole number to Claude as well, where it came as 5.0.
    return Options(model=model, body={**body, "max_tokens": max_tokens}, headers=_headers(request))


def _headers(request: HttpRequest) -> dict[str, str]:
    sent = {name: request.headers.get(name, "") for name in _SENT_ON}
    for name, value in sent.items():
        if len(value) > MAX_HEADER_CHARS:
            raise errors.InvalidRequest(
                f"The header `{name}` has {len(value)} characters; it takes {MAX_HEADER_CHARS}."
            )
    return {name: value for name, value in sent.items() if value}


def _check_messages(sent: Any) -> None:
    """Raise InvalidRequest or PromptTooLong for what can't be saved; the rest Claude judges."""
    if not isinstance(sent, list) or not sent:
        raise errors.InvalidRequest("`messages` has to be a list of at least one message.")
    if len(sent) > MAX_MESSAGES:
        raise errors.InvalidRequest(
            f"`messages` has {len(sent)} messages; at most {MAX_MESSAGES} are taken."
        )
    for number, message in enumerate(sent):
        _check_message(f"messages.{number}", message)
    if sent[-1]["role"] == Message.Role.ASSISTANT and not _is_paused(sent[-1]["content"]):
        raise errors.InvalidRequest("The last of `messages` has to be the user's.")
    _check_size(sent)


def _check_size(sent: list[dict[str, Any]]) -> None:
    """Raise PromptTooLong where the newest text of the user is larger than a prompt may be."""
    asked = (message["content"] for message in reversed(sent) if message["role"] == _USER)
    content = next(asked, "")
    text = content if isinstance(content, str) else plain_text(content)
    if (size := len(text.encode())) > settings.CHAT_PROMPT_MAX_BYTES:
        raise errors.PromptTooLong(size, settings.CHAT_PROMPT_MAX_BYTES)


def _check_message(name: str, message: Any) -> None:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise errors.InvalidRequest(f"`{name}.role` has to be `user`, `assistant` or `system`.")
    content = message.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise errors.InvalidRequest(f"`{name}.content` has to be a text or a list of blocks.")


def _is_paused(content: Any) -> bool:
    """Whether Claude goes on with an answer by itself (Messages API, stop reason `pause_turn`)."""
    kind = str(content[-1].get("type")) if content and isinstance(content, list) else ""
    return kind == "server_tool_use" or kind.endswith("_tool_result")
