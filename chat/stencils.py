"""Pieces of the page that are rendered once in each language, and filled in each time.

Made by the templates that make all others; in the place of what differs stand marks, which are like
nothing that a template holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, ParamSpec
from uuid import UUID

from django.conf import settings
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

P = ParamSpec("P")

NUMBER, NUMBER_2, NUMBER_3 = 2**62 - 1, 2**62 - 2, 2**62 - 3
ID, ID_2 = UUID(int=2**128 - 1), UUID(int=2**128 - 2)
TEXT = "\ue000"
_MARKS = (NUMBER, NUMBER_2, NUMBER_3, ID, ID_2, TEXT)  # a text last: it may hold anything


def stencil(render: Callable[P, str]) -> Callable[P, str]:
    """Keep what `render` makes of the same arguments; in development templates may change."""

    @cache
    def made(language: str | None, *args: Any, **kwargs: Any) -> str:
        return render(*args, **kwargs)

    @wraps(render)
    def kept(*args: P.args, **kwargs: P.kwargs) -> str:
        if settings.DEBUG:
            return render(*args, **kwargs)
        return made(get_language(), *args, **kwargs)  # type: ignore[arg-type]  # they are hashable

    return kept


def filled(html: str, values: Mapping[Any, Any]) -> SafeString:
    """Put values in the place of marks; they are escaped, but for markup that is safe."""
    for mark in _MARKS:
        if mark in values:
            html = html.replace(str(mark), conditional_escape(values[mark]))
    return SafeString(html)
