"""Forms: with and without script, with good and bad input. What is sent stays queued."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

from chat import services
from chat.demo.thread import DemoThread
from chat.models import Conversation, Generation, IdempotencyKey, Message, User
from chat.worker import Worker
from tests.integration.answers import finished, prompt
from tests.integration.pages import HTMX, end, field, text_of, to

pytestmark = pytest.mark.django_db


def test_first_prompt_without_script(client: Client) -> None:
    response = client.post("/", {"text": "Hello", "key": str(uuid.uuid4())})
    conversation = Conversation.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == to("conversation", conversation.pk)


def test_next_prompt_without_script(client: Client, ended: Generation) -> None:
    response = client.post(to("send", ended.conversation_id), {"text": "And?"})
    assert response.headers["Location"] == to("conversation", ended.conversation_id)
    assert Message.objects.filter(text="And?").exists()


def test_first_prompt_with_htmx(client: Client) -> None:
    response = client.post("/", {"text": "Hello", "socket": "closed"}, headers=HTMX)
    address = to("conversation", Conversation.objects.get().pk)
    assert (response.status_code, response.headers["HX-Redirect"]) == (200, address)


def test_next_prompt_with_a_socket_gives_a_new_composer(client: Client, ended: Generation) -> None:
    form = {"text": "And?", "socket": "open", "key": str(uuid.uuid4())}
    response = client.post(to("send", ended.conversation_id), form, headers=HTMX)
    html = text_of(response)
    assert html.strip().startswith('<form id="composer"') and "And?" not in html
    assert field(html, "key") != form["key"] and "hx-preserve" in html


def test_next_prompt_without_a_socket_loads_the_page(client: Client, ended: Generation) -> None:
    form = {"text": "And?", "socket": "closed"}
    response = client.post(to("send", ended.conversation_id), form, headers=HTMX)
    assert response.headers["HX-Redirect"] == to("conversation", ended.conversation_id)


def test_form_newlines_become_lf(client: Client) -> None:
    client.post("/", {"text": "one\r\ntwo\rthree\n\r\nfour"})
    assert Message.objects.get(role="user").text == "one\ntwo\nthree\n\nfour"


def test_what_cannot_be_stored_is_replaced(client: Client) -> None:
    body = b"text=NUL+%00+surrogate+%ED%A0%BD+bell+%07"
    response = client.post("/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 302
    text = Message.objects.get(role="user").text
    assert text.startswith("NUL \ufffd surrogate \ufffd") and text.endswith("bell \a")


def test_example_button_sends_its_text(client: Client) -> None:
    client.post("/", {"text": "", "example": "Explain a rainbow"})
    assert Message.objects.get(role="user").text == "Explain a rainbow"


@pytest.mark.parametrize("key", ["", "no key", "0" * 5_000, "\0"])
def test_bad_key_still_sends(client: Client, key: str) -> None:
    assert client.post("/", {"text": "Hello", "key": key}).status_code == 302


def test_same_form_twice(client: Client) -> None:
    form = {"text": "Hello", "key": str(uuid.uuid4())}
    first, second = client.post("/", form), client.post("/", form)
    assert first.headers["Location"] == second.headers["Location"]
    assert IdempotencyKey.objects.count() == 1


def test_form_of_the_page_has_a_key_of_its_own(client: Client) -> None:
    keys = {field(text_of(client.get("/")), "key") for _ in range(3)}
    assert len(keys) == 3


REFUSALS = [
    ({"text": "  "}, 400, "There is nothing to send yet."),
    ({"text": "x" * 1_001}, 413, "This message has 1001 bytes; at most 1000"),
]


@pytest.mark.parametrize(("form", "status", "words"), REFUSALS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_refused_prompt_is_given_back(
    client: Client,
    settings: Settings,
    headers: Any,
    form: dict[str, str],
    status: int,
    words: str,
) -> None:
    settings.CHAT_PROMPT_MAX_BYTES = 1_000
    response = client.post("/", form, headers=headers)
    html = text_of(response)
    assert response.status_code == status and words in html
    assert f"\n{form['text']}</textarea>" in html
    assert html.strip().startswith("<form" if headers else "<!doctype")
    assert response.headers.get("HX-Retarget") == ("#composer" if headers else None)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_prompt_while_an_answer_is_written(
    client: Client, running: Generation, headers: Any
) -> None:
    form = {"text": "Impatient <words>", "socket": "open"}
    response = client.post(to("send", running.conversation_id), form, headers=headers)
    html = text_of(response)
    assert response.status_code == 409
    assert "An answer is still being written here." in html
    assert "\nImpatient &lt;words&gt;</textarea>" in html and "stop-button" in html


def test_text_that_begins_with_a_newline_comes_back_whole(
    client: Client, running: Generation
) -> None:
    """HTML drops the first newline of a textarea; there has to be one to drop."""
    response = client.post(to("send", running.conversation_id), {"text": "\n\nindented"})
    assert re.search(r"<textarea[^>]*>\n\n\nindented</textarea>", text_of(response))


def test_refused_prompt_gets_a_new_key(client: Client, running: Generation) -> None:
    form = {"text": "Again", "key": str(uuid.uuid4())}
    html = text_of(client.post(to("send", running.conversation_id), form))
    assert field(html, "key") != form["key"]


def test_key_with_other_words(client: Client) -> None:
    form = {"text": "Hello", "key": str(uuid.uuid4())}
    client.post("/", form)
    response = client.post("/", {**form, "text": "Good-bye"})
    assert response.status_code == 409 and "Good-bye</textarea>" in text_of(response)


def test_prompt_of_a_megabyte(client: Client) -> None:
    text = "日本語 and 👍 " * 52_000
    assert client.post("/", {"text": text}).status_code == 302
    assert Message.objects.get(role="user").text == text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_prompt_far_over_the_limit(client: Client, settings: Settings, headers: Any) -> None:
    """Even what Django will not parse is refused in words, with the status that says so."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    response = client.post("/", {"text": "x" * 20_000}, headers=headers)
    assert response.status_code == 413


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_body_that_is_no_form(client: Client, content_type: str) -> None:
    response = client.post("/", b"{broken", content_type=content_type)
    assert response.status_code == 400


