"""What a process counts: names, units, and what each call adds to which."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat import metrics
from tests.numbers import Numbers, parse


@pytest.fixture
def before() -> Numbers:
    """The numbers at the start: all tests of a process share them."""
    return now()


def now() -> Numbers:
    return parse(metrics.exposition().decode())


def added(before: Numbers) -> dict[str, float]:
    """Return what grew, without buckets and without what the process itself uses."""
    after = now()
    return {
        name: round(after[name] - before[name], 6)
        for name in after
        if after[name] != before[name] and name.startswith("chat_") and "_bucket" not in name
    }


def end(status: str, error_code: str = "", *, first_token_s: float | None = None) -> None:
    metrics.generation_ended(
        status, error_code, first_token_s=first_token_s, input_tokens=30, output_tokens=4
    )


def test_end_counts_status_tokens_first_token_and_event(before: Numbers) -> None:
    end("complete", first_token_s=1.5)
    assert added(before) == {
        "chat_generations_total{error_code=,status=complete}": 1,
        "chat_log_events_total": 1,
        "chat_tokens_total{direction=input}": 30,
        "chat_tokens_total{direction=output}": 4,
        "chat_time_to_first_token_seconds_count": 1,
        "chat_time_to_first_token_seconds_sum": 1.5,
    }


def test_end_without_a_word_has_no_first_token(before: Numbers) -> None:
    end("failed", "stalled")
    assert added(before)["chat_generations_total{error_code=stalled,status=failed}"] == 1
    assert "chat_time_to_first_token_seconds_count" not in added(before)


def test_group_counts_once_for_all_events(before: Numbers) -> None:
    metrics.group_committed(30, took_s=0.25, oldest_s=0.5)
    assert added(before) == {
        "chat_log_events_total": 30,
        "chat_commit_group_events_count": 1,
        "chat_commit_group_events_sum": 30,
        "chat_commit_seconds_count": 1,
        "chat_commit_seconds_sum": 0.25,
        "chat_delta_delay_seconds_count": 1,
        "chat_delta_delay_seconds_sum": 0.5,
    }


def test_clock_set_back_is_no_delay(before: Numbers) -> None:
    metrics.group_committed(1, took_s=0.25, oldest_s=-3600)
    assert "chat_delta_delay_seconds_sum" not in added(before)


def test_codes_are_counted_apart(before: Numbers) -> None:
    metrics.retried("overloaded")
    metrics.retried("rate_limited")
    metrics.refused("answer_running")
    metrics.rings_lost(2)
    metrics.news_without_ring()
    assert added(before) == {
        "chat_retries_total{error_code=overloaded}": 1,
        "chat_retries_total{error_code=rate_limited}": 1,
        "chat_sends_refused_total{code=answer_running}": 1,
        "chat_rings_lost_total": 2,
        "chat_news_without_ring_total": 1,
    }


def test_process_tells_memory_files_and_time() -> None:
    numbers = now()
    for name in ("resident_memory_bytes", "open_fds", "cpu_seconds_total"):
        assert numbers[f"process_{name}"] > 0


def test_no_series_is_there_twice() -> None:
    names = [line.rpartition(b" ")[0] for line in metrics.exposition().splitlines()]
    assert len(names) == len(set(names)) and not any(b"_created" in name for name in names)


# Several processes with one folder


SHARE = """
import os, sys, time
from chat import metrics

metrics.refused("of " + sys.argv[1])
metrics.refused("all")
metrics.OPEN_SOCKETS.inc(3)
metrics.group_committed(10, took_s=0.25, oldest_s=0.25)
print("counted", flush=True)
sys.stdin.readline()
sys.stdout.buffer.write(metrics.exposition())
"""


class Sharer:
    """A process that has counted something in a folder, and tells on demand what is there."""

    def __init__(self, folder: Path, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SHARE, name],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "counted\n"

    def tell(self) -> Numbers:
        told, _ = self._process.communicate("tell\n", timeout=60)
        return parse(told)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def sharers(tmp_path: Path) -> Iterator[list[Sharer]]:
    both = [Sharer(tmp_path, "first"), Sharer(tmp_path, "second")]
    yield both
    for sharer in both:
        sharer.kill()


def test_any_process_tells_the_sum(sharers: list[Sharer]) -> None:
    numbers = sharers[0].tell()
    assert numbers["chat_sends_refused_total{code=of first}"] == 1
    assert numbers["chat_sends_refused_total{code=of second}"] == 1
    assert numbers["chat_sends_refused_total{code=all}"] == 2
    assert numbers["chat_commit_group_events_sum"] == 20
    assert numbers["chat_commit_group_events_bucket{le=+Inf}"] == 2
    assert numbers["chat_open_sockets"] == 6


def test_killed_process_leaves_its_counts_and_no_gauge(sharers: list[Sharer]) -> None:
    sharers[1].kill()
    numbers = sharers[0].tell()
    assert numbers["chat_sends_refused_total{code=all}"] == 2
    assert numbers["chat_open_sockets"] == 3
