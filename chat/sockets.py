"""Which sockets are open in this process: how many, and what gave each the right to be.

Counted in memory, not over all processes: a limit is here to protect the process, and a person
with N processes has N times as many at most. Used from the loop alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from chat.models import AccessToken, User


class SignedIn(NamedTuple):
    """Who a socket's handshake was by, and what it was good for: not after any of it changes.

    `password` is the stored hash, with which Django ends sessions; "" of a program, which has a
    token in place of a session.
    """

    user_id: int
    password: str
    session_key: str
    token_id: int = 0

    @classmethod
    def by(cls, user: User, session: SessionBase) -> SignedIn:
        """Return what says that this user is signed in by this session."""
        return cls(user.pk, user.password, session.session_key or "")

    @classmethod
    def by_token(cls, token: AccessToken) -> SignedIn:
        """Return what says that a program acts for this token's owner."""
        return cls(token.owner_id, "", "", token.pk)


def whose(session_key: str | None) -> tuple[SessionBase, User | AnonymousUser]:
    """Return a session, and who has signed in with it, as Django's middleware finds them."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return request.session, get_user(request)


_open: Counter[SignedIn] = Counter()


def has_room(by: SignedIn) -> bool:
    """Whether one more may open."""
    own = sum(number for other, number in _open.items() if other.user_id == by.user_id)
    has_own = own < settings.CHAT_SOCKETS_PER_USER
    return has_own and _open.total() < settings.CHAT_SOCKETS_PER_PROCESS


@contextmanager
def counted(by: SignedIn) -> Iterator[bool]:
    """Count a socket while it is open; gives whether there is room for it."""
    # One without room is closed at once, and must not take it from those that come meanwhile.
    if not has_room(by):
        yield False
        return
    _open[by] += 1
    try:
        yield True
    finally:
        _open[by] -= 1
        if not _open[by]:
            del _open[by]


def signed_in() -> list[SignedIn]:
    """Return what all open sockets rest on, each once."""
    return list(_open)
