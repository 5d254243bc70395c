"""Markdown of all kinds: the examples of CommonMark, documents as models write them, and noise."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

# Of the CommonMark specification 0.31 (John MacFarlane, CC-BY-SA 4.0), as markdown-it-py's own
# tests have them.
EXAMPLES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("commonmark.json").read_text(encoding="utf-8")
)

_WORDS = [
    *("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog,", "and", "then"),
    *("it's", "5", "o'clock;", "costs", "$5", "(or", "so)."),
]
_INLINE = [
    "**bold**",
    "*soft*",
    "`code`",
    "[a link](https://a.example/b?c=d&e)",
    "~~gone~~",
    "$x^2 + y$",
    r"\(a_1\)",
    "$$x$$",
    "https://example.org/a?b=c",
    "**not closed",
    "`not closed",
    "![picture](https://x.example/i.png)",
    "<b>raw</b>",
    "&amp; &copy; <",
    "[1]",
    "snake_case_word",
    r"\*escaped\*",
    "日本語のテキスト",
    "👩‍👩‍👧",
    "two\nlines",
    "hard  \nbreak",
    "main.py",
]
_CODE_LINES = ["def f(x):", "    return x + 1", "", "  ``", "``` x", "| a | b |", "- no", "> q"]


class Writer:
    """Writes Markdown by chance; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def document(self) -> str:
        parts = self._chance.choice(["\n\n", "\n\n", "\n"])
        blocks = (self._block(0) for _ in range(self._chance.randint(1, 8)))
        return parts.join(blocks) + self._chance.choice(["", "\n"])

    def cut(self, text: str) -> list[str]:
        """Cut a text into pieces, short or long ones."""
        longest = self._chance.choice([1, 3, 7, 20, 100])
        pieces = []
        while text:
            length = self._chance.randint(1, longest)
            pieces.append(text[:length])
            text = text[length:]
        return pieces

    def words(self, most: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=self._chance.randint(1, most)))

    def paragraph(self, most: int = 8) -> str:
        parts = [self._inline() for _ in range(self._chance.randint(1, most))]
        return " ".join(parts)

    def _inline(self) -> str:
        return self._chance.choice([self.words(6), self._chance.choice(_INLINE)])

    def _block(self, depth: int) -> str:
        makers = [self._heading, self._code, self._table, self._other, self.paragraph]
        if depth < 3:
            makers += [
                lambda: self._list(depth),
                lambda: self._list(depth),
                lambda: self._quote(depth),
            ]
        return self._chance.choice(makers)()

    def _heading(self) -> str:
        return "#" * self._chance.randint(1, 6) + " " + self.words(5)

    def _code(self) -> str:
        fence = self._chance.choice(["```", "~~~", "````"])
        lines = self._chance.choices(_CODE_LINES, k=self._chance.randint(0, 8))
        language = self._chance.choice(["python", "", "js", "unheard-of", "two words"])
        end = self._chance.choice([fence, fence, fence + "  ", ""])
        return "\n".join([fence + language, *lines, end])

    def _table(self) -> str:
        columns = self._chance.randint(1, 4)
        sides = self._chance.choices(["---", ":--", "--:", ":-:"], k=columns)
        head = [self.words(2) for _ in range(columns)]
        rows = [self._cells(columns) for _ in range(self._chance.randint(0, 6))]
        return "\n".join("| " + " | ".join(row) + " |" for row in [head, sides, *rows])

    def _cells(self, columns: int) -> list[str]:
        number = self._chance.choice([columns, columns, max(1, columns - 1), columns + 1])
        return [self._inline().replace("\n", " ").replace("|", "") for _ in range(number)]

    def _list(self, depth: int) -> str:
        first = self._chance.choice([None, 1, 7])
        bullet = self._chance.choice("-*+")
        items = []
        for number in range(self._chance.randint(1, 6)):
            marker = bullet if first is None else f"{first + number}."
            box = self._chance.choice(["", "", "[ ] ", "[x] "])
            body = box + self.paragraph(3)
            if depth < 3 and self._chance.random() < 0.3:
                body += self._chance.choice(["\n", "\n\n"]) + self._block(depth + 1)
            items.append(marker + " " + _indented(body, len(marker) + 1).lstrip(" "))
        return self._chance.choice(["\n", "\n\n"]).join(items)

    def _quote(self, depth: int) -> str:
        lines = self._block(depth + 1).split("\n")
        return "\n".join(f"> {line}" if self._chance.random() < 0.95 else line for line in lines)

    def _other(self) -> str:
        return self._chance.choice(
            [
                "---",
                "- - -",
                "$$\n\\frac{a}{b} < c\n$$",
                "\\[ x_1 \n + y \\]",
                _indented(self.paragraph(), 4),
                self.paragraph() + "\n===",
                self.paragraph() + "\n---",
            ]
        )


def _indented(text: str, spaces: int) -> str:
    return "\n".join(" " * spaces + line if line else line for line in text.split("\n"))


_NOISE = [
    *"ab *_`~[]()<>!#-+|\\$&:\"'1.\t\r=x",
    "\n",
    "\n",
    "\n\n",
    "  ",
    "```",
    "$$",
    "- ",
    "> ",
    "1. ",
]

noise = st.lists(st.sampled_from(_NOISE), max_size=60).map("".join)

_PARTS_OF_LINES = [
    *("a ", "word ", "words and ", "**b** ", "*c* ", "_d_ ", "`e` ", "~~f~~ ", "$x$ ", "$5 "),
    *(
        "[g](https://a.example/h_i) ",
        "![j](https://a.example/k) ",
        "[1] ",
        "\\(l\\) ",
        "snake_case ",
    ),
    *(
        "**",
        "*",
        "`",
        "[",
        "](",
        "$",
        "\\",
        "|",
        "\\|",
        "#",
        "!",
        "<",
        "&amp; ",
        "é ",
        "中文",
        "\u00a0",
    ),
    *("| ", "|---|---|\n", "| m | n |\n|---|---|\n", "| o | p |\n", "- ", "  ", "1. ", "> ", "## "),
    *("[x] ", "\n", "\n", "\n\n", "---\n", "```\n", "$$\n", "\t", "$$", "\\[\n", "\\]", "\n\n"),
]

lines = st.lists(st.sampled_from(_PARTS_OF_LINES), max_size=25).map("".join)
"""Lines of words and marks, as they stand in paragraphs, items and tables."""
