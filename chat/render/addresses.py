"""Addresses that are written out become links, for markdown-it: those that name http or https.

The library's own rules find more, such as the name main.py, and search a text as a whole: 0.3 s for
1 MB, in which no other thread runs. This one looks where `://` stands, and not far around it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.rules_inline import StateInline

LINK_REL = "noopener noreferrer nofollow"
"""What every link says of itself, so that it gives nothing away."""

MAX_CHARS = 2_000
"""A longer address ends there."""

_SCHEME = re.compile(r"(?:\A|[^a-z0-9.+-])(https?)\Z", re.IGNORECASE)
_FINDER = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
# What a browser would drop or read as something else, and what stands for something that was lost;
# a link holds nothing of it.
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\\ufffd]")
# Without the case of the rest: among the letters beyond ASCII is another case of "s".
_SAFE = re.compile(r"(?i:https?)://[^\x00-\x20\x7f-\U0010ffff\"<>\\^`{|}]+\Z")
_HOST = re.compile(r"[a-z0-9._:-]+\Z")


def addresses_plugin(markdown: MarkdownIt) -> None:
    """Have a parser make links of addresses."""
    markdown.inline.ruler.after("text", "written_address", _address)


def web_address(value: object) -> tuple[str, str]:
    """Return an address as a link may hold it, and its host; "" where it is none of the web.

    A host is shown in the letters that it is looked up by, so that none looks like another one.
    """
    if not isinstance(value, str) or len(value) > MAX_CHARS or _UNSAFE.search(value):
        return "", ""
    try:
        address = normalizeLink(value)
        host = urlsplit(address).hostname or ""
    except ValueError:
        return "", ""
    return (address, host) if _HOST.match(host) and _SAFE.match(address) else ("", "")


def _address(state: StateInline, silent: bool) -> bool:
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    if not (scheme := _SCHEME.search(state.pending[-len("xhttps") :])):
        return False
    start = state.pos - len(scheme[1])
    link = _FINDER.match_at_start(state.src[start : start + MAX_CHARS])
    # A star at its end is Markdown's.
    address = str(link.url).rstrip("*") if link else ""
    href = state.md.normalizeLink(address)
    if not address or not state.md.validateLink(href):
        return False
    if not silent:
        _add(state, scheme[1], address, href)
    state.pos = start + len(address)
    return True


def _add(state: StateInline, scheme: str, address: str, href: str) -> None:
    state.pending = state.pending.removesuffix(scheme)
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1)
