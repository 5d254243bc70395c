"""What the body of POST /api/chat may be, and that each mistake in it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio
from django.test.client import MULTIPART_CONTENT
from pytest_django import Settings

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.models import Message, User
from chat.worker import Worker
from tests.integration.answers import prompt
from tests.integration.api_client import Program, error_of, program, read

pytestmark = pytest.mark.asyncio

HUGE = 10**400


@pytest_asyncio.fixture
async def client(worker: Worker, model: DemoThread, alice: User) -> Program:
    model.script("two-words", Text(["Two ", "words"]))
    return await program(alice)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"message": None}, "`message` is missing"),
        ({"message": 1}, "`message` has to be a text"),
        ({"message": ["Hi"]}, "`message` has to be a text"),
        ({"conversation": 7}, "`conversation` has to be a text"),
        ({"conversation": "mine"}, "`conversation` has to be a UUID"),
        ({"key": ""}, "`key` has to be a UUID"),
        ({"model": ""}, "takes 1 to 100"),
        ({"model": "m" * 101}, "has 101 characters"),
        ({"system": 5}, "`system` has to be a text"),
        ({"max_tokens": 0}, "has to lie between 1 and 16000"),
        ({"max_tokens": 16_001}, "has to lie between 1 and 16000"),
        ({"max_tokens": HUGE}, "`max_tokens`"),
        ({"max_tokens": 1.5}, "has to be a whole number"),
        ({"max_tokens": True}, "has to be a whole number"),
        ({"max_seconds": 0}, "has to lie between 0.1 and 3600"),
        ({"max_seconds": 3_601}, "has to lie between 0.1 and 3600"),
        ({"max_seconds": -HUGE}, "`max_seconds`"),
        ({"max_seconds": "9"}, "`max_seconds` has to be a number"),
        ({"max_seconds": False}, "`max_seconds` has to be a number"),
        ({"background": 1}, "`background` has to be true or false"),
        ({"tools": "calculator"}, "`tools` has to be a list"),
        ({"tools": [1]}, "`tools` has to be a list of texts"),
        ({"messages": []}, "`messages` is not known here; known are `message`"),
        ({"\ud800": 1}, "is not known here"),
    ],
)
async def test_wrong_member_is_named(client: Program, members: dict[str, Any], words: str) -> None:
    response = await client.post(json.dumps({"message": "Hi", **members}))
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "invalid_request")
    assert words in error["message"] and not error["retryable"]
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("text", ["", " \n\t", "\r\n"])
async def test_empty_message(client: Program, text: str) -> None:
    response = await client.ask(text)
    assert (response.status_code, error_of(response)["code"]) == (400, "prompt_empty")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "`message` is missing"),
        (b"Hi", "is not JSON"),
        (b'{"message": "Hi"', "is not JSON"),
        (b'{"message": "Hi", "max_seconds": NaN}', "is not JSON"),
        (b'{"message": "Hi", "max_tokens": ' + b"9" * 5_000 + b"}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'["Hi"]', "is not an object"),
        (b"null", "is not an object"),
        (b'{"message": "caf\xe9"}', "Byte 16 of the body is not UTF-8"),
        ('{"message": "Hi"}'.encode("utf-16"), "Byte 0 of the body is not UTF-8"),
    ],
)
async def test_body_that_is_no_object(client: Program, body: bytes, words: str) -> None:
    response = await client.post(body)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_request")
    assert words in error_of(response)["message"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", ""],
)
async def test_content_type_does_not_matter(client: Program, content_type: str) -> None:
    body = json.dumps({"message": prompt("two-words")})
    assert (await read(await client.post(body, content_type))).text == "Two words"


async def test_form_with_files_is_refused(client: Program) -> None:
    response = await client.post({"message": "Hi"}, MULTIPART_CONTENT)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_request")


async def test_text_is_cleaned(client: Program) -> None:
    body = json.dumps({"message": "/demo two-words\r\none\rtwo\u0000 \ud83d and 😀"})
    assert (await read(await client.post(body))).is_done
    saved = await Message.objects.aget(role="user")
    assert saved.text == "/demo two-words\none\ntwo\ufffd \ufffd and 😀"


async def test_prompt_over_the_limit(client: Program, settings: Settings) -> None:
    settings.CHAT_PROMPT_MAX_BYTES = 1_000
    response = await client.ask("é" * 501)
    assert (response.status_code, error_of(response)["code"]) == (413, "prompt_too_long")
    assert "1002" in error_of(response)["message"]


async def test_body_over_the_limit(client: Program, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = await client.ask("x" * 1_000)
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")