def test_form_token_is_needed(anna: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    response = strict.post("/", {"text": "Hello"})
    assert response.status_code == 403 and not Message.objects.exists()


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [({}, {}, 302), (HTMX, {"socket": "open"}, 204), (HTMX, {"socket": "closed"}, 200)],
)
def test_stop(
    client: Client, running: Generation, headers: Any, form: dict[str, str], status: int
) -> None:
    response = client.post(to("stop", running.pk), form, headers=headers)
    running.refresh_from_db()
    assert response.status_code == status and running.stop_requested_at
    address = response.headers.get("Location") or response.headers.get("HX-Redirect")
    assert address == (None if status == 204 else to("conversation", running.conversation_id))


def test_stop_of_an_ended_answer(client: Client, ended: Generation) -> None:
    assert client.post(to("stop", ended.pk)).status_code == 302


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [({}, {}, 302), (HTMX, {"socket": "open"}, 204), (HTMX, {"socket": "closed"}, 200)],
)
def test_retry(
    client: Client, ended: Generation, headers: Any, form: dict[str, str], status: int
) -> None:
    response = client.post(to("retry", ended.message_id), form, headers=headers)
    assert response.status_code == status
    assert Generation.objects.filter(status="queued").count() == 1


def test_retry_while_an_answer_is_written(client: Client, running: Generation) -> None:
    response = client.post(to("retry", running.message_id))
    assert response.status_code == 409 and "An answer is still being written" in text_of(response)


def test_retry_of_an_earlier_answer(client: Client, anna: User, ended: Generation) -> None:
    services.send_prompt(anna, ended.conversation_id, "And?", uuid.uuid4())
    end(Generation.objects.latest("pk"))
    response = client.post(to("retry", ended.message_id))
    assert response.status_code == 409 and "Only the last answer" in text_of(response)


def test_retry_of_a_prompt(client: Client, ended: Generation) -> None:
    assert client.post(to("retry", ended.message.parent_id)).status_code == 404


def test_rename(client: Client, ended: Generation) -> None:
    response = client.post(to("rename", ended.conversation_id), {"title": "Another name"})
    assert response.headers["Location"] == to("conversation", ended.conversation_id)
    assert Conversation.objects.get().title == "Another name"


def test_rename_form_shows_the_title(client: Client, ended: Generation) -> None:
    assert 'value="Hello there"' in text_of(client.get(to("rename", ended.conversation_id)))


@pytest.mark.parametrize("form", [{}, {"title": ""}, {"title": "  "}, {"title": "x" * 81}])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rename_refuses_bad_titles(
    client: Client, ended: Generation, headers: Any, form: dict[str, str]
) -> None:
    response = client.post(to("rename", ended.conversation_id), form, headers=headers)
    assert response.status_code == 400
    assert Conversation.objects.get().title == "Hello there"


def test_rename_escapes_the_title(client: Client, ended: Generation) -> None:
    client.post(to("rename", ended.conversation_id), {"title": "<script>x</script>"})
    html = text_of(client.get(to("conversation", ended.conversation_id)))
    assert "<script>x" not in html and "&lt;script&gt;x" in html


def test_delete(client: Client, ended: Generation) -> None:
    response = client.post(to("delete", ended.conversation_id))
    assert response.headers["Location"] == "/"
    assert not Conversation.objects.exists() and not Message.objects.exists()


def test_delete_asks_first(client: Client, ended: Generation) -> None:
    assert "Hello there" in text_of(client.get(to("delete", ended.conversation_id)))
    assert Conversation.objects.exists()


def test_delete_twice(client: Client, ended: Generation) -> None:
    client.post(to("delete", ended.conversation_id))
    assert client.post(to("delete", ended.conversation_id)).status_code == 404


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_prompt_is_answered(worker: Worker, model: DemoThread, alice: User) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    response = await client.post("/", {"text": prompt("max-tokens")})
    assert response.status_code == 302
    generation = await finished(await Generation.objects.aget())
    page = await client.get(response.headers["Location"])
    assert generation.status == "complete"
    assert generation.message.rendered[0] in page.content.decode()


def test_signed_out_form_is_refused_in_words(ended: Generation) -> None:
    response = Client().post(to("send", ended.conversation_id), {"text": "And?"}, headers=HTMX)
    assert response.status_code == 403
    assert response.headers["HX-Retarget"] == "#composer-error"
    assert "You are signed out." in text_of(response)


def test_text_of_an_answer_is_its_markdown(client: Client, ended: Generation) -> None:
    Message.objects.filter(pk=ended.message_id).update(text="**Rain** & <sun>")
    response = client.get(to("text", ended.message_id))
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text_of(response) == "**Rain** & <sun>"
