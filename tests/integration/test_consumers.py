"""The page's websocket through the site's whole stack: origin, session, routing, consumer."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings as site_settings
from django.contrib.sessions.models import Session
from django.test import AsyncClient, Client
from pytest_django import Settings

from chat import services
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.models import Conversation, Generation, User
from chat.threads import in_thread
from chatsite import asgi
from chatsite.life import Life
from tests.integration.answers import finished, prompt, reached, send
from tests.integration.shown_page import ShownPage
from tests.integration.test_relay import check_like_fresh, has_ended, load

pytestmark = pytest.mark.asyncio

SEE_S = 30.0  # longer than a page needs to see an end where the machine is busy
CLOSE_S = 5.0  # within this time a socket ends whose right is gone
NOT_ALLOWED = 4403
HOST = "testserver"
ORIGIN = f"http://{HOST}"


@pytest_asyncio.fixture
async def site_life(
    transactional_db: None,
    model: DemoThread,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[None]:
    """The life of a process in the test's loop, as the site's own application begins it."""
    settings.ANTHROPIC_BASE_URL = model.base_url
    settings.CHAT_HEARTBEAT_S, settings.CHAT_DRAIN_S = 0.2, 0
    life = Life()
    monkeypatch.setattr(asgi, "life", life)
    await life.begin()
    yield
    await life.end()
    leftover = {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}
    assert leftover == set()


async def cookie_of(user: User) -> str:
    client = AsyncClient()
    await client.aforce_login(user)
    return str(client.cookies[site_settings.SESSION_COOKIE_NAME].value)


class Communicator(WebsocketCommunicator):
    """Lets the site give its database connections back, as it does when it is served.

    Channels has them kept while its communicator sends or waits; a pool would soon be empty.
    """

    send_input: Any = ApplicationCommunicator.send_input
    receive_output: Any = ApplicationCommunicator.receive_output


class Socket:
    """A browser's end of one socket; a context manager that hangs up."""

    def __init__(
        self, conversation_id: uuid.UUID, cookie: str | None, origin: str | None = ORIGIN
    ) -> None:
        headers = [(b"host", HOST.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if cookie is not None:
            name = site_settings.SESSION_COOKIE_NAME
            headers.append((b"cookie", f"{name}={cookie}".encode()))
        path = f"/ws/c/{conversation_id}/"
        self.communicator = Communicator(asgi.application, path, headers=headers)

    async def __aenter__(self) -> Socket:
        is_open, _ = await self.communicator.connect(timeout=5)
        assert is_open
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.communicator.disconnect(timeout=5)

    async def refusal(self) -> Any:
        """Connect in vain; return the code."""
        is_open, code = await self.communicator.connect(timeout=5)
        assert not is_open
        return code

    async def say(self, **message: Any) -> None:
        await self.communicator.send_to(text_data=json.dumps(message))

    async def follow(self, page: ShownPage) -> None:
        await self.say(verb="follow", **vars(page.position))

    async def see(self, page: ShownPage, generation_id: int) -> ShownPage:
        """Apply frames until the end of an answer."""
        async with asyncio.timeout(SEE_S):
            while not has_ended(page, generation_id):
                page.apply(await self.frame())
        return page

    async def frame(self, timeout_s: float = SEE_S) -> str:
        return cast(str, await self.communicator.receive_from(timeout=timeout_s))

    async def close_code(self) -> int:
        """Skip frames until the server closes; return its code."""
        async with asyncio.timeout(CLOSE_S):
            while True:
                message = await self.communicator.receive_output(timeout=CLOSE_S)
                if message["type"] == "websocket.close":
                    return int(message["code"])


def empty_page() -> ShownPage:
    return ShownPage('<div id="messages"></div><div id="composer-actions"></div>')


async def talk(user: User) -> Conversation:
    return await Conversation.objects.acreate(owner=user, title="A talk")


def slow(model: DemoThread, words: int = 1_000) -> str:
    model.script("slow-socket", Text(["wor", "d "] * words, interval_s=0.01))
    return prompt("slow-socket")


# Who may open one


async def test_owner_gets_in(site_life: None, alice: User) -> None:
    async with Socket((await talk(alice)).pk, await cookie_of(alice)):
        pass


async def test_strangers_and_unknown_ids_are_refused_alike(
    site_life: None, alice: User, bob: User
) -> None:
    conversation = await talk(alice)
    staff = await sync_to_async(User.objects.create_superuser)("carol", "", "a pass phrase")
    deleted_id = (await talk(bob)).pk
    await Conversation.objects.filter(pk=deleted_id).adelete()
    codes = {
        "stranger": await Socket(conversation.pk, await cookie_of(bob)).refusal(),
        "staff": await Socket(conversation.pk, await cookie_of(staff)).refusal(),
        "unknown": await Socket(uuid.uuid4(), await cookie_of(bob)).refusal(),
        "deleted": await Socket(deleted_id, await cookie_of(bob)).refusal(),
        "anonymous": await Socket(conversation.pk, None).refusal(),
        "forged": await Socket(conversation.pk, "x" * 32).refusal(),
    }
    assert len(set(codes.values())) == 1, codes


async def test_unknown_path_is_refused(site_life: None, alice: User) -> None:
    """Without an exception, which would be a trace in the log for anybody to make."""
    socket = Socket(uuid.uuid4(), await cookie_of(alice))
    socket.communicator.scope["path"] = "/ws/elsewhere/"
    await socket.refusal()


async def test_disabled_account_is_refused(site_life: None, alice: User) -> None:
    conversation, cookie = await talk(alice), await cookie_of(alice)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    await Socket(conversation.pk, cookie).refusal()


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "http://example.com",
        f"https://{HOST}",
        f"http://{HOST}:8000",
        f"http://{HOST}.example.com",
        f"http://{HOST}@example.com",
        f"http://sub.{HOST}",
        f"file://{HOST}",
        f"{ORIGIN}/",
    ],
)
async def test_foreign_origin_is_refused(site_life: None, alice: User, origin: str | None) -> None:
    await Socket((await talk(alice)).pk, await cookie_of(alice), origin).refusal()


