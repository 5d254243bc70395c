"""What grows: memory with streams and sockets, and everything with the length of an answer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence

from tests.load.costs import SPREAD_S, warm_up
from tests.load.driving import Driving
from tests.load.figures import Figure
from tests.load.job import Mark
from tests.load.loading import get
from tests.load.quantiles import ms
from tests.load.size import PER_S, Size
from tests.load.texts import DELTA_CHARS
from tests.load.workbench import Contender, Workbench

LOOK_S = 0.5
SETTLE_S = 2.0
LONG_PER_S = 2_000


def memory(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure what is resident at rest, and what of its own each stream and each socket adds.

    Each by itself in a process that has served some already: memory is used again.
    """
    with bench.begin("daphne") as site:
        get(site.ports[0], "/accounts/login/")
        fresh_kb = site.memory.rss_kb
        warm_up(site)
        rest_kb = site.memory.rss_kb
        stream_kb = _stream_kb(site, size)
    with bench.begin("daphne") as site:
        warm_up(site)
        idle_kb = _idle_kb(site, size)
    details = {"fresh_kb": fresh_kb}
    yield Figure("memory", "process at rest", rest_kb / 1024, "MB", 120, details=details)
    yield Figure("memory", f"each of {size.streams} streams", stream_kb, "kB", 150)
    yield Figure("memory", f"each of {size.idle} idle sockets", idle_kb, "kB", 60)


def _stream_kb(site: Contender, size: Size) -> float:
    job = site.job(size.streams, deltas=size.deltas, per_s=PER_S, spread_s=SPREAD_S)
    before_kb = site.memory.uss_kb
    looks_kb = [before_kb]
    with Driving(job) as driving:
        driving.run(lambda: looks_kb.append(site.memory.uss_kb), LOOK_S)
    return (max(looks_kb) - before_kb) / size.streams


def _idle_kb(site: Contender, size: Size) -> float:
    before_kb = site.memory.uss_kb
    with Driving(site.job(size.idle)):
        # Pages were loaded to open them, and what that took is given back.
        time.sleep(SETTLE_S)
        return (site.memory.uss_kb - before_kb) / size.idle


def long(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure one long answer: its end costs what its beginning does."""
    with bench.begin("daphne") as site:
        warm_up(site)
        deltas = size.long_chars // DELTA_CHARS
        job = site.job(1, deltas=deltas, per_s=LONG_PER_S, watched=site.pids)
        with Driving(job) as driving:
            result = driving.run()
    costs_s, grown_kb = _costs_s(result.marks), _grown_kb(result.marks)
    what, details = f"answer of {size.long_chars:,} characters", {"marks": result.marks}
    yield Figure(
        "long",
        f"{what}: CPU of 1,000, last tenth to first",
        costs_s[-1],
        "s",
        1.3,
        costs_s[-1] / costs_s[0],
        details=details,
    )
    yield Figure(
        "long",
        "  memory, tenths 6 to 9 to those before",
        grown_kb[1] / 1024,
        "MB",
        1.5,
        grown_kb[1] / max(1, grown_kb[0]),
    )
    # A site that fell behind would cost the same in all tenths, whatever they hold.
    behind_ms = ms(result.delays_us[-LONG_PER_S:], 50)
    yield Figure("long", "  added delay at its end, p50", behind_ms, "ms", 1_000)
    yield Figure("long", "  answers that did not come whole", 1 - result.complete, "", 0)


def _costs_s(marks: Sequence[Mark]) -> list[float]:
    """Return the CPU seconds of 1,000 deltas in each tenth."""
    return [
        (after.cpu_s - before.cpu_s) * 1_000 / (after.stamps - before.stamps)
        for before, after in itertools.pairwise(marks)
    ]


def _grown_kb(marks: Sequence[Mark]) -> tuple[int, int]:
    # The first tenth takes what others left; in the last one the whole answer is stored.
    begin, middle, end = (marks[at].uss_kb for at in (1, len(marks) // 2, -2))
    return middle - begin, end - middle
