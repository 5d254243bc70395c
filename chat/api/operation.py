"""What one method of one address is like, and what many of them have in common. Data alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat import errors
from chat.api.pages import MAX_LIMIT, USUAL_LIMIT
from chat.api.schemas import ID, TEXT, UUID, Schema

Refusal = type[errors.ChatError]

EVENT_STREAM = "text/event-stream"
JSON = "application/json"


@dataclass(frozen=True)
class Parameter:
    name: str
    schema: Schema
    description: str
    place: str = "query"


@dataclass(frozen=True)
class Operation:
    """One method of one address.

    `answer` is the name of what it gives under `status`, "" for nothing; `is_stream` says that it
    is that of each event of a stream;
    `refusals` are the errors that it may give beside those of every operation. `links` say where
    ids of its answer lead to: from an operation's name and its parameter to a runtime expression
    (OpenAPI 3.1, 4.8.20).
    """

    name: str
    summary: str
    description: str
    answer: str = ""
    status: int = 200
    is_stream: bool = False
    parameters: Sequence[Parameter] = ()
    body: Schema | None = None
    refusals: Sequence[Refusal] = ()
    headers: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str, str]] = ()
    is_open: bool = False


OF_CONVERSATION = Parameter("conversation_id", UUID, "The conversation.", "path")
OF_GENERATION = Parameter("generation_id", ID, "The generation.", "path")
OF_MESSAGE = Parameter("message_id", ID, "The message.", "path")
LIMIT = Parameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": USUAL_LIMIT},
    "So many at most.",
)
IF_NONE_MATCH = Parameter(
    "If-None-Match", TEXT, "An `ETag`: 304 where the answer is still the same.", "header"
)
IF_MATCH = Parameter(
    "If-Match", TEXT, "An `ETag` of the conversation: 412 where it has changed.", "header"
)
READS = (errors.NotFound,)
WRITES = (errors.ForeignPage, errors.ScopeMissing)
SENDS = (*WRITES, errors.TooManySends, errors.TooManyRunning, errors.SiteBusy)
BODIES = (errors.InvalidRequest, errors.BodyTooLarge)
ETAG = ("ETag", "Names this state; stays the same for as long as the answer does.")
