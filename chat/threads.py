"""Database work of async code, each call in a thread of its own choosing."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread, and give its database connection back afterwards.

    Not thread sensitive, which outside a request would put the whole process behind one thread.
    """
    return await database_sync_to_async(function, thread_sensitive=False)(*args, **kwargs)
