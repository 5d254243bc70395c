"""A tool that tells the time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from chat.tools.registry import ToolError, tool

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@tool
def current_time(time_zone: str | None = None) -> str:
    """Tell the current date and time in a time zone, and the day of the week.

    Args:
        time_zone: a name of the IANA database, such as Europe/Berlin; without it the time zone
            of this site counts.
    """
    return in_words(timezone.now(), time_zone or settings.TIME_ZONE)


def in_words(now: datetime, time_zone: str) -> str:
    """Return a moment as text, in the language of no country."""
    try:
        there = now.astimezone(ZoneInfo(time_zone))
    except (KeyError, ValueError, OSError):
        raise ToolError(
            f"There is no time zone `{time_zone[:64]}`; names are like Europe/Berlin or UTC."
        ) from None
    return f"{_DAYS[there.weekday()]}, {there.isoformat(sep=' ', timespec='seconds')} ({time_zone})"
