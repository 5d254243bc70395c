"""What an answer draws on: pages that a search found, and places that Claude cites. Pure.

All of it was written by strangers. A title is one short line of what can be seen; an address is
http or https, or "". What does not look as the Messages API has it ("Web search tool", "Web fetch
tool", "Citations") is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeGuard

from chat.render.addresses import web_address
from chat.words import split_graphemes

MAX_LINKS = 50
"""So many pages of a search are shown."""

MAX_TITLE_CHARS = 200
MAX_AGE_CHARS = 40
_MAX_DOCUMENTS = 10_000

# Control characters but white space, marks of direction, and what has no width.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff]"
)


class Source(NamedTuple):
    """A page or a document: `address` and `host` are "" where it can't be visited."""

    title: str
    address: str = ""
    host: str = ""
    age: str = ""


def found_pages(content: object) -> list[Source] | None:
    """Return the pages that the result of a search or a fetch holds."""
    if _is(content, "web_fetch_result"):
        document = content.get("content")
        page = _page(content, document.get("title") if isinstance(document, Mapping) else "")
        return [page] if page and page.address else None
    if not isinstance(content, list) or not all(_is(item, "web_search_result") for item in content):
        return None
    pages = [_page(item, item.get("title")) for item in content[:MAX_LINKS]]
    return [page for page in pages if page] if all(pages) else None


def cited_source(citation: object) -> Source | None:
    """Return where a cited text stands; None where nothing tells."""
    if not isinstance(citation, Mapping):
        return None
    title = one_line(citation.get("title")) or one_line(citation.get("document_title"))
    address, host = web_address(citation.get("url") or citation.get("source"))
    number = citation.get("document_index")
    if not title and not address and isinstance(number, int) and 0 <= number < _MAX_DOCUMENTS:
        # A document without a name is told by its place, in the words of no language.
        title = f"#{number + 1}"
    title = title or one_line(address)
    return Source(title, address, host) if title else None


def one_line(value: object, max_chars: int = MAX_TITLE_CHARS) -> str:
    """Return a text as one line of what can be seen, and "" of what is no text."""
    if not isinstance(value, str):
        return ""
    # Some of it goes; four times as much as is shown is looked at, and never all of a megabyte.
    line = " ".join(_UNSEEN.sub("", value[: 4 * max_chars]).split())
    return line if len(line) <= max_chars else f"{split_graphemes(line[:max_chars])[0]}…"


def _page(result: Mapping[str, Any], name: object) -> Source | None:
    if not isinstance(result.get("url"), str):
        return None
    address, host = web_address(result["url"])
    title = one_line(name) or one_line(result["url"])
    if not title:
        return None
    return Source(title, address, host, one_line(result.get("page_age"), MAX_AGE_CHARS))


def _is(value: object, kind: str) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and value.get("type") == kind
