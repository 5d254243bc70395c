from __future__ import annotations

import json

import pytest

from chat.demo.request import Request
from chat.demo.scenarios import BUILT_IN, steps_for
from chat.demo.search import asks_for_search, search_steps
from chat.demo.steps import Answer, Block, Text


def blocks_of(prompt: str) -> list[Block]:
    return [step for step in search_steps(prompt) if isinstance(step, Block)]


def query_of(prompt: str) -> str:
    pieces = [str(delta["partial_json"]) for delta in blocks_of(prompt)[0].deltas]
    return str(json.loads("".join(pieces))["query"])


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        ("Search the web for tides", True),
        ("Please do a web search about herons", True),
        ("How do I search a list?", False),
        ("What is the web?", False),
        ("x" * 3_000 + " search the web", False),
    ],
)
def test_asks_for_search(prompt: str, asks: bool) -> None:
    assert asks_for_search(prompt) is asks


@pytest.mark.parametrize(
    ("prompt", "query"),
    [
        ("Search the web for tides & <herons>", "tides & <herons>"),
        ("Please search the web.", "tides"),
        ("Search the web about 潮汐", "潮汐"),
    ],
)
def test_query_is_what_was_asked_for(prompt: str, query: str) -> None:
    assert query_of(prompt) == query


def test_a_search_finds_and_cites() -> None:
    call, found, *cited = blocks_of("Search the web for tides")
    assert found.start["tool_use_id"] == call.start["id"]
    assert all(next(iter(block.deltas))["type"] == "citations_delta" for block in cited)


def test_a_search_that_fails() -> None:
    _, failed = blocks_of("Search the web with a broken tool")
    assert failed.start["content"]["error_code"] == "too_many_requests"


@pytest.mark.parametrize("prompt", ["Search the web for tides", "Search the web and fail"])
def test_a_search_says_that_it_is_made_up(prompt: str) -> None:
    opening = search_steps(prompt)[0]
    assert isinstance(opening, Text) and "demo model, not Claude" in opening.text


def test_a_tool_of_the_application_comes_first() -> None:
    tool = {"name": "search", "input_schema": {"type": "object"}}
    turn = {"role": "user", "content": "Search the web for tides"}
    body = {"model": "m", "max_tokens": 9, "messages": [turn]}
    assert steps_for(Request.from_body({**body, "tools": [tool]}), BUILT_IN, 0) == [Answer()]
    assert len(steps_for(Request.from_body(body), BUILT_IN, 0)) > 1
