"""A person's word on a call that changes something: asked for, given once, waited for.

    ask (a row) -> decide, by the person or when the time is over (a conditional UPDATE) -> ring

The row says what was decided; a ring only says when to look.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from django.db import Error, IntegrityError, transaction
from django.utils import timezone

from chat import events
from chat.models import Approval, Generation
from chat.outage import is_outage, tell_outage
from chat.threads import in_thread

LOOK_S = 2.0
"""After so long without a ring the one who waits looks by itself."""

MAX_ID_CHARS = 100

MAX_INPUT_CHARS = 20_000
"""A longer input is not asked about: nobody should allow what they can't read whole."""


class Word(NamedTuple):
    """What was decided; `is_late`: by the end of the time, not by the person."""

    is_approved: bool
    is_late: bool = False


def topic(generation_id: int) -> str:
    """Return the topic that rings when a person has decided."""
    return f"approval-{generation_id}"


def ask(generation_id: int, tool_use_id: str) -> bool:
    """Make the row that a person decides on; False where an earlier call had the same id.

    What was said to that one is no word on this one.
    """
    try:
        with transaction.atomic():
            Approval.objects.create(generation_id=generation_id, tool_use_id=tool_use_id)
    except IntegrityError:
        return False
    return True


def decide(generation_id: int, tool_use_id: str, *, is_approved: bool) -> bool:
    """Decide on a call, and return whether it was still open."""
    still_open = Approval.objects.filter(
        generation_id=generation_id,
        tool_use_id=tool_use_id,
        is_approved=None,
        generation__status=Generation.Status.STREAMING,
    )
    decided = still_open.update(is_approved=is_approved, decided_at=timezone.now())
    if decided:
        events.ring(topic(generation_id))
    return decided == 1


def decision(generation_id: int, tool_use_id: str) -> bool | None:
    """Return what was decided; None where nothing was yet.

    Raises:
        Approval.DoesNotExist: nobody was asked, or the conversation was deleted.
    """
    rows = Approval.objects.values_list("is_approved", flat=True)
    return rows.get(generation_id=generation_id, tool_use_id=tool_use_id)


async def awaited(generation_id: int, tool_use_id: str, timeout_s: float) -> Word:
    """Wait for a person's word; without one within `timeout_s` the call is declined."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + timeout_s
    with events.Bell(topic(generation_id)) as bell:
        while (left_s := give_up_at - loop.time()) > 0:
            bell.clear()
            is_approved = await _looked(generation_id, tool_use_id)
            if is_approved is not None:
                return Word(is_approved)
            await bell.wait(min(left_s, LOOK_S))
    if await in_thread(decide, generation_id, tool_use_id, is_approved=False):
        return Word(is_approved=False, is_late=True)
    # A person was quicker by a hair.
    return Word(bool(await in_thread(decision, generation_id, tool_use_id)))


async def _looked(generation_id: int, tool_use_id: str) -> bool | None:
    """Return what was decided; None too where the database is away, which passes."""
    try:
        return await in_thread(decision, generation_id, tool_use_id)
    except Error as error:
        if not is_outage(error):
            raise
        tell_outage(error)
        return None
