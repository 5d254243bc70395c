"""Pages and documents as strangers name them: one line, and an address of the web or none."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chat.render.addresses import web_address
from chat.render.sources import (
    MAX_LINKS,
    MAX_TITLE_CHARS,
    Source,
    cited_source,
    found_pages,
    one_line,
)
from tests.hostile_texts import HOSTILE_ADDRESSES, HOSTILE_TITLES_AND_TEXTS

ADDRESS = "https://a.example/b?c=d&e=f#g"
PAGE = {"type": "web_search_result", "url": ADDRESS, "title": "A", "page_age": "2 days ago"}
FETCHED = {"type": "web_fetch_result", "url": ADDRESS, "content": {"type": "document"}}


@pytest.mark.parametrize(
    ("given", "address", "host"),
    [
        (ADDRESS, ADDRESS, "a.example"),
        ("http://a.example", "http://a.example", "a.example"),
        ("https://a.example:8/", "https://a.example:8/", "a.example"),
        ("https://[::1]/", "https://[::1]/", "::1"),
        ("https://a.example/ü <", "", ""),
        ("https://a.example/ü", "https://a.example/%C3%BC", "a.example"),
        ("https://аpple.example/", "https://xn--pple-43d.example/", "xn--pple-43d.example"),
        ("https://good.example@b.example/", "https://good.example@b.example/", "b.example"),
        ("https://a.example/it's", "https://a.example/it's", "a.example"),
        ("HTTPS://a.example/Task", "HTTPS://a.example/Task", "a.example"),
        ("https://a.example/" + "b" * 2_000, "", ""),
    ],
)
def test_an_address_of_the_web_has_a_host(given: str, address: str, host: str) -> None:
    assert web_address(given) == (address, host)


@pytest.mark.parametrize("given", [*HOSTILE_ADDRESSES, None, 5, [], {}, "", "a.example"])
def test_any_other_address_is_none(given: Any) -> None:
    assert web_address(given) == ("", "")


@pytest.mark.parametrize("text", HOSTILE_TITLES_AND_TEXTS)
def test_a_title_is_one_short_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= MAX_TITLE_CHARS and line == " ".join(line.split())
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a\n\tb ", "a b"),
        ("a\x00b\x1bc", "abc"),
        ("a\u202eb", "ab"),
        ("x" * 300, "x" * 199 + "…"),
        (None, ""),
        (5, ""),
    ],
)
def test_one_line(text: Any, line: str) -> None:
    assert one_line(text) == line


def test_found_pages() -> None:
    assert found_pages([PAGE]) == [Source("A", ADDRESS, "a.example", "2 days ago")]
    assert found_pages([]) == []


def test_a_fetched_page() -> None:
    assert found_pages(FETCHED) == [Source(ADDRESS, ADDRESS, "a.example")]
    named = {**FETCHED, "content": {"type": "document", "title": "B"}}
    assert found_pages(named) == [Source("B", ADDRESS, "a.example")]


def test_a_page_without_a_name_is_called_by_its_address() -> None:
    assert found_pages([{**PAGE, "title": None, "page_age": None}]) == [
        Source(ADDRESS, ADDRESS, "a.example")
    ]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_page_that_may_not_be_visited_is_a_name(address: str) -> None:
    assert found_pages([{**PAGE, "url": address}]) == [Source("A", age="2 days ago")]


def test_of_many_pages_the_first_are_shown() -> None:
    pages = found_pages([PAGE] * 1_000)
    assert pages is not None and len(pages) == MAX_LINKS


@pytest.mark.parametrize(
    "content",
    [
        None,
        5,
        "text",
        {},
        {"type": "web_search_tool_result_error", "error_code": "unavailable"},
        {**FETCHED, "url": "javascript:owned()"},
        {**FETCHED, "url": 5},
        [PAGE, "text"],
        [PAGE, None],
        [{**PAGE, "type": "hologram"}],
        [{**PAGE, "url": None}],
        [{**PAGE, "url": "", "title": ""}],
        [[PAGE]],
    ],
)
def test_what_looks_like_no_page_is_none(content: Any) -> None:
    assert found_pages(content) is None


@pytest.mark.parametrize(
    ("citation", "source"),
    [
        ({"url": ADDRESS, "title": "A"}, Source("A", ADDRESS, "a.example")),
        ({"url": ADDRESS, "title": None}, Source(ADDRESS, ADDRESS, "a.example")),
        ({"source": ADDRESS, "title": "A"}, Source("A", ADDRESS, "a.example")),
        ({"source": "shelf 5", "title": "A"}, Source("A")),
        ({"document_title": "D", "document_index": 3}, Source("D")),
        ({"document_title": None, "document_index": 3}, Source("#4")),
        ({"url": "javascript:owned()", "title": "A"}, Source("A")),
        ({"document_index": 10**400}, None),
        ({"document_index": -1}, None),
        ({"url": 5, "title": []}, None),
        ({}, None),
        (None, None),
        ("text", None),
    ],
)
def test_cited_source(citation: Any, source: Source | None) -> None:
    assert cited_source(citation) == source
