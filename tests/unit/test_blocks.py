"""How content blocks are shown, whatever a model, a tool or a page on the web wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from chat.blocks import BlockView, failures_by_tool, prompt_text, view_block, view_blocks
from chat.content import Block
from tests.hostile_texts import HOSTILE_ADDRESSES, HOSTILE_TITLES_AND_TEXTS
from tests.unit.shown_page import Element, parse

TEXT: Block = {"type": "text", "text": "a"}
THINKING: Block = {"type": "thinking", "thinking": "Hm.", "signature": "x"}
REDACTED: Block = {"type": "redacted_thinking", "data": "x"}
TOOL: Block = {"type": "server_tool_use", "id": "t1", "name": "web_search", "input": {"q": "a"}}
URL = "https://a.example/b"
PAGE = {"type": "web_search_result", "url": URL, "title": "A", "page_age": "1 day"}
FOUND: Block = {"type": "web_search_tool_result", "tool_use_id": "t1", "content": [PAGE]}
FAILED: Block = {
    **FOUND,
    "content": {"type": "web_search_tool_result_error", "error_code": "too_many_requests"},
}


def element(view: BlockView) -> Element:
    (shown,) = parse(render_to_string("chat/_block.html", {"block": view})).elements
    return shown


def all_text(element: Element) -> str:
    return "".join(c if isinstance(c, str) else all_text(c) for c in element.children)


def label(view: BlockView) -> str:
    """Return what the fold says."""
    name = element(view).find("class", "block-name")
    assert name is not None
    return " ".join(all_text(name).split())


@pytest.mark.parametrize(
    ("block", "seconds", "words"),
    [
        (THINKING, 3.2, "Thought for 4 s"),
        (THINKING, 0.0, "Thought for 1 s"),
        (THINKING, None, "Thinking"),
        (REDACTED, 2.0, "Thought for 2 s, not shown"),
        (REDACTED, None, "Thinking, not shown"),
        (TOOL, 3.0, "Tool: web_search, 3 s"),
        (TOOL, None, "Tool: web_search"),
        (FOUND, None, "Result: web_search, 1 page"),
        ({**FOUND, "content": []}, None, "Result: web_search, 0 pages"),
        ({**FOUND, "content": "odd"}, None, "Result: web_search"),
        ({"type": "hologram"}, None, "hologram"),
    ],
)
def test_a_fold_says_what_it_holds(block: Block, seconds: float | None, words: str) -> None:
    assert label(view_block(block, "", seconds)) == words


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (THINKING, "Thinking… 3 s"),
        (REDACTED, "Thinking, not shown… 3 s"),
        (TOOL, "Tool: web_search… 3 s"),
    ],
)
def test_what_runs_has_a_clock(block: Block, words: str) -> None:
    since = timezone.now() - timedelta(seconds=3)
    view = replace(view_block(block), since=since)
    assert label(view) == words
    assert "data-clock>3</span>" in render_to_string("chat/_block_name.html", {"block": view})


def test_a_clock_that_was_set_back_says_nothing_odd() -> None:
    view = BlockView("thinking", since=timezone.now() + timedelta(hours=1))
    assert view.waited_s == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (FAILED["content"], "The tool has too much to do. (too_many_requests)"),
        ({"error_code": "new_code"}, "The tool reported an error. (new_code)"),
        ({"error_code": "x" * 1_000}, f"The tool reported an error. ({'x' * 39}…)"),
    ],
)
def test_a_failure_is_told_in_words_and_by_its_code(content: Any, words: str) -> None:
    assert label(view_block({**FAILED, "content": content})) == f"Result: web_search. {words}"


def test_a_failure_is_marked_by_an_icon_too() -> None:
    name = element(view_block(FAILED)).find("class", "block-failed")
    assert name is not None and name.find("class", "icon") is not None


def test_the_tool_of_a_failure_is_marked_as_well() -> None:
    views = view_blocks([TOOL, FAILED], [], [3.0, None])
    assert label(views[0]) == "Tool: web_search, failed after 3 s"
    views = view_blocks([TOOL, {**FAILED, "tool_use_id": "t2"}], [], [3.0, None])
    assert label(views[0]) == "Tool: web_search, 3 s"


def test_a_failure_without_a_code() -> None:
    block = {"type": "mcp_tool_result", "tool_use_id": "t1", "is_error": True, "content": "No."}
    assert label(view_block(block)) == "Result: mcp. The tool reported an error."
    assert failures_by_tool([{**block, "is_error": False}]) == {}


def test_found_pages_are_links() -> None:
    link = element(view_block(FOUND)).find("href", URL)
    assert link is not None and all_text(link) == "A"
    assert link.attributes["rel"] == "noopener noreferrer nofollow"
    assert link.attributes["target"] == "_blank"
    assert "a.example · 1 day" in all_text(element(view_block(FOUND)))


def test_a_fetched_page_is_a_link() -> None:
    content = {"type": "web_fetch_result", "url": URL, "content": {"title": "B"}}
    shown = element(view_block({"type": "web_fetch_tool_result", "content": content}))
    link = shown.find("href", URL)
    assert link is not None and all_text(link) == "B"


@pytest.mark.parametrize("content", [None, 5, "odd", [5], [{**PAGE, "url": 5}], {"type": "x"}])
def test_what_is_malformed_is_shown_as_it_came(content: Any) -> None:
    view = view_block({**FOUND, "content": content})
    assert view.kind == "result" and view.text


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_hostile_address_is_no_link(address: str) -> None:
    shown = element(view_block({**FOUND, "content": [{**PAGE, "url": address}]}))
    assert shown.find("rel", "noopener") is None and "A" in all_text(shown)


@pytest.mark.parametrize("title", HOSTILE_TITLES_AND_TEXTS)
def test_a_hostile_title_is_text(title: str) -> None:
    view = view_block({**FOUND, "content": [{**PAGE, "title": title, "page_age": title}]})
    (listed,) = [e for e in element(view).elements if e.tag == "ul"]
    (item,) = listed.elements
    assert [child.tag for child in item.elements] == ["a", "span"]
    assert not any(child.elements for child in item.elements)


def test_texts_side_by_side_are_shown_as_one() -> None:
    views = view_blocks([TEXT, TEXT, TOOL, TEXT], ["<p>aa</p>", "", "", "<p>a</p>"])
    assert [*views] == [0, 2, 3]
    assert views[0].html == "<p>aa</p>"


def test_texts_that_were_stored_one_by_one_are_shown_so() -> None:
    views = view_blocks([TEXT, TEXT], ["<p>a</p>", "<p>b</p>"])
    assert [view.html for view in views.values()] == ["<p>a</p>", "<p>b</p>"]


def test_what_is_stored_may_be_shorter() -> None:
    assert [view.kind for view in view_blocks([TEXT, TOOL, THINKING], [], []).values()] == [
        *("text", "tool", "thinking")
    ]


@pytest.mark.parametrize(
    ("blocks", "shown"),
    [
        ([], ""),
        ([TEXT], "a"),
        ([TEXT, {"type": "text", "text": "b"}], "a\nb"),
        ([TEXT, {"type": "image", "source": {}}], "a\n[image]"),
        ([{"type": "tool_result", "tool_use_id": "t"}], "[tool_result]"),
        ([{"type": "tool_result", "content": "Rain"}], "[tool_result] Rain"),
        (
            [{"type": "tool_result", "content": [TEXT, {"type": "image"}]}],
            "[tool_result] a\n[image]",
        ),
        ([{"type": "system", "content": [TEXT]}], "[system] a"),
        ([{"type": "tool_result", "content": 7}], "[tool_result] 7"),
        ([{"type": "a\nb" + "c" * 99}], "[a b" + "c" * 36 + "…]"),
        ([{"content": 1}], "[None]"),
    ],
)
def test_prompt_of_a_program(blocks: list[Block], shown: str) -> None:
    assert prompt_text(blocks) == shown


def test_long_result_is_cut() -> None:
    shown = prompt_text([{"type": "tool_result", "content": "x" * 5_000}])
    assert shown == "[tool_result] " + "x" * 4_000 + "…"


def test_result_of_a_tool_of_this_site_is_its_text() -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "name": "add", "content": 'a "b"\n<c>'}
    view = view_block(block)
    assert (view.kind, view.name, view.text) == ("result", "add", 'a "b"\n<c>')
    failed = view_block({**block, "is_error": True})
    assert failed.failure is not None and failed.text == view.text


def test_failure_of_a_tool_of_this_site_is_told_at_its_call() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "name": "add", "is_error": True}
    assert view_blocks([call, result], ["", ""])[0].failure is not None
