"""The examples of docs/api.md, each with the name that stands in a comment above it."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.site_process import ROOT

FILE = ROOT / "docs" / "api.md"
SHOWN_ONLY = "text"
"""The language of blocks that show what comes, and can't be run."""

_BLOCK = re.compile(
    r"(?:^<!-- run: ([\w-]+) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


class Example(NamedTuple):
    """A block of code; the name is "" where none stands above it."""

    name: str
    language: str
    code: str


def examples(markdown: str) -> list[Example]:
    return [Example(*block.groups(default="")) for block in _BLOCK.finditer(markdown)]


def example(name: str) -> Example:
    """Return the example of the document that has a name."""
    (found,) = (e for e in examples(FILE.read_text(encoding="utf-8")) if e.name == name)
    return found
