from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chat.tools import ToolError
from chat.tools.clock import current_time, in_words

NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time_zone", "words"),
    [
        ("UTC", "Wednesday, 2026-07-01 12:00:05+00:00 (UTC)"),
        ("Europe/Berlin", "Wednesday, 2026-07-01 14:00:05+02:00 (Europe/Berlin)"),
        ("Pacific/Auckland", "Thursday, 2026-07-02 00:00:05+12:00 (Pacific/Auckland)"),
    ],
)
def test_moment_in_a_time_zone(time_zone: str, words: str) -> None:
    assert in_words(NOON, time_zone) == words


@pytest.mark.parametrize("time_zone", ["Nowhere", "../etc/passwd", "/etc/passwd", "Europe", "\0"])
def test_what_is_no_time_zone(time_zone: str) -> None:
    with pytest.raises(ToolError, match="no time zone"):
        in_words(NOON, time_zone)


def test_without_a_time_zone_that_of_the_site_counts() -> None:
    assert current_time().endswith("(UTC)")
