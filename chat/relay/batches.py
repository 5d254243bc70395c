"""Fragments, and steps, in as few frames as their order and size allow."""

from __future__ import annotations

from collections.abc import Iterable

from chat.fragments import NewText, Step, add_text
from chat.relay.block import FRAME_MAX_CHARS


def joined(changes: list[Step | str | NewText]) -> list[str | list[Step]]:
    """Join changes that stand side by side; a frame holds fragments or steps, never both."""
    if len(changes) == 1 and isinstance(changes[0], Step):
        return [[changes[0]]]
    batches: list[str | list[Step]] = []
    chars = 0
    for change in _with_first_words(changes):
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


def _with_first_words(changes: Iterable[Step | str | NewText]) -> list[Step | str]:
    """Have each text that begins hold its first words: they are waited for, and a frame more, or
    three with the status behind it, would come later."""
    whole: list[Step | str] = []
    begun: NewText | None = None
    for change in changes:
        if begun and isinstance(change, Step) and _begins(begun, change):
            whole[-1] = add_text(begun, change.markup)
            begun = None
        elif isinstance(change, NewText):
            whole.append(add_text(change, ""))
            begun = change
        else:
            whole.append(change)
            begun = None
    return whole


def _begins(text: NewText, step: Step) -> bool:
    return step.element_id == text.element_id and not (step.depth or step.drops)
