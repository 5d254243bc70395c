"""Whether a reader may read a conversation: when it begins, and for as long as it reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from chat import worker
from chat.events import Bell
from chat.models import AccessToken, Conversation, User
from chat.outage import is_outage, tell_outage
from chat.services import user_topic
from chat.sockets import SignedIn, whose
from chat.threads import in_thread

T = TypeVar("T")


def may_read(user: User, conversation_id: UUID) -> bool:
    return Conversation.objects.owned_by(user).filter(pk=conversation_id).exists()


def is_signed_in(by: SignedIn) -> bool:
    """Whether the session or token that a reader began with is still good for its user.

    Read anew: it may be gone or expired, the password changed, the account disabled.
    """
    if by.token_id:
        return AccessToken.objects.filter(pk=by.token_id, owner__is_active=True).exists()
    _, user = whose(by.session_key)
    return user.pk == by.user_id


async def until_over(by: SignedIn) -> None:
    """Wait until the reader may read no more, or this process leaves."""
    with Bell(user_topic(by.user_id), worker.LEAVING_TOPIC) as bell:
        while not worker.is_leaving() and await in_thread(is_signed_in, by):
            # What nobody rings for, rights.watch finds out, for all readers together.
            await bell.wait(None)
            bell.clear()


@asynccontextmanager
async def guarding(by: SignedIn) -> AsyncIterator[asyncio.Task[None]]:
    """Have a task done, inside the block, as soon as the reader may read no more.

    The block ends without an error where the database is away: who comes back goes on.
    """
    guard = asyncio.create_task(until_over(by), name="guard")
    try:
        yield guard
    except Exception as error:
        if not is_outage(error):
            raise
        tell_outage(error)
    finally:
        guard.cancel()
        await asyncio.gather(guard, return_exceptions=True)


async def while_allowed(
    by: SignedIn, following: Callable[[], Awaitable[T | None]], silence_s: float
) -> AsyncGenerator[T | None, None]:
    """Yield what comes, and None after each silence, for as long as the reader may read.

    Ends where nothing more comes, and where the database is away: who comes back goes on.

    Args:
        following: gives what comes next; None at the end.
    """
    coming: asyncio.Future[T | None] | None = None
    async with guarding(by) as over:
        try:
            while not over.done():
                coming = coming or asyncio.ensure_future(following())
                tasks: set[asyncio.Future[Any]] = {coming, over}
                await asyncio.wait(tasks, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
                if over.done():
                    return
                if not coming.done():
                    yield None
                    continue
                came, coming = coming.result(), None
                if came is None:
                    return
                yield came
        finally:
            if coming:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
