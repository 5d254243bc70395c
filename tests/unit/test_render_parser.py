"""The choice of rules by a first character changes nothing of what markdown-it finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.rules_core import inline
from markdown_it.token import Token

from chat.render import parser
from chat.render.parser import Budget, TooCostly, markdown_parser
from tests.hostile_texts import HOSTILE
from tests.unit.markdown_texts import EXAMPLES, Writer, lines, noise

pytestmark = pytest.mark.no_cover

MANY = 1_000_000


class AllRules(ParserBlock):
    def choose_rules(self) -> None:
        pass


def tokens_of(markdown: MarkdownIt, text: str) -> Sequence[Token] | None:
    """Return the tokens of a text, None if it is too deep."""
    try:
        env: dict[str, Any] = {"references": {}, "budget": Budget(MANY, MANY), "is_open": False}
        return markdown.parse(text, env)
    except TooCostly:
        return None


@pytest.fixture(scope="module")
def plain_parser() -> Iterator[MarkdownIt]:
    """Return a parser that tries all rules everywhere, as the library does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "_choose_inline_rules", lambda ruler: None)
        patch.setattr(parser, "_BlockParser", AllRules)
        markdown = markdown_parser()
        markdown.core.ruler.at("inline", inline)
        markdown.enable(["html_block", "html_inline"])
        yield markdown


MARKDOWN = markdown_parser()
TEXTS = [
    *[example["markdown"] for example in EXAMPLES],
    *[Writer(seed).document() for seed in range(200)],
    *HOSTILE,
]


def test_known_texts_have_the_same_tokens(plain_parser: MarkdownIt) -> None:
    for text in TEXTS:
        assert tokens_of(MARKDOWN, text) == tokens_of(plain_parser, text), text


@given(text=noise | lines)
def test_any_text_has_the_same_tokens(plain_parser: MarkdownIt, text: str) -> None:
    assert tokens_of(MARKDOWN, text) == tokens_of(plain_parser, text)
