"""The built-in tools that need more than their input, and the site that offers them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web
from pytest_django import Settings

from chat import services
from chat.demo.thread import DemoThread
from chat.models import Generation, Message, User
from chat.threads import in_thread
from chat.tools import Result, ToolError, Toolset, call, load, offered
from chat.tools.conversations import EXCERPT_CHARS, excerpt, search_conversations
from chat.tools.registry import _server_tools
from chat.tools.weather import weather
from chat.worker import Worker
from tests.conftest import make_runtime, working
from tests.integration.answers import answered, data_of
from tests.integration.pages import end

WEATHER = "chat.tools.weather.weather"


def ask(user: User, *prompts: str) -> None:
    for words in prompts:
        services.send_prompt(user, None, words, uuid.uuid4())
        end(Generation.objects.select_related("conversation", "message").latest("pk"))


@pytest.fixture
def bert(db: None) -> User:
    return User.objects.create_user("bert")


def test_search_leaves_out_what_was_refused(anna: User) -> None:
    ask(anna, "How do herons fish?")
    assert len(search_conversations(anna, "herons")) == 1
    Generation.objects.update(stop_reason="refusal")
    Message.objects.filter(role="assistant").update(text="Herons, says the refused answer.")
    assert search_conversations(anna, "herons") == []


def test_search_finds_what_holds_all_words(anna: User) -> None:
    ask(anna, "How do herons fish?", "Which fish is blue?", "Why is the sky blue?")
    found = search_conversations(anna, "FISH blue")
    assert [hit["excerpt"] for hit in found] == ["Which fish is blue?"]
    assert found[0]["conversation"] == "Which fish is blue?"
    assert found[0]["written_by"] == "the person"


def test_search_finds_nothing_of_other_people(anna: User, bert: User) -> None:
    ask(bert, "My secret fish")
    assert search_conversations(anna, "fish") == []
    assert len(search_conversations(bert, "fish")) == 1


def test_search_is_newest_first_and_bounded(anna: User) -> None:
    ask(anna, *(f"Question {n}" for n in range(4)))
    found = search_conversations(anna, "question", limit=2)
    assert [hit["excerpt"] for hit in found] == ["Question 3", "Question 2"]
    assert len(search_conversations(anna, "question", limit=-5)) == 1


def test_search_takes_signs_of_databases_as_they_are(anna: User) -> None:
    ask(anna, "100 % sure", "100 per cent")
    assert len(search_conversations(anna, "%")) == 1
    assert search_conversations(anna, "_") == []


@pytest.mark.parametrize("query", ["", "  ", "a " * 9, "x" * 201])
def test_search_refuses_odd_queries(anna: User, query: str) -> None:
    with pytest.raises(ToolError, match="1 to 8 words"):
        search_conversations(anna, query)


def test_excerpt_is_around_the_word() -> None:
    text = "a " * 500 + "Heron " + "b " * 500
    cut = excerpt(text, "heron")
    assert "Heron" in cut and cut.startswith("…") and cut.endswith("…")
    assert len(cut) <= EXCERPT_CHARS + 2


class Sky:
    """A weather service on a socket; `reply` is what it answers."""

    def __init__(self) -> None:
        self.reply = web.json_response({})
        self.asked: list[dict[str, str]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/forecast"
        self.asked.append(dict(request.query))
        return self.reply


@pytest_asyncio.fixture
async def sky(settings: Settings) -> AsyncIterator[Sky]:
    sky = Sky()
    app = web.Application()
    app.router.add_get("/{path:.*}", sky.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings.CHAT_WEATHER_URL = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield sky
    await runner.cleanup()


async def told(latitude: float, longitude: float, anna: User | None = None) -> Result:
    arguments = {"latitude": latitude, "longitude": longitude}
    return await call(Toolset(tools=load([WEATHER])), "weather", arguments, anna or User())


@pytest.mark.asyncio
async def test_weather_of_a_place(sky: Sky) -> None:
    body = {"timezone": "Europe/Oslo", "current": {"temperature_2m": -3.5}, "elevation": 23}
    sky.reply = web.json_response(body)
    result = await told(59.9, 10.75)
    assert json.loads(result.text) == {
        "timezone": "Europe/Oslo",
        "current": {"temperature_2m": -3.5},
    }
    (asked,) = sky.asked
    assert (asked["latitude"], asked["longitude"], asked["forecast_days"]) == ("59.9", "10.75", "3")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reply",
    [{"status": 500}, {"text": "no JSON"}, {"text": "[1]"}, {"status": 302}],
    ids=["500", "no-json", "no-object", "redirect"],
)
async def test_weather_that_is_not_told(sky: Sky, reply: dict[str, object]) -> None:
    sky.reply = web.Response(**reply)  # type: ignore[arg-type]
    result = await told(59.9, 10.75)
    assert result.is_error and result.text.startswith("The weather service ")


@pytest.mark.asyncio
async def test_weather_service_is_away(settings: Settings) -> None:
    settings.CHAT_WEATHER_URL = "http://127.0.0.1:9"
    assert (await told(0, 0)).text.startswith("The weather service can't be reached")


@pytest.mark.asyncio
async def test_weather_of_no_place() -> None:
    assert (await told(91, 0)).text == "There is no such place, or there are too many days."


def test_weather_is_offered_only_where_it_is_named() -> None:
    assert weather.name not in offered().names


@asynccontextmanager
async def worker_with(model: DemoThread, toolset: Toolset) -> AsyncIterator[Worker]:
    async with working(replace(make_runtime(model), toolset=toolset)) as begun:
        yield begun


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("prompt", "tool", "result"),
    [
        ("How much is 12 * 3?", "calculator", "36"),
        ("What time is it in Europe/Oslo?", "current_time", "(Europe/Oslo)"),
    ],
)
async def test_demo_model_uses_the_tools_of_the_site(
    transactional_db: None, model: DemoThread, alice: User, prompt: str, tool: str, result: str
) -> None:
    async with worker_with(model, offered()):
        generation = await answered(alice, prompt)
    kinds = [block["type"] for block in generation.message.content]
    assert kinds == ["text", "tool_use", "tool_result", "text"]
    assert generation.message.content[1]["name"] == tool
    assert result in generation.message.content[2]["content"]
    assert result in generation.message.text


@pytest.mark.asyncio
async def test_demo_model_tells_a_story_without_tools(
    transactional_db: None, model: DemoThread, alice: User
) -> None:
    async with worker_with(model, offered()):
        generation = await answered(alice, "Tell me a short story about rain")
    assert [block["type"] for block in generation.message.content] == ["text"]


@pytest.mark.asyncio
async def test_search_of_the_web_is_offered_and_its_sources_are_shown(
    transactional_db: None, model: DemoThread, alice: User
) -> None:
    async with worker_with(model, Toolset(server_tools=_server_tools(3, 1))):
        generation = await answered(alice, "Search the web for tides")
    assert generation.message.parent is not None
    (record,) = [r for r in model.requests if r.body and "tides" in str(r.body["messages"])][-1:]
    assert [tool["type"] for tool in record.body["tools"]] == [
        "web_search_20250305",
        "web_fetch_20250910",
    ]
    kinds = {block["type"] for block in generation.message.content}
    assert kinds == {"text", "server_tool_use", "web_search_tool_result"}
    assert "https://example.com/tides" in "".join(generation.message.rendered)
    assert await data_of(generation, "tool_result") == []


@pytest.mark.asyncio
async def test_tool_that_queries_the_database_gives_its_connection_back(
    transactional_db: None, alice: User
) -> None:
    await in_thread(ask, alice, "How do herons fish?")
    toolset = offered()
    results = await asyncio.gather(
        *(call(toolset, "search_conversations", {"query": "herons"}, alice) for _ in range(12))
    )
    assert all("How do herons fish?" in result.text for result in results)
