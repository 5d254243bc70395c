"""Prompts from arguments and pipes; what a terminal must not be told."""

from __future__ import annotations

import io
import os
import sys

import pytest

from chat.terminal.output import Output, harmless
from chat.terminal.prompt import read_prompt


def piped(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content))


@pytest.mark.parametrize(
    ("argument", "content", "prompt"),
    [
        (None, b"Why?\n", "Why?"),
        ("-", b"  Why?\r\nHow?\r\n", "  Why?\nHow?"),
        ("Why?", b"", "Why?"),
        ("Why?", b" \n\n", "Why?"),
        ("Explain this:", b"a = 1\nb = 2\n", "Explain this:\n\na = 1\nb = 2"),
        (None, b"", ""),
        ("nul \x00 and \udcff", b"", "nul \ufffd and \ufffd"),
        (None, b"caf\xc3\xa9 \xff", "caf\u00e9 \ufffd"),
    ],
)
def test_prompt_is_argument_and_what_is_piped(
    argument: str | None, content: bytes, prompt: str
) -> None:
    assert read_prompt(argument, piped(content)) == prompt


def test_process_without_standard_input_asks_its_argument() -> None:
    assert read_prompt("Why?", None) == "Why?"


@pytest.mark.parametrize(
    "controls",
    ["\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "\r", "\x00", "\x08\x08", "\x7f", "\x85", "\x0c"],
)
def test_terminal_is_told_no_control(controls: str) -> None:
    shown = harmless(f"a{controls}b")
    assert not [c for c in shown if not c.isprintable()] and len(shown) == len(controls) + 2


def test_lines_tabs_and_letters_stay() -> None:
    text = "one\n\ttwo \u4e2d\u6587 \U0001f468\u200d\U0001f469 \u0645\u0631\u062d\u0628\u0627"
    assert harmless(text) == text


def test_pipe_gets_the_text_as_it_is() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "w", encoding="ascii") as stream:
        output = Output(stream)
        assert output.pipe == stream.fileno()
        output.write("\x1b[31m caf\u00e9\r")
        output.end_line()
        stream.close()
        assert read.read() == "\x1b[31m caf\u00e9\r".encode()


def test_reader_that_is_gone_is_an_error_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        output = Output(stream)
        with pytest.raises(BrokenPipeError):
            output.write("lost")
        output.break_off()
        output.write("for nobody")
        assert output.pipe is None


def test_standard_output_can_be_used() -> None:
    assert isinstance(Output(sys.__stdout__ or piped(b"")), Output)