async def test_trusted_origin_gets_in(site_life: None, alice: User, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example.com"]
    cookie = await cookie_of(alice)
    async with Socket((await talk(alice)).pk, cookie, "https://chat.example.com"):
        pass


async def test_unknown_host_is_refused(site_life: None, alice: User, settings: Settings) -> None:
    """A page that was served under a name of somebody else's is no page of this site."""
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    await Socket((await talk(alice)).pk, await cookie_of(alice)).refusal()


# Follow


async def test_follow_from_nothing(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, prompt("max-tokens"))
    page = empty_page()
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(page)
        await socket.see(page, generation.pk)
    await check_like_fresh(alice, await finished(generation), page)


async def test_follow_from_the_middle(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model, 100))
    await reached(generation, "content_block_delta", 20)
    page = await load(alice, generation.conversation)
    before = page.body(generation.message_id).text
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(page)
        page.apply(await socket.frame())
        assert page.body(generation.message_id).text.startswith(before.rstrip("\n"))
        await socket.see(page, generation.pk)
    await check_like_fresh(alice, await finished(generation), page)


async def test_two_tabs_show_the_same(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model, 60))
    cookie = await cookie_of(alice)

    async def tab() -> ShownPage:
        async with Socket(generation.conversation_id, cookie) as socket:
            await socket.follow(page := empty_page())
            return await socket.see(page, generation.pk)

    one, two = await asyncio.gather(tab(), tab())
    assert one.body(generation.message_id).markup() == two.body(generation.message_id).markup()


async def test_nothing_comes_before_follow(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, prompt("max-tokens"))
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await finished(generation)
        assert await socket.communicator.receive_nothing(timeout=0.1)


async def test_second_follow_changes_nothing(
    site_life: None, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model, 40))
    page = empty_page()
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(page)
        await socket.follow(page)
        await socket.see(page, generation.pk)
    await check_like_fresh(alice, await finished(generation), page)


