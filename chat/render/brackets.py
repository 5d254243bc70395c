r"""Mathematics in TeX's own brackets, for markdown-it: \( in a line \) and \[ in a block \].

As mdit-py-plugins' texmath reads them, but within a bounded distance: a text of brackets that
never close costs no more than any other.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from chat.render.mathematics import MAX_CHARS


def brackets_plugin(markdown: MarkdownIt) -> None:
    """Have a parser make `math_inline`, `math_inline_double` and `math_block` of brackets."""
    markdown.inline.ruler.before("escape", "math_brackets", _inline)
    markdown.block.ruler.before(
        "fence", "math_brackets", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _inline(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    closing = {"\\(": "\\)", "\\[": "\\]"}.get(opening)
    if closing is None:
        return False
    end = state.src.find(closing, state.pos + 2, state.pos + 2 + MAX_CHARS)
    content = state.src[state.pos + 2 : end]
    if end < 0 or not content.strip():
        return False
    if not silent:
        token = state.push("math_inline" if opening == "\\(" else "math_inline_double", "math", 0)
        token.content = content
    state.pos = end + 2
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line):
        return False
    begin = state.bMarks[start_line] + state.tShift[start_line]
    if not state.src.startswith("\\[", begin):
        return False
    for line in range(start_line, end_line):
        end = state.eMarks[line]
        at = state.src.rfind("\\]", max(begin + 2, state.bMarks[line]), end)
        if at >= 0:
            return not state.src[at + 2 : end].strip() and _found(
                state, start_line, line, begin + 2, at, silent
            )
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent or end - begin > MAX_CHARS:
            return False
    return False


def _found(
    state: StateBlock, start_line: int, line: int, begin: int, end: int, silent: bool
) -> bool:
    if silent:
        return True
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = state.src[begin:end]
    token.map = [start_line, line + 1]
    state.line = line + 1
    return True
