"""Fragments, and steps, in as few frames as their order and size allow."""

from __future__ import annotations

from chat.fragments import Step
from chat.relay.block import FRAME_MAX_CHARS


def joined(changes: list[Step | str]) -> list[str | list[Step]]:
    """Join changes that stand side by side; a frame holds fragments or steps, never both."""
    if len(changes) == 1:
        (only,) = changes
        return [only if isinstance(only, str) else [only]]
    batches: list[str | list[Step]] = []
    chars = 0
    for change in changes:
        size = len(change) if isinstance(change, str) else len(change.markup)
        last = batches[-1] if batches and chars + size <= FRAME_MAX_CHARS else None
        if isinstance(change, str) and isinstance(last, str):
            batches[-1] = last + change
        elif isinstance(change, Step) and isinstance(last, list):
            last.append(change)
        else:
            batches.append(change if isinstance(change, str) else [change])
            chars = 0
        chars += size
    return batches
