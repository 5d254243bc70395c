"""What the API can be asked for, operation by operation: the data of openapi.py."""

from __future__ import annotations

from django.conf import settings

from chat import errors
from chat.api.operation import (
    BODIES,
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    LIMIT,
    OF_CONVERSATION,
    OF_GENERATION,
    OF_MESSAGE,
    READS,
    SENDS,
    WRITES,
    Operation,
    Parameter,
    Refusal,
)
from chat.api.pages import NUMBER_CURSOR, TIME_CURSOR
from chat.api.prompt import MAX_SECONDS
from chat.api.schemas import APPROVE, BOOLEAN, TEXT, TITLE, UUID, VISIBLE, Schema, maybe, said
from chat.tools import offered


def _cursor(pattern: str) -> Parameter:
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Parameter("cursor", schema, "The `next` of the part before.")


def _prompt() -> Schema:
    optional = {
        "conversation": said(UUID, "Where to send it; without, a new conversation begins."),
        "model": said({"type": "string", "minLength": 1, "maxLength": 100}, "Claude's model."),
        "system": said(TEXT, "The system prompt."),
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": settings.CHAT_MAX_TOKENS},
        "tools": said(_tools(), "Which of the site's tools Claude may use; without, all of them."),
        "max_seconds": said(
            {"type": "number", "minimum": 0.1, "maximum": MAX_SECONDS},
            "After so long the answer is stopped.",
        ),
        "key": said(UUID, "The same key again sends nothing twice and gives the same answer."),
        "background": said(BOOLEAN, "Whether the answer is written on when the stream closes."),
    }
    members = {name: maybe(schema) for name, schema in optional.items()}
    return {
        "type": "object",
        "properties": {"message": said(VISIBLE, "The prompt."), **members},
        "required": ["message"],
        "additionalProperties": False,
        "examples": [{"message": "Why do herons stand on one leg?"}],
    }


def _tools() -> Schema:
    if names := offered().names:
        return {"type": "array", "items": {**TEXT, "enum": names}}
    return {"type": "array", "maxItems": 0}


def operations() -> dict[str, dict[str, Operation]]:
    """Return all operations: by the route of their address, then by their method.

    HEAD, which every address that is read takes too, is not listed.
    """
    return {
        "api/schema": {
            "get": Operation("readSchema", "This document", "", answer="Document", is_open=True)
        },
        "api/chat": {"post": _chat()},
        "api/conversations": {"get": _list_conversations()},
        "api/conversations/<uuid:conversation_id>": {
            "get": _read("Conversation", "A conversation", OF_CONVERSATION),
            "patch": _rename(),
            "delete": _delete(),
        },
        "api/conversations/<uuid:conversation_id>/messages": {"get": _list_messages()},
        "api/messages/<int:message_id>": {"get": _read("Message", "A message", OF_MESSAGE)},
        "api/messages/<int:message_id>/retry": {
            "post": _again(
                "retryAnswer",
                "Write the last answer anew",
                "The one there is stays as another version.",
                errors.NothingToRetry,
            )
        },
        "api/messages/<int:message_id>/continue": {
            "post": _again(
                "continueAnswer",
                "Go on with the last answer",
                "Where it was stopped, interrupted or cut off.",
                errors.NothingToContinue,
            )
        },
        "api/generations/<int:generation_id>": {
            "get": _read("Generation", "A generation", OF_GENERATION)
        },
        "api/generations/<int:generation_id>/stop": {"post": _stop()},
        "api/generations/<int:generation_id>/events": {"get": _events()},
        "api/generations/<int:generation_id>/timeline": {"get": _timeline()},
        "api/generations/<int:generation_id>/approvals/<str:tool_use_id>": {"post": _approve()},
    }


def _chat() -> Operation:
    return Operation(
        "chat",
        "Send a prompt, read its answer",
        'A line `data: {"text":"..."}` for each piece, at the end `data: [DONE]`; where it does '
        "not end well, before that one with an `error` beside an empty `text`. What fails before "
        "the first word is answered by a status. To close the connection stops the answer, "
        "unless it is written in the background.",
        answer="Piece",
        is_stream=True,
        body=_prompt(),
        refusals=(
            *(*BODIES, *READS, *SENDS, errors.PromptEmpty, errors.PromptTooLong),
            *(errors.AnswerRunning, errors.KeyReused, errors.TooManyStreams),
            errors.ModelUnknown,
            *errors.all_generation_errors().values(),
        ),
        headers=(
            ("Chat-Conversation", "The id of the conversation."),
            ("Chat-Generation", "The id of the generation."),
        ),
        links=(
            ("readConversation", "conversation_id", "$response.header.Chat-Conversation"),
            ("listMessages", "conversation_id", "$response.header.Chat-Conversation"),
            ("renameConversation", "conversation_id", "$response.header.Chat-Conversation"),
            ("deleteConversation", "conversation_id", "$response.header.Chat-Conversation"),
            ("readGeneration", "generation_id", "$response.header.Chat-Generation"),
            ("readEvents", "generation_id", "$response.header.Chat-Generation"),
            ("stopGeneration", "generation_id", "$response.header.Chat-Generation"),
        ),
    )


