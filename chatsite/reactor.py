"""Daphne: the life of the process begins and ends with Twisted's reactor, whoever runs it.

Other servers have ASGI's lifespan for that, which Daphne has not.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

from daphne.server import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from chatsite import pacing
from chatsite.life import Life

logger = logging.getLogger(__name__)

# Twisted declares the reactor's interfaces, but not which of them this one provides.
_reactor: Any = reactor


def attach(life: Life) -> None:
    """Have a life begin when the reactor runs, and the reactor wait for its end."""
    # As soon as it is asked to end it would cancel every request and every socket: a prompt that
    # is being saved, the answer's last words. `Life.end` waits for them, and then cancels.
    Server.kill_all_applications = lambda server: None
    pacing.install()
    life.stop_listening = _stop_listening
    _reactor.callWhenRunning(_begin, life)
    _reactor.addSystemEventTrigger("before", "shutdown", _end, life)


def _begin(life: Life) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        _hurry_at_the_second(number, life)
    # Kept until it is done: a loop holds its tasks weakly.
    life.beginning = asyncio.ensure_future(_begin_or_say_why(life))


async def _begin_or_say_why(life: Life) -> None:
    try:
        await life.begin()
    except Exception:
        logger.exception("the process can't begin; the next request tries again")


def _end(life: Life) -> Deferred[Any]:
    return Deferred.fromFuture(asyncio.ensure_future(life.end()))


def _hurry_at_the_second(number: signal.Signals, life: Life) -> None:
    """Have a signal that comes again end the answers at once; the first one is Twisted's."""
    first: Callable[..., Any] | int | None = signal.getsignal(number)
    loop = asyncio.get_event_loop()

    def on_signal(received: int, frame: object) -> None:
        if life.is_ending:
            loop.call_soon_threadsafe(life.hurry)
        elif callable(first):
            first(received, frame)

    if callable(first):
        signal.signal(number, on_signal)


def _stop_listening() -> None:
    for reader in _reactor.getReaders():
        if IListeningPort.providedBy(reader):
            reader.stopListening()
