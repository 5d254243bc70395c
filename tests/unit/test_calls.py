"""Every call ends in a result, whatever its tool does, and none is left behind unseen."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

import pytest

from chat import calls
from chat.calls import Call, Caller, Happening
from chat.models import User
from chat.tools import Tool, Toolset, tool

pytestmark = pytest.mark.asyncio

END_S = 30.0


@tool
async def cancelled() -> str:
    """Say that it was cancelled, which nobody did."""
    raise asyncio.CancelledError


@tool
async def cancels_itself() -> str:
    """Cancel the task that it runs in."""
    task = asyncio.current_task()
    assert task
    task.cancel()
    await asyncio.Event().wait()
    return "never"


@tool
async def broken() -> str:
    """Break."""
    raise RuntimeError("the password is 1234")


def caller(*tools: Tool) -> Caller:
    return Caller(7, User(), Toolset(tools={each.name: each for each in tools}))


async def happenings(*tools: Tool) -> list[Happening]:
    asked = [Call(f"t{number}", each.name, {}) for number, each in enumerate(tools)]
    async with asyncio.timeout(END_S), aclosing(calls.run(asked, caller(*tools))) as running:
        return [happening async for happening in running]


@pytest.mark.parametrize("failing", [cancelled, cancels_itself, broken], ids=lambda it: it.name)
async def test_failure_is_a_result_and_in_the_log(
    failing: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    ((kind, data),) = await happenings(failing)
    told = {"tool_use_id": "t0", "name": failing.name, "content": "The tool failed."}
    assert (kind, data) == ("tool_result", {**told, "is_error": True})
    (record,) = caplog.records
    assert record.exc_info and record.__dict__["generation_id"] == 7


class Stubborn:
    """A tool that ends when the test says so, and not when it is cancelled."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    def tool(self) -> Tool:
        @tool
        async def stubborn() -> str:
            """Take no for no answer."""
            self.begun.set()
            while not self.go_on.is_set():
                try:
                    await self.go_on.wait()
                except asyncio.CancelledError:
                    continue
            return "done"

        return stubborn


async def left_early(stubborn: Stubborn) -> asyncio.Task[object]:
    """Begin a call, leave the round, and return the call's task."""
    running = calls.run([Call("t", "stubborn", {})], caller(stubborn.tool()))
    reading = asyncio.create_task(anext(running))
    async with asyncio.timeout(END_S):
        await stubborn.begun.wait()
        (call,) = (task for task in asyncio.all_tasks() if task.get_name() == "tool-stubborn")
        reading.cancel()
        await asyncio.wait({reading})
    return call


async def test_call_that_outlives_its_answer_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(calls, "END_S", 0.05)
    stubborn = Stubborn()
    call = await left_early(stubborn)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and not call.done()
    assert (record.__dict__["tool"], record.__dict__["generation_id"]) == ("tool-stubborn", 7)
    stubborn.go_on.set()
    await asyncio.wait({call}, timeout=END_S)
    assert call.done()


async def test_stop_cancels_a_call_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    @tool
    async def patient() -> str:
        """Wait."""
        begun.set()
        await asyncio.Event().wait()
        return "never"

    running = calls.run([Call("t", "patient", {})], caller(patient))
    reading = asyncio.create_task(anext(running))
    await asyncio.wait_for(begun.wait(), END_S)
    (call,) = (task for task in asyncio.all_tasks() if task.get_name() == "tool-patient")
    reading.cancel()
    await asyncio.wait({reading}, timeout=END_S)
    assert call.cancelled() and caplog.records == []


async def test_calls_beyond_the_limit_and_without_an_id_are_mistakes() -> None:
    block = {"type": "tool_use", "name": "add", "input": {}}
    asked = calls.calls_in([{**block, "id": f"t{n}"} for n in range(calls.MAX_CALLS + 1)])
    assert [bool(each.mistake) for each in asked] == [False] * calls.MAX_CALLS + [True]
    assert calls.calls_in([block])[0].mistake == "The call has no id."
