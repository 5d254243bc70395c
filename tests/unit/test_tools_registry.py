"""Which tools there are: the decorator, the settings that name them, a choice of them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from chat.checks import check_tools
from chat.tools import Toolset, load, tool
from chat.tools.registry import _server_tools, offered

HERE = "tests.unit.test_tools_registry"
CALCULATOR = "chat.tools.calculator.calculator"
WEATHER = "chat.tools.weather.weather"


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool(asks=True)
async def forget(name: str) -> str:
    """Forget somebody."""
    return name


def plain(a: int) -> int:
    """Give a number back."""
    return a


def without_words(a: int) -> int:
    return a


class web_search:  # noqa: N801  (the name of a tool of the API's own)
    """A name that is taken."""


NOTHING = 5


def test_decorator_makes_a_tool_of_a_function() -> None:
    assert (add.name, add.asks, add.is_async, add(1, 2)) == ("add", False, False, 3)
    assert add.definition()["description"] == "Add two numbers."
    assert add.definition()["input_schema"]["required"] == ["a", "b"]


def test_decorator_with_arguments() -> None:
    assert (forget.name, forget.asks, forget.is_async) == ("forget", True, True)


def test_function_without_words_is_no_tool() -> None:
    with pytest.raises(TypeError, match="docstring"):
        tool(without_words)


def test_load_by_dotted_paths() -> None:
    assert list(load([CALCULATOR, f"{HERE}.add", f"{HERE}.plain"])) == [
        "calculator",
        "add",
        "plain",
    ]


def test_load_none() -> None:
    assert load(["none"]) == {}


@pytest.mark.parametrize(
    "paths",
    [
        ["no.such.module"],
        ["calculator"],
        [f"{HERE}.no_such_name"],
        [f"{HERE}.NOTHING"],
        [f"{HERE}.without_words"],
        [f"{HERE}.web_search"],
        [CALCULATOR, CALCULATOR],
        [CALCULATOR, "none"],
    ],
)
def test_load_refuses_by_the_name_of_the_setting(paths: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^CHAT_TOOLS names '"):
        load(paths)


def test_check_tells_of_a_tool_that_is_none(settings: Settings) -> None:
    settings.CHAT_TOOLS = ["no.such.module"]
    (error,) = check_tools(None)
    assert "CHAT_TOOLS names 'no.such.module'" in error.msg and error.is_serious()


def test_check_is_content_with_the_built_in_ones(settings: Settings) -> None:
    settings.CHAT_TOOLS = [*settings.CHAT_TOOLS, WEATHER]
    assert check_tools(None) == []


def test_built_in_ones_are_offered_without_the_weather() -> None:
    assert offered().names == ["current_time", "calculator", "search_conversations"]


def test_choice_of_tools() -> None:
    toolset = Toolset(tools=load([CALCULATOR, f"{HERE}.add"]), server_tools=_server_tools(3, 2))
    assert toolset.chosen(None) is toolset
    assert toolset.chosen(()).definitions() == ()
    assert toolset.chosen(("web_search", "add", "gone")).names == ["add", "web_search"]


def test_server_tools_by_their_number_of_uses() -> None:
    assert _server_tools(0, 0) == {}
    tools = _server_tools(3, 2)
    assert tools["web_search"] == {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 3,
    }
    assert tools["web_fetch"]["max_uses"] == 2 and tools["web_fetch"]["citations"]
