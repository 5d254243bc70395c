"""The log formats: one record is one line, in words or as JSON, and no line holds a secret."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
import uuid
from datetime import datetime
from typing import Any

import pytest

from chatsite.logging import ForeignFilter, JsonFormatter, LineFormatter, configuration

SECRET = "sk-ant-of-the-tests"


def record(message: str, *args: object, **members: object) -> logging.LogRecord:
    given = {"name": "chat", "levelname": "INFO", "msg": message, "args": args, **members}
    return logging.makeLogRecord(given)


def formatted(message: str, *args: object, **members: object) -> str:
    return LineFormatter([SECRET]).format(record(message, *args, **members))


def parsed(message: str, *args: object, **members: object) -> Any:
    line = JsonFormatter([SECRET]).format(record(message, *args, **members))
    assert line.isascii() and line.isprintable()
    return json.loads(line)


def test_line_names_level_and_logger() -> None:
    assert formatted("done %d", 3).endswith(" INFO chat: done 3")


def test_line_ends_with_its_fields() -> None:
    line = formatted("answer ended", generation_id=7, status="failed", error_code="stalled")
    assert line.endswith("chat: answer ended generation_id=7 status=failed error_code=stalled")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("429 busy", '"429 busy"'),
        ('a"b', r'"a\"b"'),
        ("a=b", '"a=b"'),
        ("a\nb", r"a\nb"),
        (0.5, "0.5"),
    ],
)
def test_field_can_not_look_like_another(value: object, shown: str) -> None:
    assert formatted("x", detail=value).endswith(f"x detail={shown}")


@pytest.mark.parametrize("value", [None, ""])
def test_field_that_is_not_known_is_left_out(value: object) -> None:
    assert formatted("x", request_id=value).endswith("chat: x")


def test_what_is_no_field_is_not_shown() -> None:
    assert formatted("x", prompt="Hello there").endswith("chat: x")
    assert "prompt" not in parsed("x", prompt="Hello there")


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
    assert parsed(message)["message"] == message


def test_readable_characters_are_kept() -> None:
    assert formatted('C\'est "déjà" 中文 👍 \\').endswith('C\'est "déjà" 中文 👍 \\')


def test_trace_stays_on_the_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = formatted("failed", exc_info=sys.exc_info(), generation_id=7)
    assert line.splitlines() == [line]
    assert r"failed generation_id=7\nTraceback (most recent call last):\n  File " in line
    assert line.endswith(r"\nValueError")


def test_stack_stays_on_the_line() -> None:
    assert formatted("here", stack_info="Stack\n  line").endswith(r"here\nStack\n  line")


def test_argument_can_not_begin_a_record() -> None:
    assert "\n" not in formatted("%s", "x\n2026-01-01 ERROR chat: forged")


def test_json_has_time_level_logger_and_message() -> None:
    told = parsed("done %d", 3, created=1_800_000_000.25)
    assert told == {
        "time": "2027-01-15T08:00:00.250+00:00",
        "level": "INFO",
        "logger": "chat",
        "message": "done 3",
    }
    assert datetime.fromisoformat(told["time"]).timestamp() == 1_800_000_000.25


def test_json_keeps_numbers_and_writes_ids() -> None:
    conversation_id = uuid.uuid4()
    told = parsed("x", generation_id=7, duration_s=1.25, conversation_id=conversation_id)
    assert (told["generation_id"], told["duration_s"]) == (7, 1.25)
    assert told["conversation_id"] == str(conversation_id)


def test_json_has_the_trace() -> None:
    try:
        raise ValueError("hidden words")
    except ValueError:
        told = parsed("failed", exc_info=sys.exc_info())
    assert told["message"] == "failed"
    assert told["trace"].startswith("Traceback") and told["trace"].endswith("\nValueError")


def test_field_can_not_take_the_place_of_the_message() -> None:
    assert parsed("x", level="forged", logger="forged")["level"] == "INFO"


@pytest.mark.parametrize("made", [formatted, parsed])
def test_secret_stands_nowhere(made: Any) -> None:
    try:
        raise ImportError(f"of a kind that is shown: {SECRET}")
    except ImportError:
        shown = made(f"with {SECRET}", detail=SECRET, exc_info=sys.exc_info(), stack_info=SECRET)
    assert SECRET not in str(shown) and "of a kind that is shown: …" in str(shown)


def test_short_secret_leaves_words_alone() -> None:
    assert LineFormatter(["x", ""]).format(record("exit")).endswith("chat: exit")


@pytest.mark.parametrize(
    ("name", "level", "is_shown"),
    [
        ("chat.ending", logging.DEBUG, True),
        ("uvicorn.error", logging.INFO, True),
        ("anthropic._base_client", logging.DEBUG, False),
        ("httpx2", logging.INFO, False),
        ("chatty", logging.INFO, False),
        ("asyncio", logging.WARNING, True),
    ],
)
def test_of_libraries_only_warnings_are_shown(name: str, level: int, is_shown: bool) -> None:
    assert ForeignFilter().filter(record("x", name=name, levelno=level)) is is_shown


@pytest.mark.parametrize(("style", "formatter"), [("line", LineFormatter), ("json", JsonFormatter)])
def test_format_is_a_setting(style: str, formatter: type) -> None:
    made = configuration(style, "INFO", [SECRET])
    assert made["formatters"]["safe"]["()"] is formatter


def test_statements_are_never_shown_with_their_parameters() -> None:
    loggers = configuration("line", "DEBUG", [])["loggers"]
    assert loggers["django"]["level"] == "DEBUG"
    assert loggers["django.db.backends"]["level"] == "INFO"
