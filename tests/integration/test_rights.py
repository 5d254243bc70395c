"""Open sockets whose right ends: found out by each process, whoever changed the row."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import rights, sockets
from chat.demo.thread import DemoThread
from chat.models import User
from chat.threads import in_thread
from tests.integration.answers import send
from tests.integration.test_consumers import (  # noqa: F401  (the fixture is used by its name)
    NOT_ALLOWED,
    Socket,
    cookie_of,
    disable,
    empty_page,
    sign_out,
    site_life,
    slow,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("site_life")]


async def sign_out_silently(user: User, cookie: str) -> None:
    def delete() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_session WHERE session_key = %s", [cookie])

    await in_thread(delete)


async def let_session_expire(user: User, cookie: str) -> None:
    await Session.objects.filter(pk=cookie).aupdate(expire_date=timezone.now())


async def change_password_silently(user: User, cookie: str) -> None:
    await User.objects.filter(pk=user.pk).aupdate(password=make_password("another"))


@pytest.mark.parametrize(
    "take_away",
    [sign_out, sign_out_silently, let_session_expire, change_password_silently, disable],
)
async def test_socket_closes_by_itself(model: DemoThread, alice: User, take_away: Any) -> None:
    """A page that only listens gets nothing more within five seconds, whoever changed the row."""
    generation = await send(alice, slow(model))
    cookie = await cookie_of(alice)
    async with Socket(generation.conversation_id, cookie) as socket:
        await socket.follow(empty_page())
        await socket.frame()
        await take_away(alice, cookie)
        assert await socket.close_code() == NOT_ALLOWED


async def test_rights_of_many_sockets_are_watched_together(alice: User) -> None:
    """And nobody is rung for whose right goes on."""
    cookies = [await cookie_of(alice) for _ in range(3)]
    fresh = await User.objects.aget(pk=alice.pk)
    signed_in = [sockets.SignedIn(alice.pk, fresh.password, cookie) for cookie in cookies]

    def look() -> set[int]:
        with CaptureQueriesContext(connection) as queries:
            ended = rights._ended(signed_in)
        assert len(queries) == 2
        return ended

    assert await in_thread(look) == set()
    await sign_out(alice, cookies[1])
    assert await in_thread(look) == {alice.pk}
