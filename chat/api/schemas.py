"""What the answers of the API hold, as JSON Schemas (resources.py makes them). Data alone."""

from __future__ import annotations

from typing import Any

from chat.api.pages import NUMBER_CURSOR, TIME_CURSOR
from chat.models import TITLE_MAX_CHARS, Generation, Message

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "minimum": 0}
ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
# A text with something to see in it, as a prompt and a title have to be.
VISIBLE: Schema = {"type": "string", "pattern": r"\S"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """Return the schema of a member that may be null."""
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def exactly(description: str, **members: Schema) -> Schema:
    """Return the schema of an object that has all of these members, and no other."""
    return {
        "type": "object",
        "description": description,
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def listed(items: Schema, cursor: str) -> Schema:
    return exactly(
        "A part of a list.",
        items={"type": "array", "items": items},
        next=said(
            maybe({"type": "string", "pattern": f"^{cursor}$"}),
            "The `cursor` of the next part; null at the end of the list.",
        ),
    )


ERROR = exactly(
    "What went wrong.",
    code=said(TEXT, "The name of the error, which stays the same."),
    message=said(
        TEXT,
        "A sentence for a person, in the language of `Accept-Language`; what is wrong with a "
        "request itself is told in English.",
    ),
    retryable=said(BOOLEAN, "Whether the same request can succeed later."),
)
CONVERSATION = exactly(
    "A titled tree of messages.",
    id=UUID,
    title={"type": "string", "maxLength": TITLE_MAX_CHARS},
    is_from_api=said(BOOLEAN, "Whether it began by `POST /v1/messages`."),
    running_generation=said(maybe(ID), "The generation that is not final, if there is one."),
    created_at=TIME,
    updated_at=said(TIME, "When a prompt was last sent in it, or an answer ended."),
)
GENERATION = exactly(
    "One run that writes an answer, or goes on with one.",
    id=ID,
    conversation=UUID,
    message=said(ID, "The answer that it writes."),
    status=said(
        {"type": "string", "enum": list(Generation.Status.values)},
        "The first two change; the others are final.",
    ),
    stop_reason=said(maybe(TEXT), "Why Claude ended, in the words of the Messages API."),
    stop_details=said(maybe(OBJECT), "Of a refusal, as the Messages API gave them."),
    error=said(maybe(ref("ErrorMembers")), "Why it could not be finished."),
    model=TEXT,
    request_id=said(maybe(TEXT), "Of the last request to Claude."),
    usage=said(OBJECT, "Of the last request to Claude, as the Messages API gave it."),
    input_tokens=said(NUMBER, "Of all its requests, those from caches among them."),
    output_tokens=NUMBER,
    created_at=TIME,
    started_at=maybe(TIME),
    first_word_at=maybe(TIME),
    finished_at=maybe(TIME),
)
MESSAGE = exactly(
    "A prompt, or an answer. An answer that is being written has what earlier generations wrote "
    "of it; the rest is in the events of its generation until that has ended.",
    id=ID,
    conversation=UUID,
    parent=said(maybe(ID), "The message before it; siblings are versions of one another."),
    role={"type": "string", "enum": list(Message.Role.values)},
    content=said(
        {"type": "array", "items": OBJECT}, "Content blocks as the Messages API has them."
    ),
    text=said(TEXT, "The text of its text blocks: an answer's Markdown."),
    generations={"type": "array", "items": ref("Generation")},
    created_at=TIME,
)

APPROVAL = exactly(
    "A person's word on a call of a tool.",
    tool_use_id=TEXT,
    approve=said(BOOLEAN, "Whether the call may be made."),
)

PIECE: Schema = {
    "type": "object",
    "description": "An event: a piece of the answer, or `[DONE]`.",
    "properties": {"data": TEXT},
    "required": ["data"],
}
EVENT: Schema = {
    "type": "object",
    "description": "An event of a log: its number, its kind, and its payload as JSON.",
    "properties": {
        "id": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "event": TEXT,
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "event", "data"],
}

SECONDS: Schema = {"type": "number", "minimum": 0}


def _list(description: str, **members: Schema) -> Schema:
    return {"type": "array", "items": exactly(description, **members)}


TIMELINE = exactly(
    "When a generation did what, in seconds after it was queued.",
    generation=ID,
    conversation=UUID,
    message=ID,
    created_at=TIME,
    status={"type": "string", "enum": list(Generation.Status.values)},
    queued_s=SECONDS,
    taken_s=maybe(SECONDS),
    requests=_list(
        "A request to Claude.",
        number=NUMBER,
        attempt=NUMBER,
        model=TEXT,
        request_id=TEXT,
        begun_s=SECONDS,
        first_event_s=maybe(SECONDS),
        ended_s=maybe(SECONDS),
    ),
    retries=_list(
        "A request that failed and was made again.",
        at_s=SECONDS,
        error_code=TEXT,
        wait_s=SECONDS,
        attempt=NUMBER,
    ),
    first_word_s=maybe(SECONDS),
    longest_gap=maybe(
        exactly(
            "The longest silence between two deltas; in which block it ended.",
            from_s=SECONDS,
            to_s=SECONDS,
            seconds=SECONDS,
            block=NUMBER,
        )
    ),
    blocks=_list(
        "A content block.",
        number=NUMBER,
        type=TEXT,
        name=TEXT,
        from_s=SECONDS,
        to_s=maybe(SECONDS),
    ),
    tool_results=_list("What came of a tool.", at_s=SECONDS, tool_use_id=TEXT, is_error=BOOLEAN),
    left_out=said(NUMBER, "So many of these were too many to be listed."),
    model=TEXT,
    request_id=TEXT,
    input_tokens=NUMBER,
    output_tokens=NUMBER,
    stop_reason=TEXT,
    final=maybe(exactly("How it ended.", at_s=SECONDS, status=TEXT, error_code=TEXT)),
    characters=NUMBER,
    points=said(
        {"type": "array", "items": {"type": "array", "items": SECONDS}},
        "Pairs: a time, and how many characters had come by then.",
    ),
)

APPROVE: Schema = {
    "type": "object",
    "properties": {"approve": said(BOOLEAN, "Whether the call shall be made.")},
    "required": ["approve"],
    "additionalProperties": False,
}

TITLE: Schema = {
    "type": "object",
    "properties": {"title": {**VISIBLE, "maxLength": TITLE_MAX_CHARS}},
    "required": ["title"],
    "additionalProperties": False,
}

SCHEMAS: dict[str, Schema] = {
    "Event": EVENT,
    "Piece": PIECE,
    "Error": exactly("An answer that refuses.", error=ref("ErrorMembers")),
    "ErrorMembers": ERROR,
    "Conversation": CONVERSATION,
    "Conversations": listed(ref("Conversation"), TIME_CURSOR.pattern),
    "Message": MESSAGE,
    "Messages": listed(ref("Message"), NUMBER_CURSOR.pattern),
    "Generation": GENERATION,
    "Timeline": TIMELINE,
    "Approval": APPROVAL,
}
