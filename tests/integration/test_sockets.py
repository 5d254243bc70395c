"""How many sockets may be open: of a person, and of everybody in a process."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from chat import sockets
from chat.models import User
from tests.integration.test_consumers import (  # noqa: F401  (the fixture is used by its name)
    Socket,
    cookie_of,
    empty_page,
    site_life,
    talk,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("site_life")]

TOO_MANY = 4429


async def check_refused(user: User) -> None:
    async with Socket((await talk(user)).pk, await cookie_of(user)) as socket:
        # Said by pages as soon as they are open, before they see that they are closed.
        await socket.follow(empty_page())
        assert await socket.close_code() == TOO_MANY


async def check_taken(user: User) -> None:
    async with Socket((await talk(user)).pk, await cookie_of(user)) as socket:
        assert await socket.communicator.receive_nothing(timeout=0.1)


async def test_sockets_of_a_person(alice: User, bob: User, settings: Settings) -> None:
    settings.CHAT_SOCKETS_PER_USER = 2
    conversation, cookie = await talk(alice), await cookie_of(alice)
    async with Socket(conversation.pk, cookie):
        async with Socket(conversation.pk, cookie):
            await check_refused(alice)
            await check_refused(alice)
            await check_taken(bob)
        await check_taken(alice)


async def test_sockets_of_a_process(alice: User, bob: User, settings: Settings) -> None:
    settings.CHAT_SOCKETS_PER_PROCESS = 1
    async with Socket((await talk(alice)).pk, await cookie_of(alice)):
        await check_refused(bob)
    await check_taken(bob)


async def test_nothing_is_counted_when_all_are_closed(alice: User, settings: Settings) -> None:
    settings.CHAT_SOCKETS_PER_USER = 1
    async with Socket((await talk(alice)).pk, await cookie_of(alice)):
        await check_refused(alice)
    assert not sockets._open and not sockets.signed_in()


async def test_strangers_learn_nothing_from_a_full_process(
    alice: User, bob: User, settings: Settings
) -> None:
    settings.CHAT_SOCKETS_PER_PROCESS = 1
    conversation = await talk(alice)
    async with Socket(conversation.pk, await cookie_of(alice)):
        await Socket(conversation.pk, await cookie_of(bob)).refusal()
