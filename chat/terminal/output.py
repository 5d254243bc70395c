"""Standard output: a pipe gets text exactly as it is, a terminal nothing that it would obey."""

from __future__ import annotations

import os
import re
import stat
from typing import TextIO

# All of C0 and C1 (ECMA-48) and DEL, but for line ends and tabs: what moves a cursor, rings,
# begins an escape sequence.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """Return a text with U+FFFD for each character that a terminal would obey."""
    return _CONTROLS.sub("\ufffd", text)


class Output:
    """Writes at once what it is given. From one thread at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._is_in_line = False

    def write(self, text: str) -> None:
        """Write a text; waits where nobody reads. Raises: BrokenPipeError."""
        if not text:
            return
        self._is_in_line = not text.endswith("\n")
        encoding = self._stream.encoding if self._is_terminal else "utf-8"
        shown = harmless(text) if self._is_terminal else text
        self._stream.buffer.write(shown.encode(encoding, errors="replace"))
        self._stream.buffer.flush()

    def end_line(self) -> None:
        """Begin a new line on a terminal, unless it is at the start of one."""
        if self._is_terminal and self._is_in_line:
            self.write("\n")

    def break_off(self) -> None:
        """Write nothing more: the reader is gone, and what waits is for nobody."""
        # Python would tell of it when it ends (its documentation, "Note on SIGPIPE").
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    @property
    def pipe(self) -> int | None:
        """The descriptor, where it is a pipe whose other end can be closed."""
        descriptor = self._stream.fileno()
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
