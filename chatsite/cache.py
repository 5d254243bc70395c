"""The cache of a site with Redis: shared by its processes, and each one's own while that fails.

Limits of sign-in attempts are kept in it, so that it may neither fail nor forget: while Redis is
away, full or held up, each process counts for itself. A shared cache that failed is left alone
for PROBE_S, so that a server that hangs costs one call its time-out, not every one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.5
"""How long a connection to Redis, or one call, may take."""

PROBE_S = 5.0
"""After so long Redis is asked again whether it works."""

OWN_MAX_ENTRIES = 10_000
"""Django's own default, 300, would let an attacker push other people's attempts out."""

# Not per instance: Django makes a cache for each thread that asks for one.
_local = LocMemCache("while-redis-is-away", {"OPTIONS": {"MAX_ENTRIES": OWN_MAX_ENTRIES}})
_lock = threading.Lock()
_probe_at: float | None = None  # None: Redis works, as far as is known


class SharedCache(RedisCache):
    """Django's Redis cache, with a cache of the process beside it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        timeouts = {"socket_connect_timeout": TIMEOUT_S, "socket_timeout": TIMEOUT_S}
        options = {**timeouts, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._class = _Client

    @property
    def is_shared(self) -> bool:
        """Whether all processes share it, as far as is known."""
        return _probe_at is None


def _guarded(name: str) -> Callable[..., Any]:
    """Return a method that goes to Redis where that works, else to the process's own cache."""
    shared, own = getattr(RedisCacheClient, name), getattr(LocMemCache, name)

    def call(self: _Client, *args: Any) -> Any:
        if not (is_probe := _is_probe_due()) and _probe_at is not None:
            return own(_local, *args)
        try:
            if is_probe:
                # A full server still reads: only a write shows that it works again.
                RedisCacheClient.set(self, "probe", 1, 1)
                _note_success()
            return shared(self, *args)
        except RedisError as error:
            _note_failure(error)
            return own(_local, *args)

    return call


class _Client(RedisCacheClient):
    add = _guarded("add")
    get = _guarded("get")
    set = _guarded("set")
    touch = _guarded("touch")
    delete = _guarded("delete")
    get_many = _guarded("get_many")
    has_key = _guarded("has_key")
    incr = _guarded("incr")
    set_many = _guarded("set_many")
    delete_many = _guarded("delete_many")
    clear = _guarded("clear")


def _is_probe_due() -> bool:
    """Whether Redis failed, and it is this caller's turn to see whether it works again."""
    global _probe_at
    with _lock:
        if _probe_at is None or time.monotonic() < _probe_at:
            return False
        _probe_at = time.monotonic() + PROBE_S
        return True


def _note_failure(error: RedisError) -> None:
    global _probe_at
    with _lock:
        is_new = _probe_at is None
        _probe_at = time.monotonic() + PROBE_S
    if is_new:
        # Without its words, which may name the server.
        name = type(error).__name__
        logger.warning("the shared cache fails (%s); this process keeps its own", name)


def _note_success() -> None:
    global _probe_at
    with _lock:
        _probe_at = None
    logger.info("the shared cache works again")
