"""Markdown becomes sanitised HTML: one whole source at a time, in one call.

Lists look the same tight or loose, so that an item never changes with what follows it. All markup
passes nh3's allow-list; only MathML, which is made of known elements alone, is put in after it.
The result has no id, no style, and no word of any language.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from markdown_it.token import Token

from chat.render import highlight, mathematics
from chat.render.addresses import LINK_REL
from chat.render.parser import Budget, markdown_parser

MAX_EXPANSION = 60
"""HTML may be so many times as long as its source. References can repeat a long address without
end; code of single marks, each in its <span>, stays below."""

_FREE_CHARS = 20_000
_STEPS_PER_CHAR = 20

_LANGUAGE = re.compile(r"[\w+#.-]{1,30}\Z")
_MATH_SLOT = re.compile(r"<x-math>(\d+)</x-math>")
_SIDES = ("left", "center", "right")


@dataclass
class Document:
    """A parsed source: its tokens, the references that it could use, and its HTML.

    `blocks` is the HTML of each outermost block.
    """

    tokens: Sequence[Token]
    references: dict[str, Any]
    blocks: Sequence[str]
    html: str


def parse(source: str, references: dict[str, Any], *, is_open: bool = False) -> Document:
    """Return a source as HTML.

    Args:
        references: link definitions that stand before the source.
        is_open: whether more may follow; code that has no end yet is then not highlighted.

    Raises:
        TooCostly: it would take or become too much.
    """
    env = _env(source, references, is_open=is_open)
    tokens = _MARKDOWN.parse(source, env)
    blocks, start = [], 0
    for end, token in enumerate(tokens, 1):
        if token.level == 0 and token.nesting != 1:
            blocks.append(_clean(_markup(tokens[start:end], env), env))
            start = end
    return Document(tokens, env["references"], blocks, "".join(blocks))


def parse_inline(source: str, references: dict[str, Any]) -> tuple[Sequence[Token], str]:
    """Return the text of one paragraph, heading or cell, or an end of it, as tokens and HTML.

    Args:
        references: link definitions of the text that it stands in.

    Raises:
        TooCostly: it would take or become too much.
    """
    env = _env(source, references, is_open=True)
    tokens = _MARKDOWN.parseInline(source, env)[0].children or []
    return tokens, _clean(_markup(tokens, env), env)


def _env(source: str, references: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
    budget = Budget(len(source) * _STEPS_PER_CHAR + _FREE_CHARS, max_html_chars(source))
    return {"references": dict(references), "budget": budget, "is_open": is_open}


def _clean(raw: str, env: dict[str, Any]) -> str:
    formulas: list[str] = env["budget"].formulas
    clean = _CLEANER.clean(raw)
    return _MATH_SLOT.sub(lambda slot: formulas[int(slot[1])], clean) if formulas else clean


def escaped(text: str) -> str:
    """Return text as HTML, written as the sanitiser writes it."""
    return html.escape(text, quote=False)


def plain(text: str) -> str:
    """Return text as one paragraph that keeps its white space."""
    return f'<p class="plain">{escaped(text)}</p>'


def max_html_chars(source: str) -> int:
    """Return how long a source's HTML may become, in characters."""
    return len(source) * MAX_EXPANSION + _FREE_CHARS


def cell_tag(cell: Token) -> str:
    """Return the tag that opens a cell of a table."""
    side = str(cell.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{cell.tag} class="{side}">' if side in _SIDES else f"<{cell.tag}>"


def _markup(tokens: Iterable[Token], env: dict[str, Any]) -> str:
    """Return tokens as HTML, without white space between tags."""
    parts = []
    for token in tokens:
        if token.type == "inline":
            parts.append(_markup(token.children or (), env))
        elif rule := _RULES.get(token.type):
            parts.append(rule(token, env))
        elif token.nesting == -1:
            parts.append(f"</{token.tag}>")
        else:
            attributes = "".join([f' {n}="{html.escape(str(v))}"' for n, v in token.attrs.items()])
            env["budget"].spend_chars(len(attributes))
            parts.append(f"<{token.tag}{attributes}>")
    return "".join(parts)


def _text(token: Token, env: dict[str, Any]) -> str:
    return escaped(token.content)


def _code_inline(token: Token, env: dict[str, Any]) -> str:
    return f"<code>{escaped(token.content)}</code>"


def _fence(token: Token, env: dict[str, Any]) -> str:
    language = (token.info.split() or [""])[0]
    language = language if _LANGUAGE.match(language) else ""
    is_plain = env["is_open"] and token.meta.get("is_open")
    code = (
        escaped(token.content) if is_plain else highlight.highlight(token.content, language.lower())
    )
    env["budget"].spend_chars(len(code))
    named = f' data-language="{html.escape(language)}"' if language else ""
    return f'<div class="code"{named}>{_COPY}<pre tabindex="0"><code>{code}</code></pre></div>'


def _code_block(token: Token, env: dict[str, Any]) -> str:
    code = escaped(token.content)
    return f'<div class="code">{_COPY}<pre tabindex="0"><code>{code}</code></pre></div>'


def _math_block(token: Token, env: dict[str, Any]) -> str:
    return f'<div class="math" tabindex="0">{_slot(token.content, "block", env)}</div>'


def _slot(tex: str, display: str, env: dict[str, Any]) -> str:
    """Keep a formula until the sanitiser is done; only here can its place holder come from."""
    formulas: list[str] = env["budget"].formulas
    formulas.append(mathematics.to_mathml(tex.strip(), display))
    env["budget"].spend_chars(len(formulas[-1]))
    return f"<x-math>{len(formulas) - 1}</x-math>"


_RULES: dict[str, Callable[[Token, dict[str, Any]], str]] = {
    "text": _text,
    "code_inline": _code_inline,
    "softbreak": lambda token, env: "\n",
    "hardbreak": lambda token, env: "<br>",
    "list_item_open": lambda token, env: "<li>",
    "table_open": lambda token, env: '<div class="table" tabindex="0"><table>',
    "table_close": lambda token, env: "</table></div>",
    "th_open": lambda token, env: cell_tag(token),
    "td_open": lambda token, env: cell_tag(token),
    "fence": _fence,
    "code_block": _code_block,
    "math_inline": lambda token, env: _slot(token.content, "inline", env),
    "math_inline_double": lambda token, env: _slot(token.content, "block", env),
    "math_block": _math_block,
}

# What it says stands on the page, in the reader's language; first, so that the code stays last.
_COPY = '<button type="button" class="copy-button" aria-labelledby="copy-label"></button>'

_MARKDOWN = markdown_parser()

_TAGS = (
    "p h1 h2 h3 h4 h5 h6 hr br blockquote ul ol li em strong s a code pre div span button"
    " table thead tbody tr th td x-math"
)
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={
        # No title, the one attribute in which an angle bracket could stand: htmx looks for <hx-...>
        # and <head> in what it swaps, in attributes as well (htmx 2.0.11, makeFragment).
        "*": set(),
        "a": {"href", "target"},
        "ol": {"start"},
        "div": {"data-language", "tabindex"},
        "pre": {"tabindex"},
    },
    tag_attribute_values={"button": {"type": {"button"}, "aria-labelledby": {"copy-label"}}},
    allowed_classes={
        "span": set(highlight.CLASSES),
        "div": {"table", "code", "math"},
        "button": {"copy-button"},
        "th": set(_SIDES),
        "td": set(_SIDES),
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel=LINK_REL,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
