"""The official SDK for TypeScript, pointed at the site."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.demo.steps import Attempts, Event, Status, Text, Thinking, ToolUse
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.programs.program import Account, FindAnswer, json_lines, node, run

STORY = "".join(f"{n}: Zoë ate a 🍎 — 日本語.\n\n" for n in range(40))
OVERLOADED = Event("error", {"error": {"type": "overloaded_error", "message": "No"}})


@pytest.fixture(autouse=True)
def scripts(model: DemoThread, packages: Path) -> None:
    model.script("story", Text(STORY, chunk=17, interval_s=0.001))


def test_stream(account: Account, stored: FindAnswer) -> None:
    text = prompt("story")
    (got,) = json_lines(run(account, node("sdk_stream"), PROMPT=text))
    assert got["text"] == STORY == stored(text).text
    assert [(block["type"], block["text"]) for block in got["content"]] == [("text", STORY)]
    assert got["stop_reason"] == "end_turn" and got["output_tokens"] > 0


def test_handlers_of_events(account: Account, model: DemoThread) -> None:
    model.script("thought", Thinking("Hm."), Text(STORY))
    (got,) = json_lines(run(account, node("sdk_events"), PROMPT=prompt("thought")))
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert got["text"] == STORY
    assert [kind for kind in got["seen"] if kind != "ping"] == [
        "message_start",
        *(*block, "whole thinking"),
        *(*block, "whole text"),
        *("message_delta", "message_stop", "assistant end_turn"),
    ]


def test_handler_of_errors(account: Account, model: DemoThread) -> None:
    model.script("failing", Text(["One "]), OVERLOADED)
    (got,) = json_lines(run(account, node("sdk_events"), PROMPT=prompt("failing")))
    assert got["text"] == "One " and got["seen"][-1].startswith("error: ")


def test_input_of_a_tool(account: Account, model: DemoThread) -> None:
    asked = {"location": 'Tōkyō, "東京" 🗼'}
    model.script("weather", Text("Let me look."), ToolUse(input=asked, chunk=3))
    lines = json_lines(run(account, node("sdk_tools"), PROMPT=prompt("weather")))
    assert lines == [{"tool": "get_weather"}, {"input": asked}]


def test_one_request_of_a_log(account: Account, stored: FindAnswer, model: DemoThread) -> None:
    again = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("second", Attempts(again, [Text(STORY)]))
    run(account, node("careful_stream"), PROMPT=(text := prompt("second")))
    environment = {"GENERATION": str(stored(text).generation_id), "REQUEST": "2"}
    (got,) = json_lines(run(account, node("sdk_log"), **environment))
    assert got["text"] == STORY
    assert (got["kinds"][0], got["kinds"][-1]) == ("message_start", "message_stop")
