"""A program's requests as chats: limited, shown, and gone on with on the page."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from chat import errors, sent_turns, services, tokens
from chat.demo.records import RequestRecord
from chat.demo.steps import Cut, Finish, Text, ToolUse
from chat.demo.thread import DemoThread
from chat.models import AccessToken, Generation, Message, User
from chat.options import Options
from chat.threads import in_thread
from chat.transcript import view_messages
from chat.worker import Worker
from tests.integration.answers import finished, prompt
from tests.integration.outages import database_away
from tests.integration.program import BODY, is_of

WEATHER = {"name": "get_weather", "input_schema": {"type": "object"}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def said(role: str, *content: Any) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(owner: User, *messages: dict[str, Any], **members: Any) -> Generation:
    body = {**BODY, "messages": list(messages), **members}
    headers = {"anthropic-beta": "herons-1"}
    return sent_turns.send_messages(
        owner, messages, Options(body["model"], body=body, headers=headers)
    )


def post(owner: User, body: dict[str, Any]) -> Any:
    secret = tokens.create(owner, "test", AccessToken.Scope.CHAT).secret
    headers = {"x-api-key": secret}
    return Client().post("/v1/messages", body, "application/json", headers=headers)


async def answered(owner: User, *messages: dict[str, Any], **members: Any) -> Generation:
    return await finished(await in_thread(lambda: call(owner, *messages, **members)))


def requests_of(model: DemoThread, words: str) -> list[RequestRecord]:
    return [record for record in model.requests if is_of(record, words)]


async def a_failed_call(model: DemoThread, alice: User) -> tuple[Generation, str, Any]:
    """Have an answer break off that follows blocks of every kind."""
    model.script("breaks", Text("The tide comes in twice a d"), Cut())
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"a": 1}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("Rain")]}
    messages = (
        said("user", text("See"), IMAGE),
        said("assistant", use),
        said("user", result, text(words := prompt("breaks"))),
    )
    generation = await answered(alice, *messages, tools=[WEATHER], system="Be kind.")
    assert (generation.status, generation.error_code) == ("failed", "connection_lost")
    return generation, words, messages


@pytest.mark.asyncio
async def test_retry_asks_the_same_again(worker: Worker, model: DemoThread, alice: User) -> None:
    generation, words, _ = await a_failed_call(model, alice)
    assert generation.options is not None
    assert generation.options["body"] == {**BODY, "tools": [WEATHER], "system": "Be kind."}
    model.script("breaks", Text("The tide comes in twice a day."))
    again = await finished(await in_thread(services.retry, alice, generation.message_id))
    assert (again.status, again.message.text) == ("complete", "The tide comes in twice a day.")
    first, second = requests_of(model, words)
    assert second.body == first.body and second.headers == first.headers
    assert second.headers["anthropic-beta"] == "herons-1"


@pytest.mark.asyncio
async def test_continue_goes_on_with_the_text(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation, _, _ = await a_failed_call(model, alice)
    await finished(await in_thread(services.continue_answer, alice, generation.message_id))
    body = model.requests[-1].body
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [text("The tide comes in twice a d")]
    assert (body["system"], body["tools"], body["stream"]) == ("Be kind.", [WEATHER], True)


@pytest.mark.asyncio
async def test_answer_that_grew_is_found_as_it_is_now(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation, _, messages = await a_failed_call(model, alice)
    before = generation.message.path_digest
    grown = await finished(await in_thread(services.continue_answer, alice, generation.message_id))
    assert grown.message.path_digest not in ("", before)
    more = (*messages, said("assistant", *grown.message.content), said("user", text("And?")))
    assert (await answered(alice, *more)).conversation_id == generation.conversation_id


@pytest.mark.asyncio
async def test_page_goes_on_with_a_call(worker: Worker, model: DemoThread, alice: User) -> None:
    """And the program with what it knows of, on a branch of its own."""
    first = await answered(alice, said("user", text(prompt("whole"))))
    sent = await in_thread(
        services.send_prompt, alice, first.conversation_id, "More, please", uuid.uuid4()
    )
    of_page = await Generation.objects.aget(message__parent=sent.message)
    page = await finished(of_page)
    assert page.status == "complete" and page.message.path_digest == ""
    path = [said("user", *first.message.parent.content), said("assistant", *first.message.content)]
    branch = await answered(alice, *path, said("user", text("Otherwise")))
    assert branch.conversation_id == first.conversation_id
    assert branch.message.parent.parent_id == first.message_id == sent.message.parent_id


@pytest.mark.django_db
def test_messages_are_shown(anna: User, client: Client) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain <b>&"}
    generation = call(
        anna,
        said("user", IMAGE, text("What is **this**?")),
        said("assistant", text("A *heron*."), use),
        said("user", result),
    )
    conversation = generation.conversation
    assert conversation.is_from_api and conversation.title == "[image] What is **this**?"
    html = client.get(reverse("conversation", args=[conversation.pk])).content.decode()
    assert "[image]\nWhat is **this**?</div>" in html
    assert "A <em>heron</em>." in html and "get_weather" in html
    assert "[tool_result] Rain &lt;b&gt;&amp;</div>" in html
    assert html.count('class="message-status"') == 1
    texts = Message.objects.order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["What is **this**?", "A *heron*.", "", ""]


@pytest.mark.asyncio
async def test_call_of_the_programs_tool_needs_no_notice(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("calls", ToolUse("get_weather", {"a": 1}), Finish("tool_use"))
    generation = await answered(alice, said("user", text(prompt("calls"))), tools=[WEATHER])
    assert generation.stop_reason == "tool_use"
    (view,) = await in_thread(view_messages, [generation.message_id])
    assert view.notice == ""


@pytest.mark.django_db
def test_system_message_is_kept(anna: User) -> None:
    """As one of the user's, and without being taken for what the user asked."""
    generation = call(anna, said("system", text("Be brief.")), said("user", text("Why?")))
    assert generation.conversation.title == "Why?"
    system, asked = Message.objects.filter(role="user").order_by("pk")
    assert system.content == [{"type": "system", "content": [text("Be brief.")]}]
    assert (system.text, asked.text, asked.parent) == ("", "Why?", system)


