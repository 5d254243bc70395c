"""How long to wait for room among the sends of the last minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chat.limits import wait_s

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=s) for s in seconds]


@pytest.mark.parametrize("sent_at", [[], ago(1), ago(59, 0.1)])
def test_below_the_limit(sent_at: list[datetime]) -> None:
    assert wait_s(sent_at, 3, NOW) == 0


@pytest.mark.parametrize(
    ("sent_at", "expected_s"),
    [
        (ago(48, 20, 1), 12),
        (ago(48.2, 20, 1), 12),  # rounded up: earlier would be refused again
        (ago(59.999, 20, 1), 1),
        (ago(0, 0, 0), 60),
        (ago(58, 50, 40, 20, 1), 20),  # a limit that was higher when these were sent
        (ago(-5, -5, -5), 60),  # sent through a machine whose clock is ahead
    ],
)
def test_at_the_limit(sent_at: list[datetime], expected_s: int) -> None:
    assert wait_s(sent_at, 3, NOW) == expected_s
