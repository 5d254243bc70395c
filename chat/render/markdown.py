"""Markdown becomes sanitised HTML: one whole source at a time, in one call.

Dialect: CommonMark with tables, strike-through, task lists, links of written-out addresses and
TeX; HTML is text. Lists look the same tight or loose, so that an item never changes with what
follows it. All markup passes nh3's allow-list; only MathML, which is made of known elements
alone, is put in after it. The result has no id, no style, and no word of any language.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from chat.render import highlight, mathematics
from chat.render.addresses import LINK_REL, addresses_plugin
from chat.render.brackets import brackets_plugin

MAX_EXPANSION = 60
"""HTML may be so many times as long as its source. References can repeat a long address without
end; code of single marks, each in its <span>, stays below."""

MAX_DEPTH = 20
"""Quotes may stand so deep in one another, lists half as deep, as each has its items."""

_FREE_CHARS = 20_000
_STEPS_PER_CHAR = 20

_LANGUAGE = re.compile(r"[\w+#.-]{1,30}\Z")
_MATH_SLOT = re.compile(r"<x-math>(\d+)</x-math>")
_BOXES = {True: "☑ ", False: "☐ "}
_SIDES = ("left", "center", "right")


class TooCostly(Exception):
    """A source would take too long, or become too long or too deep, for what it says."""


@dataclass
class Document:
    """A parsed source: its tokens, the references that it could use, and its HTML.

    `blocks` is the HTML of each outermost block.
    """

    tokens: Sequence[Token]
    references: dict[str, Any]
    blocks: Sequence[str]
    html: str


@dataclass
class _Budget:
    """Counts the steps of a parse and the length of its HTML: none can hold a process up."""

    steps: int
    chars: int
    formulas: list[str] = field(default_factory=list)

    def spend_step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooCostly

    def spend_chars(self, chars: int) -> None:
        self.chars -= chars
        if self.chars < 0:
            raise TooCostly


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
            blocks.append(_clean(_RENDERER.render(tokens[start:end], _MARKDOWN.options, env), env))
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
    return tokens, _clean(_RENDERER.renderInline(tokens, _MARKDOWN.options, env), env)


def _env(source: str, references: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
    size = len(source)
    budget = _Budget(size * _STEPS_PER_CHAR + _FREE_CHARS, size * MAX_EXPANSION + _FREE_CHARS)
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


def is_closed(fence: Token, source: str) -> bool:
    """Whether a code block has its last line (CommonMark, "Fenced code blocks")."""
    assert fence.map is not None  # noqa: S101  (every block has one)
    last = source.split("\n")[fence.map[0] + 1 : fence.map[1]][-1:]
    mark = re.escape(fence.markup[0])
    return bool(last and re.match(rf"[ >\t]*{mark}{{{len(fence.markup)},}}[ \t]*\Z", last[0]))


def cell_tag(cell: Token) -> str:
    """Return the tag that opens a cell of a table."""
    side = str(cell.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{cell.tag} class="{side}">' if side in _SIDES else f"<{cell.tag}>"


class _Renderer(RendererHTML):
    """As the library's, without white space between tags, and with what is ours."""

    def renderToken(self, tokens: Any, idx: int, options: Any, env: Any) -> str:  # noqa: N802
        token: Token = tokens[idx]
        if token.nesting == -1:
            return f"</{token.tag}>"
        attributes = self.renderAttrs(token)
        env["budget"].spend_chars(len(attributes))
        return f"<{token.tag}{attributes}>"

    def list_item_open(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "<li>"

    def table_open(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return '<div class="table" tabindex="0"><table>'

    def table_close(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "</table></div>"

    def th_open(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return cell_tag(tokens[idx])

    td_open = th_open

    def fence(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        token: Token = tokens[idx]
        language = (token.info.split() or [""])[0]
        language = language if _LANGUAGE.match(language) else ""
        is_plain = env["is_open"] and token.meta.get("is_open")
        code = (
            html.escape(token.content, quote=False)
            if is_plain
            else highlight.highlight(token.content, language.lower())
        )
        env["budget"].spend_chars(len(code))
        named = f' data-language="{html.escape(language)}"' if language else ""
        return f'<div class="code"{named}>{_COPY}<pre tabindex="0"><code>{code}</code></pre></div>'

    def code_block(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        code = html.escape(tokens[idx].content, quote=False)
        return f'<div class="code">{_COPY}<pre tabindex="0"><code>{code}</code></pre></div>'

    def hardbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "<br>"

    def softbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "\n"


def _math_inline(renderer: Any, tokens: Any, idx: int, options: Any, env: Any) -> str:
    return _slot(tokens[idx].content, "inline", env)


def _math_inline_double(renderer: Any, tokens: Any, idx: int, options: Any, env: Any) -> str:
    return _slot(tokens[idx].content, "block", env)


def _math_block(renderer: Any, tokens: Any, idx: int, options: Any, env: Any) -> str:
    return f'<div class="math" tabindex="0">{_slot(tokens[idx].content, "block", env)}</div>'


def _slot(tex: str, display: str, env: Any) -> str:
    """Keep a formula until the sanitiser is done; only here can its place holder come from."""
    formulas: list[str] = env["budget"].formulas
    formulas.append(mathematics.to_mathml(tex.strip(), display))
    env["budget"].spend_chars(len(formulas[-1]))
    return f"<x-math>{len(formulas) - 1}</x-math>"


def _count_steps(state: StateInline, silent: bool) -> bool:
    budget: _Budget = state.env["budget"]
    budget.spend_step()
    return False


def _adapt(state: StateCore) -> None:
    """Make tokens fit for a page: see each case."""
    for number, token in enumerate(state.tokens):
        if token.level > MAX_DEPTH:
            raise TooCostly
        token.hidden = False  # Lists look the same, tight or loose.
        if token.type == "list_item_open" and "checked" in token.meta:
            inline = state.tokens[number + 2]
            box = Token("text", "", 0, content=_BOXES[token.meta["checked"]])
            inline.children = [box, *(inline.children or [])]
        if token.type == "inline" and any(child.type == "image" for child in token.children or ()):
            token.children = _without_images(token.children or [])
    if state.env["is_open"]:
        last = next((t for t in reversed(state.tokens) if t.nesting != -1), None)
        if last and last.type == "fence":
            last.meta["is_open"] = not is_closed(last, state.src)


def _without_images(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens with links in place of images: nothing is fetched before a click."""
    found: list[Token] = []
    links = 0
    for token in tokens:
        links += token.nesting if token.type.startswith("link_") else 0
        if token.type != "image":
            found.append(token)
            continue
        address = str(token.attrs.get("src", ""))
        name = token.content or address
        text = Token("text", "", 0, content=name)
        if links:  # A link holds no other one.
            found.append(text)
        else:
            start = Token("link_open", "a", 1, attrs={"href": address})
            found += [start, text, Token("link_close", "a", -1)]
    return found


def _markdown() -> MarkdownIt:
    options: Any = {
        **{"html": False, "tasklists": True, "xhtmlOut": False},
        # The library shows nothing of what is nested deeper; that must not happen.
        "maxNesting": MAX_DEPTH + 4,
    }
    markdown = MarkdownIt("commonmark", options, renderer_cls=_Renderer)
    markdown.enable(["table", "strikethrough"])
    markdown.use(addresses_plugin)
    markdown.use(brackets_plugin)
    # With digits beside a dollar sign it is a price.
    markdown.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_space=False,
        allow_digits=False,
        double_inline=True,
        allow_blank_lines=False,
    )
    # In the place of the plugin's own.
    for render in (_math_inline, _math_inline_double, _math_block):
        markdown.add_render_rule(render.__name__.removeprefix("_"), render)
    markdown.inline.ruler.before("text", "count_steps", _count_steps)
    markdown.core.ruler.push("adapt", _adapt)
    return markdown


# What it says stands on the page, in the reader's language; first, so that the code stays last.
_COPY = '<button type="button" class="copy-button" aria-labelledby="copy-label"></button>'

_MARKDOWN = _markdown()
_RENDERER = _MARKDOWN.renderer

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
