"""Texts of all kinds, and every way to cut them into pieces."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

FAMILY = "👨\u200d👩\u200d👧"
FLAG = "🇨🇭"

# Clusters that must not be cut, words of scripts with and without spaces, and what parts them.
SNIPPETS = [
    "word",
    "unbelievable",
    "a",
    "<b>",
    "\"&'",
    " ",
    "  ",
    "\n",
    "\n\n",
    " \n\t\n",
    ". ",
    FAMILY,
    FLAG,
    "👍🏽",
    "❤\ufe0f",
    "e\u0301",
    "o\u0308\u0323",
    "中文",
    "没有空格",
    "葛\U000e0100",
    "か\u3099",
    "カタ",
    "，",
    "ภาษาไทย",
    "ที่",
    "हिन्दी",
    "한국어",
    "\u1112\u1161\u11ab",
    "x" * 230,
]

texts = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=3), max_size=12).map("".join)


@st.composite
def cut_texts(draw: st.DrawFn) -> list[str]:
    """Draw a text in pieces; joined they are the text."""
    text = draw(texts)
    places = st.integers(min_value=0, max_value=len(text))
    return cut(text, sorted(draw(st.sets(places, max_size=12))))


def cut(text: str, places: list[int]) -> list[str]:
    """Cut a text at places in rising order."""
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def all_cuttings(text: str) -> Iterator[list[str]]:
    """Yield every way to cut a text into pieces of one character or more."""
    gaps = range(1, len(text))
    for chosen in range(2 ** len(gaps)):
        yield cut(text, [gap for gap in gaps if chosen >> (gap - 1) & 1])
