"""Markdown becomes tokens, by markdown-it.

Dialect: CommonMark with tables, strike-through, task lists, links of written-out addresses and
TeX; HTML is text. At each place only those rules are tried that its first character can begin,
in the library's order: most of them only look at it and leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.ruler import Ruler
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore, normalize
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from chat.render.addresses import addresses_plugin
from chat.render.brackets import brackets_plugin

MAX_DEPTH = 20
"""Quotes may stand so deep in one another, lists half as deep, as each has its items."""

_BOXES = {True: "☑ ", False: "☐ "}

# What each rule begins with; rules that are not named are tried everywhere.
_INLINE_STARTS = {
    "written_address": ":",
    "newline": "\n",
    "math_brackets": "\\",
    "math_inline": "$",
    "escape": "\\",
    "backticks": "`",
    "strikethrough": "~",
    "emphasis": "*_",
    "link": "[",
    "image": "!",
    "autolink": "<",
    "entity": "&",
}
_BLOCK_STARTS = {
    "math_brackets": "\\",
    "math_block": "$",
    "fence": "`~",
    "blockquote": ">",
    "hr": "*-_",
    "list": "*+-0123456789",
    "reference": "[",
    "heading": "#",
}

_Rules = Sequence[Callable[..., bool]]


class TooCostly(Exception):
    """A source would take too long, or become too long or too deep, for what it says."""


@dataclass
class Budget:
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


def is_closed(fence: Token, source: str) -> bool:
    """Whether a code block has its last line (CommonMark, "Fenced code blocks")."""
    assert fence.map is not None  # noqa: S101  (every block has one)
    last = source.split("\n")[fence.map[0] + 1 : fence.map[1]][-1:]
    mark = re.escape(fence.markup[0])
    return bool(last and re.match(rf"[ >\t]*{mark}{{{len(fence.markup)},}}[ \t]*\Z", last[0]))


class _BlockParser(ParserBlock):
    """As the library's, but for the choice of rules."""

    def choose_rules(self) -> None:
        """Take the rules as they are now."""
        self._chosen, self._others = _by_start(self.ruler, _BLOCK_STARTS)

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:  # noqa: N803
        line = startLine
        has_empty_lines = False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= state.md.options.maxNesting:
                raise TooCostly
            first = state.src[state.bMarks[line] + state.tShift[line]]
            for rule in self._chosen.get(first, self._others):
                if rule(state, line, endLine, False):
                    break
            if state.line <= line:
                raise RuntimeError(f"no rule took line {line}")
            state.tight = not has_empty_lines
            line = state.line
            has_empty_lines |= line - 1 < endLine and state.isEmpty(line - 1)
            if line < endLine and state.isEmpty(line):
                has_empty_lines = True
                line += 1
                state.line = line


def _by_start(ruler: Ruler[Any], starts: Mapping[str, str]) -> tuple[dict[str, _Rules], _Rules]:
    """Return a chain's rules by the characters that they begin with, and those for others."""
    rules = list(zip(ruler.get_active_rules(), ruler.getRules(""), strict=True))
    chosen: dict[str, _Rules] = {
        start: [rule for name, rule in rules if start in starts.get(name, start)]
        for start in set("".join(starts.values()))
    }
    return chosen, [rule for name, rule in rules if name not in starts]


def _choose_inline_rules(ruler: Ruler[Any]) -> None:
    """Put one rule in the place of all, which chooses among them and counts the steps."""
    chosen, others = _by_start(ruler, _INLINE_STARTS)

    def chosen_rule(state: StateInline, silent: bool) -> bool:
        state.env["budget"].spend_step()
        # any() would make a generator at each place.
        for rule in chosen.get(state.src[state.pos], others):  # noqa: SIM110
            if rule(state, silent):
                return True
        return False

    ruler.push("chosen", chosen_rule)
    ruler.enableOnly(["chosen"])


def _normalize(state: StateCore) -> None:
    """As the library's, which few texts need."""
    if "\r" in state.src or "\0" in state.src:
        normalize(state)


def _inline(state: StateCore) -> None:
    """Parse what stands in paragraphs, headings and cells; most cells are nothing but text."""
    inline = state.md.inline
    for token in state.tokens:
        if token.type != "inline":
            continue
        if inline.terminator_re.search(token.content):
            token.children = inline.parse(token.content, state.md, state.env, [])
        else:
            text = Token("text", "", 0, content=token.content)
            token.children = [text] if token.content else []


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
        if token.children and "image" in [child.type for child in token.children]:
            token.children = _without_images(token.children)
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


def markdown_parser() -> MarkdownIt:
    """Return a parser; its `env` holds the references, and a Budget."""
    options: Any = {
        **{"html": False, "tasklists": True},
        # The library shows nothing of what is nested deeper; that must not happen.
        "maxNesting": MAX_DEPTH + 4,
    }
    markdown = MarkdownIt("commonmark")
    block = _BlockParser()
    markdown.block = block
    markdown.configure("commonmark", options)
    markdown.enable(["table", "strikethrough"])
    markdown.disable(["html_block", "html_inline"])
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
    markdown.core.ruler.at("normalize", _normalize)
    markdown.core.ruler.at("inline", _inline)
    markdown.core.ruler.push("adapt", _adapt)
    block.choose_rules()
    _choose_inline_rules(markdown.inline.ruler)
    return markdown
