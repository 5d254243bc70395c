"""Documents whose figures a command writes: between marks, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_PART = re.compile(r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Return a document with its marked parts written anew. Raises: KeyError."""
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}\n{found[3]}", text)


def fill(document: Path, parts: Mapping[str, str]) -> None:
    """Write the marked parts of a document anew."""
    text = document.read_text(encoding="utf-8")
    document.write_text(filled(text, parts), encoding="utf-8")
