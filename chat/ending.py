"""How an answer ends: one transaction for its final status, its last event and its message.

    finish -> the status (a conditional UPDATE) -> the message's content -> the `final` event

Whoever ends a generation comes through here: the process that wrote it, or the one that found
it without an owner. The conditional UPDATE lets exactly one of them win.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from chat import errors, events, metrics, statements
from chat.content import MAX_COUNT, Block, Content, end_of, joined, part_before, plain_text
from chat.digests import next_digest
from chat.durations import Durations, all_seconds
from chat.events.entry import DELTA
from chat.kinds import FINAL
from chat.models import Event, Generation, Message
from chat.options import without_messages
from chat.render import render_blocks
from chat.threads import own_connection
from chat.timeline import Outline, Timeline, seconds_from

logger = logging.getLogger(__name__)

Status = Generation.Status
# Messages API, "Usage": all of them are input; the total is their sum.
_INPUT_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
MAX_STOP_REASON_CHARS = 40
MAX_REQUEST_ID_CHARS = 100

MAX_CONTINUATIONS = 3
"""So often an answer that was interrupted is gone on with by itself."""

LARGE_CHARS = 1_000_000
"""A longer answer is stored on a connection that does not outlive that."""

DELTAS_AT_ONCE = 8
"""So many deltas wait at most until they are taken in."""

QUEUE_TOPIC = "queue"
"""Rings when a generation waits for any process to take it."""


def conversation_topic(conversation_id: UUID) -> str:
    """Return the topic that rings when a conversation's rows change."""
    return f"conversation-{conversation_id}"


class Ending(NamedTuple):
    """How a generation ends. `status` None: stopped where that was asked, else interrupted.

    `detail` is for the log alone, and holds nothing that anybody wrote.
    """

    status: Generation.Status | None
    error_code: str = ""
    detail: str = ""


class Written(NamedTuple):
    """What whoever writes an answer knows of it: its row, with its message, as they were when it
    was begun, and the last number of its log (None: not known).
    """

    generation: Generation
    seq: int | None


class _Folded(NamedTuple):
    """What is stored on a message at the end."""

    content: list[Block]
    text: str
    rendered: list[str]
    durations_s: list[float | None]


