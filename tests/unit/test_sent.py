"""What was sent just now is at hand, for a moment."""

from __future__ import annotations

from uuid import UUID

import pytest

from chat import sent
from chat.models import Conversation, Generation, Message
from chat.sent import Sent, just_sent, keep

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Holds the time; nothing is kept yet."""
    now = [100.0]
    monkeypatch.setattr(sent, "monotonic", lambda: now[0])
    monkeypatch.setattr(sent, "_fresh", {})
    return now


def sent_to(conversation_id: UUID, message_id: int = 1) -> Sent:
    return Sent(Conversation(pk=conversation_id), Message(pk=message_id), Generation(pk=message_id))


def test_the_newest_prompt_of_each_conversation() -> None:
    keep(sent_to(FIRST, 1))
    keep(sent_to(SECOND, 2))
    keep(newest := sent_to(FIRST, 3))
    assert just_sent(FIRST) is newest and just_sent(UUID(int=3)) is None


def test_for_a_moment(clock: list[float]) -> None:
    keep(sent_to(FIRST))
    clock[0] += sent.FRESH_S
    assert just_sent(FIRST) is None


def test_nothing_old_stays(clock: list[float]) -> None:
    keep(sent_to(FIRST))
    clock[0] += sent.FRESH_S / 2
    keep(sent_to(SECOND))
    keep(sent_to(FIRST))
    clock[0] += sent.FRESH_S * 3 / 4
    keep(sent_to(UUID(int=3)))
    assert {*sent._fresh} == {FIRST, SECOND, UUID(int=3)}
    clock[0] += sent.FRESH_S / 2
    keep(sent_to(UUID(int=4)))
    assert {*sent._fresh} == {UUID(int=3), UUID(int=4)}
