"""GET /api/generations/<id>/events: which events, from where on, for whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from django.utils import timezone

from chat import events, services
from chat.api import sse
from chat.demo.steps import Attempts, Block, Event, Start, Status, Step, Text, Thinking
from chat.demo.thread import DemoThread
from chat.models import AccessToken, Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import END_S, answered, came, entries, prompt, reached, send
from tests.integration.api_client import READ, Program, error_of, left, pieces, program

pytestmark = pytest.mark.asyncio

RICH: list[Step] = [
    Start(),
    Thinking("Hm. " * 9, interval_s=0.0),
    Text("Words é😀"),
    Block({"type": "a_new_block"}, [{"type": "a_new_delta", "more": "\u2028"}]),
    Event("a_new_event", {"of": "tomorrow"}),
]


class Sent(NamedTuple):
    """An event as a program gets it."""

    id: int
    event: str
    data: dict[str, Any]


@pytest_asyncio.fixture
async def reader(worker: Worker, model: DemoThread, alice: User) -> Program:
    model.script("rich", *RICH)
    model.script("endless", Text("on and on " * 5_000, interval_s=0.02))
    return await program(alice, READ)


async def read(response: Any) -> list[Sent]:
    return [
        parsed(event) for event in "".join([p async for p in pieces(response)]).split("\n\n")[:-1]
    ]


def parsed(event: str) -> Sent:
    names, values = zip(*(line.split(": ", 1) for line in event.split("\n")), strict=True)
    assert names == ("id", "event", "data")
    return Sent(int(values[0]), values[1], json.loads(values[2]))


def path(generation: Generation, query: str = "") -> str:
    return f"/api/generations/{generation.pk}/events{query}"


async def test_each_event_comes_under_its_name_as_it_is_stored(
    reader: Program, alice: User
) -> None:
    generation = await answered(alice, prompt("rich"))
    log = await entries(generation)
    sent = await read(await reader.get(path(generation)))
    assert [(e.id, e.event, e.data) for e in sent] == [
        (entry.seq, entry.kind, json.loads(entry.data)) for entry in log
    ]
    assert [sent[0].event, sent[1].event, sent[-1].event] == ["request", "message_start", "final"]
    assert {event.event for event in sent} >= {
        *("content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "a_new_event"),
    }
    assert all(e.data["type"] == e.event for e in sent if e.event not in ("request", "final"))


async def test_failures_are_events(reader: Program, model: DemoThread, alice: User) -> None:
    overloaded = {"error": {"type": "overloaded_error", "message": "No"}}
    again = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("failing", Attempts(again, [Text("One"), Event("error", overloaded)]))
    sent = await read(await reader.get(path(await answered(alice, prompt("failing")))))
    kinds = [event.event for event in sent]
    assert kinds[:3] == ["request", "retry", "request"] and kinds[-2:] == ["error", "final"]
    assert sent[-2].data["error"]["type"] == "overloaded_error"
    assert sent[-1].data == {"status": "failed", "error_code": "overloaded"}


@pytest.mark.parametrize("after", [0, 1, 5, 10_000, 10**18 - 1])
async def test_reading_goes_on_behind_a_number(reader: Program, alice: User, after: int) -> None:
    generation = await answered(alice, prompt("rich"))
    whole = await read(await reader.get(path(generation)))
    by_query = await read(await reader.get(path(generation, f"?after={after}")))
    by_header = await reader.get(path(generation, "?after=2"), **{"Last-Event-ID": str(after)})
    assert by_query == await read(by_header) == whole[after:]


async def test_reading_follows_what_is_written(
    reader: Program, model: DemoThread, alice: User
) -> None:
    model.script("steady", Text(["on "] * 30, interval_s=0.01))
    generation = await send(alice, prompt("steady"))
    sent = await read(await reader.get(path(generation)))
    assert [event.id for event in sent] == list(range(1, len(sent) + 1))
    assert sent == await read(await reader.get(path(generation)))


async def test_one_request_is_as_claude_streamed_it(
    reader: Program, model: DemoThread, alice: User
) -> None:
    again = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("second", Attempts(again, [Text("Here")]))
    generation = await answered(alice, prompt("second"))
    second = await read(await reader.get(path(generation, "?request=2")))
    assert [event.event for event in second][:1] == ["message_start"]
    assert second[-1].event == "message_stop"
    for number in (1, 3):
        assert await read(await reader.get(path(generation, f"?request={number}"))) == []
    after = await read(await reader.get(path(generation, f"?request=2&after={second[0].id}")))
    assert after == second[1:]


async def test_one_request_ends_where_the_next_begins(
    reader: Program, model: DemoThread, alice: User
) -> None:
    again = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("second", Attempts(again, [Text("on and on " * 5_000, interval_s=0.02)]))
    generation = await send(alice, prompt("second"))
    assert await read(await reader.get(path(generation, "?request=1"))) == []
    assert (await reached(generation, "request", 2)).seq
    await in_thread(services.stop, alice, generation.pk)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("?after=-1", "after"),
        ("?after=one", "after"),
        ("?after=1.0", "after"),
        ("?after=٣", "after"),
        (f"?after={10**18}", "after"),
        ("?request=-1", "request"),
        ("?request=0", "request"),
        ("?request=first", "request"),
    ],
)
async def test_bad_number(reader: Program, alice: User, query: str, name: str) -> None:
    generation = await answered(alice, prompt("empty"))
    response = await reader.get(path(generation, query))
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_request")
    assert f"`{name}`" in error_of(response)["message"]


async def test_bad_last_event_id(reader: Program, alice: User) -> None:
    generation = await answered(alice, prompt("empty"))
    response = await reader.get(path(generation), **{"Last-Event-ID": "x"})
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_request")


async def test_log_that_is_gone(reader: Program, alice: User) -> None:
    generation = await answered(alice, prompt("rich"))
    await in_thread(events.prune, timezone.now() + timedelta(days=1))
    response = await reader.get(path(generation))
    assert (response.status_code, error_of(response)["code"]) == (410, "events_gone")


async def test_silence_is_told_of_by_comments(
    reader: Program, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sse.HEARTBEAT_S == 15
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.05)
    generation = await send(alice, prompt("stall"))
    last = await reached(generation, "content_block_delta")
    response = await reader.get(path(generation, f"?after={last.seq + 100}"))
    assert await left(response, 3) == [": alive\n\n"] * 3
    await in_thread(services.stop, alice, generation.pk)


async def test_reading_starts_and_stops_nothing(
    reader: Program, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, text := prompt("endless"))
    await came(model, text)
    before = len(model.requests)
    for _ in range(3):
        assert len(await left(await reader.get(path(generation)), 5)) == 5
    await generation.arefresh_from_db()
    assert (generation.status, generation.stop_requested_at) == ("streaming", None)
    assert len(model.requests) == before
    await in_thread(services.stop, alice, generation.pk)


async def test_foreign_log_is_as_a_missing_one(reader: Program, bob: User) -> None:
    generation = await answered(bob, prompt("empty"))
    answers = []
    for address in (path(generation), "/api/generations/999999/events"):
        response = await reader.get(address)
        assert response.status_code == 404
        answers.append(error_of(response))
    assert answers[0] == answers[1] and answers[0]["code"] == "not_there"


async def read_while(response: Any, act: Callable[[], Awaitable[object]]) -> list[Sent]:
    """Read a few events, do something, and read on to the end that it brings about."""
    came: list[str] = []
    async with asyncio.timeout(END_S):
        async for piece in pieces(response):
            came.append(piece)
            if len(came) == 5:
                await act()
    return [parsed(event) for event in "".join(came).split("\n\n")[:-1]]


async def test_stream_ends_with_its_token(reader: Program, alice: User) -> None:
    generation = await send(alice, prompt("endless"))

    async def revoke() -> None:
        await in_thread(AccessToken.objects.all().delete)
        events.ring(services.user_topic(alice.pk))

    assert (await read_while(await reader.get(path(generation)), revoke))[-1].event != "final"
    await in_thread(services.stop, alice, generation.pk)


async def test_stream_ends_with_its_conversation(reader: Program, alice: User) -> None:
    generation = await send(alice, prompt("endless"))

    async def delete() -> None:
        await in_thread(services.delete, alice, generation.conversation_id)

    assert (await read_while(await reader.get(path(generation)), delete))[-1].event != "final"