@pytest.mark.django_db(transaction=True)
def test_limit(anna: User, settings: Settings) -> None:
    settings.CHAT_SENDS_PER_MINUTE = 1
    call(anna, said("user", text("One")))
    with pytest.raises(errors.TooManySends):
        call(anna, said("user", text("Two")))
    assert Message.objects.filter(role="user").count() == 1
    response = post(anna, {**BODY, "messages": [said("user", text("Two"))]})
    assert response.status_code == 429 and 0 < int(response.headers["Retry-After"]) <= 60
    assert response.json()["error"]["type"] == "rate_limit_error"


@pytest.mark.django_db(transaction=True)
def test_database_away(anna: User) -> None:
    secret = tokens.create(anna, "test", AccessToken.Scope.CHAT).secret
    with database_away():
        response = Client().post(
            "/v1/messages", "{}", "application/json", headers={"x-api-key": secret}
        )
    assert response.status_code == 503 and response.headers["Retry-After"]
    assert response.json()["error"]["type"] == "api_error"
    assert response.headers["request-id"] == response.json()["request_id"]


@pytest.mark.django_db
@pytest.mark.skipif(not settings.IS_SQLITE, reason="PostgreSQL plans by the size of a table")
def test_known_messages_are_found_by_an_index(anna: User) -> None:
    """However many there are; else each call would read all messages of the site."""
    turns = [said("user", text("a")), said("assistant", text("b"))] * 3
    with CaptureQueriesContext(connection) as queries:
        call(anna, *turns, said("user", text("c")))
    (found,) = [q["sql"] for q in queries if "path_digest" in q["sql"] and " IN (" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {found}")
        assert "message_by_path_digest" in str(cursor.fetchall())
