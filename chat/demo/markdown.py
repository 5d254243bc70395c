"""Puts text of strangers into Markdown so that it stays text. Pure."""

from __future__ import annotations

import re

# Every ASCII sign may be escaped (CommonMark, "Backslash escapes").
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_STRUCTURE = re.compile(r"\s*([#>|-]|\d+\.|\* |```|\$\$|$)")
_CLOSED = re.compile(r"\s*([#>|]|---|```|\$\$|$)")
_FENCE = re.compile(r"`{3,}")
_PLAIN = frozenset(".,;:?!'\"()/%@=+-")


def escape(text: str) -> str:
    """Return one line of Markdown that shows `text`."""
    line = " ".join(_UNSEEN.sub(" ", text).split())
    # Signs that mean nothing inside a line stay bare: a prompt in quotes remains readable.
    return _SIGNS.sub(lambda sign: sign[1] if sign[1] in _PLAIN else f"\\{sign[1]}", line)


def shorten(text: str, characters: int) -> str:
    """Return the first words of `text`, with an ellipsis where something is left out."""
    # Blanks are dropped, so more than `characters` may be needed, but never a whole megabyte.
    line = " ".join(_UNSEEN.sub(" ", text[: characters * 10]).split())
    if len(line) <= characters:
        return line
    start = line[:characters]
    words = start.rsplit(" ", 1)[0] if " " in start[characters // 2 :] else start
    return words.rstrip(" ,;:.-") + "…"


def code_block(text: str, language: str = "") -> str:
    """Return a fenced block that `text` can't close."""
    longest = max((len(fence) for fence in _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def unwrap(text: str) -> str:
    """Join the lines of each paragraph: a model does not wrap its lines, source files do."""
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        is_fence = line.lstrip().startswith("```")
        if is_code or is_fence or not lines or _STRUCTURE.match(line) or _CLOSED.match(lines[-1]):
            lines.append(line)
        else:
            lines[-1] += " " + line.strip()
        is_code ^= is_fence
    return "\n".join(lines)


def verses(text: str) -> str:
    """Keep the line breaks inside paragraphs, which Markdown would take for blanks."""
    return re.sub(r"(?<=\S)\n(?=\S)", "  \n", text)
