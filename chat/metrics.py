"""What a process counts for Prometheus; docs/operations.md has the table. Knows nothing of chat.

Each fact is counted by the one process that made it so: the one whose UPDATE ended a generation,
whose commit took events in, which answered a form. A sum over all processes is therefore right.

Where several processes share one port, PROMETHEUS_MULTIPROC_DIR names a folder in which each
of them keeps its numbers, and whichever is asked gives the sum (settings.py checks the folder).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = CONTENT_TYPE_LATEST

# When a counter was made is of no use here, and would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]

_GENERATIONS = Counter(
    "chat_generations", "Answers that ended, by how they did.", ["status", "error_code"]
)
_FIRST_TOKEN = Histogram(
    "chat_time_to_first_token_seconds",
    "From the moment an answer was queued to its first word, in seconds.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300),
)
_TOKENS = Counter("chat_tokens", "Tokens of answers that ended.", ["direction"])
_RETRIES = Counter(
    "chat_retries", "Requests to Claude that were made again, by what had failed.", ["error_code"]
)
_REFUSED = Counter("chat_sends_refused", "Prompts and buttons that were refused.", ["code"])

_LOG_EVENTS = Counter("chat_log_events", "Events that were committed to logs.")
_GROUP_EVENTS = Histogram(
    "chat_commit_group_events",
    "Events that shared a commit.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
_COMMIT = Histogram(
    "chat_commit_seconds",
    "How long a commit of events took, in seconds.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 25),
)
_DELTA_DELAY = Histogram(
    "chat_delta_delay_seconds",
    "From the arrival of a delta to its commit, the longest of each commit, in seconds.",
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 25),
)
_RINGS_LOST = Counter("chat_rings_lost", "Rings that the channel layer did not take.")
_NEWS_WITHOUT_RING = Counter(
    "chat_news_without_ring", "Times that a reader found events after a silence, without a ring."
)

# "live": the numbers of a process that ended do not count any more.
RUNNING = Gauge(
    "chat_running_generations", "Answers that are being written.", multiprocess_mode="livesum"
)
OPEN_SOCKETS = Gauge("chat_open_sockets", "Open websockets.", multiprocess_mode="livesum")


def generation_ended(
    status: str,
    error_code: str,
    *,
    first_token_s: float | None,
    input_tokens: int,
    output_tokens: int,
) -> None:
    """Count an answer that this process ended, and the last event of its log."""
    _GENERATIONS.labels(status, error_code).inc()
    _LOG_EVENTS.inc()
    _TOKENS.labels("input").inc(input_tokens)
    _TOKENS.labels("output").inc(output_tokens)
    if first_token_s is not None:
        _FIRST_TOKEN.observe(first_token_s)


def log_begun() -> None:
    """Count the first event of a log, which this process committed with its claim."""
    _LOG_EVENTS.inc()


def group_committed(events: int, *, took_s: float, oldest_s: float) -> None:
    """Count a group of events that this process committed.

    Args:
        oldest_s: how long the event that waited longest had been there, in seconds.
    """
    _LOG_EVENTS.inc(events)
    _GROUP_EVENTS.observe(events)
    _COMMIT.observe(took_s)
    # Clocks are set back now and then.
    _DELTA_DELAY.observe(max(0.0, oldest_s))


def retried(error_code: str) -> None:
    """Count a request to Claude that is made again."""
    _RETRIES.labels(error_code).inc()


def refused(code: str) -> None:
    """Count something that a person asked for and did not get."""
    _REFUSED.labels(code).inc()


def rings_lost(number: int) -> None:
    """Count rings that the channel layer did not take."""
    _RINGS_LOST.inc(number)


def news_without_ring() -> None:
    """Count a reader that found events although no ring had told of them."""
    _NEWS_WITHOUT_RING.inc()


def exposition() -> bytes:
    """Return all numbers in Prometheus's text format: this process's, or the sum of the folder."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    _forget_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_dead(folder: Path) -> None:
    """Take away the gauges of processes that were killed, which no server tells us of."""
    # gauge_livesum_PID.db (prometheus_client/values.py).
    pids = {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}
    for pid in pids:
        if not _is_alive(pid):
            # Another process may have been asked at the same moment.
            with contextlib.suppress(FileNotFoundError):
                mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # Somebody else's, but alive.
    return True
