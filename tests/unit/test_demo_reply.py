from __future__ import annotations

from typing import Any

import pytest

from chat.demo.answers import answer
from chat.demo.reply import Reply, reply_to
from chat.demo.request import Request
from chat.demo.tool_input import call_of, choose_tool

WEATHER = {
    "name": "get_weather",
    "description": "Get the forecast",
    "input_schema": {
        "type": "object",
        "properties": {
            "location": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 1, "maximum": 7},
        },
        "required": ["location", "unit", "days"],
    },
}
CALCULATOR = {
    "name": "calculator",
    "input_schema": {"type": "object", "properties": {"expression": {"type": "string"}}},
}


def reply(*texts: str, **options: Any) -> Reply:
    messages = [
        {"role": "user" if at % 2 == 0 else "assistant", "content": text}
        for at, text in enumerate(texts)
    ]
    body = {"model": "claude-haiku-5-5", "max_tokens": 9000, "messages": messages, **options}
    return reply_to(Request.from_body(body))


def test_reply_is_the_answer() -> None:
    assert reply("Why?") == Reply(answer("Why?"))


def test_reply_remembers_earlier_prompts() -> None:
    assert "one thing before this: “Why?”" in reply("Why?", "So.", "And?").text


@pytest.mark.parametrize("cut", [1, 200, 2000])
def test_reply_continues_where_it_was_cut(cut: int) -> None:
    whole = answer("Tell me a long story")
    rest = reply("Tell me a long story", whole[:cut], "Continue from where you left off.")
    assert whole[:cut] + rest.text == whole


def test_reply_continues_twice() -> None:
    whole = answer("Tell me a story")
    go_on = "Your previous response was interrupted. Continue from where you left off."
    rest = reply("Tell me a story", whole[:50], go_on, whole[50:90], go_on)
    assert rest.text == whole[90:]


def test_reply_continues_what_it_does_not_know() -> None:
    assert "left off" in reply("Why?", "Something else", "Please continue where you left off").text


def test_reply_cut_at_max_tokens() -> None:
    cut = reply("Why?", max_tokens=10)
    assert cut.stop_reason == "max_tokens"
    assert answer("Why?").startswith(cut.text) and 20 <= len(cut.text) <= 40


def test_reply_cut_at_stop_sequence() -> None:
    cut = reply("Why?", stop_sequences=["demo model"])
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", "demo model")
    assert "demo model" not in cut.text


def test_reply_thinks_only_when_asked() -> None:
    asked = reply("Why?", thinking={"type": "adaptive", "display": "summarized"})
    assert reply("Why?").thinking is None
    assert asked.thinking and asked.shows_thinking


def test_reply_calls_the_tool_that_fits() -> None:
    called = reply("What is 12 * 3?", tools=[WEATHER, CALCULATOR])
    assert called.tool and called.tool.name == "calculator"
    assert (called.tool.input, called.stop_reason) == ({"expression": "12 * 3"}, "tool_use")


def test_reply_without_hint_calls_no_tool() -> None:
    assert reply("Tell me a story", tools=[WEATHER]).tool is None


@pytest.mark.parametrize(
    "prompt", ["Question 0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9", "Since 2024-10-31", "A4-5 paper"]
)
def test_hyphens_are_no_arithmetic(prompt: str) -> None:
    assert choose_tool([CALCULATOR], prompt) is None


def test_choose_tool_falls_back_to_the_first() -> None:
    call = choose_tool([CALCULATOR], "Please use a tool")
    assert call and call.name == "calculator"


def test_call_of_fits_the_schema() -> None:
    call = call_of(WEATHER, "Weather in New York in Fahrenheit for 90 days")
    assert call.input == {"location": "New York", "unit": "fahrenheit", "days": 7}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "boolean"}, True),
        ({"type": "number", "minimum": 2}, 2.0),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": ["string", "null"]}, "plain prompt"),
        ({"type": "string", "default": "x"}, "x"),
        ({"properties": {"tz": {"type": "string"}}}, {"tz": "UTC"}),
    ],
)
def test_call_of_value(schema: dict[str, Any], value: Any) -> None:
    tool = {"name": "t", "input_schema": {"type": "object", "properties": {"a": schema}}}
    assert call_of(tool, "plain prompt").input == {"a": value}
