"""Tools while an answer is written: real database, real model server, tools of the tests."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from chat import services
from chat.demo.steps import (
    Attempts,
    Block,
    Event,
    Finish,
    Rounds,
    Stall,
    Start,
    Status,
    Step,
    Text,
    Thinking,
)
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.options import Options
from chat.threads import in_thread
from chat.worker import Worker
from tests.conftest import make_runtime, working
from tests.integration.answers import (
    answered,
    calls,
    check_log,
    data_of,
    entries,
    finished,
    prompt,
    reached,
    send,
    stop,
)
from tests.integration.own_tools import ROUNDS, Gate, calling, own_toolset, use

pytestmark = pytest.mark.asyncio

ADD = use("toolu_1", "add", '{"a": 1, "b": 2}')


def bodies(model: DemoThread, generation: Generation) -> list[dict[str, Any]]:
    """Return what the model server was asked for an answer, in order."""
    assert generation.message.parent is not None
    return [dict(r.body) for r in calls(model, generation.message.parent) if r.body]


async def result_of(model: DemoThread, user: User, *steps: Step) -> dict[str, Any]:
    """Have an answer call a tool, and return what Claude was told of it."""
    model.script("one-call", calling(*steps))
    generation = await answered(user, prompt("one-call"))
    assert (generation.status, generation.message.text) == ("complete", "So it is.")
    (result,) = bodies(model, generation)[1]["messages"][-1]["content"]
    (logged,) = await data_of(generation, "tool_result")
    assert {k: v for k, v in result.items() if k != "type"} == {
        k: v for k, v in logged.items() if k != "name"
    }
    return dict(result)


async def test_tool_is_called_and_the_answer_goes_on(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(Text("Let me see. "), ADD))
    generation = await answered(alice, prompt("adds"))
    assert (generation.status, generation.stop_reason) == ("complete", "end_turn")
    assert generation.message.text == "Let me see. So it is."
    kinds = [block["type"] for block in generation.message.content]
    assert kinds == ["text", "tool_use", "tool_result", "text"]
    assert generation.message.content[2] == {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "name": "add",
        "content": "3",
        "is_error": False,
    }
    await check_log(generation)


async def test_each_request_has_its_number(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    generation = await answered(alice, prompt("adds"))
    requests = await data_of(generation, "request")
    assert [(r["number"], r["attempt"]) for r in requests] == [(1, 1), (2, 1)]
    log = [e.kind for e in await entries(generation) if not e.kind.startswith("content_block")]
    run = ["message_start", "message_delta", "message_stop"]
    assert log == ["request", *run, "tool_result", "request", *run, "final"]


async def test_tokens_of_all_requests_are_counted(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    generation = await answered(alice, prompt("adds"))
    starts = [d["message"]["usage"] for d in await data_of(generation, "message_start")]
    assert generation.input_tokens == sum(usage["input_tokens"] for usage in starts)


async def test_second_request_holds_the_first_answer(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(Text("Let me see. "), ADD))
    first, second = bodies(model, await answered(alice, prompt("adds")))
    assert first["tools"] == second["tools"] and "tool_choice" not in second
    assert second["messages"][: len(first["messages"])] == first["messages"]
    answer, results = second["messages"][len(first["messages"]) :]
    assert answer["content"] == [
        {"type": "text", "text": "Let me see. "},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}},
    ]
    assert results["role"] == "user"


async def test_thinking_goes_back_unmodified(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    secret = {"type": "redacted_thinking", "data": "c2VjcmV0"}
    unseen = Block(
        {"type": "thinking", "thinking": "", "signature": ""},
        [{"type": "signature_delta", "signature": "b25seSBzaWduZWQ="}],
    )
    model.script("thinks", calling(Thinking("I should add. " * 9), Block(secret), unseen, ADD))
    generation = await answered(alice, prompt("thinks"))
    _, second = bodies(model, generation)
    thought, redacted, signed, _ = second["messages"][-2]["content"]
    log = await data_of(generation, "content_block_delta")
    signatures = [d["delta"]["signature"] for d in log if d["delta"]["type"] == "signature_delta"]
    assert thought == {
        "type": "thinking",
        "thinking": "I should add. " * 9,
        "signature": signatures[0],
    }
    assert redacted == secret
    assert signed == {"type": "thinking", "thinking": "", "signature": "b25seSBzaWduZWQ="}


async def test_later_turns_send_text_alone(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("thinks", calling(Thinking("I should add."), Text("Hm. "), ADD))
    generation = await answered(alice, prompt("thinks"))
    again = await answered(alice, "And now?", generation.conversation)
    content = bodies(model, again)[0]["messages"][1]["content"]
    assert content == [{"type": "text", "text": "Hm. So it is."}]


async def test_several_tools_run_at_once(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    model.script("several", calling(use("toolu_1", "slow"), use("toolu_2", "add", ADD_JSON)))
    generation = await send(alice, prompt("several"))
    first = await reached(generation, "tool_result")
    assert json.loads(first.data)["tool_use_id"] == "toolu_2"
    gate.go_on.set()
    ended = await finished(generation)
    results = bodies(model, ended)[1]["messages"][-1]["content"]
    assert [(r["tool_use_id"], r["content"]) for r in results] == [
        ("toolu_1", "done"),
        ("toolu_2", "5"),
    ]


ADD_JSON = '{"a": 2, "b": 3}'


async def test_tool_gets_the_person_and_a_thread(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    result = await result_of(model, alice, use("toolu_1", "who"))
    told = json.loads(result["content"])
    assert told["name"] == "alice" and told["thread"].startswith("tool")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (use("t", "no_such_tool"), "There is no tool `no_such_tool`; there are `add`, "),
        (use("t", "add", '{"a": 1'), 'The input is no valid JSON: {"a": 1'),
        (use("t", "add", '{"a": NaN}'), "The input is no valid JSON: "),
        (use("t", "add", "[1, 2]"), "The input has to be a JSON object."),
        (use("t", "add", '{"a": 1}'), "The argument `b` is missing."),
        (use("t", "add", '{"a": 1, "b": "2"}'), "`b` has to be of type integer."),
        (use("t", "who", '{"user": 1}'), "There is no argument `user`; there are none."),
        (use("t", "fail", '{"secretly": false}'), "This can't be done."),
        (use("t", "fail", '{"secretly": true}'), "The tool failed."),
    ],
    ids=[
        "unknown",
        "cut-json",
        "nan",
        "no-object",
        "missing",
        "type",
        "user",
        "refused",
        "broken",
    ],
)
async def test_failure_is_a_result_that_claude_sees(
    tool_worker: Worker, model: DemoThread, alice: User, call: Block, words: str
) -> None:
    result = await result_of(model, alice, call)
    assert result["is_error"] is True and result["content"].startswith(words)


@pytest.mark.parametrize(
    "call", [use("t", "slow"), use("t", "hang", '{"lock_s": 2}')], ids=["loop", "thread"]
)
async def test_tool_that_takes_too_long(
    model: DemoThread, alice: User, gate: Gate, call: Block
) -> None:
    toolset = replace(own_toolset(gate), timeout_s=0.5)
    async with working(replace(make_runtime(model), toolset=toolset)):
        result = await result_of(model, alice, call)
    assert (result["is_error"], result["content"]) == (True, "The tool took longer than 0.5 s.")


async def test_long_result_is_cut_and_cleaned(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    result = await result_of(model, alice, use("t", "write", '{"chars": 5000}'))
    assert result["content"] == (
        "\ufffd" + "x" * 999 + "\n(Cut: these are 1000 of 5001 characters.)"
    )


async def test_last_round_may_call_nothing(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("endless", Rounds([ADD, Finish("tool_use")]))
    generation = await answered(alice, prompt("endless"))
    asked = bodies(model, generation)
    assert len(asked) == 1 + ROUNDS
    assert [body.get("tool_choice") for body in asked] == [None, None, None, {"type": "none"}]
    assert all(body["tools"] == asked[0]["tools"] for body in asked)
    # This model asks all the same.
    assert (generation.status, generation.stop_reason) == ("complete", "tool_use")
    assert len(await data_of(generation, "tool_result")) == ROUNDS


async def test_pause_is_gone_on_with(tool_worker: Worker, model: DemoThread, alice: User) -> None:
    search = use("srvtoolu_1", "web_search", '{"query": "tides"}')
    searching = Block({**search.start, "type": "server_tool_use"}, search.deltas)
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    model.script(
        "pauses",
        Rounds([Thinking("Hm."), searching, Finish("pause_turn")], []),
        # To the model, what was paused twice is one turn.
        Attempts([Block(result), Finish("pause_turn")], [Text("Found nothing.")]),
    )
    generation = await answered(alice, prompt("pauses"))
    assert (generation.stop_reason, generation.message.text) == ("end_turn", "Found nothing.")
    _, second, third = bodies(model, generation)
    assert [turn["role"] for turn in third["messages"]] == ["user", "assistant"]
    kinds = [block["type"] for block in third["messages"][1]["content"]]
    assert kinds == ["thinking", "server_tool_use", "web_search_tool_result"]
    assert second["messages"][1]["content"] == third["messages"][1]["content"][:2]


async def test_pauses_without_end_end(tool_worker: Worker, model: DemoThread, alice: User) -> None:
    searching = Block({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})
    model.script("pauses-on", Rounds([searching, Finish("pause_turn")]))
    generation = await answered(alice, prompt("pauses-on"))
    assert (generation.status, generation.stop_reason) == ("complete", "pause_turn")
    assert len(bodies(model, generation)) == 1 + ROUNDS


@pytest.mark.parametrize("stop_reason", ["pause_turn", "tool_use"])
async def test_nothing_to_go_on_with(
    tool_worker: Worker, model: DemoThread, alice: User, stop_reason: str
) -> None:
    model.script("nothing", Text(" \n"), Finish(stop_reason))
    generation = await answered(alice, prompt("nothing"))
    assert (generation.status, generation.stop_reason) == ("complete", stop_reason)
    assert len(bodies(model, generation)) == 1


async def test_retry_in_the_second_round(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    busy = Status(529, "overloaded_error", "Busy")
    script_of_round = Rounds([ADD, Finish("tool_use")], [])
    model.script("busy-later", script_of_round, Attempts([busy], [Text("Three.")]))
    generation = await answered(alice, prompt("busy-later"))
    assert (generation.status, generation.message.text) == ("complete", "Three.")
    requests = await data_of(generation, "request")
    assert [(r["number"], r["attempt"]) for r in requests] == [(1, 1), (2, 1), (2, 2)]
    _, second, third = bodies(model, generation)
    assert second == third


async def test_no_retry_after_the_first_content_of_the_second_round(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    busy = Event("error", {"error": {"type": "overloaded_error", "message": "Busy"}})
    model.script("breaks-later", Rounds([ADD, Finish("tool_use")], [Text("Th"), busy]))
    generation = await answered(alice, prompt("breaks-later"))
    assert (generation.status, generation.error_code) == ("failed", "overloaded")
    assert await data_of(generation, "retry") == []
    assert generation.message.content[1]["content"] == "3"


async def test_names_that_a_program_gives_are_the_tools(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    for tools, names in (((), []), (("add",), ["add"]), (("add", "gone"), ["add"])):
        generation = await answered_with(alice, Options(tools=tools))
        asked = bodies(model, generation)
        assert [t["name"] for t in asked[0].get("tools", [])] == names
        assert len(asked) == (2 if names else 1)


async def answered_with(user: User, options: Options) -> Generation:
    key, words = uuid.uuid4(), prompt("adds")
    sent = await in_thread(services.send_prompt, user, None, words, key, options)
    return await finished(await Generation.objects.aget(message__parent=sent.message))


async def test_whole_request_of_a_program_is_made_once(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    generation = await answered_with(alice, Options(body={"max_tokens": 100}))
    assert (generation.status, generation.stop_reason) == ("complete", "tool_use")


async def test_time_limit_of_the_answer_ends_a_tool(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    model.script("adds", calling(use("t", "slow")))
    generation = await answered_with(alice, Options(max_seconds=0.3))
    assert (generation.status, generation.error_code) == ("stopped", "time_limit")
    assert gate.was_cancelled


async def stopped_at(user: User, scenario: str, kind: str, count: int = 1) -> Generation:
    """Have an answer stopped when so many events of a kind are in its log."""
    generation = await send(user, prompt(scenario))
    await reached(generation, kind, count)
    await stop(user, generation)
    ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("stopped", "")
    await check_log(ended)
    return ended


async def test_stop_while_a_call_is_written(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    begun = Event("content_block_start", {"index": 0, "content_block": dict(ADD.start)})
    model.script("stuck-call", Start(), begun, Stall())
    ended = await stopped_at(alice, "stuck-call", "content_block_start")
    assert [block["type"] for block in ended.message.content] == ["tool_use"]


async def test_stop_while_a_tool_runs(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    model.script("stuck-tool", calling(Text("Wait. "), use("t", "slow")))
    generation = await send(alice, prompt("stuck-tool"))
    await gate.begun.wait()
    await stop(alice, generation)
    ended = await finished(generation)
    assert (ended.status, ended.message.text) == ("stopped", "Wait. ")
    assert gate.was_cancelled and not await data_of(ended, "tool_result")
    assert len(bodies(model, ended)) == 1


async def test_stop_while_a_thread_runs(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("stuck-thread", calling(use("t", "hang", '{"lock_s": 0.4}')))
    ended = await stopped_at(alice, "stuck-thread", "message_stop")
    assert ended.message.text == ""


async def test_stop_while_the_second_request_is_silent(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("stuck-later", Rounds([ADD, Finish("tool_use")], [Start(), Stall()]))
    ended = await stopped_at(alice, "stuck-later", "message_start", 2)
    assert [block["type"] for block in ended.message.content] == ["tool_use", "tool_result"]


async def test_stop_while_the_second_request_waits_for_its_retry(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    busy = Status(429, "rate_limit_error", "Slower", {"retry-after": "20"})
    model.script("waits-later", Rounds([ADD, Finish("tool_use")], [busy]))
    await stopped_at(alice, "waits-later", "retry")


async def test_process_that_ends_while_a_tool_runs(
    model: DemoThread, alice: User, gate: Gate
) -> None:
    model.script("stuck-tool", calling(Text("Wait. "), use("t", "slow")))
    async with working(replace(make_runtime(model), toolset=own_toolset(gate))):
        generation = await send(alice, prompt("stuck-tool"))
        await gate.begun.wait()
    ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("interrupted", "shutdown")
    assert gate.was_cancelled


async def test_answer_without_tools_is_as_before(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    generation = await answered(alice, prompt("adds"))
    (asked,) = bodies(model, generation)
    assert (generation.stop_reason, "tools" in asked) == ("tool_use", False)
