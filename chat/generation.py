"""One answer: take the generation, have it written, end with one final status.

    take, or run -> _take -> rounds.py (requests, and tools between them) -> finish

It does not know who called it. Deltas go to the log and nowhere else. The end is one
transaction: the status (a conditional UPDATE), the log's last event, and the message's content.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat import errors, events, metrics, statements
from chat.calls import Caller
from chat.claude.request import Request
from chat.content import Block, part_before, plain_text
from chat.context import Turn, messages_as_sent, messages_to_go_on
from chat.ending import Answer, Ending, Written, finish, read_answer
from chat.kinds import REQUEST
from chat.models import Generation, Message, User, path_to
from chat.options import Options
from chat.rounds import Rounds, request_data
from chat.threads import in_thread
from chat.tools import Toolset

if TYPE_CHECKING:
    from chat.claude.stream import Claude  # With the SDK; who runs the site has imported it.

logger = logging.getLogger(__name__)

Status = Generation.Status
T = TypeVar("T")

_OWN_MEMBERS = ("model", "max_tokens", "messages", "stream")
"""Of a program's request; the others go out as they came."""


@dataclass(frozen=True)
class Runtime:
    """What the process lends to its generations.

    `max_retry_wait_s` bounds all waits of one request together, in seconds.
    """

    process_id: UUID
    claude: Claude
    committer: events.Committer
    max_tokens: int
    system: str
    max_retry_wait_s: float
    extra: Mapping[str, Any] = field(default_factory=dict)
    toolset: Toolset = field(default_factory=Toolset)


class _StopRequested(Exception):
    """A stop was asked for before the generation was taken."""


class Taken(NamedTuple):
    """A generation that is this process's own now: what to ask, for whom, and for how long.

    `first` is what its log begins with, committed with the claim.
    """

    generation: Generation
    first: events.Entry
    request: Request
    caller: Caller
    max_seconds: float | None


class _Begun(NamedTuple):
    """What a log begins with, and what the first request is made of."""

    first: events.Entry
    options: Options
    turns: list[Turn]


async def run(
    generation_id: int, runtime: Runtime, taken: Taken | None = None
) -> Generation.Status | None:
    """Write the answer of a queued generation; None where another process has taken it.

    Args:
        taken: what `take` returned, where it was taken already.

    Cancelling the task closes the stream and ends the generation as `stopped` (or `interrupted`
    where nobody asked for a stop); the CancelledError is raised afterwards.
    """
    writing = _Writing(events.Log(generation_id, runtime.process_id, runtime.committer))
    final: events.Entry | None = None
    metrics.RUNNING.inc()
    try:
        ending = await _write_answer(writing, runtime, taken)
        if ending:
            final = await _to_the_end(_finish(writing, ending))
    except asyncio.CancelledError:
        final = await _to_the_end(_finish(writing, Ending(None)))
        raise
    except events.LogClosed:
        logger.info("taken away or deleted", extra={"generation_id": generation_id})
    finally:
        metrics.RUNNING.dec()
        writing.log.close(final)
    return Status(json.loads(final.data)["status"]) if final else None


@dataclass
class _Writing:
    """An answer that this process writes; `generation` is its row, once it is taken."""

    log: events.Log
    answer: Answer = field(default_factory=Answer)
    generation: Generation | None = None

    def begin(self, taken: Taken) -> None:
        self.generation, first = taken.generation, taken.first
        self.log.committed([first])
        self.answer.feed(first.kind, json.loads(first.data), first.at)


async def _write_answer(writing: _Writing, runtime: Runtime, taken: Taken | None) -> Ending | None:
    """Take the generation and ask Claude; return how it ended, None where it was not ours."""
    log, answer = writing.log, writing.answer
    try:
        taken = taken or await _to_the_end(in_thread(_take, log.generation_id, runtime))
        if taken is None:
            return None
        writing.begin(taken)
        async with asyncio.timeout(taken.max_seconds):
            rounds = Rounds(runtime.claude, runtime.max_retry_wait_s, log, answer, taken.caller)
            await rounds.write(taken.request)
    except TimeoutError:
        return Ending(Status.STOPPED, errors.TimeLimit.code)
    except _StopRequested:
        return Ending(Status.STOPPED)
    except errors.GenerationError as error:
        return Ending(Status.FAILED, error.code, str(error))
    except (asyncio.CancelledError, events.LogClosed):
        raise
    except Exception:
        ids = {"generation_id": log.generation_id, "request_id": answer.request_id}
        logger.exception("answering failed", extra=ids)
        return Ending(Status.FAILED, errors.Internal.code)
    return Ending(Status.COMPLETE)


def take(generation: Generation, owner: User, runtime: Runtime) -> Taken | None:
    """Make a generation that was just queued this process's own, without asking for it.

    Args:
        generation: as it was queued, with its message, which nothing has been written to.

    Returns:
        None where it was taken, stopped or deleted since: `run` finds out which.

    Raises:
        DatabaseError: it may be taken, or not. After any other error it is not.
    """
    claimed = _claimed(runtime)
    with transaction.atomic():
        if not statements.claim_unstopped(generation.pk, **claimed):
            return None
        begun = _begin(generation, claimed["started_at"])
        # Not the object that a request made as it was first needed, which holds the request.
        taken = _taken(generation, copy.copy(owner), runtime, begun)
    for name, value in claimed.items():
        setattr(generation, name, value)
    return taken


