"""The text of an answer becomes HTML, piece by piece as it comes. Pure: text in, markup out.

    Renderer.feed(text) -> changes, ...     render(text) -> the whole

    markdown   Markdown -> sanitised HTML (highlight: code, mathematics: TeX)
    cuts       where a text may be cut, so that what stands before is parsed no more
    changes    two versions of the end of a page -> what has to change in it
    renderer   all of it together, for a text that grows

The page of an answer never depends on how its text was cut into pieces.
"""

from __future__ import annotations

from chat.render.changes import Change, in_parts
from chat.render.renderer import Renderer, digest_of, render, render_open

__all__ = ["Change", "Renderer", "digest_of", "in_parts", "render", "render_open"]
