"""A web search that the demo model makes up, with citations, and one that fails. Pure.

A prompt such as "search the web for tides" plays it, so that one sees offline how sources look.
Nothing is fetched: the pages are of domains that nobody can have (RFC 2606).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from chat.demo.markdown import shorten
from chat.demo.steps import Block, Pings, Step, Text

_ASKS = re.compile(r"\bsearch (?:on )?the (?:web|internet|net)\b|\bweb search\b", re.I)
_FAILS = re.compile(r"\b(?:fail\w*|errors?|broken)\b", re.I)
_FOR = re.compile(r"^\W*(for|about|on)\b\W*", re.I)
_READ_CHARACTERS = 2_000
_QUERY_CHARACTERS = 60
_SEARCHES = Pings(3, interval_s=0.5)
_INTERVAL_S = 0.03

_CALL_ID = "srvtoolu_01DemoSearch"
TIDES = ("https://example.com/tides", "Tides explained", "2 days ago")
_TABLES = ("https://example.org/tables/2026", "Tables of the tides", "January 2, 2026")
_MUD = ("https://example.net/mud", "A year in the mud flats", None)

_SORRY = (
    "I am the demo model, not Claude, so I make a search up that goes wrong. Claude would try "
    "again, or answer from what it knows and say so."
)


def asks_for_search(prompt: str) -> bool:
    return _ASKS.search(prompt[:_READ_CHARACTERS]) is not None


def search_steps(prompt: str) -> Sequence[Step]:
    """Return an answer that searches first."""
    opening = _text("I am the demo model, not Claude: this search is made up, and so is the rest.")
    start = prompt[:_READ_CHARACTERS]
    words = _FOR.sub("", _ASKS.split(start)[-1]).strip(" .,;:?!")
    call = search_call(shorten(words, _QUERY_CHARACTERS) or "tides")
    if _FAILS.search(start):
        return [opening, call, _SEARCHES, failed_search(), _text(_SORRY)]
    return [opening, call, _SEARCHES, found(), *CITED]


def search_call(query: str, call_id: str = _CALL_ID) -> Block:
    call = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {}}
    data = json.dumps({"query": query}, ensure_ascii=False)
    pieces = [data[at : at + 8] for at in range(0, len(data), 8)]
    return Block(call, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces])


def found(call_id: str = _CALL_ID) -> Block:
    pages = [
        {
            "type": "web_search_result",
            "url": url,
            "title": title,
            "encrypted_content": "RGVtbyByZXN1bHQ=",
            "page_age": age,
        }
        for url, title, age in (TIDES, _TABLES, _MUD)
    ]
    return _result(pages, call_id)


def failed_search(call_id: str = _CALL_ID) -> Block:
    error = {"type": "web_search_tool_result_error", "error_code": "too_many_requests"}
    return _result(error, call_id)


def _result(content: object, call_id: str) -> Block:
    result = {"type": "web_search_tool_result", "tool_use_id": call_id, "content": content}
    return Block(result)


def cited(text: str, *cited_texts: tuple[tuple[str, str, str | None], str]) -> Block:
    """Return a block of text as the API sends it where it cites: citations first."""
    citations = [
        {
            "type": "web_search_result_location",
            "url": url,
            "title": title,
            "encrypted_index": "RGVtbyBpbmRleA==",
            "cited_text": cited_text,
        }
        for (url, title, _), cited_text in cited_texts
    ]
    deltas: list[dict[str, Any]] = [{"type": "citations_delta", "citation": c} for c in citations]
    pieces = [text[at : at + 12] for at in range(0, len(text), 12)]
    deltas += [{"type": "text_delta", "text": piece} for piece in pieces]
    return Block({"type": "text", "text": "", "citations": []}, deltas, _INTERVAL_S)


def _text(text: str) -> Text:
    return Text(text, interval_s=_INTERVAL_S)


CITED: Sequence[Step] = [
    _text("### Why the sea comes and goes\n\nPut briefly, "),
    cited("the tides follow the Moon", (TIDES, "Tides are caused by the Moon and the Sun.")),
    _text(" and, less strongly, "),
    cited(
        "the Sun",
        (TIDES, "The Sun's part is a little less than half of the Moon's."),
        (_TABLES, "Spring tides: at new moon and at full moon."),
    ),
    _text(". Two things follow:\n\n- "),
    cited(
        "High water comes **about 50 minutes later** each day.",
        (_TABLES, "Each day's high water is some 50 minutes behind that of the day before."),
    ),
    _text("\n- "),
    cited(
        "Whoever walks out on the mud should know the hour.",
        (_MUD, "We left at low water, and were back before noon."),
    ),
    _text("\n\nThe numbers lead to pages that do not exist; with Claude they would. 🌊"),
]
"""An answer that cites within its sentences, over many blocks of text."""