# Language


async def told(socket: Socket, generation: Generation) -> str:
    """Return all frames until the end of an answer."""
    page, frames = empty_page(), ""
    async with socket, asyncio.timeout(SEE_S):
        await socket.follow(page)
        while not has_ended(page, generation.pk):
            frames += (frame := await socket.frame())
            page.apply(frame)
    return frames


async def test_frames_are_in_the_language_of_their_page(
    site_life: None, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model, 100))
    cookie = await cookie_of(alice)
    german, english = (Socket(generation.conversation_id, cookie) for _ in range(2))
    german.communicator.scope["headers"].append((b"accept-language", b"de-AT,de;q=0.9,en;q=0.8"))
    in_german, in_english = await asyncio.gather(
        told(german, generation), told(english, generation)
    )
    for words in ("Claude antwortet.", "Zeichen empfangen", "Die Antwort von Claude ist"):
        assert words in in_german and words not in in_english
    assert "Claude is answering." in in_english


async def test_cookie_decides_the_language(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model, 100))
    cookie = f"{await cookie_of(alice)}; {site_settings.LANGUAGE_COOKIE_NAME}=de"
    assert "Claude antwortet." in await told(Socket(generation.conversation_id, cookie), generation)


# Stop


async def test_stop(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model))
    page = empty_page()
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(page)
        await reached(generation, "content_block_delta")
        await socket.say(verb="stop", generation_id=generation.pk)
        await socket.see(page, generation.pk)
    ended = await finished(generation)
    assert ended.status == "stopped"
    await check_like_fresh(alice, ended, page)


async def test_stop_in_one_tab_is_seen_in_another(
    site_life: None, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model))
    cookie = await cookie_of(alice)
    async with (
        Socket(generation.conversation_id, cookie) as one,
        Socket(generation.conversation_id, cookie) as two,
    ):
        await two.follow(page := empty_page())
        await reached(generation, "content_block_delta")
        await one.say(verb="stop", generation_id=generation.pk)
        await two.see(page, generation.pk)
    assert "Stopped." in page.article(generation.message_id).text


async def test_stop_of_a_strangers_answer(
    site_life: None, model: DemoThread, alice: User, bob: User
) -> None:
    generation = await send(alice, slow(model, 50))
    async with Socket((await talk(bob)).pk, await cookie_of(bob)) as socket:
        await socket.say(verb="stop", generation_id=generation.pk)
        await socket.say(verb="stop", generation_id=10**30)
        assert await socket.communicator.receive_nothing(timeout=0.2)
    assert (await finished(generation)).status == "complete"


# What a page never sends


GARBAGE = [
    "",
    "no json",
    "[]",
    "5",
    "null",
    '"follow"',
    "{}",
    '{"verb": null}',
    '{"verb": ["follow"]}',
    '{"verb": "stop"}',
    '{"verb": "stop", "generation_id": "1"}',
    '{"verb": "stop", "generation_id": -1}',
    '{"verb": "stop", "generation_id": true}',
    '{"verb": "stop", "generation_id": 1e999}',
    '{"verb": "stop", "generation_id": {"a": []}}',
    '{"verb": "explode", "type": "websocket.disconnect"}',
    '{"type": "ring"}',
    "[" * 100_000,
    '{"verb": "\ud83d\ude00\\ud800\\u0000"}',
    '{"verb": "stop", "generation_id": ' + "9" * 5_000 + "}",
]


async def test_garbage_is_passed_over(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model, 60))
    page = empty_page()
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        for text in GARBAGE:
            await socket.communicator.send_input({"type": "websocket.receive", "text": text})
        await socket.communicator.send_to(bytes_data=b'{"verb": "stop", "generation_id": 1}')
        await socket.communicator.send_to(bytes_data=b"\xff\xfe")
        await socket.follow(page)
        await socket.see(page, generation.pk)
    assert (await finished(generation)).status == "complete"


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"message_id": -1, "seq": "x", "generation_id": [], "held": None},
        {"message_id": 0, "seq": 10**18, "generation_id": 10**18, "held": 10**18},
        {"message_id": "0", "seq": 1.5, "generation_id": True, "held": "٣"},
    ],
)
async def test_claims_that_make_no_sense(
    site_life: None, model: DemoThread, alice: User, claim: dict[str, Any]
) -> None:
    generation = await send(alice, slow(model, 30))
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.say(verb="follow", **claim)
        page = await socket.see(empty_page(), generation.pk)
    await check_like_fresh(alice, await finished(generation), page)


