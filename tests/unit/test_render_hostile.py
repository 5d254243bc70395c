"""Whatever a text tries, its page holds known elements, known attributes and safe addresses."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.render import render
from tests.hostile_texts import HOSTILE
from tests.unit.markdown_texts import noise
from tests.unit.rendered_page import grown

# Thousands of texts: to trace them would take longer than all that is traced.
pytestmark = pytest.mark.no_cover

_ALLOWED = {
    "a": {"href", "target", "rel"},
    "ol": {"start", "class"},
    "li": {"value"},
    "sup": {"class"},
    "div": {"class", "data-language", "tabindex"},
    "p": {"class"},
    "pre": {"tabindex"},
    "span": {"class"},
    "th": {"class"},
    "td": {"class"},
    "code": {"class"},
    "button": {"class", "type", "aria-labelledby"},
    "math": {"display"},
    "mi": {"mathvariant"},
    "mo": {"stretchy", "fence", "separator", "form", "movablelimits"},
}
_PLAIN = re.compile(
    "h[1-6]|hr|br|blockquote|ul|em|q|strong|s|table|thead|tbody|tr"
    "|mrow|mn|ms|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover"
    "|mtable|mtr|mtd|mpadded|mphantom|mstyle|menclose"
)
_CLASSES = {
    "div": re.compile("table|code|math"),
    "p": re.compile("plain"),
    "button": re.compile("copy-button"),
    "span": re.compile("[a-z][a-z0-9]{0,2}|host"),
    "ol": re.compile("citations"),
    "sup": re.compile("citation"),
    "th": re.compile("left|center|right"),
    "td": re.compile("left|center|right"),
    "code": re.compile("tex"),
}
_ADDRESS = re.compile(r"(?:https?|mailto):[^\x00-\x20\"<>]*\Z", re.IGNORECASE)


class _Inspector(HTMLParser):
    """Raises at what no page of a text may hold."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ALLOWED or _PLAIN.fullmatch(tag), f"<{tag}>"
        for name, value in attrs:
            assert name in _ALLOWED.get(tag, ()), f"<{tag} {name}>"
            # htmx looks for tags of its own in attributes as well.
            assert not re.search("[<>]", value or ""), f"a bracket in {name}"
            if name == "href":
                assert _ADDRESS.match(value or ""), f"an address {value}"
            if name == "class":
                assert _CLASSES[tag].fullmatch(value or ""), f"a class {value} of <{tag}>"

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction {data}")


def inspect(markup: str) -> None:
    inspector = _Inspector()
    inspector.feed(markup)
    inspector.close()


def test_the_corpus_is_large() -> None:
    assert len(set(HOSTILE)) >= 150


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_text(text: str) -> None:
    inspect(render(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_text_while_it_grows(text: str) -> None:
    _, page = grown(list(text))
    inspect(page.html)


@given(st.lists(st.sampled_from(HOSTILE) | noise, max_size=5).map("".join))
def test_hostile_texts_together_are_text(text: str) -> None:
    inspect(render(text))


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3))
def test_nothing_is_fetched_before_a_click(texts: list[str]) -> None:
    assert not re.search(
        r"\b(?:src|srcset|poster|background|data)=", _tags(render("\n".join(texts)))
    )


def _tags(markup: str) -> str:
    """Return the tags of a piece of HTML, without its text."""
    return "".join(re.findall("<[^>]*>", markup))
