"""What can be read off a frame of a conversation's socket, and what its steps do to a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Protocol

ENDED = re.compile(r'id="status-(\d+)" data-generation="\d+"(?: hx-swap-oob="true")?>')
"""The status of an answer that has ended, with the number of its generation."""


class Node(Protocol):
    """An element of a page, whichever test keeps it; its children are elements and texts."""

    attributes: dict[str, str]
    children: list[Any]

    @property
    def elements(self) -> list[Any]: ...


def take_steps(
    frame: str, by_id: Callable[[str], Node | None], parse: Callable[[str], Node]
) -> None:
    """Do to a page what the steps of a frame say (static/chat/steps.js)."""
    generation_id, seq, held, *steps = json.loads(frame)
    for element_id, depth, drops, markup in steps:
        target = by_id(element_id)
        if target is None:
            continue
        for _ in range(depth):
            target = target.elements[-1]
        for _ in range(drops):
            target.children.remove(target.elements[-1])
        target.children = [*(target.children if drops >= 0 else []), *parse(markup).children]
    if status := by_id(f"status-{generation_id}"):
        place = {"data-seq": seq, "data-held": held}
        status.attributes.update({k: "" if v is None else str(v) for k, v in place.items()})
