"""Code that has no end yet: its lines are shown as they come, without a parser."""

from __future__ import annotations

import re
from typing import Self

_OPENING = re.compile(r"( *)(`{3,}|~{3,})")


class OpenCode:
    """The lines of a fenced code block (CommonMark, "Fenced code blocks")."""

    def __init__(self, indent: int, fence: str, *, is_inside: bool, line: str) -> None:
        self._indent = indent
        self._is_inside = is_inside
        mark = re.escape(fence[0])
        self._end = re.compile(rf" *{mark}{{{len(fence)},}}[ \t]*\Z")
        self._maybe_end = re.compile(rf" *{mark}+[ \t]*\Z")
        self._line = line
        self._shown = len(self._content(line))

    @classmethod
    def begin(cls, opening: str, last_line: str, *, is_inside: bool) -> Self | None:
        """Return the code that a line opens; None where a quote or a marker stands before it.

        Args:
            last_line: what has come of the last line, all of it shown.
            is_inside: whether the code stands in a list, which a line can end.
        """
        if not (found := _OPENING.match(opening)):
            return None
        return cls(len(found[1]), found[2], is_inside=is_inside, line=last_line)

    def feed(self, text: str) -> tuple[str, bool]:
        """Take in more; return what can be shown of it, and whether the code may have ended."""
        shown: list[str] = []
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if self._ends(line):
                return "".join(shown), True
            shown.append(self._content(line)[self._shown :] + "\n")
            self._shown = 0
        if self._is_outside(self._line):
            return "".join(shown), True
        if not self._maybe_end.match(self._line) and not self._is_unclear():
            content = self._content(self._line)
            shown.append(content[self._shown :])
            self._shown = len(content)
        return "".join(shown), False

    def _content(self, line: str) -> str:
        spaces = len(line) - len(line.lstrip(" "))
        return line[min(spaces, self._indent) :]

    def _ends(self, line: str) -> bool:
        return self._is_outside(line) or self._end.match(line) is not None

    def _is_outside(self, line: str) -> bool:
        """Whether a line stands further left than a list's item allows, or may do so."""
        text = line.lstrip(" ")
        return self._is_inside and bool(text.strip()) and len(line) - len(text) < self._indent

    def _is_unclear(self) -> bool:
        return self._is_inside and not self._line.strip()
