"""A list in parts: how many rows at once, and behind which one the next part begins.

A cursor names the last row of a part, not how many came before: what is added meanwhile moves
nothing. It is opaque to whoever asks, and any text of its form names a place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.http import HttpRequest

from chat import errors
from chat.api.body import natural

MAX_LIMIT = 100
USUAL_LIMIT = 50

# A time in microseconds and a UUID; or a number, below what a database's integer takes.
TIME_CURSOR = re.compile(r"[0-9a-f]{45}")
NUMBER_CURSOR = re.compile(r"[0-9a-f]{15}")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")


class Place(NamedTuple):
    """A row of a list that goes by time."""

    at: datetime
    id: UUID


def limit_of(request: HttpRequest) -> int:
    """Return how many rows are asked for.

    Raises:
        InvalidRequest: none, or too many.
    """
    limit = natural("limit", request.GET.get("limit"))
    if limit is None:
        return USUAL_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise errors.InvalidRequest(f"`limit` is {limit}; it takes 1 to {MAX_LIMIT}.")
    return limit


def place_of(request: HttpRequest) -> Place | None:
    """Return the row of a list by time to go on behind; None for its beginning."""
    if (text := _cursor(request, TIME_CURSOR)) is None:
        return None
    return Place(_EPOCH + int(text[:13], 16) * _MICROSECOND, UUID(hex=text[13:]))


def number_of(request: HttpRequest) -> int:
    """Return the row of a list by number to go on behind; 0 for its beginning."""
    text = _cursor(request, NUMBER_CURSOR)
    return 0 if text is None else int(text, 16)


def cursor_at(place: Place) -> str:
    return f"{(place.at - _EPOCH) // _MICROSECOND:013x}{place.id.hex}"


def cursor_behind(number: int) -> str:
    return f"{number:015x}"


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """Return a part of rows, of which one more was read, and its last one where more follows."""
    shown = rows[:limit]
    return shown, shown[-1] if len(rows) > limit else None


def _cursor(request: HttpRequest, form: re.Pattern[str]) -> str | None:
    text = request.GET.get("cursor")
    if text is not None and not form.fullmatch(text):
        raise errors.InvalidRequest("`cursor` has to be the `next` of an earlier answer.")
    return text