class Answer:
    """What is known of an answer so far.

    Deltas wait for each other: taken in together they take a third of what each takes by itself.
    """

    def __init__(self) -> None:
        self.request_id = ""
        self._content = Content()
        self._durations = Durations()
        self._timeline = Timeline()
        self._first_word_at: datetime | None = None
        self._deltas: list[tuple[Mapping[str, Any], datetime]] = []

    @property
    def content(self) -> Content:
        self._settle()
        return self._content

    @property
    def durations(self) -> Durations:
        self._settle()
        return self._durations

    @property
    def timeline(self) -> Timeline:
        self._settle()
        return self._timeline

    @property
    def first_word_at(self) -> datetime | None:
        self._settle()
        return self._first_word_at

    def feed(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Take in one event of the log."""
        if kind == DELTA:
            self._deltas.append((data, at))
            if len(self._deltas) >= DELTAS_AT_ONCE:
                self._settle()
            return
        self._settle()
        self._feed(kind, data, at)

    def opened(self, request_id: str) -> None:
        """Note the id under which the API answers a request."""
        self.request_id = request_id[:MAX_REQUEST_ID_CHARS]
        self.timeline.opened(self.request_id)

    def _settle(self) -> None:
        deltas, self._deltas = self._deltas, []
        for data, at in deltas:
            self._feed(DELTA, data, at)

    def _feed(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        self._content.feed(kind, data)
        self._durations.feed(kind, data, at)
        self._timeline.feed(kind, data, at)
        if self._first_word_at is None and self._content.has_word:
            self._first_word_at = at


def read_answer(generation_id: int) -> Answer:
    """Build an answer from its log, for callers in a thread."""
    answer = Answer()
    for entry in events.read(generation_id):
        answer.feed(entry.kind, json.loads(entry.data), entry.at)
    return answer


def finish(
    generation_id: int,
    owner_id: UUID | None,
    answer: Answer,
    ending: Ending,
    written: Written | None = None,
) -> events.Entry | None:
    """Give a running generation its final status, its last event, and its message its content.

    Returns None, and changes nothing, where `owner_id` is not its owner or it is final already.

    Args:
        written: what the caller knows of it, where it is the one who wrote it.
    """
    with own_connection() if answer.content.chars > LARGE_CHARS else nullcontext():
        if not (written := written or _read(generation_id)):
            return None
        # Before the transaction, in which others may wait: rendering takes its time. What earlier
        # generations wrote stays as it is while this one runs.
        folded = _folded(written.generation, answer)
        with transaction.atomic():
            final = _finish(written, owner_id, answer, ending, folded)
            if final is None:
                transaction.set_rollback(True)
        return final


def _read(generation_id: int) -> Written | None:
    generation = Generation.objects.select_related("message").filter(pk=generation_id).first()
    return Written(generation, None) if generation else None


def _finish(
    written: Written,
    owner_id: UUID | None,
    answer: Answer,
    ending: Ending,
    folded: _Folded,
) -> events.Entry | None:
    now, begun = timezone.now(), written.generation
    # Before the generation, as whoever sends or deletes locks them: else each could wait for
    # the other.
    statements.set_updated(begun.conversation_id, updated_at=now)
    rows = statements.locked_generation(begun.pk)
    if not rows or rows[0].owner_id != owner_id or not rows[0].is_running:
        return None
    generation, message = rows[0], begun.message
    status, error_code = _resolve(ending, generation)
    record = {
        "status": status,
        "error_code": error_code,
        "finished_at": now,
        "first_word_at": answer.first_word_at,
        "request_id": answer.request_id,
        "options": without_messages(generation.options),
        **record_of(answer.content),
    }
    record["timeline"] = answer.timeline.facts(outline(generation, record))
    if statements.set_record(generation.pk, **record) != 1:
        return None
    transaction.on_commit(partial(_report, generation, record, ending.detail))
    digest = message.path_digest
    if (parents := statements.digest_before(message.pk)) and (before := parents[0][0]):
        # A program that took the site for the Messages API sends the answer back to go on.
        digest = next_digest(before, message.role, folded.content)
    statements.set_content(message.pk, **folded._asdict(), path_digest=digest)
    final = _append_final(generation.pk, written.seq, status, error_code, now)
    if status == Status.INTERRUPTED and settings.CHAT_ON_INTERRUPT == "continue":
        message.content = folded.content
        _queue_continuation(message, generation.model, record["options"])
    return final


def outline(generation: Generation, known: Mapping[str, Any]) -> Outline:
    """Return what a generation's row says, but for what is `known` better, for its timeline."""
    names = Outline._fields
    return Outline(**{name: known.get(name, getattr(generation, name)) for name in names})


def add_generation(
    message: Message, model: str, options: dict[str, Any] | None = None
) -> Generation:
    """Queue a generation that writes an answer, or goes on with what it holds, in a transaction.

    Args:
        options: as options.py writes them.

    Raises:
        IntegrityError: the conversation has a generation that is not final.
    """
    first_block, first_char = end_of(message.content)
    return statements.insert_generation(
        Generation(
            conversation_id=message.conversation_id,
            message=message,
            model=model,
            options=options,
            first_block=first_block,
            first_char=first_char,
        )
    )


def _resolve(ending: Ending, generation: Generation) -> tuple[Generation.Status, str]:
    if ending.status:
        return ending.status, ending.error_code
    if generation.stop_requested_at:
        return Status.STOPPED, ""
    return Status.INTERRUPTED, ending.error_code or errors.Shutdown.code


def record_of(content: Content) -> dict[str, Any]:
    """Return what is stored of an answer's content beside the content itself."""
    return {
        "stop_reason": content.stop_reason[:MAX_STOP_REASON_CHARS],
        "stop_details": content.stop_details,
        "usage": content.usage,
        "input_tokens": min(MAX_COUNT, sum(content.tokens(name) for name in _INPUT_TOKENS)),
        "output_tokens": min(MAX_COUNT, content.tokens("output_tokens")),
    }


def _folded(generation: Generation, answer: Answer) -> _Folded:
    """Return what a page needs to show the message without its log."""
    message, own = generation.message, answer.durations.seconds()
    earlier = part_before(message.content, generation.first_block, generation.first_char)
    blocks = joined(earlier, answer.content.blocks())
    seconds = all_seconds(message.durations_s or (), own, before=len(earlier), total=len(blocks))
    return _Folded(blocks, plain_text(blocks), render_blocks(blocks), seconds)


def _report(generation: Generation, record: Mapping[str, Any], detail: str) -> None:
    """Count an end and log it, in the one process whose UPDATE it was."""
    status: Generation.Status = record["status"]
    first_word_s = seconds_from(generation.created_at, record["first_word_at"])
    counts = {name: record[name] for name in ("input_tokens", "output_tokens")}
    metrics.generation_ended(
        status.value, record["error_code"], first_token_s=first_word_s, **counts
    )
    is_well = status in (Status.COMPLETE, Status.STOPPED)
    facts = {
        "generation_id": generation.pk,
        "conversation_id": generation.conversation_id,
        "request_id": record["request_id"],
        "model": generation.model,
        "status": status.value,
        "error_code": record["error_code"],
        "detail": detail,
        "first_word_s": first_word_s,
        "duration_s": seconds_from(generation.created_at, record["finished_at"]),
        **counts,
    }
    logger.log(logging.INFO if is_well else logging.WARNING, "answer ended", extra=facts)


def _queue_continuation(message: Message, model: str, options: dict[str, Any] | None) -> None:
    """Have another process go on with an answer, unless it brings down whoever writes it."""
    ended = message.generations.filter(status=Status.INTERRUPTED)
    if ended.count() <= MAX_CONTINUATIONS:
        add_generation(message, model, options)
        transaction.on_commit(lambda: events.ring(QUEUE_TOPIC))


def _append_final(
    generation_id: int,
    last_seq: int | None,
    status: Generation.Status,
    error_code: str,
    now: datetime,
) -> events.Entry:
    if last_seq is None:
        log = Event.objects.filter(generation_id=generation_id)
        last_seq = log.aggregate(seq=Max("seq"))["seq"] or 0
    data = json.dumps({"status": status.value, "error_code": error_code})
    final = events.Entry(last_seq + 1, FINAL, data, now)
    events.insert_entries(generation_id, [final])
    return final
