"""The tools of the tests: quick ones, one that waits, one that fails, one that asks first."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from chat.demo.steps import Block, Finish, Rounds, Step, Text
from chat.models import User
from chat.tools import Tool, ToolError, Toolset, tool

ROUNDS = 3


class Gate:
    """Where `slow` waits until a test lets it go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.was_cancelled = False
        self.noted: list[str] = []


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def who(user: User) -> dict[str, Any]:
    """Tell whom you talk to."""
    return {"name": user.username, "thread": threading.current_thread().name}


@tool
def fail(secretly: bool) -> str:
    """Fail."""
    if secretly:
        raise RuntimeError("the password is 1234")
    raise ToolError("This can't be done.")


@tool
def hang(lock_s: float) -> str:
    """Take too long, in a thread."""
    return str(threading.Event().wait(lock_s))


@tool
def write(chars: int) -> str:
    """Write a lot, some of which no database takes."""
    return "\0" + "x" * chars


def of_gate(gate: Gate) -> list[Tool]:
    @tool
    async def slow() -> str:
        """Take as long as it takes."""
        gate.begun.set()
        try:
            await gate.go_on.wait()
        except asyncio.CancelledError:
            gate.was_cancelled = True
            raise
        return "done"

    @tool(asks=True)
    async def note(text: str) -> str:
        """Keep a note."""
        gate.noted.append(text)
        return f"noted {len(gate.noted)}"

    return [slow, note]


def own_toolset(gate: Gate) -> Toolset:
    tools = [add, who, fail, hang, write, *of_gate(gate)]
    return Toolset(
        tools={each.name: each for each in tools},
        rounds=ROUNDS,
        result_max_chars=1_000,
        approval_s=30.0,
    )


def use(call_id: str, name: str, partial_json: str = "{}") -> Block:
    """Return a call of a tool, with its input as it comes."""
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    pieces = [partial_json[at : at + 6] for at in range(0, len(partial_json), 6)]
    return Block(start, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces])


def calling(*steps: Step, then: str = "So it is.") -> Rounds:
    """Return an answer that calls tools once, and goes on with words."""
    return Rounds([*steps, Finish("tool_use")], [Text(then)])