# The right to read goes


async def sign_out(user: User, cookie: str) -> None:
    await Session.objects.filter(pk=cookie).adelete()


async def change_password(user: User, cookie: str) -> None:
    user.set_password("another pass phrase")
    await user.asave()


async def disable(user: User, cookie: str) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def remove(user: User, cookie: str) -> None:
    await User.objects.filter(pk=user.pk).adelete()


@pytest.mark.parametrize("take_away", [sign_out, change_password, disable, remove])
async def test_socket_closes_at_the_next_message(
    site_life: None, model: DemoThread, alice: User, take_away: Any
) -> None:
    generation = await send(alice, slow(model))
    cookie = await cookie_of(alice)
    async with Socket(generation.conversation_id, cookie) as socket:
        await socket.follow(empty_page())
        await socket.frame()
        await take_away(alice, cookie)
        await socket.say(verb="stop", generation_id=generation.pk)
        assert await socket.close_code() == NOT_ALLOWED
    stop_is_refused = not await Generation.objects.filter(
        pk=generation.pk, stop_requested_at__isnull=False
    ).aexists()
    assert stop_is_refused


async def test_real_logout_closes(site_life: None, alice: User) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    cookie = str(client.cookies[site_settings.SESSION_COOKIE_NAME].value)
    async with Socket((await talk(alice)).pk, cookie) as socket:
        await socket.follow(empty_page())
        await client.post("/accounts/logout/")
        await socket.say(verb="follow")
        assert await socket.close_code() == NOT_ALLOWED


# The end of a socket


def relays() -> list[str]:
    return [t.get_name() for t in asyncio.all_tasks() if t.get_name() == "relay"]


async def test_relay_ends_with_the_socket(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model))
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(empty_page())
        await socket.frame()
        assert relays() == ["relay"]
    assert relays() == []
    assert await Generation.objects.filter(pk=generation.pk, status="streaming").aexists()


async def test_conversation_is_deleted_while_open(
    site_life: None, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, slow(model))
    async with Socket(generation.conversation_id, await cookie_of(alice)) as socket:
        await socket.follow(empty_page())
        await socket.frame()
        await in_thread(services.delete, alice, generation.conversation_id)
        async with asyncio.timeout(5):
            while "This conversation was deleted." not in await socket.frame():
                pass
        await socket.say(verb="stop", generation_id=generation.pk)
        await socket.follow(empty_page())
        assert await socket.communicator.receive_nothing(timeout=0.1)


async def test_fifty_sockets_leave_nothing(site_life: None, model: DemoThread, alice: User) -> None:
    generation = await send(alice, slow(model, 40))
    cookie = await cookie_of(alice)

    async def visit() -> str:
        async with Socket(generation.conversation_id, cookie) as socket:
            await socket.follow(page := empty_page())
            await socket.see(page, generation.pk)
            return page.body(generation.message_id).markup()

    assert len(set(await asyncio.gather(*(visit() for _ in range(50))))) == 1
    assert relays() == []


async def test_sync_login_opens_a_socket(site_life: None, alice: User) -> None:
    """The cookie of the site's own sign-in form, not of a test's shortcut."""
    client = Client()
    form = {"login": "alice", "password": "a pass phrase of alice"}
    answer = await in_thread(client.post, "/accounts/login/", form)
    assert answer.status_code == 302
    cookie = client.cookies[site_settings.SESSION_COOKIE_NAME].value
    async with Socket((await talk(alice)).pk, cookie):
        pass
