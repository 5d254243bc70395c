"""Two versions of the end of a page, and what has to change in it to make one of the other.

A place is told by its depth alone: 0 is the element that holds the text, 1 its last child, 2 that
one's last child. All that changes while a text grows lies on this path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)(?:[^>\"]|\"[^\"]*\")*>")
_VOID = frozenset({"br", "hr"})

# Elements that hold elements alone: a last child can be taken away, and others be added.
_CONTAINERS = frozenset({"ul", "ol", "li", "blockquote", "div", "pre", "table", "tbody"})
# Of a table whole rows change. HTML has no way to write a part of one that stands alone.
_WHOLE = frozenset({"table", "tr"})
_PARTS = ("<thead", "<tbody", "<th", "<td")


class Change(NamedTuple):
    """A step that changes a page.

    `add`: markup goes to the end of the element at `depth`. `drop`: that one's last child is
    taken away. `reset`: the markup stands in the place of everything; depth is 0.
    """

    kind: Literal["add", "drop", "reset"]
    depth: int
    markup: str = ""


def difference(old: str, new: str, path: Sequence[str] = ()) -> list[Change]:
    """Return the steps that make `new` of `old`, both made by markdown.py.

    Args:
        path: names of the elements that are open where both begin, from the outside; what they
            hold already stays.
    """
    if old == new:
        return []
    if (added := _added(old, new)) is not None:
        return [added]
    opened = "".join(f"<{tag}>" for tag in path)
    return _in_container(opened + old, opened + new, 0)


def in_parts(change: Change, max_chars: int) -> list[Change]:
    """Return steps that do the same, with no more markup each where elements allow it."""
    if change.kind == "drop" or len(change.markup) <= max_chars:
        return [change]
    if change.kind == "reset":
        return [Change("reset", 0), *in_parts(Change("add", 0, change.markup), max_chars)]
    parts: list[Change] = []
    for part in _nodes(change.markup, max_chars):
        start = _TAG.match(part)
        if len(part) <= max_chars or not start or start[2] in _WHOLE:
            parts.append(Change("add", change.depth, part))
        else:
            end = f"</{start[2]}>"
            parts.append(Change("add", change.depth, start[0] + end))
            inner = part[start.end() : -len(end)]
            parts += in_parts(Change("add", change.depth + 1, inner), max_chars)
    return parts


def closing_tags(markup: str) -> list[str]:
    """Return the closing tags that markup ends with, in order."""
    tags: list[str] = []
    end = len(markup)
    while markup.endswith(">", 0, end):
        start = markup.rfind("<", 0, end)
        if not markup.startswith("</", start):
            break
        tags.append(markup[start:end])
        end = start
    return tags[::-1]


def _added(old: str, new: str) -> Change | None:
    """Return what is added to the deepest last element, if that is all; most changes are so."""
    tags = closing_tags(old)
    for depth in range(len(tags), -1, -1):
        end = "".join(tags[len(tags) - depth :])
        begin = len(old) - len(end)
        if not new.startswith(old[:begin]):
            return None
        markup = new[begin : len(new) - len(end)]
        if markup and new.endswith(end) and _stands_alone(markup):
            return Change("add", depth, markup)
    return None


def _stands_alone(markup: str) -> bool:
    """Whether markup closes what it opens, and no more, and is no part of a row or a table."""
    if markup.startswith(_PARTS):
        return False
    level = 0
    for tag in _TAG.finditer(markup):
        if tag[2] not in _VOID:
            level += -1 if tag[1] else 1
        if level < 0:
            return False
    return level == 0


def _in_container(old: str, new: str, depth: int) -> list[Change]:
    olds, news = _nodes(old), _nodes(new)
    same = 0
    while same < min(len(olds), len(news)) and olds[same] == news[same]:
        same += 1
    olds, news = olds[same:], news[same:]
    steps = [Change("drop", depth)] * len(olds[1:])
    if olds and news and (inner := _in_place(olds[0], news[0], depth + 1)) is not None:
        steps, news = [*steps, *inner], news[1:]
    elif olds:
        steps.append(Change("drop", depth))
    return [*steps, Change("add", depth, "".join(news))] if news else steps


def _in_place(old: str, new: str, depth: int) -> list[Change] | None:
    """Return the steps that make one element of another; None where it has to be replaced."""
    old_start, new_start = _TAG.match(old), _TAG.match(new)
    if not old_start or not new_start or old_start[0] != new_start[0]:
        return None
    end = -len(f"</{old_start[2]}>")
    inner_old, inner_new = old[old_start.end() : end], new[new_start.end() : end]
    if old_start[2] in _CONTAINERS:
        steps = _in_container(inner_old, inner_new, depth)
        is_whole = old_start[2] in _WHOLE and any(step.depth == depth for step in steps)
        return None if is_whole else steps
    if inner_new.startswith(inner_old) and old_start[2] not in _WHOLE:
        return [Change("add", depth, inner_new[len(inner_old) :])]
    return None


def _nodes(markup: str, max_text_chars: int | None = None) -> list[str]:
    """Split markup into its outermost elements and texts; long texts into pieces."""
    nodes, start, level = [], 0, 0
    for tag in _TAG.finditer(markup):
        if level == 0 and tag.start() > start:
            nodes += _texts(markup[start : tag.start()], max_text_chars)
            start = tag.start()
        if tag[2] not in _VOID:
            level += -1 if tag[1] else 1
        if level == 0:
            nodes.append(markup[start : tag.end()])
            start = tag.end()
    return [*nodes, *_texts(markup[start:], max_text_chars)]


def _texts(text: str, max_chars: int | None) -> list[str]:
    """Split a text, but no character reference in it, and no word that is shorter than a piece."""
    if max_chars is None or len(text) <= max_chars:
        return [text] if text else []
    piece = rf"(?:&[^;&]*;|[^&]){{1,{max_chars // 8}}}"
    return [found[0] for found in re.finditer(rf"{piece}(?:(?<=\s)|\Z)|{piece}", text)]
