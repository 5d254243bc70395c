"""What is asked at a terminal."""

from __future__ import annotations

from typing import TextIO

from chat.words import clean, with_unix_newlines

STDIN = "-"


def needs_typing(argument: str | None, stdin: TextIO | None) -> bool:
    """Whether somebody has to type the prompt now."""
    return argument in (None, STDIN) and stdin is not None and stdin.isatty()


def read_prompt(argument: str | None, stdin: TextIO | None) -> str:
    """Return an argument with what is piped in below it; without one that alone.

    Args:
        argument: None or "-" stands for standard input.
        stdin: None where the process has none. A terminal is read where nothing else is there.
    """
    asked = argument if argument not in (None, STDIN) else ""
    piped = ""
    if stdin is not None and not (asked and stdin.isatty()):
        # Its bytes, whatever the terminal's encoding; a file's last line end is no part of it.
        piped = stdin.buffer.read().decode(errors="replace").rstrip("\r\n")
    parts = [part for part in (asked or "", piped) if part.strip()]
    return clean(with_unix_newlines("\n\n".join(parts)))
