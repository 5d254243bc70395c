from __future__ import annotations

from typing import Any

import pytest

from chat.demo.request import Request, without_command
from chat.demo.scenarios import BUILT_IN, AttemptCounts, menu, steps_for
from chat.demo.steps import Answer, Attempts, Cut, Finish, Rounds, Scenario, Text, ToolUse


def request_for(*messages: Any) -> Request:
    turns = [
        {"role": "user" if at % 2 == 0 else "assistant", "content": content}
        for at, content in enumerate(messages)
    ]
    return Request.from_body({"model": "m", "max_tokens": 1000, "messages": turns})


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("/demo stall", "stall"),
        ("/demo stall\nand more", "stall"),
        ("/demo stall please", "stall"),
        ("/demo", ""),
        ("/demo \nstall", ""),
        ("/demonstrate", None),
        ("say /demo stall", None),
        ("first\n/demo stall", None),
    ],
)
def test_scenario_name(prompt: str, name: str | None) -> None:
    assert request_for(prompt).scenario == name


def test_scenario_of_the_last_prompt_counts() -> None:
    assert request_for("/demo stall", "partial", "Hello").scenario is None


def test_scenario_found_behind_a_file() -> None:
    image = {"type": "image", "source": {}}
    assert request_for([image, {"type": "text", "text": "/demo stall"}]).scenario == "stall"


def test_call_counts_tool_results() -> None:
    use = [{"type": "tool_use", "id": "t", "name": "clock", "input": {}}]
    result = [{"type": "tool_result", "tool_use_id": "t", "content": "noon"}]
    request = request_for("/demo tool-use", use, result)
    assert (request.call, request.scenario) == (1, "tool-use")
    assert request.tool_results[0].tool == "clock"


def test_call_counts_a_pause() -> None:
    assert request_for("/demo pause-turn", [{"type": "server_tool_use", "id": "s"}]).call == 1


def test_without_command() -> None:
    assert without_command("/demo stall\nWhy?") == "Why?"


def test_attempts_last_repeats() -> None:
    scenario = Scenario("", Text("a"), Attempts([Cut()], [Answer()]))
    assert [scenario.steps(n)[1] for n in range(3)] == [Cut(), Answer(), Answer()]


def test_rounds_by_call() -> None:
    scenario = Scenario("", Rounds([ToolUse()], [Finish()]))
    assert scenario.steps(call=1) == [Finish()]


def test_plain_scenario_answers_after_a_tool_result() -> None:
    assert Scenario("", ToolUse()).steps(call=1) == [Answer()]


def test_attempt_counts_are_apart_by_text() -> None:
    counts = AttemptCounts()
    prompts = ["/demo x\n1", "/demo x\n1", "/demo x\n2"]
    assert [counts.next("x", request_for(prompt)) for prompt in prompts] == [0, 1, 0]


def test_steps_for_plain_prompt() -> None:
    assert steps_for(request_for("Hello"), BUILT_IN, 0) == [Answer()]


@pytest.mark.parametrize("prompt", ["/demo", "/demo no-such-thing"])
def test_steps_for_unknown_name_is_the_menu(prompt: str) -> None:
    (step,) = steps_for(request_for(prompt), BUILT_IN, 0)
    assert isinstance(step, Text) and "`/demo refusal`" in step.text


def test_menu_lists_every_scenario_once() -> None:
    text = menu("", {**BUILT_IN, "my-own": Scenario("Mine", Answer())})
    names = [*BUILT_IN, "my-own"]
    assert [name for name in names if text.count(f"`/demo {name}`:") != 1] == []


def test_menu_escapes_the_name() -> None:
    assert r"“\<b\>”" in menu("<b>", BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_scenario_has_a_description(name: str) -> None:
    assert BUILT_IN[name].description and BUILT_IN[name].steps()


def test_text_pieces() -> None:
    assert list(Text("abcde", chunk=2).pieces()) == ["ab", "cd", "e"]
    assert list(Text("abcde", chunk=0).pieces()) == ["abcde"]
    assert list(Text(["a", "bc"]).pieces()) == ["a", "bc"]
