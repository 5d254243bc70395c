"""What a tool is, the decorator that makes one of a function, and those that the site offers.

CHAT_TOOLS names callables by their dotted path; what it names is loaded once, on first use.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, overload

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from chat.tools.schema import Schema, description_of, schema_of, user_argument

NONE = "none"
"""Stands in CHAT_TOOLS for no tool at all: an empty variable is one that is not set."""

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the Messages API takes as a name ("Tool use", specifying tools)."""

Definition = Mapping[str, Any]


class ToolError(Exception):
    """A tool can't do what it was asked; its text is a sentence for Claude."""


@dataclass(frozen=True)
class Tool:
    """A function that Claude may call.

    `asks`: it changes something, so that the person has to allow each call.
    """

    name: str
    description: str
    input_schema: Schema
    function: Callable[..., Any]
    asks: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def user_argument(self) -> str:
        return user_argument(self.function)

    def definition(self) -> dict[str, Any]:
        """Return it as the `tools` of a request have it."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.input_schema,
        }


@overload
def tool(function: Callable[..., Any]) -> Tool: ...
@overload
def tool(*, asks: bool = ...) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None, *, asks: bool = False
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function: its name, its docstring, and its signature as the schema.

    It may be a coroutine function or a plain one, which runs in a thread; an argument of type
    User gets who asks. What it returns is sent as text, or as JSON where it is no text.

    Args:
        asks: it changes something: a person has to allow each call.

    Raises:
        TypeError: the signature can't be told in JSON schema, or there is no docstring.
    """

    def make(plain: Callable[..., Any]) -> Tool:
        description = description_of(plain)
        if not description:
            raise TypeError(f"{plain.__name__} has no docstring, which tells Claude what it does")
        return Tool(plain.__name__, description, schema_of(plain), plain, asks)

    return make(function) if function else make


@dataclass(frozen=True)
class Toolset:
    """What an answer may use, and within which limits.

    Args:
        server_tools: definitions of tools that Anthropic runs, by their name.
        rounds: how many requests may follow the first one of an answer.
        timeout_s: how long one call may take, in seconds.
        result_max_chars: how long one result may be, in characters.
        approval_s: how long a call waits for a person's word, in seconds.
    """

    tools: Mapping[str, Tool] = field(default_factory=lambda: MappingProxyType({}))
    server_tools: Mapping[str, Definition] = field(default_factory=lambda: MappingProxyType({}))
    rounds: int = 10
    timeout_s: float = 30.0
    result_max_chars: int = 20_000
    approval_s: float = 120.0

    @property
    def names(self) -> list[str]:
        return [*self.tools, *self.server_tools]

    def chosen(self, names: Sequence[str] | None) -> Toolset:
        """Return what is named of it; all where `names` is None."""
        if names is None:
            return self
        return replace(
            self,
            tools={name: tool for name, tool in self.tools.items() if name in names},
            server_tools={n: d for n, d in self.server_tools.items() if n in names},
        )

    def definitions(self) -> tuple[Definition, ...]:
        """Return the `tools` of a request."""
        own = (tool.definition() for tool in self.tools.values())
        return (*own, *self.server_tools.values())


@lru_cache(maxsize=1)
def offered() -> Toolset:
    """Return what the settings offer.

    Raises:
        ImproperlyConfigured: they name what is no tool.
    """
    return Toolset(
        tools=load(settings.CHAT_TOOLS),
        server_tools=_server_tools(settings.CHAT_WEB_SEARCH, settings.CHAT_WEB_FETCH),
        rounds=settings.CHAT_TOOL_ROUNDS,
        timeout_s=settings.CHAT_TOOL_TIMEOUT_S,
        result_max_chars=settings.CHAT_TOOL_RESULT_MAX_CHARS,
        approval_s=settings.CHAT_APPROVAL_S,
    )


def load(paths: Sequence[str]) -> dict[str, Tool]:
    """Return the tools that dotted paths name, by their names.

    Raises:
        ImproperlyConfigured: a path leads to no tool, or two to tools of one name.
    """
    tools: dict[str, Tool] = {}
    for path in paths if list(paths) != [NONE] else ():
        loaded = _load(path)
        if not NAME.fullmatch(loaded.name):
            raise ImproperlyConfigured(
                f"CHAT_TOOLS names {path!r}; the name of a tool has at most 64 letters, digits, "
                "_ and -."
            )
        if loaded.name in tools or loaded.name in (WEB_SEARCH, WEB_FETCH):
            raise ImproperlyConfigured(
                f"CHAT_TOOLS names {path!r}; there is another tool called {loaded.name!r}."
            )
        tools[loaded.name] = loaded
    return tools


def _load(path: str) -> Tool:
    try:
        found = import_string(path)
        if not callable(found):
            raise TypeError("it can't be called")
        return found if isinstance(found, Tool) else tool(found)
    except (ImportError, TypeError, ValueError) as error:
        raise ImproperlyConfigured(
            f"CHAT_TOOLS names {path!r}, which is no tool: {error}."
        ) from error


WEB_SEARCH, WEB_FETCH = "web_search", "web_fetch"


def _server_tools(searches: int, fetches: int) -> dict[str, Definition]:
    """Return the tools that Anthropic runs, with how often one request may use each.

    Their first versions: later ones run code to filter what they find (Messages API, "Web search
    tool", "Web fetch tool").
    """
    tools: dict[str, Definition] = {}
    if searches:
        tools[WEB_SEARCH] = {
            "type": "web_search_20250305",
            "name": WEB_SEARCH,
            "max_uses": searches,
        }
    if fetches:
        tools[WEB_FETCH] = {
            "type": "web_fetch_20250910",
            "name": WEB_FETCH,
            "max_uses": fetches,
            "citations": {"enabled": True},
        }
    return tools
