"""Limits of what goes on at once: exact for a person, wherever the requests come from."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat import errors, services
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.heartbeat import QUEUE_MAX
from chat.models import Generation, Message, Process, RecentSend, User
from chat.worker import Worker
from tests.integration.answers import END_S, check_log, finished, prompt, reached, stop
from tests.integration.answers import send as send_async
from tests.integration.pages import HTMX, end, field, text_of, to
from tests.integration.test_services import at_once, send
from tests.integration.test_services import end as complete

SECONDS = 60
STOPS_S = 2.0  # after a stop, in the process that it came to


def interrupted(user: User) -> Generation:
    """An answer that can be gone on with and tried again."""
    generation = complete(send(user))
    generation.status = Generation.Status.INTERRUPTED
    generation.save(update_fields=["status"])
    return generation


def make_older(seconds: float) -> None:
    for row in RecentSend.objects.all():
        row.at -= timedelta(seconds=seconds)
        row.save()


# Sends a minute


def test_sends_a_minute(alice: User, bob: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = 2
    send(alice), send(alice)
    make_older(SECONDS - 12)
    with pytest.raises(errors.TooManySends) as refusal:
        send(alice)
    assert refusal.value.retry_after_s in (11, 12)
    send(bob)
    make_older(13)
    send(alice)
    assert RecentSend.objects.filter(owner=alice).count() == 1


def test_what_was_refused_leaves_nothing(alice: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = 1
    send(alice)
    before = list(Message.objects.values()), list(alice.conversations.values())
    with pytest.raises(errors.TooManySends):
        send(alice)
    assert (list(Message.objects.values()), list(alice.conversations.values())) == before
    assert RecentSend.objects.count() == 1


def test_retry_and_continue_are_sends(alice: User, settings: Settings) -> None:
    generation = interrupted(alice)
    settings.CHAT_SENDS_PER_MINUTE = 1
    with pytest.raises(errors.TooManySends):
        services.retry(alice, generation.message_id)
    with pytest.raises(errors.TooManySends):
        services.continue_answer(alice, generation.message_id)
    make_older(SECONDS)
    services.continue_answer(alice, generation.message_id)
    with pytest.raises(errors.TooManySends):
        send(alice)


def test_same_key_again_is_no_further_send(alice: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = settings.CHAT_RUNNING_PER_USER = 1
    key = uuid.uuid4()
    first = services.send_prompt(alice, None, "Hello", key)
    assert services.send_prompt(alice, None, "Hello", key) == first


def test_deleting_gives_no_send_back(alice: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = 1
    services.delete(alice, send(alice).conversation_id)
    with pytest.raises(errors.TooManySends):
        send(alice)


def test_sends_at_once(alice: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = 4
    results = at_once(*[partial(send, alice)] * 12)
    assert sum(isinstance(result, Generation) for result in results) == 4
    assert sum(isinstance(result, errors.TooManySends) for result in results) == 8


# Running answers of a person


def test_running_answers(alice: User, bob: User, settings: Settings) -> None:
    settings.CHAT_RUNNING_PER_USER = 2
    first, _ = send(alice), send(alice)
    with pytest.raises(errors.TooManyRunning):
        send(alice)
    send(bob)
    complete(first)
    send(alice)


def test_running_answers_at_once(alice: User, settings: Settings) -> None:
    settings.CHAT_RUNNING_PER_USER = 3
    mixed = [interrupted(alice) for _ in range(4)]
    retries = [partial(services.retry, alice, generation.message_id) for generation in mixed]
    results = at_once(*[partial(send, alice)] * 6, *retries)
    refused = [result for result in results if isinstance(result, errors.TooManyRunning)]
    assert len(refused) == 7
    assert Generation.objects.filter(status="queued").count() == 3


def test_own_answer_is_the_reason_before_the_limit(alice: User, settings: Settings) -> None:
    """Two sends at once in a conversation: one is told of the other, whatever the limit."""
    settings.CHAT_RUNNING_PER_USER = 1
    generation = send(alice)
    with pytest.raises(errors.AnswerRunning):
        send(alice, "And?", generation.conversation)


# The site


def add_processes(number: int) -> None:
    for _ in range(number):
        Process.objects.create(name="other", started_at=timezone.now(), heartbeat_at=Now())


def test_a_full_site(alice: User, bob: User, settings: Settings) -> None:
    settings.CHAT_RUNNING_PER_PROCESS = 2
    send(alice), send(bob)
    with pytest.raises(errors.SiteBusy):
        send(bob)
    add_processes(2)
    send(bob), send(bob)
    with pytest.raises(errors.SiteBusy):
        send(alice)


def test_a_silent_process_gives_no_room(alice: User, settings: Settings) -> None:
    settings.CHAT_RUNNING_PER_PROCESS = 1
    add_processes(2)
    Process.objects.update(heartbeat_at=Now() - timedelta(minutes=1))
    send(alice)
    with pytest.raises(errors.SiteBusy):
        send(alice)


@pytest.fixture
def crowded(settings: Settings) -> None:
    """A process with room for one answer, and another one which takes none."""
    settings.CHAT_RUNNING_PER_PROCESS = 1
    add_processes(1)


@pytest_asyncio.fixture
async def waiting(
    worker: Worker, crowded: None, model: DemoThread, alice: User
) -> tuple[Generation, Generation]:
    """An answer that is written, and one that has no room while that goes on."""
    model.script("slow-to-end", Text(["word "] * 10_000, interval_s=0.05))
    first = await send_async(alice, prompt("slow-to-end"))
    await reached(first, "message_start")
    return first, await send_async(alice, prompt("max-tokens"))


async def looked(worker: Worker, times: int = 2) -> None:
    """Wait until the worker has looked into the queue so many times."""
    beats: set[datetime] = set()
    async with asyncio.timeout(END_S):
        while len(beats) <= times:
            beats.add((await Process.objects.aget(pk=worker.process_id)).heartbeat_at)
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_what_has_no_room_waits_and_is_taken(
    worker: Worker, waiting: tuple[Generation, Generation], alice: User
) -> None:
    first, second = waiting
    await looked(worker)
    await second.arefresh_from_db()
    assert second.status == "queued"
    await stop(alice, first)
    assert (await finished(second)).status == "complete"


@pytest.mark.asyncio
async def test_stop_of_what_has_no_room(
    waiting: tuple[Generation, Generation], alice: User
) -> None:
    first, second = waiting
    await stop(alice, second)
    async with asyncio.timeout(STOPS_S):
        ended = await finished(second)
    assert (ended.status, ended.error_code) == ("stopped", "")
    await check_log(ended)
    await first.arefresh_from_db()
    assert first.status == "streaming"


@pytest.mark.asyncio
async def test_what_has_no_room_for_long_is_given_up(
    waiting: tuple[Generation, Generation], alice: User
) -> None:
    _, second = waiting
    since = timezone.now() - QUEUE_MAX
    await Generation.objects.filter(pk=second.pk).aupdate(created_at=since)
    ended = await finished(second)
    assert (ended.status, ended.error_code) == ("failed", "not_taken")
    await check_log(ended)


# As people meet it


REFUSALS = {
    "CHAT_SENDS_PER_MINUTE": "at most 1 messages a minute from one person. Try again in ",
    "CHAT_RUNNING_PER_USER": "at most 1 answers can be written for you at once. Stop one, or try",
    "CHAT_RUNNING_PER_PROCESS": "as many people as it can. Try again in 10 s.",
}


@pytest.mark.parametrize("limit", REFUSALS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_refused_prompt_says_when_and_is_given_back(
    client: Client, running: Generation, settings: Settings, limit: str, headers: Any
) -> None:
    setattr(settings, limit, 1)
    form = {"text": "Words to keep", "key": str(uuid.uuid4())}
    response = client.post("/", form, headers=headers)
    html = text_of(response)
    assert response.status_code == 429 and REFUSALS[limit] in html
    assert "\nWords to keep</textarea>" in html and field(html, "key") != form["key"]
    assert f"ry again in {response.headers['Retry-After']} s." in html
    assert response.headers.get("HX-Retarget") == ("#composer" if headers else None)


@pytest.mark.parametrize("name", ["retry", "continue"])
def test_refused_retry_says_when(client: Client, anna: User, settings: Settings, name: str) -> None:
    generation = interrupted(anna)
    settings.CHAT_SENDS_PER_MINUTE = 1
    response = client.post(to(name, generation.message_id))
    assert response.status_code == 429 and "Retry-After" in response.headers
    assert "<h1>" in text_of(response) and "Try again in" in text_of(response)


@pytest.mark.parametrize("name", ["retry", "continue"])
def test_refused_retry_with_htmx_is_told_on_the_page(
    client: Client, anna: User, settings: Settings, name: str
) -> None:
    generation = interrupted(anna)
    settings.CHAT_SENDS_PER_MINUTE = 1
    response = client.post(to(name, generation.message_id), {"socket": "open"}, headers=HTMX)
    assert text_of(response).startswith('<p class="composer-error')
    assert (response.status_code, response.headers["HX-Retarget"]) == (429, "#composer-error")
    assert response.headers["HX-Reswap"] == "outerHTML"


def test_refused_prompt_is_taken_later(client: Client, anna: User, settings: Settings) -> None:
    settings.CHAT_RUNNING_PER_USER = 1
    generation = send(anna)
    html = text_of(client.post("/", {"text": "Patience"}))
    end(generation)
    form = {"text": "Patience", "key": field(html, "key")}
    assert client.post("/", form).status_code == 302
