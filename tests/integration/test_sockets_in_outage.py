"""Sockets while the database is away: closed so that the page comes back, without traces."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from channels.testing import application
from django.db import close_old_connections

from chat import events, outage, services
from chat.models import User
from tests.integration.outages import database_away
from tests.integration.test_consumers import (  # noqa: F401  (the fixture is used by its name)
    Socket,
    cookie_of,
    empty_page,
    relays,
    site_life,
    talk,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("site_life")]

TRY_AGAIN = 4503


@pytest.fixture(autouse=True)
def connections_given_back_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have database connections closed after each use, which Channels' communicator prevents."""
    monkeypatch.setattr(application, "no_op", close_old_connections)


@pytest.fixture(autouse=True)
def told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No door leaves a trace of an outage, and all of them together tell of it once."""
    monkeypatch.setattr(outage, "_told_at", float("-inf"))
    yield
    doors = ("chat.consumers", "chat.outage", "daphne", "asyncio")
    records = [record for record in caplog.get_records("call") if record.name.startswith(doors)]
    assert [record for record in records if record.exc_info] == []
    assert len([r for r in records if r.levelno >= logging.WARNING]) == 1


async def test_handshake_is_refused(alice: User) -> None:
    conversation, cookie = await talk(alice), await cookie_of(alice)
    with database_away():
        for _ in range(3):
            await Socket(conversation.pk, cookie).refusal()
    async with Socket(conversation.pk, cookie):
        pass


@pytest.mark.parametrize("verb", ["follow", "stop"])
async def test_message_closes(alice: User, verb: str) -> None:
    async with Socket((await talk(alice)).pk, await cookie_of(alice)) as socket:
        with database_away():
            await socket.say(verb=verb, generation_id=7)
            assert await socket.close_code() == TRY_AGAIN


async def test_relay_that_needs_the_database_closes(alice: User) -> None:
    """What another process writes is read from the database alone."""
    conversation = await talk(alice)
    async with Socket(conversation.pk, await cookie_of(alice)) as socket:
        await socket.follow(empty_page())
        await socket.frame()
        with database_away():
            events.ring(services.conversation_topic(conversation.pk))
            assert await socket.close_code() == TRY_AGAIN
    assert relays() == []


async def test_right_that_can_not_be_checked_closes(alice: User) -> None:
    """Rather than leave a socket open that nobody guards."""
    async with Socket((await talk(alice)).pk, await cookie_of(alice)) as socket:
        with database_away():
            events.ring(services.user_topic(alice.pk))
            assert await socket.close_code() == TRY_AGAIN
