"""TeX becomes MathML of known elements and attributes alone; what fails stays as it was written."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MAX_CHARS = 2_000
"""Longer TeX stays as it was written."""

# MathML Core, sections 2 and 3; nothing that links, embeds or styles.
_ELEMENT = re.compile(
    "math|mrow|mi|mn|mo|ms|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover"
    "|munderover|mmultiscripts|mprescripts|mtable|mtr|mtd|mpadded|mphantom|mstyle|menclose"
)
_ATTRIBUTE = re.compile(
    "display|displaystyle|scriptlevel|mathvariant|stretchy|fence|separator|form|largeop"
    "|movablelimits|symmetric|accent|accentunder|linethickness|width|height|depth|lspace|rspace"
    "|minsize|maxsize|columnalign|rowspacing|columnspacing|columnlines|rowlines|notation"
)


class _Unknown(Exception):
    """An element that no page of ours shows, or a command that the library does not know."""


@lru_cache(maxsize=1_000)
def to_mathml(tex: str, display: str) -> str:
    """Return TeX as a <math> element, or as <code> where that can't be done.

    Args:
        display: "inline" or "block".
    """
    try:
        if len(tex) > MAX_CHARS:
            raise _Unknown
        return _serialized(convert_to_element(tex, xmlns="", display=display))
    except Exception:
        # The library raises whatever it stumbles over; the text itself can always be shown.
        return f'<code class="tex">{html.escape(tex, quote=False)}</code>'


def _serialized(element: Element) -> str:
    text = html.unescape(element.text or "")
    if not _ELEMENT.fullmatch(element.tag) or (element.tag == "mi" and text.startswith("\\")):
        raise _Unknown
    attributes = "".join(
        f' {name}="{html.escape(value)}"'
        for name, value in element.attrib.items()
        if _ATTRIBUTE.fullmatch(name)
    )
    inner = html.escape(text, quote=False) + "".join(_serialized(child) for child in element)
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"