def _events() -> Operation:
    return Operation(
        "readEvents",
        "Follow the log of a generation",
        "Events with the Messages API's own payloads, and `request`, `retry`, `tool_result`, "
        "`approval_wanted`, `approval_given` and `final`, which is always the last one. `id` is an "
        "event's number. Reading starts and stops nothing.",
        answer="Event",
        is_stream=True,
        parameters=(
            OF_GENERATION,
            Parameter("after", _natural(), "Only events behind this number."),
            Parameter(
                "request",
                _natural(1),
                "One request to Claude alone, from 1 on, as Claude streamed it.",
            ),
            Parameter("Last-Event-ID", _number_as_text(), "As `after`, and before it.", "header"),
        ),
        refusals=(*READS, errors.InvalidRequest, errors.EventsGone, errors.TooManyStreams),
    )


def _timeline() -> Operation:
    return Operation(
        "readTimeline",
        "When a generation did what",
        "Times of its requests, retries, blocks and words; of one that is still written, so far.",
        answer="Timeline",
        parameters=(OF_GENERATION, IF_NONE_MATCH),
        refusals=READS,
        headers=(ETAG,),
    )


def _natural(minimum: int = 0) -> Schema:
    return {"type": "integer", "minimum": minimum, "maximum": 10**18 - 1}


def _number_as_text() -> Schema:
    return {"type": "string", "pattern": "^[0-9]{0,18}$"}


def _approve() -> Operation:
    call = Parameter("tool_use_id", TEXT, "The call, as `approval_wanted` names it.", "path")
    return Operation(
        "decideOnCall",
        "Allow or decline a call of a tool",
        "A tool that changes something waits for it. The same word again is fine.",
        answer="Approval",
        parameters=(OF_GENERATION, call),
        body=APPROVE,
        refusals=(*BODIES, *READS, *WRITES, errors.AlreadyDecided),
    )


def _list_conversations() -> Operation:
    return Operation(
        "listConversations",
        "All conversations",
        "The one that was last `updated_at` comes first.",
        answer="Conversations",
        parameters=(LIMIT, _cursor(TIME_CURSOR.pattern), IF_NONE_MATCH),
        refusals=(errors.InvalidRequest,),
        headers=(ETAG,),
        links=(("readConversation", "conversation_id", "$response.body#/items/0/id"),),
    )


def _list_messages() -> Operation:
    in_all = {"type": "integer", "enum": [0, 1], "default": 0}
    return Operation(
        "listMessages",
        "The messages of a conversation",
        "In order: those that lead to the newest one, or with `all=1` every version of each.",
        answer="Messages",
        parameters=(
            OF_CONVERSATION,
            Parameter("all", in_all, "1 for all versions."),
            LIMIT,
            _cursor(NUMBER_CURSOR.pattern),
            IF_NONE_MATCH,
        ),
        refusals=(*READS, errors.InvalidRequest),
        headers=(ETAG,),
        links=(
            ("readMessage", "message_id", "$response.body#/items/0/id"),
            ("retryAnswer", "message_id", "$response.body#/items/1/id"),
            ("continueAnswer", "message_id", "$response.body#/items/1/id"),
        ),
    )


def _read(name: str, summary: str, of: Parameter) -> Operation:
    return Operation(
        f"read{name}",
        summary,
        "",
        answer=name,
        parameters=(of, IF_NONE_MATCH),
        refusals=READS,
        headers=(ETAG,),
    )


def _rename() -> Operation:
    return Operation(
        "renameConversation",
        "Rename a conversation",
        "White space becomes single spaces.",
        answer="Conversation",
        parameters=(OF_CONVERSATION, IF_MATCH),
        body=TITLE,
        refusals=(*BODIES, *READS, *WRITES, errors.ChangedMeanwhile),
        headers=(ETAG,),
    )


def _delete() -> Operation:
    return Operation(
        "deleteConversation",
        "Delete a conversation",
        "With all its messages; an answer that is being written ends.",
        status=204,
        parameters=(OF_CONVERSATION, IF_MATCH),
        refusals=(*READS, *WRITES, errors.ChangedMeanwhile),
    )


def _again(name: str, summary: str, description: str, refusal: Refusal) -> Operation:
    return Operation(
        name,
        summary,
        f"{description} Answered at once; the events of the new generation tell of its end.",
        answer="Generation",
        status=202,
        parameters=(OF_MESSAGE,),
        refusals=(*READS, *SENDS, errors.AnswerRunning, refusal),
        links=(("readGeneration", "generation_id", "$response.body#/id"),),
    )


def _stop() -> Operation:
    return Operation(
        "stopGeneration",
        "Stop an answer",
        "Answered at once, with how it stands; its events tell of its end. One that has ended "
        "stays as it is.",
        answer="Generation",
        status=202,
        parameters=(OF_GENERATION,),
        refusals=(*READS, *WRITES),
    )
