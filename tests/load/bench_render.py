"""`python -m tests.load.bench_render`: what it costs to render a text that grows, for each delta.

Texts come in deltas of 12 characters, as a model sends them, each rendered as soon as it is there;
a reader gets no more than 30 a second. The last column compares with 2,000 characters of the same
kind, in the same run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

from chat.render import Renderer, digest_of, render
from tests.unit.markdown_texts import Writer

DELTA_CHARS = 12
RUNS = 5
SHORT, LONG, LONGEST = 2_000, 20_000, 100_000

Kind = Callable[[Writer], Iterable[str]]


def prose(writer: Writer) -> Iterable[str]:
    while True:
        yield f"{writer.words(60)}. **{writer.words(3)}**, `{writer.words(2)}`, {writer.words(40)}."
        yield "\n\n"


def mixed(writer: Writer) -> Iterable[str]:
    while True:
        yield writer.document()
        yield "\n\n"


def bullets(writer: Writer) -> Iterable[str]:
    while True:
        yield f"- **{writer.words(3)}** {writer.words(12)} `{writer.words(1)}`\n"


def table(writer: Writer) -> Iterable[str]:
    yield "| a | b | c |\n|---|---|---|\n"
    while True:
        yield f"| {writer.words(2)} | {writer.words(6)} | **{writer.words(3)}** |\n"


def quote(writer: Writer) -> Iterable[str]:
    while True:
        yield f"> {writer.words(30)} *{writer.words(2)}*\n>\n"


def code(writer: Writer) -> Iterable[str]:
    yield "```python\n"
    while True:
        yield f"    value = function({len(writer.words(9))})  # {writer.words(6)}\n"


def paragraph(writer: Writer) -> Iterable[str]:
    while True:
        yield f"{writer.words(30)} **{writer.words(3)}** "


def text_of(kind: Kind, chars: int) -> str:
    parts: list[str] = []
    length = 0
    for part in kind(Writer(chars)):
        parts.append(part)
        length += len(part)
        if length >= chars:
            return "".join(parts)[:chars]
    raise AssertionError("texts never end")


def measure(text: str) -> tuple[float, float]:
    """Return CPU milliseconds a delta, and how many characters are sent for each of the text."""
    deltas = [text[at : at + DELTA_CHARS] for at in range(0, len(text), DELTA_CHARS)]
    renderer = Renderer()
    sent, costs = 0, []
    for delta in deltas:
        began = time.process_time()
        changes = renderer.feed(delta)
        costs.append(time.process_time() - began)
        sent += sum(len(change.markup) for change in changes)
    began = time.process_time()
    sent += sum(len(change.markup) for change in renderer.close())
    costs.append(time.process_time() - began)
    assert renderer.digest == digest_of(render(text)), "the page is not that of the whole text"
    return sum(costs) * 1000 / len(deltas), sent / len(text)


def main() -> None:
    print(f"{'text':12}{'characters':>12}{'ms a delta':>12}{'sent a char':>13}{'to 2,000':>10}")
    for kind in (prose, mixed, bullets, table, quote, code, paragraph):
        sizes = (SHORT, LONG, LONGEST) if kind in (prose, mixed) else (SHORT, LONG)
        first = 0.0
        for chars in sizes:
            text = text_of(kind, chars)
            runs = [measure(text) for _ in range(RUNS)]
            cost = statistics.median(run[0] for run in runs)
            first = first or cost
            print(
                f"{kind.__name__:12}{chars:12,}{cost:12.3f}{runs[0][1]:13.2f}{cost / first:10.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
