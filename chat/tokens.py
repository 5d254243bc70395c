"""Access tokens: made once, stored as a digest, looked up by it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat import errors
from chat.models import AccessToken, User
from chat.outage import is_outage, tell_outage

PREFIX = "chat_"
"""Tells a person, and whoever looks for leaked secrets, what it is."""

MAX_TOKENS = 50
"""So many a person may have at once."""

USE_NOTED_AFTER = timedelta(minutes=1)
"""A use is noted at most this often, so that reading writes nothing."""


class NewToken(NamedTuple):
    """A token as it is shown to its owner, once, and the row that is kept of it."""

    secret: str
    row: AccessToken


def create(owner: User, name: str, scope: AccessToken.Scope) -> NewToken:
    """Make a token.

    Raises:
        TooManyTokens: the owner has MAX_TOKENS already.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Locked, so that two at once count each other's.
        list(User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk"))
        if owner.access_tokens.count() >= MAX_TOKENS:
            raise errors.TooManyTokens(MAX_TOKENS)
        row = AccessToken.objects.create(
            owner=owner, name=name, digest=_digest(secret), ending=secret[-4:], scope=scope
        )
    return NewToken(secret, row)


def of(owner: User) -> QuerySet[AccessToken]:
    """Return the tokens of a person, the newest first: what others have does not exist."""
    return owner.access_tokens.order_by("-pk")


def find(secret: str) -> AccessToken | None:
    """Return the token with its owner, and note its use; None where it is not known any more."""
    rows = AccessToken.objects.select_related("owner").filter(owner__is_active=True)
    token = rows.filter(digest=_digest(secret)).first()
    if token:
        _note_use(token)
    return token


def _note_use(token: AccessToken) -> None:
    now = timezone.now()
    # Looked at here: with SQLite every UPDATE waits for whoever writes, also one of no row.
    if token.last_used_at and token.last_used_at > now - USE_NOTED_AFTER:
        return
    try:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
    except Error as error:
        if not is_outage(error):
            raise
        tell_outage(error)  # Reading works on where nothing can be written.


def _digest(secret: str) -> str:
    # A plain hash: nobody can guess 256 random bits, however fast it is.
    return hashlib.sha256(secret.encode()).hexdigest()
