"""Server-sent events, as bytes come: several of one read at once. Pure.

Source: HTML standard, "Server-sent events", interpretation of a stream. Of its fields the API uses
`event` and `data`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sys import intern
from typing import NamedTuple

_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LONGEST_END = 4
_USUAL = re.compile(rb"event: ([^\r\n]+)\ndata: ([^\r\n]+)")
_ALONE = re.compile(_USUAL.pattern + rb"\n\n")


class WireEvent(NamedTuple):
    """`kind` and `data` are "" where an event has none.

    Events are kept for a while, and of their few kinds each is one string (`intern`).
    """

    kind: str
    data: str


class WireReader:
    """Takes bytes as they come, and gives the events that are whole."""

    def __init__(self) -> None:
        self._open = b""

    def feed(self, data: bytes) -> Iterator[WireEvent]:
        """Yield the events that end in `data`, all of them before it is called again.

        Raises: UnicodeDecodeError, behind the events before.
        """
        if not self._open and (alone := _ALONE.fullmatch(data)):
            # Nearly all reads bring one event, whole, where an answer comes at a model's pace.
            yield WireEvent(intern(alone[1].decode()), alone[2].decode())
            return
        searched = max(0, len(self._open) - _LONGEST_END + 1)
        text, begin = self._open + data, 0
        for end in _END.finditer(text, searched):
            yield _event(text[begin : end.start()])
            begin = end.end()
        self._open = text[begin:]


def _event(text: bytes) -> WireEvent:
    if usual := _USUAL.fullmatch(text):
        return WireEvent(intern(usual[1].decode()), usual[2].decode())
    kind, data = "", []
    for line in text.splitlines():
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            kind = value.decode()
        elif name == b"data":
            data.append(value.decode())
    return WireEvent(kind, "\n".join(data))
