"""The calls of one round: all at once, each with a person's word where it changes something.

    calls_in (blocks -> calls) -> run -> what goes to the log, as it happens; every call ends in
    a `tool_result`

Who reads from `run` writes the log; the tasks in here do not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from chat import approvals
from chat.content import Block
from chat.json_values import readable_json
from chat.kinds import APPROVAL_GIVEN, APPROVAL_WANTED, TOOL_RESULT
from chat.models import User
from chat.threads import in_thread
from chat.tools import Result, Tool, Toolset, call, mistake_in

logger = logging.getLogger(__name__)

END_S = 1.0
"""So long tools have to end once their answer was stopped."""

MAX_CALLS = 32
"""So many calls of one round are made: others wait for the same threads."""

Happening = tuple[str, dict[str, Any]]
"""An event for the log: its kind, its data."""


class Call(NamedTuple):
    """What Claude asks of a tool. `mistake` says why its input can't be read."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    mistake: str = ""


class Caller(NamedTuple):
    """In which answer, and for whom, tools are called."""

    generation_id: int
    user: User
    toolset: Toolset


def calls_in(blocks: Iterable[Block]) -> list[Call]:
    """Return the calls that an answer's blocks hold."""
    asked = [block for block in blocks if block.get("type") == "tool_use"]
    return [_call(block, number) for number, block in enumerate(asked)]


def _call(block: Block, number: int) -> Call:
    arguments, mistake = block.get("input"), ""
    if number >= MAX_CALLS:
        mistake = f"At most {MAX_CALLS} calls are made at once. Make this one again, if it matters."
    elif not block.get("id"):
        mistake = "The call has no id."
    elif partial_json := block.get("partial_json"):
        mistake = f"The input is no valid JSON: {str(partial_json)[:200]}"
    elif not isinstance(arguments, dict):
        mistake = "The input has to be a JSON object."
    given = arguments if isinstance(arguments, dict) else {}
    return Call(str(block.get("id")), str(block.get("name")), given, mistake)


async def run(calls: Sequence[Call], caller: Caller) -> AsyncGenerator[Happening, None]:
    """Run calls at once, and yield what happens; closing it ends what still runs."""
    happenings: asyncio.Queue[Happening] = asyncio.Queue()
    is_over = asyncio.Event()
    tasks = [
        asyncio.create_task(_work(each, caller, happenings, is_over), name=f"tool-{each.name}")
        for each in calls
    ]
    open_calls = len(tasks)
    try:
        while open_calls:
            happening = await happenings.get()
            open_calls -= happening[0] == TOOL_RESULT
            yield happening
    finally:
        is_over.set()
        await _end(tasks, caller)


async def _end(tasks: Sequence[asyncio.Task[None]], caller: Caller) -> None:
    """Cancel what still runs, and tell the log of what runs on all the same."""
    for task in tasks:
        task.cancel()
    _, left = await asyncio.wait(tasks, timeout=END_S) if tasks else ((), ())
    for task in left:
        ids = {"generation_id": caller.generation_id, "tool": task.get_name()[:64]}
        logger.error("a call outlives its answer", extra=ids)


async def _work(
    each: Call, caller: Caller, happenings: asyncio.Queue[Happening], is_over: asyncio.Event
) -> None:
    """Bring a call to its result, whatever happens."""
    try:
        result = await _result(each, caller, happenings)
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and is_over.is_set():
            raise
        # What it says may hold secrets of this site: it goes to the log alone. A cancellation
        # comes from the tool itself here, and whoever reads waits for a result.
        ids = {"generation_id": caller.generation_id, "tool": each.name[:64]}
        logger.exception("a call failed", extra=ids)
        result = Result("The tool failed.", is_error=True)
    data = {"tool_use_id": each.id, "name": each.name, "content": result.text}
    happenings.put_nowait((TOOL_RESULT, {**data, "is_error": result.is_error}))


async def _result(each: Call, caller: Caller, happenings: asyncio.Queue[Happening]) -> Result:
    if each.mistake:
        return Result(each.mistake, is_error=True)
    tool = caller.toolset.tools.get(each.name)
    if tool and _has_to_ask(tool, each) and (refusal := await _refusal(each, caller, happenings)):
        return Result(refusal, is_error=True)
    return await call(caller.toolset, each.name, each.arguments, caller.user)


def _has_to_ask(tool: Tool, each: Call) -> bool:
    # Nobody is asked about what can't be done.
    return tool.asks and not mistake_in(tool.input_schema, each.arguments)


async def _refusal(each: Call, caller: Caller, happenings: asyncio.Queue[Happening]) -> str:
    """Ask the person, and return what to tell Claude where they did not allow it."""
    if len(each.id) > approvals.MAX_ID_CHARS:
        return "The id of this call is too long for a person to be asked about it."
    chars = len(readable_json(dict(each.arguments)))
    if chars > approvals.MAX_INPUT_CHARS:
        limit = approvals.MAX_INPUT_CHARS
        return (
            f"A person has to read this input before the call is made, and it has {chars} of at "
            f"most {limit} characters. Make smaller calls."
        )
    wait_s = caller.toolset.approval_s
    if not await in_thread(approvals.ask, caller.generation_id, each.id):
        return "The call has the id of an earlier one, so nobody was asked. Make it anew."
    wanted = {"tool_use_id": each.id, "name": each.name, "input": dict(each.arguments)}
    happenings.put_nowait((APPROVAL_WANTED, {**wanted, "wait_s": wait_s}))
    word = await approvals.awaited(caller.generation_id, each.id, wait_s)
    given = {"tool_use_id": each.id, "is_approved": word.is_approved, "is_late": word.is_late}
    happenings.put_nowait((APPROVAL_GIVEN, given))
    if word.is_approved:
        return ""
    if word.is_late:
        return f"Nobody allowed this call within {wait_s:g} s, so it was not made."
    return "The person you talk to declined this call, so it was not made."
