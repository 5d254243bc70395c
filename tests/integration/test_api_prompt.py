"""POST /api/chat: what it answers, in which conversation, how often, within which limits."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
import pytest_asyncio
from django.utils import timezone
from pytest_django import Settings

from chat import events, services
from chat.api.prompt import PIECE_CHARS
from chat.demo.steps import End, Raw, Text
from chat.demo.thread import DemoThread
from chat.models import Generation, Message, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.api_events import message_start, sse
from tests.integration.answers import calls, came, message_end, prompt, text_block
from tests.integration.api_client import Program, error_of, left, pieces, program, read

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client(worker: Worker, model: DemoThread, alice: User) -> Program:
    model.script("two-words", Text(["Two ", "words"]))
    model.script("endless", Text("on and on " * 5_000, interval_s=0.02))
    return await program(alice)


async def answer(text: str) -> Message:
    rows = Message.objects.select_related("conversation", "parent")
    return await rows.aget(role="assistant", parent__text=text)


# What is answered


async def test_answer_is_streamed_and_saved(client: Program) -> None:
    response = await client.ask(text := prompt("two-words"))
    assert await read(response) == ("Two words", [], True)
    saved = await answer(text)
    assert saved.text == "Two words"
    assert response.headers["Chat-Conversation"] == str(saved.conversation_id)
    generation = await Generation.objects.aget(pk=response.headers["Chat-Generation"])
    assert (generation.message_id, generation.status) == (saved.pk, "complete")


async def test_nothing_may_hold_the_stream_back(client: Program) -> None:
    response = await client.ask(prompt("two-words"))
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert (await read(response)).is_done


@pytest.mark.parametrize(
    "text", ["x" * 2_500, "é😀𝒳\u2028\ufeff" * 700, '"\\\n' * 900, "\u0000\u001f"]
)
async def test_pieces_are_whole_short_lines_of_ascii(
    client: Program, model: DemoThread, text: str
) -> None:
    model.script("in-pieces", Text([text, text[:7], text]))
    shown = ""
    async for piece in pieces(await client.ask(asked := prompt("in-pieces"))):
        assert piece.isascii() and piece.endswith("\n\n")
        for line in piece.rstrip("\n").split("\n\n"):
            assert "\n" not in line and line.startswith("data: ")
            if line != "data: [DONE]":
                part = json.loads(line.removeprefix("data: "))["text"]
                assert 0 < len(part) <= PIECE_CHARS
                shown += part
    assert shown == (await answer(asked)).text == (text + text[:7] + text).replace("\0", "\ufffd")


async def test_text_that_a_message_begins_with(client: Program, model: DemoThread) -> None:
    begun = message_start(content=[{"type": "text", "text": "Once "}])
    stream = sse(begun, *text_block(1, "mo", "re"), *message_end())
    model.script("begun", Raw(stream), End())
    assert await read(await client.ask(text := prompt("begun"))) == ("Once more", [], True)
    assert (await answer(text)).text == "Once more"


async def test_thinking_is_not_in_the_text(client: Program, model: DemoThread) -> None:
    assert "Thinking" not in (await read(await client.ask(prompt("thinking")))).text
    saved = await Message.objects.aget(role="assistant")
    assert saved.content[0]["type"] == "thinking"


async def test_silence_is_told_of_by_comments(
    client: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.api.prompt.FIRST_WORD_S", 0.05)
    response = await client.ask(prompt("stall-early"))
    assert await left(response, 3) == [": alive\n\n"] * 3


async def test_options_go_to_claude(client: Program, model: DemoThread) -> None:
    options = {"model": "claude-haiku-5-5", "system": "Be brief.", "max_tokens": 77}
    text = prompt("two-words")
    assert (await read(await client.ask(text, **options))).is_done
    body = (await came(model, text)).body
    assert {name: body[name] for name in options} == options


async def test_null_is_as_good_as_left_out(client: Program) -> None:
    names = ("conversation", "model", "system", "max_tokens", "max_seconds", "key", "background")
    response = await client.ask(prompt("two-words"), **dict.fromkeys(names))
    assert (await read(response)).text == "Two words"


# Conversations and keys


async def test_conversation_goes_on(client: Program, model: DemoThread) -> None:
    first = await client.ask(prompt("two-words"))
    assert (await read(first)).is_done
    conversation = first.headers["Chat-Conversation"]
    second = await client.ask(text := prompt("two-words"), conversation=conversation)
    assert (await read(second)).is_done
    assert second.headers["Chat-Conversation"] == conversation
    roles = [turn["role"] for turn in (await came(model, text)).body["messages"]]
    assert roles == ["user", "assistant", "user"]


async def test_foreign_conversation_is_as_a_missing_one(client: Program, bob: User) -> None:
    sent = await in_thread(services.send_prompt, bob, None, "Mine", uuid.uuid4())
    answers = []
    for conversation in (sent.conversation.pk, uuid.uuid4()):
        response = await client.ask("Hi", conversation=str(conversation))
        assert response.status_code == 404
        answers.append(error_of(response))
    assert answers[0] == answers[1] and answers[0]["code"] == "not_there"
    assert await Message.objects.filter(role="user").acount() == 1


async def test_same_key_is_one_message(client: Program, model: DemoThread) -> None:
    key, text = str(uuid.uuid4()), prompt("two-words")
    responses = [await client.ask(text, key=key) for _ in range(2)]
    assert [await read(response) for response in responses] == [("Two words", [], True)] * 2
    assert (await read(await client.ask(text, key=key))).text == "Two words"
    asked = await Message.objects.aget(role="user")
    assert len(calls(model, asked)) == 1
    assert len({response.headers["Chat-Generation"] for response in responses}) == 1


async def test_same_key_after_the_log_is_gone(client: Program) -> None:
    key, text = str(uuid.uuid4()), prompt("two-words")
    assert (await read(await client.ask(text, key=key))).is_done
    await in_thread(events.prune, timezone.now() + timedelta(days=1))
    assert await read(await client.ask(text, key=key)) == ("Two words", [], True)


async def test_same_key_with_another_text(client: Program) -> None:
    key = str(uuid.uuid4())
    assert (await read(await client.ask(prompt("two-words"), key=key))).is_done
    response = await client.ask(prompt("two-words"), key=key)
    assert (response.status_code, error_of(response)["code"]) == (409, "key_reused")


async def test_answer_is_running(client: Program) -> None:
    response = await client.ask(prompt("endless"))
    other = await client.ask("Hi", conversation=response.headers["Chat-Conversation"])
    assert (other.status_code, error_of(other)["code"]) == (409, "answer_running")
    assert await left(response, 2)


# Limits


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("CHAT_SENDS_PER_MINUTE", "too_many_sends"),
        ("CHAT_RUNNING_PER_USER", "too_many_running"),
        ("CHAT_RUNNING_PER_PROCESS", "site_busy"),
    ],
)
async def test_limit(client: Program, settings: Settings, limit: str, code: str) -> None:
    setattr(settings, limit, 1)
    response = await client.ask(prompt("endless"))
    refused = await client.ask("Hi")
    error = error_of(refused)
    assert (refused.status_code, error["code"], error["retryable"]) == (429, code, True)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] in error["message"]
    assert await left(response, 2)
