"""The text of an answer becomes HTML, piece by piece as it comes. Pure: text in, markup out.

    Renderer.feed(text) -> changes, ...     render_blocks(content) -> the whole

    markdown   Markdown -> tokens (parser) -> sanitised HTML (highlight: code, mathematics: TeX)
    cuts       where a text may be cut, so that what stands before is parsed no more
    changes    two versions of the end of a page -> what has to change in it
    plain_words  words behind words, which are not parsed (lines: more of a line)
    renderer   all of it together, for a text that grows
    citations  an answer that has ended, with numbered notes (sources: what they lead to)

The page of an answer never depends on how its text was cut into pieces.
"""

from __future__ import annotations

from chat.render.changes import Change, in_parts
from chat.render.citations import render_blocks
from chat.render.renderer import Renderer, digest_of, render, render_open
from chat.render.sources import Source, found_pages, one_line

__all__ = [
    "Change",
    "Renderer",
    "Source",
    "digest_of",
    "found_pages",
    "in_parts",
    "one_line",
    "render",
    "render_blocks",
    "render_open",
]
