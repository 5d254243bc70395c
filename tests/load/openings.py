"""What one waits for: a process that starts, a page that opens."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from tests.load.figures import Figure
from tests.load.job import Account
from tests.load.loading import get, load_ms
from tests.load.size import Size
from tests.load.workbench import Workbench, make

SHORT = 20


def conversations(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure a long conversation and a long list of them beside short ones."""
    site = bench.site()
    rows = {
        "conversation": ("long_conversation", size.messages, "messages"),
        "list": ("long_list", size.conversations, "conversations"),
    }
    accounts = {
        what: [Account(*make(site, how, count)) for count in (SHORT, most)]
        for what, (how, most, _) in rows.items()
    }
    with site:
        for what, (_, most, unit) in rows.items():
            short_ms, long_ms = _loads_ms(site.port, accounts[what], size.loads)
            label = f"{what} of {most:,} {unit}, to one of {SHORT}"
            yield Figure("conversations", label, long_ms, "ms", 1.5, long_ms / short_ms)


def _loads_ms(port: int, accounts: list[Account], loads: int) -> list[float]:
    """Load the page of each account by turns; return the median of each."""
    for account in accounts:
        load_ms(port, account)  # The first page of a process takes longer than all others.
    times_ms = [[load_ms(port, account) for account in accounts] for _ in range(loads)]
    return [statistics.median(each) for each in zip(*times_ms, strict=True)]


def start(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure how long a process takes until it answers, and until it has shown a page."""
    times_s = [_start_s(bench) for _ in range(size.starts)]
    started_s, shown_s = (statistics.median(each) for each in zip(*times_s, strict=True))
    yield Figure("start", "start-up of a process", started_s, "s", 3)
    yield Figure("start", "start to first page", shown_s, "s", 3)


def _start_s(bench: Workbench) -> tuple[float, float]:
    site = bench.site()
    begun_at = time.monotonic()
    with site:
        started_s = time.monotonic() - begun_at
        get(site.port, "/accounts/login/")
        return started_s, time.monotonic() - begun_at
