"""`python -m tests.load.bench [NAME ...]`: what the site costs and how fast it is, beside bounds.

    driver -> site, or bare relay -> upstream         each a process of its own

Prints a line for each figure, and writes all of them to a file. A ratio is to the bare relay, to
what is short, or to what comes first, always measured in the same run.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.load import browser, costs, figures, growth, moments, openings, stages
from tests.load.figures import Figure
from tests.load.size import QUICK, Size
from tests.load.workbench import Workbench

ROWS: Mapping[str, Callable[[Workbench, Size], Iterator[Figure]]] = {
    "stages": stages.stages,
    "stop": moments.stop,
    "memory": growth.memory,
    "burst": moments.burst,
    "crowd": moments.crowd,
    "long": growth.long,
    "conversations": openings.conversations,
    "start": openings.start,
    "browser": browser.browser,
}
NAMES = (*costs.TRIALS, *ROWS)


def main() -> None:
    options = _options()
    size = QUICK if options.quick else Size()
    names = options.names or NAMES
    print(figures.HEADER, flush=True)
    found: list[Figure] = []
    with (
        tempfile.TemporaryDirectory(prefix="chat-") as folder,
        Workbench(Path(folder), size.people) as bench,
    ):
        for figure in measure(bench, size, names):
            print(figure, flush=True)
            found.append(figure)
    figures.write(found, options.json)


def measure(bench: Workbench, size: Size, names: Sequence[str]) -> Iterator[Figure]:
    """Yield the figures of all rows that are named, as they come."""
    if trials := [name for name in costs.TRIALS if name in names]:
        yield from _guarded(trials[0], costs.measure(bench, size, trials))
    for name, row in ROWS.items():
        if name in names:
            yield from _guarded(name, row(bench, size))


def _guarded(name: str, row: Iterator[Figure]) -> Iterator[Figure]:
    """Yield a row's figures; one that fails must not take the others with it."""
    try:
        yield from row
    except Exception:
        traceback.print_exc()
        yield Figure(name, f"{name}: failed, as said above", math.nan, "", 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="only see whether it works")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


if __name__ == "__main__":
    main()
