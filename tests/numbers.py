"""What a process answers to Prometheus, as numbers by name."""

from __future__ import annotations

from collections import Counter

import httpx2
from prometheus_client.parser import text_string_to_metric_families

Numbers = Counter[str]
"""The value of each sample: `chat_retries_total{error_code=overloaded}`, labels in order."""


def parse(text: str) -> Numbers:
    """Read Prometheus's text format."""
    numbers = Numbers()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            numbers[name] = sample.value  # type: ignore[assignment]  # a float counts as well
    return numbers


def scrape(base_url: str) -> Numbers:
    """Ask a process on this machine for its numbers."""
    response = httpx2.get(f"{base_url}/metrics", timeout=30)
    assert response.status_code == 200, response.status_code
    return parse(response.text)
