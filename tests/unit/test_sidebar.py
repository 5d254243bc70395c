"""The list of conversations by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone, translation

from chat.models import Conversation
from chat.sidebar import grouped


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"), timezone.override("UTC"):
        yield


def noon(days_ago: int) -> datetime:
    return timezone.localtime().replace(hour=12) - timedelta(days=days_ago)


def conversation(days_ago: int, title: str = "") -> Conversation:
    return Conversation(title=title, updated_at=noon(days_ago))


def names(*days_ago: int) -> list[str]:
    return [name for name, _ in grouped(conversation(days) for days in days_ago)]


@pytest.mark.parametrize(
    ("days_ago", "name"),
    [
        (-1, "Today"),
        (0, "Today"),
        (1, "Yesterday"),
        (2, "Previous 7 days"),
        (7, "Previous 7 days"),
    ],
)
def test_group_of_a_day(days_ago: int, name: str) -> None:
    assert names(days_ago) == [name]


@pytest.mark.parametrize("days_ago", [8, 40, 400])
def test_group_of_an_earlier_day_is_its_month(days_ago: int) -> None:
    assert names(days_ago) == [noon(days_ago).strftime("%B %Y")]


def test_groups_stand_in_order() -> None:
    assert names(0, 0, 1, 3, 5)[:3] == ["Today", "Yesterday", "Previous 7 days"]


def test_groups_keep_the_order_of_their_members() -> None:
    groups = grouped([conversation(0, "new"), conversation(0, "old"), conversation(1, "older")])
    assert [[c.title for c in members] for _, members in groups] == [["new", "old"], ["older"]]


def test_months_of_two_years_are_two_groups() -> None:
    assert len(names(30, 30 + 365)) == 2


def test_no_conversation_makes_no_group() -> None:
    assert grouped([]) == []


def test_day_is_that_of_the_readers_time_zone() -> None:
    late = datetime.combine(timezone.localdate(), datetime.max.time(), timezone.now().tzinfo)
    yesterday_evening = Conversation(updated_at=late - timedelta(days=1))
    assert [name for name, _ in grouped([yesterday_evening])] == ["Yesterday"]
    with timezone.override("Etc/GMT+12"):
        names_there = [name for name, _ in grouped([yesterday_evening])]
    assert names_there in (["Today"], ["Yesterday"])


def test_names_are_in_the_language() -> None:
    with translation.override("de"):
        assert names(400) == [f"{translation_of_month(400)} {noon(400).year}"]


def translation_of_month(days_ago: int) -> str:
    german = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    return german.split()[noon(days_ago).month - 1]
