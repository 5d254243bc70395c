"""One call of a tool: checked input, a time-out, a size, and what Claude can mend as a result.

A fault of the tool, any exception but ToolError, passes: who calls tells of it (calls.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from channels.db import DatabaseSyncToAsync

from chat.models import User
from chat.tools.daemons import DaemonThreads
from chat.tools.registry import Tool, ToolError, Toolset
from chat.tools.schema import mistake_in
from chat.words import clean

# Threads of their own: a plain function can't be cancelled, and those that hang must not take
# the threads that the site needs. With all of them in use, a call waits, and its time runs out.
_THREADS = DaemonThreads(4, "tool")


class Result(NamedTuple):
    """What came of a call: a text for Claude, and whether it tells of a failure."""

    text: str
    is_error: bool = False


async def call(toolset: Toolset, name: str, arguments: Mapping[str, Any], user: User) -> Result:
    """Call a tool for a person."""
    try:
        tool = _find(toolset, name)
        if mistake := mistake_in(tool.input_schema, arguments):
            return Result(mistake, is_error=True)
        async with asyncio.timeout(toolset.timeout_s):
            value = await _run(tool, arguments, user)
        return Result(_shortened(_as_text(value), toolset.result_max_chars))
    except ToolError as error:
        return Result(_shortened(clean(str(error)), toolset.result_max_chars), is_error=True)
    except TimeoutError:
        return Result(f"The tool took longer than {toolset.timeout_s:g} s.", is_error=True)


def _find(toolset: Toolset, name: str) -> Tool:
    if name in toolset.tools:
        return toolset.tools[name]
    known = ", ".join(f"`{name}`" for name in toolset.tools) or "none"
    raise ToolError(f"There is no tool `{name[:64]}`; there are {known}.")


async def _run(tool: Tool, arguments: Mapping[str, Any], user: User) -> Any:
    given = {**arguments, tool.user_argument: user} if tool.user_argument else dict(arguments)
    if tool.is_async:
        return await tool.function(**given)
    # asgiref hands the executor to the loop, which takes any.
    threads: Any = _THREADS
    run = DatabaseSyncToAsync(tool.function, thread_sensitive=False, executor=threads)
    return await run(**given)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False, default=str))


def _shortened(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars]}\n(Cut: these are {max_chars} of {len(text)} characters.)"
