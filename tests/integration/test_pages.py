"""Pages: what they show, in which pieces they come, and the headers that guard them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from chat.content import text_of as block_text
from chat.models import Conversation, Generation, Message, User
from chat.render import render
from chat.sidebar import SIDEBAR_CONVERSATIONS
from chat.transcript import PAGE_MESSAGES
from tests.integration.pages import HTMX, end, text_of, to

pytestmark = pytest.mark.django_db

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


def test_page_of_a_running_answer(client: Client, running: Generation) -> None:
    html = text_of(client.get(to("conversation", running.conversation_id)))
    assert f'data-socket="/ws/c/{running.conversation_id}/"' in html
    assert f'data-generation="{running.pk}" data-running data-seq="0" data-held="0"' in html
    assert "reload-link" in html


@pytest.mark.parametrize("number", range(12))
def test_answer_that_ends_while_its_page_is_made(
    client: Client, running: Generation, number: int
) -> None:
    """Whichever query it comes before: the page shows the answer, or that it still runs."""
    queries = 0

    def end_before(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal queries
        queries += 1
        if queries == number + 1:
            Message.objects.filter(pk=running.message_id).update(
                content=[{"type": "text", "text": "The end."}], rendered=["<p>The end.</p>"]
            )
            end(running)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end_before):
        html = text_of(client.get(to("conversation", running.conversation_id)))
    assert "<p>The end.</p>" in html or f'data-generation="{running.pk}"' in html


@pytest.fixture
def long_talk(ended: Generation) -> list[int]:
    """A conversation of 120 messages; their ids in order."""
    conversation, last = ended.conversation, ended.message
    for number in range(118):
        last = Message.objects.create(
            conversation=conversation,
            parent=last,
            role="user" if number % 2 == 0 else "assistant",
            text=f"Message {number}",
        )
    return conversation.active_path()


def shown(response: Any) -> list[int]:
    return [int(pk) for pk in re.findall(r'data-message="(\d+)"', text_of(response))]


def test_newest_messages_are_shown(client: Client, ended: Generation, long_talk: list[int]) -> None:
    response = client.get(to("conversation", ended.conversation_id))
    assert shown(response) == long_talk[-PAGE_MESSAGES:]
    assert f"?before={long_talk[-PAGE_MESSAGES]}" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_older_messages(
    client: Client, ended: Generation, long_talk: list[int], headers: Any
) -> None:
    address = to("conversation", ended.conversation_id)
    response = client.get(f"{address}?before={long_talk[70]}", headers=headers)
    assert shown(response) == long_talk[70 - PAGE_MESSAGES : 70]
    assert text_of(response).lstrip().startswith("<!doctype") is not bool(headers)


def test_oldest_messages_have_no_link(
    client: Client, ended: Generation, long_talk: list[int]
) -> None:
    address = to("conversation", ended.conversation_id)
    response = client.get(f"{address}?before={long_talk[20]}", headers=HTMX)
    assert shown(response) == long_talk[:20] and "?before=" not in text_of(response)


@pytest.mark.parametrize("before", ["", "x", "-1", "0", "9" * 30, "٣", "1e3"])
def test_before_that_makes_no_sense(client: Client, ended: Generation, before: str) -> None:
    address = to("conversation", ended.conversation_id)
    assert client.get(address, {"before": before}).status_code == 200


def test_two_thousand_messages_need_few_queries(
    client: Client, ended: Generation, django_assert_max_num_queries: Any
) -> None:
    last = ended.message
    rows = [
        Message(conversation=ended.conversation, role="user", text="Words " * 20)
        for _ in range(2_000)
    ]
    made = Message.objects.bulk_create(rows)
    for message in made:
        message.parent, last = last, message
    Message.objects.bulk_update(made, ["parent"])
    with django_assert_max_num_queries(15):
        response = client.get(to("conversation", ended.conversation_id))
    assert len(response.content) < 500_000


def make_conversations(owner: User, count: int) -> None:
    Conversation.objects.bulk_create(
        Conversation(owner=owner, title=f"Talk {number}") for number in range(count)
    )


def listed(response: Any) -> list[str]:
    return re.findall(r'class="conversation-title">([^<]+)<', text_of(response))


def test_sidebar_pages(client: Client, anna: User) -> None:
    make_conversations(anna, 2 * SIDEBAR_CONVERSATIONS + 5)
    first = client.get("/")
    pages = [listed(first)]
    while more := re.search(r'href="(/conversations/\?after=\d+)"', text_of(first)):
        first = client.get(more[1], headers=HTMX)
        pages.append(listed(first))
    assert [len(page) for page in pages] == [SIDEBAR_CONVERSATIONS, SIDEBAR_CONVERSATIONS, 5]
    assert len({title for page in pages for title in page}) == 65


@pytest.mark.parametrize("after", ["", "x", "-5", "9" * 18, "9" * 30])
def test_sidebar_after_that_makes_no_sense(client: Client, after: str) -> None:
    assert client.get("/conversations/", {"after": after}).status_code == 200


def test_sidebar_lists_no_strangers_talks(client: Client, stranger: Client, anna: User) -> None:
    make_conversations(anna, 3)
    assert listed(stranger.get("/")) == [] and len(listed(client.get("/"))) == 3


def test_running_talk_is_marked(client: Client, running: Generation) -> None:
    assert "writing-dot" in text_of(client.get("/"))


HOSTILE = '<img src=x onerror=alert(1)> <script>alert(1)</script> {{ x }} hx-get="/"'


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": HOSTILE},
        {"type": "thinking", "thinking": HOSTILE},
        {"type": "tool_use", "name": HOSTILE, "input": {HOSTILE: HOSTILE}},
        {"type": "web_search_tool_result", "content": [HOSTILE]},
        {"type": f"{HOSTILE}_tool_result", "content": HOSTILE},
        {"type": HOSTILE, HOSTILE: HOSTILE},
    ],
    ids=lambda block: re.sub(r"\W+", "-", block["type"]),
)
def test_hostile_blocks_are_escaped(
    client: Client, ended: Generation, block: dict[str, Any]
) -> None:
    Message.objects.filter(pk=ended.message_id).update(
        content=[block], rendered=[render(block_text(block))]
    )
    html = text_of(client.get(to("conversation", ended.conversation_id)))
    assert "<img" not in html and "<script>" not in html and "onerror=alert" in html


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"type": None},
        {"type": "text"},
        {"type": "text", "text": None},
        {"type": "thinking"},
        {"type": "tool_use"},
        {"type": "future_tool_result"},
        {"type": "redacted_thinking"},
    ],
    ids=repr,
)
def test_odd_blocks_do_not_break_the_page(
    client: Client, ended: Generation, block: dict[str, Any]
) -> None:
    Message.objects.filter(pk=ended.message_id).update(content=[block], rendered=[""])
    assert client.get(to("conversation", ended.conversation_id)).status_code == 200


def every_page(running: Generation) -> list[str]:
    ids = [running.conversation_id]
    chat = [to(name, *ids) for name in ("conversation", "rename", "delete")]
    return ["/", "/conversations/", *chat, "/nowhere/", "/accounts/email/"]


def test_policy_is_on_every_page(client: Client, anna: User, running: Generation) -> None:
    anna.is_staff = anna.is_superuser = True
    anna.save()
    admin = ["/admin/", "/admin/chat/conversation/", "/admin/chat/user/", "/admin/nowhere/"]
    errors = [to("stop", running.pk), "/accounts/inactive/", "/healthz"]
    for path in [*every_page(running), *admin, *errors]:
        policy = client.get(path).headers["Content-Security-Policy"]
        assert set(policy.split("; ")) == set(POLICY.split("; ")), path


def test_policy_is_on_pages_for_everybody(db: None) -> None:
    for path in ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/x"):
        assert "default-src 'none'" in Client().get(path).headers["Content-Security-Policy"]


def test_policy_is_on_the_page_of_a_fault(client: Client, running: Generation) -> None:
    """Content that is no list stands for any fault of the site."""
    client.raise_request_exception = False
    Message.objects.update(content=5)
    end(running)
    response = client.get(to("conversation", running.conversation_id))
    assert response.status_code == 500
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Traceback" not in text_of(response)


def test_no_page_has_inline_code(client: Client, anna: User, running: Generation) -> None:
    anna.is_staff = anna.is_superuser = True
    anna.save()
    admin = ["/admin/", "/admin/chat/conversation/", "/admin/chat/user/"]
    for path in [*every_page(running), *admin]:
        html = text_of(client.get(path))
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html), path
        assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)", html), path


def test_pages_with_chats_are_not_stored(client: Client, running: Generation) -> None:
    pk = running.conversation_id
    for path in (
        "/",
        "/conversations/",
        *(to(n, pk) for n in ("conversation", "rename", "delete")),
    ):
        assert "no-store" in client.get(path).headers["Cache-Control"], path


def test_answers_to_forms_are_not_stored(client: Client, running: Generation) -> None:
    for headers in ({}, HTMX):
        response = client.post(to("send", running.conversation_id), {"text": "x"}, headers=headers)
        assert response.status_code == 409
        assert "no-store" in response.headers.get("Cache-Control", ""), headers


def test_security_headers(client: Client) -> None:
    headers = client.get("/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_unknown_page_is_a_page(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404 and "<!doctype html>" in text_of(response)


def test_page_for_anonymous_leads_back(db: None, ended: Generation) -> None:
    address = to("conversation", ended.conversation_id)
    response = Client().get(address)
    assert response.headers["Location"] == f"/accounts/login/?next={address}"
