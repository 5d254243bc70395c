"""POST /api/chat: how an answer ends that fails, is stopped, or whose reader leaves."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from chat import services
from chat.demo.steps import Attempts, Cut, End, Event, Status, Step, Text, Wait
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import came, finished, prompt, reached
from tests.integration.api_client import Program, as_read, error_of, left, pieces, program, read

pytestmark = pytest.mark.asyncio

UPSTREAM_FAILED = Event("error", {"error": {"type": "overloaded_error", "message": "No"}})


@pytest_asyncio.fixture
async def client(worker: Worker, model: DemoThread, alice: User) -> Program:
    model.script("endless", Text("on and on " * 5_000, interval_s=0.02))
    return await program(alice)


async def generation_of(text: str) -> Generation:
    rows = Generation.objects.select_related("message")
    return await rows.aget(message__parent__text=text)


# Failures


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (Status(401, "authentication_error", "No"), 502, "auth"),
        (Status(404, "not_found_error", "No"), 502, "not_found"),
        (Status(429, "rate_limit_error", "No", {"retry-after": "99"}), 429, "rate_limited"),
    ],
)
async def test_failure_before_the_first_word(
    client: Program, model: DemoThread, refusal: Step, status: int, code: str
) -> None:
    model.script("refusing", refusal)
    response = await client.ask(text := prompt("refusing"))
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    # What was asked is kept, and what became of it.
    ended = await generation_of(text)
    assert (ended.status, ended.error_code) == ("failed", code)


@pytest.mark.parametrize(
    ("end", "code"),
    [(Cut(), "connection_lost"), (UPSTREAM_FAILED, "overloaded"), (End(), "truncated")],
)
async def test_failure_after_the_first_word(
    client: Program, model: DemoThread, end: Step, code: str
) -> None:
    model.script("failing", Text(["One "]), end)
    got = await read(await client.ask(prompt("failing")))
    assert (got.text, got.is_done) == ("One ", True)
    assert [(error["code"], error["retryable"]) for error in got.errors] == [(code, True)]


async def test_failure_before_the_first_word_but_late(
    client: Program, model: DemoThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status went out with the first comment."""
    monkeypatch.setattr("chat.api.prompt.FIRST_WORD_S", 0.05)
    model.script("late", Wait(0.3), Status(401, "authentication_error", "No"))
    chunks = [piece async for piece in pieces(await client.ask(prompt("late")))]
    assert chunks[0] == ": alive\n\n"
    assert [error["code"] for error in as_read(chunks).errors] == ["auth"]


async def test_retry_is_not_seen(client: Program, model: DemoThread) -> None:
    refusal = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("at-last", Attempts(refusal, [Text("Here")]))
    assert await read(await client.ask(prompt("at-last"))) == ("Here", [], True)


async def test_empty_answer(client: Program) -> None:
    assert await read(await client.ask(prompt("empty"))) == ("", [], True)


# Stops


async def test_time_limit(client: Program) -> None:
    got = await read(await client.ask(text := prompt("endless"), max_seconds=0.5))
    ended = await generation_of(text)
    assert got.text == ended.message.text and got.text.startswith("on and on ")
    assert got.is_done and [error["code"] for error in got.errors] == ["time_limit"]
    assert (ended.status, ended.error_code) == ("stopped", "time_limit")


async def test_stop_from_elsewhere(client: Program, alice: User) -> None:
    response = await client.ask(text := prompt("endless"))
    generation = await generation_of(text)
    await reached(generation, "content_block_delta", 3)
    await in_thread(services.stop, alice, generation.pk)
    got = await read(response)
    assert got.is_done and [error["code"] for error in got.errors] == ["stopped"]
    assert got.text and got.text == (await generation_of(text)).message.text


async def test_stop_before_the_first_word(client: Program, model: DemoThread, alice: User) -> None:
    asking = asyncio.create_task(client.ask(text := prompt("stall-headers")))
    await came(model, text)
    await in_thread(services.stop, alice, (await generation_of(text)).pk)
    got = await read(await asking)
    assert (got.text, got.is_done) == ("", True)
    assert [error["code"] for error in got.errors] == ["stopped"]


# Readers that leave


async def test_who_leaves_stops_the_answer(client: Program) -> None:
    response = await client.ask(text := prompt("endless"))
    shown = as_read(await left(response, 5)).text
    ended = await finished(await generation_of(text))
    assert (ended.status, ended.error_code) == ("stopped", "")
    assert shown and ended.message.text.startswith(shown)


async def test_who_leaves_before_the_first_word_stops_the_answer(
    client: Program, model: DemoThread
) -> None:
    asking = asyncio.create_task(client.ask(text := prompt("stall-headers")))
    await came(model, text)
    asking.cancel()
    await asyncio.wait({asking})
    assert (await finished(await generation_of(text))).status == "stopped"


async def test_background_goes_on(client: Program, model: DemoThread) -> None:
    model.script("steady", Text(["on "] * 50, interval_s=0.01))
    response = await client.ask(text := prompt("steady"), background=True)
    assert len(await left(response, 2)) == 2
    ended = await finished(await generation_of(text))
    assert (ended.status, ended.message.text) == ("complete", "on " * 50)
