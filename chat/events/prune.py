"""The log's end: events of generations that ended long ago go; what was said stays on messages."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from chat.models import Event, Generation

GENERATIONS_AT_ONCE = 20
"""So many logs are deleted in one transaction, which keeps other writers waiting."""


def prune(ended_before: datetime) -> int:
    """Delete the events of some generations that ended before a time; return how many."""
    due = Generation.objects.filter(finished_at__lt=ended_before, is_pruned=False)
    ids = list(due.order_by("finished_at").values_list("pk", flat=True)[:GENERATIONS_AT_ONCE])
    with transaction.atomic():
        Event.objects.filter(generation__in=ids).delete()
        Generation.objects.filter(pk__in=ids).update(is_pruned=True)
    return len(ids)
