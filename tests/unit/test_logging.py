"""The log format: one record is one line."""

from __future__ import annotations

import logging
import sys

import pytest

from chatsite.logging import LineFormatter


def formatted(message: str, *args: object, **members: object) -> str:
    record = logging.makeLogRecord(
        {"name": "chat", "levelname": "INFO", "msg": message, "args": args, **members}
    )
    return LineFormatter().format(record)


def test_line_names_level_and_logger() -> None:
    assert formatted("done %d", 3).endswith(" INFO chat: done 3")


@pytest.mark.parametrize(
    ("message", "escaped"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\nb", r"a\r\nb"),
        ("a\tb", r"a\tb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x00\x7f", r"\x00\x7f"),
        ("a\u2028b\x85", r"a\u2028b\x85"),
        ("\u202eevil", r"\u202eevil"),
        ("\udc80", r"\udc80"),
    ],
)
def test_control_characters_are_escaped(message: str, escaped: str) -> None:
    assert formatted(message).endswith(f"chat: {escaped}")


def test_readable_characters_are_kept() -> None:
    assert formatted('C\'est "déjà" 中文 👍 \\').endswith('C\'est "déjà" 中文 👍 \\')


def test_trace_stays_on_the_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = formatted("failed", exc_info=sys.exc_info())
    assert line.splitlines() == [line]
    assert r"failed\nTraceback" in line
    assert r"ValueError: two\nlines" in line


def test_stack_stays_on_the_line() -> None:
    assert formatted("here", stack_info="Stack\n  line").endswith(r"here\nStack\n  line")


def test_argument_can_not_begin_a_record() -> None:
    assert "\n" not in formatted("%s", "x\n2026-01-01 ERROR chat: forged")
