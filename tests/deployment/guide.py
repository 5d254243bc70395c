"""The shell commands of docs/deployment.md: the document itself is what gets tried."""

from __future__ import annotations

import re
from typing import NamedTuple

_HEADING = re.compile(r"#+ (?P<title>.+)")
RUN = "sh"
"""The language of a block that is run; examples that are not are marked as another one."""


class Step(NamedTuple):
    """One block of commands, and the heading that it stands under."""

    section: str
    commands: str


def read_steps(markdown: str) -> list[Step]:
    """Return all blocks of shell commands, in order. Raises: ValueError, where a block is open."""
    steps: list[Step] = []
    section, language, lines = "", "", list[str]()
    is_inside = False
    for line in markdown.splitlines():
        if line.startswith("```"):
            if is_inside and language == RUN:
                steps.append(Step(section, "\n".join(lines) + "\n"))
            is_inside, language, lines = not is_inside, line.removeprefix("```").strip(), []
        elif is_inside:
            lines.append(line)
        elif heading := _HEADING.fullmatch(line):
            section = heading["title"]
    if is_inside:
        raise ValueError(f"the last block of section {section!r} is not closed")
    return steps
