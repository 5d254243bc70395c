"""One answer: take the generation, ask Claude, log what comes, retry, end with one final status.

    run -> _take -> _ask (attempts) -> _relay_stream (one request) -> finish

It does not know who called it. Deltas go to the log and nowhere else. The end is one
transaction: the status (a conditional UPDATE), the log's last event, and the message's content.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chat import errors, events, metrics
from chat.claude.request import Request
from chat.content import part_before
from chat.context import Turn, messages_to_go_on
from chat.ending import Answer, Ending, finish, read_answer
from chat.kinds import REQUEST, RETRY
from chat.models import Generation, Message
from chat.retry import MAX_RETRIES, wait_before_retry
from chat.threads import in_thread

if TYPE_CHECKING:
    from chat.claude.stream import Claude  # With the SDK; who runs the site has imported it.

logger = logging.getLogger(__name__)

Status = Generation.Status
T = TypeVar("T")


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


class _StopRequested(Exception):
    """A stop was asked for before the generation was taken."""


async def run(generation_id: int, runtime: Runtime) -> Generation.Status | None:
    """Write the answer of a queued generation; None where another process has taken it.

    Cancelling the task closes the stream and ends the generation as `stopped` (or `interrupted`
    where nobody asked for a stop); the CancelledError is raised afterwards.
    """
    answer = Answer()
    log = events.Log(generation_id, runtime.process_id, runtime.committer)
    final: events.Entry | None = None
    metrics.RUNNING.inc()
    try:
        ending = await _write_answer(generation_id, runtime, log, answer)
        if ending:
            final = await _to_the_end(_finish(log, answer, ending))
    except asyncio.CancelledError:
        final = await _to_the_end(_finish(log, answer, Ending(None)))
        raise
    except events.LogClosed:
        logger.info("taken away or deleted", extra={"generation_id": generation_id})
    finally:
        metrics.RUNNING.dec()
        log.close(final)
    return Status(json.loads(final.data)["status"]) if final else None


async def _write_answer(
    generation_id: int, runtime: Runtime, log: events.Log, answer: Answer
) -> Ending | None:
    """Take the generation and ask Claude; return how it ended, None where it was not ours."""
    try:
        request = await _to_the_end(_take(generation_id, runtime))
        if request is None:
            return None
        await _ask(request, runtime, log, answer)
    except _StopRequested:
        return Ending(Status.STOPPED)
    except errors.GenerationError as error:
        return Ending(Status.FAILED, error.code, str(error))
    except (asyncio.CancelledError, events.LogClosed):
        raise
    except Exception:
        ids = {"generation_id": generation_id, "request_id": answer.request_id}
        logger.exception("answering failed", extra=ids)
        return Ending(Status.FAILED, errors.Internal.code)
    return Ending(Status.COMPLETE)


async def _ask(request: Request, runtime: Runtime, log: events.Log, answer: Answer) -> None:
    """Make the request, and make it again where it failed before its first content."""
    waited_s, attempt = 0.0, 1
    while True:
        start = {"number": 1, "model": request.model, "attempt": attempt}
        await log.append(REQUEST, start)
        try:
            return await _relay_stream(request, runtime.claude, log, answer)
        except errors.GenerationError as error:
            wait_s = wait_before_retry(
                error,
                attempt,
                waited_s=waited_s,
                max_wait_s=runtime.max_retry_wait_s,
                jitter=random.random(),  # noqa: S311  (no secret)
            )
            if wait_s is None or answer.content.has_content:
                raise
            attempt += 1
            metrics.retried(error.code)
            await log.append(RETRY, _retry_data(error, attempt, wait_s))
        waited_s += wait_s
        await asyncio.sleep(wait_s)


def _retry_data(error: errors.GenerationError, attempt: int, wait_s: float) -> dict[str, Any]:
    return {
        "error_code": error.code,
        "wait_s": round(wait_s, 3),
        "attempt": attempt,
        "attempts": MAX_RETRIES + 1,
    }


async def _relay_stream(request: Request, claude: Claude, log: events.Log, answer: Answer) -> None:
    """Copy one stream into the log."""
    async with claude.stream(request) as stream:
        answer.request_id = stream.request_id
        async for kind, data in stream:
            # The same time for both: what is stored at the end tells what readers were told.
            at = timezone.now()
            answer.feed(kind, data, at)
            await log.append(kind, data, at)


async def _take(generation_id: int, runtime: Runtime) -> Request | None:
    return await in_thread(_take_rows, generation_id, runtime)


def _take_rows(generation_id: int, runtime: Runtime) -> Request | None:
    """Make the generation this process's own; None where it was not queued any more."""
    with transaction.atomic():
        taken = Generation.objects.filter(pk=generation_id, status=Status.QUEUED).update(
            status=Status.STREAMING, owner_id=runtime.process_id, started_at=timezone.now()
        )
        if not taken:
            return None
        generation = Generation.objects.select_related("message").get(pk=generation_id)
        message = generation.message
        turns = _turns_before(message)
    # Asked before anybody wrote: the worker does not cancel what it has not begun.
    if generation.stop_requested_at:
        raise _StopRequested
    return Request(
        model=generation.model,
        max_tokens=runtime.max_tokens,
        messages=messages_to_go_on(
            turns, part_before(message.content, generation.first_block, generation.first_char)
        ),
        system=runtime.system,
        extra=runtime.extra,
    )


def _turns_before(message: Message) -> list[Turn]:
    path = message.conversation.path_to(message.parent_id)
    rows = Message.objects.filter(pk__in=path).order_by("pk")
    refused = {
        generation.message_id: generation
        for generation in Generation.objects.filter(message__in=path, stop_reason="refusal")
    }
    return [_turn(row, refused.get(row.pk)) for row in rows]


def _turn(message: Message, refused: Generation | None) -> Turn:
    if refused is None:
        return Turn(message.role, message.content)
    # What stood there before a continuation was refused had been answered.
    content = part_before(message.content, refused.first_block, refused.first_char)
    return Turn(message.role, content, "" if content else refused.stop_reason)


async def _finish(log: events.Log, answer: Answer, ending: Ending) -> events.Entry | None:
    try:
        await log.flush()
    except events.LogClosed:
        return None
    except Exception:
        # The database was away for too long. What it has is what the answer is.
        ids = {"generation_id": log.generation_id, "request_id": answer.request_id}
        logger.exception("a log can't be written", extra=ids)
        ending = Ending(Status.FAILED, errors.Internal.code)
        answer = await in_thread(read_answer, log.generation_id)
    finish_this = partial(finish, log.generation_id, log.process_id, answer)
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
