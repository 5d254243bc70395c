"""Database work of async code: in any thread, or on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in a thread, and give its database connection back afterwards.

    Not thread sensitive, which outside a request would put the whole process behind one thread.
    """
    result: T = await _call_in_thread(function, args, kwargs)
    return result


def _call(function: Callable[..., T], args: Any, kwargs: Any) -> T:
    return function(*args, **kwargs)


# Made once, because to make one takes as long as the way to the thread and back.
_call_in_thread = database_sync_to_async(_call, thread_sensitive=False)


async def in_request(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` in the thread of the request, and give its database connection back.

    For what answers with a stream: Django keeps a request's connection until the stream has ended.
    """

    def call() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                # In one it would be rolled back, which nothing but a test begins around a request.
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()

    return await sync_to_async(call)()


@contextmanager
def own_connection() -> Iterator[None]:
    """Give the block a connection outside the pool, and this thread its usual one afterwards.

    For what is large: libpq keeps a buffer as large as the largest message that it ever sent, for
    as long as the connection lives (its source, fe-misc.c), and a pool keeps its connections.
    """
    usual = connections[DEFAULT_DB_ALIAS]
    _connect_outside_the_pool()
    try:
        yield
    finally:
        own, connections[DEFAULT_DB_ALIAS] = connections[DEFAULT_DB_ALIAS], usual
        own.close()


class OwnThread:
    """One thread that keeps one database connection, outside the pool, until it is closed.

    For what must wait neither for other threads nor for a pool: that hands out nothing while it
    is empty, and after a fault of the server takes up to 8 s to connect again.
    The first call that succeeds after one that failed has the pool renewed.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(
            1, thread_name_prefix=name, initializer=_connect_outside_the_pool
        )
        self._has_failed = False

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` after those that wait already; a connection that failed is closed."""
        loop = asyncio.get_running_loop()
        work = partial(function, *args, **kwargs)
        return await loop.run_in_executor(self._executor, self._call, work)

    async def close(self) -> None:
        """End the thread and its connection, after those calls that wait already."""
        await asyncio.get_running_loop().run_in_executor(self._executor, connections.close_all)
        self._executor.shutdown(wait=False)

    def _call(self, work: Callable[[], T]) -> T:
        try:
            result = work()
        except Error as error:
            connections.close_all()
            # Other errors tell of what was asked, not of the server.
            self._has_failed |= isinstance(error, OperationalError | InterfaceError)
            raise
        if self._has_failed:
            self._has_failed = False
            try:
                _renew_pool()
            except Exception:  # What was asked for is done all the same.
                logger.exception("the pool can't be renewed")
        return result


def _renew_pool() -> None:
    # Of this thread's own connection it is not.
    if pool := getattr(connections.create_connection(DEFAULT_DB_ALIAS), "pool", None):
        renew(pool)


def renew(pool: ConnectionPool[Any]) -> None:
    """Have a pool make its connections anew: after a fault all are broken.

    It tells a broken one when it hands it out, and waits ever longer before it tries the next:
    four of them take 7 s, and a fifth lasts until the request gives up. Where it has given up
    itself, it makes none before somebody else asks for one.
    """
    pool.drain()
    pool.check()  # Makes one where there is none, for those who wait already.


def _connect_outside_the_pool() -> None:
    """Give this thread a connection like all others, but made by itself."""
    usual = connections.settings[DEFAULT_DB_ALIAS]
    options = {name: value for name, value in usual["OPTIONS"].items() if name != "pool"}
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    own.settings_dict = {**usual, "OPTIONS": options}
    connections[DEFAULT_DB_ALIAS] = own
