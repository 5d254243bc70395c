"""Moments in which much comes at once: Stop, a burst, a crowd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from tests.load.costs import SPREAD_S, warm_up
from tests.load.driving import Driving
from tests.load.figures import Figure
from tests.load.loading import get
from tests.load.pulse import Pulse
from tests.load.quantiles import ms, summary
from tests.load.size import PER_S, Size
from tests.load.stamps import since_us
from tests.load.workbench import Contender, Workbench

STOP_AFTER = 180
"""All answers are under way when the first is stopped."""

LONG_S = 60
CLOSED_S = 5.0
POLL_S = 0.1
CROWD_SPREAD_S = 2.0
PULSE_S = 0.02
CALM_LOOKS = 50


def stop(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure how long the model server goes on after Stop was pressed."""
    with bench.begin("bare") as bare, bench.begin("daphne") as site:
        warm_up(site)
        bare_us, site_us = _closed_us(bench, bare, size), _closed_us(bench, site, size)
    yield Figure("bare", "bare relay: stop to upstream closed, p50", ms(bare_us, 50), "ms")
    most, details = ms(site_us, 100), summary(site_us)
    yield Figure("stop", "stop to upstream closed, p50", ms(site_us, 50), "ms", 10, details=details)
    yield Figure("stop", "stop to upstream closed, longest", most, "ms", 50)
    yield Figure("stop", "  streams that were not closed", size.streams - len(site_us), "", 0)


def _closed_us(bench: Workbench, contender: Contender, size: Size) -> list[int]:
    """Stop an answer for each stream; return how long its closing took."""
    job = contender.job(
        size.streams, deltas=LONG_S * PER_S, per_s=PER_S, spread_s=SPREAD_S, stop_after=STOP_AFTER
    )
    with Driving(job) as driving:
        stopped_us = driving.run().stopped_us
    give_up_at = time.monotonic() + CLOSED_S
    closings_us = _closings(bench)
    while not stopped_us.keys() <= closings_us.keys() and time.monotonic() < give_up_at:
        time.sleep(POLL_S)  # The model server tells nobody: asking is the only way.
        closings_us = _closings(bench)
    return [
        since_us(at_us, closings_us[name])
        for name, at_us in stopped_us.items()
        if name in closings_us
    ]


def _closings(bench: Workbench) -> dict[str, int]:
    return dict(json.loads(get(bench.upstream_port, "/closings")))


def burst(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure one answer that comes as fast as it is taken, many deltas in one read."""
    with bench.begin("bare") as bare, bench.begin("daphne") as site:
        warm_up(site)
        with Pulse(site.ports[0], *site.take(1)) as pulse:
            for _ in range(CALM_LOOKS):
                pulse.look()
            calm_ms, pulse.longest_ms = pulse.longest_ms, 0.0
            bare_per_s, _ = _burst(bare, size)
            per_s, incomplete = _burst(site, size, pulse)
    deltas = f"{size.burst_deltas:,} deltas"
    yield Figure("bare", f"bare relay: burst of {deltas}", bare_per_s, "/s")
    yield Figure("burst", f"page: burst of {deltas}", per_s, "/s", 10_000, is_least=True)
    details = {"calm_ms": calm_ms}
    held_ms = pulse.longest_ms
    yield Figure("burst", "  the loop was held up for", held_ms, "ms", 50, details=details)
    yield Figure("burst", "  answers that did not come whole", incomplete, "", 0)


def _burst(contender: Contender, size: Size, pulse: Pulse | None = None) -> tuple[float, int]:
    """Return the deltas a second from the prompt to the end, and how many answers lacked some."""
    with Driving(contender.job(1, deltas=size.burst_deltas)) as driving:
        result = driving.run(pulse.look if pulse else None, PULSE_S)
    return size.burst_deltas * 1_000_000 / result.took_us, 1 - result.complete


def crowd(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure more answers at once than one process should have to write."""
    with bench.begin("daphne") as site:
        warm_up(site)
        job = site.job(size.crowd, deltas=size.deltas, per_s=PER_S, spread_s=CROWD_SPREAD_S)
        with Driving(job) as driving:
            before_s = site.cpu_s
            result = driving.run()
            cpu_s = site.cpu_s - before_s
    delays_us, streams = result.delays_us, f"{size.crowd} streams"
    details = {
        "delay_ms": summary(delays_us),
        "first_word_ms": summary(result.first_us),
        "cores": cpu_s * 1_000_000 / result.took_us,
        "errors": result.errors[:10],
    }
    yield Figure("crowd", f"{streams}: delay, p50", ms(delays_us, 50), "ms", 200, details=details)
    yield Figure("crowd", f"{streams}: delay, p99", ms(delays_us, 99), "ms", 1_000)
    incomplete = size.crowd - result.complete
    yield Figure("crowd", "  answers that did not come whole", incomplete, "", 0)