def _take(generation_id: int, runtime: Runtime) -> Taken | None:
    """Make the generation this process's own; None where it was not queued any more."""
    claimed = _claimed(runtime)
    with transaction.atomic():
        if not statements.claim(generation_id, **claimed):
            return None
        (generation,) = statements.generation(generation_id)
        # Asked before anybody wrote: the worker does not cancel what it has not begun.
        if is_wanted := not generation.stop_requested_at:
            (generation.message,) = statements.message(generation.message_id)
            (owner,) = statements.owner(generation.conversation_id)
            begun = _begin(generation, claimed["started_at"])
    if not is_wanted:
        raise _StopRequested
    return _taken(generation, owner, runtime, begun)


def _claimed(runtime: Runtime) -> dict[str, Any]:
    return {
        "status": Status.STREAMING,
        "owner_id": runtime.process_id,
        "started_at": timezone.now(),
    }


def _begin(generation: Generation, now: datetime) -> _Begun:
    """Begin the log of a generation that is claimed, in the caller's transaction."""
    first = events.Entry(1, REQUEST, json.dumps(request_data(generation.model)), now)
    events.insert_entries(generation.pk, [first])
    options = Options.from_json(generation.options)
    # A program sends them with its request.
    return _Begun(first, options, [] if "messages" in options.body else _turns_before(generation))


def _taken(generation: Generation, owner: User, runtime: Runtime, begun: _Begun) -> Taken:
    metrics.log_begun()
    first, options, turns = begun
    toolset = _toolset(options, runtime.toolset)
    request = _asked(generation, options, runtime, turns)
    if not options.body:
        request = replace(request, tools=toolset.definitions())
    caller = Caller(generation.pk, owner, toolset)
    return Taken(generation, first, request, caller, options.max_seconds)


def _asked(
    generation: Generation, options: Options, runtime: Runtime, turns: list[Turn]
) -> Request:
    content = generation.message.content
    begun = part_before(content, generation.first_block, generation.first_char)
    if options.body:
        return _request_as_sent(generation.model, options, turns, begun)
    return _request(generation.model, options, runtime, messages_to_go_on(turns, begun))


def _request(
    model: str, options: Options, runtime: Runtime, messages: list[dict[str, Any]]
) -> Request:
    return Request(
        model=model,
        max_tokens=options.max_tokens or runtime.max_tokens,
        messages=messages,
        system=runtime.system if options.system is None else options.system,
        extra=runtime.extra,
    )


def _toolset(options: Options, offered: Toolset) -> Toolset:
    # A whole request of a program's own is made once, and brings its own tools.
    return Toolset(rounds=0) if options.body else offered.chosen(options.tools)


def _request_as_sent(
    model: str, options: Options, turns: list[Turn], begun: list[Block]
) -> Request:
    """Return a program's own request, as it was sent; its messages anew where they are gone."""
    messages = options.body.get("messages") or messages_as_sent(turns)
    if plain_text(begun).strip():
        messages = messages_to_go_on(turns, begun)
    extra = {name: value for name, value in options.body.items() if name not in _OWN_MEMBERS}
    return Request(
        model, options.body["max_tokens"], messages, extra=extra, headers=options.headers
    )


def _turns_before(generation: Generation) -> list[Turn]:
    if (last_id := generation.message.parent_id) is None:
        return []
    found: list[Any] = statements.messages_to(generation.conversation_id, last_id)
    rows = {message.pk: message for message in found}
    path = path_to(last_id, {message.pk: message.parent_id for message in found})
    has_refusals = found and found[0].has_refusals
    refusals = statements.refusals(generation.conversation_id) if has_refusals else []
    refused = {each.message_id: each for each in refusals}
    return [_turn(rows[pk], refused.get(pk)) for pk in path]


def _turn(message: Message, refused: Generation | None) -> Turn:
    if refused is None:
        return Turn(message.role, message.content)
    # What stood there before a continuation was refused had been answered.
    content = part_before(message.content, refused.first_block, refused.first_char)
    return Turn(message.role, content, "" if content else refused.stop_reason)


async def _finish(writing: _Writing, ending: Ending) -> events.Entry | None:
    log, answer = writing.log, writing.answer
    written = None
    try:
        await log.flush()
        if writing.generation:
            written = Written(writing.generation, log.seq)
    except events.LogClosed:
        return None
    except Exception:
        # The database was away for too long. What it has is what the answer is.
        ids = {"generation_id": log.generation_id, "request_id": answer.request_id}
        logger.exception("a log can't be written", extra=ids)
        ending = Ending(Status.FAILED, errors.Internal.code)
        answer = await in_thread(read_answer, log.generation_id)
    finish_this = partial(finish, log.generation_id, log.process_id, answer, written=written)
    return await in_thread(log.committer.patiently, finish_this, ending)


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end, cancelled or not; a cancellation is raised when it is done."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            break
    if cancelled and not task.cancelled() and not task.exception():
        raise cancelled
    return task.result()
