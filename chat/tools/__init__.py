"""The tools that Claude may call while it answers.

    registry   what a tool is, the decorator that makes one, those that the site offers
    schema     a function's signature as JSON schema, and an input checked against it
    calling    one call: checked input, time-out, size
    clock, calculator, conversations, weather    the built-in ones

A tool knows nothing of answers, logs or pages. What it returns goes to Claude, and to the page.
"""

from __future__ import annotations

from chat.tools.calling import Result, call
from chat.tools.registry import Tool, ToolError, Toolset, load, offered, tool
from chat.tools.schema import mistake_in

__all__ = [
    "Result",
    "Tool",
    "ToolError",
    "Toolset",
    "call",
    "load",
    "mistake_in",
    "offered",
    "tool",
]
