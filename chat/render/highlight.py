"""Code becomes HTML: every character as it was, in <span class="..."> where Pygments knows it."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from pygments import highlight as highlighted
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

MAX_CHARS = 50_000
"""Longer code stays plain."""

CLASSES = frozenset(filter(None, STANDARD_TYPES.values()))

_FORMATTER = HtmlFormatter(nowrap=True)
_TAG = re.compile("<[^>]*>")


def highlight(code: str, language: str) -> str:
    """Return code as HTML; plain where the language is not known."""
    plain = html.escape(code, quote=False)
    lexer = _lexer(language) if language and len(code) <= MAX_CHARS else None
    if lexer is None:
        return plain
    colored: str = highlighted(code, lexer, _FORMATTER)
    if not code.endswith("\n"):
        colored = colored.removesuffix("\n")  # The formatter ends every line.
    # Some lexers change white space; what Claude wrote counts.
    return colored if html.unescape(_TAG.sub("", colored)) == code else plain


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
