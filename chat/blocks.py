"""How content blocks are shown: texts as they were rendered, everything else folded.

Finished blocks and running ones alike; nothing here makes markup, the templates do. What models,
tools and strangers wrote is text, but for what chat/render/ made.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from chat.content import Block, is_text, text_of
from chat.context import SYSTEM
from chat.durations import RESULT, TOOL_USES
from chat.kinds import TOOL_RESULT
from chat.render import Source, found_pages, one_line

RESULT_MAX_CHARS = 4_000
"""A tool's input or result is shown up to this length."""

MAX_CODE_CHARS = 40

# By `error_code` (Messages API, "Web search tool", "Web fetch tool", "Code execution tool").
_FAILURES: dict[str, str | Promise] = {
    "content_too_large": gettext_lazy("The page is too large."),
    "execution_time_exceeded": gettext_lazy("It took too long."),
    "file_not_found": gettext_lazy("There is no such file."),
    "invalid_tool_input": gettext_lazy("The tool did not understand what it was asked."),
    "max_uses_exceeded": gettext_lazy("The tool was used as often as it may be."),
    "output_file_too_large": gettext_lazy("What came out is too large."),
    "query_too_long": gettext_lazy("The search was too long."),
    "request_too_large": gettext_lazy("The request was too large."),
    "too_many_requests": gettext_lazy("The tool has too much to do."),
    "unavailable": gettext_lazy("The tool is not available."),
    "unsupported_content_type": gettext_lazy("The page is of a kind that can't be read."),
    "url_not_accessible": gettext_lazy("The page can't be reached."),
    "url_not_allowed": gettext_lazy("This page may not be visited."),
    "url_not_in_prior_context": gettext_lazy("This page may not be visited."),
    "url_too_long": gettext_lazy("The address was too long."),
}
_OTHER_FAILURE = gettext_lazy("The tool reported an error.")


class Failure(NamedTuple):
    """Why a tool failed, in words, and the API's own code for it; "" where it has none."""

    text: str | Promise
    code: str


NO_FAILURES: Mapping[str, Failure] = MappingProxyType({})


@dataclass(frozen=True)
class BlockView:
    """A content block for the template `_block.html`.

    `kind` is text, thinking, redacted, tool, links, result or unknown; `html` is rendered text and
    trusted, everything else gets escaped. `element_id` lets a running block grow; one that has
    begun and not ended says `since` when, one that has ended how many `seconds` it took.
    """

    kind: str
    name: str = ""
    html: str = ""
    text: str = ""
    links: Sequence[Source] = ()
    failure: Failure | None = None
    seconds: float | None = None
    since: datetime | None = None
    element_id: str = ""

    @property
    def trusted_html(self) -> SafeString:
        # The one place where markup is trusted: chat/render/ escaped or made all of it.
        return mark_safe(self.html)  # noqa: S308

    @property
    def waited_s(self) -> int:
        """Return for how long it has been running, in whole seconds."""
        seconds = (timezone.now() - self.since).total_seconds() if self.since else 0
        return max(0, int(seconds))

    @property
    def took_s(self) -> int | None:
        """Return how many seconds it took, those that have begun."""
        return None if self.seconds is None else max(1, math.ceil(self.seconds))


def view_blocks(
    blocks: Sequence[Block], rendered: Sequence[str], seconds: Sequence[float | None] = ()
) -> dict[int, BlockView]:
    """Return how an answer's blocks are shown, each under its number.

    Texts side by side are shown as one, under the number of the first, which has the HTML of all.
    """
    html, took = dict(enumerate(rendered)), dict(enumerate(seconds))
    failures = failures_by_tool(blocks)
    views: dict[int, BlockView] = {}
    for number, block in enumerate(blocks):
        is_further = number > 0 and is_text(block) and is_text(blocks[number - 1])
        if not is_further or html.get(number):
            views[number] = view_block(block, html.get(number, ""), took.get(number), failures)
    return views


def view_block(
    block: Block,
    html: str = "",
    seconds: float | None = None,
    failures: Mapping[str, Failure] = NO_FAILURES,
) -> BlockView:
    """Return how a content block is shown; unknown types are shown by their name.

    Args:
        failures: as failures_by_tool returns them, of this block's answer.
    """
    kind = str(block.get("type"))
    if kind == "text":
        return BlockView("text", html=html)
    if kind == "thinking":
        return BlockView("thinking", text=str(block.get("thinking") or ""), seconds=seconds)
    if kind == "redacted_thinking":
        return BlockView("redacted", seconds=seconds)
    if kind in TOOL_USES:
        name, failure = str(block.get("name") or kind), failures.get(str(block.get("id")))
        return BlockView("tool", name, text=_tool_input(block), seconds=seconds, failure=failure)
    if kind.endswith(RESULT):
        # Those of this site's tools say whose they are; others do so by their type.
        name = block.get("name") or kind.removesuffix(RESULT).rstrip("_")
        return _view_result(str(name), block)
    return BlockView("unknown", kind, text=_json({k: v for k, v in block.items() if k != "type"}))


def prompt_text(blocks: Sequence[Block]) -> str:
    """Return how a user's message is shown: its texts, and a note of what is none."""
    return "\n".join(_noted(block) for block in blocks)


def _noted(block: Block) -> str:
    if is_text(block):
        return text_of(block)
    kind, content = str(block.get("type")), block.get("content")
    note = f"[{one_line(kind, MAX_CODE_CHARS)}]"
    if kind not in ("tool_result", SYSTEM) or not content:
        return note
    results = content if isinstance(content, list) else []
    text = prompt_text([result for result in results if isinstance(result, dict)])
    return f"{note} {_capped(text or str(content))}"


def failures_by_tool(blocks: Sequence[Block]) -> dict[str, Failure]:
    """Return why tools failed, by the id of their call."""
    failed = ((block, _failure(block)) for block in blocks)
    return {str(block.get("tool_use_id")): failure for block, failure in failed if failure}


def _failure(block: Block) -> Failure | None:
    if not str(block.get("type")).endswith(RESULT):
        return None
    content = block.get("content")
    code = content.get("error_code") if isinstance(content, Mapping) else None
    if isinstance(code, str):
        return Failure(_FAILURES.get(code, _OTHER_FAILURE), one_line(code, MAX_CODE_CHARS))
    return Failure(_OTHER_FAILURE, "") if block.get("is_error") is True else None


def _view_result(name: str, block: Block) -> BlockView:
    content, failure = block.get("content"), _failure(block)
    if failure is None and (links := found_pages(content)) is not None:
        return BlockView("links", name, links=links)
    is_own = block.get("type") == TOOL_RESULT and isinstance(content, str)
    text = _capped(str(content)) if is_own else _json(content)
    return BlockView("result", name, text=text, failure=failure)


def _tool_input(block: Block) -> str:
    partial_json = block.get("partial_json")
    return _capped(str(partial_json)) if partial_json else _json(block.get("input"))


def _json(value: object) -> str:
    # Sorted, because PostgreSQL keeps no order of members.
    return _capped(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def _capped(text: str) -> str:
    return text if len(text) <= RESULT_MAX_CHARS else f"{text[:RESULT_MAX_CHARS]}…"
