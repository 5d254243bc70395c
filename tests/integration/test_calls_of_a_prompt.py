"""What a prompt takes, from the click to the end of its answer: queries, and ways to a thread.

Neither depends on the machine, but for what is done at once where it is slow: so the least of a few
prompts counts. `make bench` measures time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from channels.testing import HttpCommunicator
from django.conf import settings as site_settings
from django.db.backends.signals import connection_created

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.models import User
from chatsite import asgi
from tests.integration.answers import answered, prompt
from tests.integration.test_consumers import HOST, ORIGIN, Socket, cookie_of, site_life
from tests.integration.test_relay import load

pytestmark = pytest.mark.asyncio
__all__ = ["site_life"]

# SQLite's beginning of a transaction counts as a query, PostgreSQL's does not.
QUERIES = 32 if site_settings.IS_SQLITE else 28
HOPS = 8

PROMPTS = 4
CSRF = "b" * 32


class Count:
    """Whatever asks the database or goes to a thread, but for what goes on all the time."""

    queries = hops = 0

    def ask(self, execute: Callable[..., Any], *query: Any) -> Any:
        if not threading.current_thread().name.startswith("heartbeat"):
            self.queries += 1
        return execute(*query)

    def watch(self, connection: Any, **kwargs: Any) -> None:
        if self.ask not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.ask)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """Counts what connections do that are made from now on."""
    count, submit = Count(), ThreadPoolExecutor.submit

    def note(executor: ThreadPoolExecutor, *work: Any, **kwargs: Any) -> Future[Any]:
        count.hops += executor._thread_name_prefix != "heartbeat"
        return submit(executor, *work, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", note)
    connection_created.connect(count.watch)
    yield count
    connection_created.disconnect(count.watch)


async def post(conversation_id: UUID, cookie: str, text: str) -> int:
    form = {"csrfmiddlewaretoken": CSRF, "text": text, "key": str(uuid4()), "socket": "open"}
    cookies = f"{site_settings.SESSION_COOKIE_NAME}={cookie}; csrftoken={CSRF}"
    headers = {
        "host": HOST,
        "origin": ORIGIN,
        "cookie": cookies,
        "content-type": "application/x-www-form-urlencoded",
        "hx-request": "true",
    }
    communicator = HttpCommunicator(
        asgi.application,
        "POST",
        f"/c/{conversation_id}/send/",
        body=urlencode(form).encode(),
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
    )
    response = await communicator.get_response(timeout=10)
    await communicator.wait(timeout=10)
    return int(response["status"])


async def test_a_prompt(count: Count, site_life: None, model: DemoThread, alice: User) -> None:
    model.script("brief", Text(["Herons wade."], interval_s=0))
    conversation = (await answered(alice, prompt("brief"))).conversation
    cookie, page = await cookie_of(alice), await load(alice, conversation)
    taken: list[tuple[int, int]] = []
    async with Socket(conversation.pk, cookie) as socket:
        await socket.follow(page)
        for _ in range(PROMPTS):
            count.queries = count.hops = 0
            assert await post(conversation.pk, cookie, prompt("brief")) == 200
            await socket.see(page, page.position.shown_id + 1)
            taken.append((count.queries, count.hops))
    queries, hops = (min(numbers) for numbers in zip(*taken, strict=True))
    print(f"{queries} queries of at most {QUERIES}, {hops} hops of at most {HOPS}: {taken}")
    assert queries <= QUERIES and hops <= HOPS
