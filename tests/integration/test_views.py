"""Pages and forms: with and without script, with good and bad input, and what guards them.

No worker runs here except where a fixture says so: what is sent stays queued.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from chat import services
from chat.content import text_of as block_text
from chat.demo.thread import DemoThread
from chat.models import Conversation, Generation, IdempotencyKey, Message, User
from chat.render import render
from chat.sidebar import SIDEBAR_CONVERSATIONS
from chat.transcript import PAGE_MESSAGES
from chat.worker import Worker
from tests.integration.answers import finished, prompt

pytestmark = pytest.mark.django_db

HTMX: dict[str, Any] = {"HX-Request": "true"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", "anna@example.com", "a pass phrase of anna")


@pytest.fixture
def client(anna: User) -> Client:
    signed_in = Client()
    signed_in.force_login(anna)
    return signed_in


@pytest.fixture
def stranger(db: None) -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("stranger"))
    return signed_in


@pytest.fixture
def running(anna: User) -> Generation:
    """An answer that is awaited."""
    services.send_prompt(anna, None, "Hello there", uuid.uuid4())
    return Generation.objects.select_related("conversation", "message").get()


@pytest.fixture
def ended(running: Generation) -> Generation:
    """An answer that failed, so that it can be tried again."""
    return end(running)


def end(generation: Generation) -> Generation:
    Generation.objects.filter(pk=generation.pk).update(
        status=Generation.Status.FAILED, error_code="stalled", finished_at=timezone.now()
    )
    return generation


def to(name: str, *ids: Any) -> str:
    return reverse(name, args=ids)


def text_of(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def field(html: str, name: str) -> str:
    """Return the value of a form's field."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]


# Send


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


def test_next_prompt_with_a_socket_gives_a_new_composer(
    client: Client, ended: Generation
) -> None:
    form = {"text": "And?", "socket": "open", "key": str(uuid.uuid4())}
    response = client.post(to("send", ended.conversation_id), form, headers=HTMX)
    html = text_of(response)
    assert html.strip().startswith('<form id="composer"') and "And?" not in html
    assert field(html, "key") != form["key"] and "stop-button" in html


def test_next_prompt_without_a_socket_loads_the_page(client: Client, ended: Generation) -> None:
    form = {"text": "And?", "socket": "closed"}
    response = client.post(to("send", ended.conversation_id), form, headers=HTMX)
    assert response.headers["HX-Redirect"] == to("conversation", ended.conversation_id)


def test_form_newlines_become_lf(client: Client) -> None:
    client.post("/", {"text": "one\r\ntwo\rthree\n\r\nfour"})
    assert Message.objects.get(role="user").text == "one\ntwo\nthree\n\nfour"


def test_what_cannot_be_stored_is_replaced(client: Client) -> None:
    body = "text=NUL+%00+surrogate+%ED%A0%BD+bell+%07".encode()
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


# Stop, retry, rename, delete


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


# Pages


def test_page_of_a_running_answer(client: Client, running: Generation) -> None:
    html = text_of(client.get(to("conversation", running.conversation_id)))
    assert f'ws-connect="/ws/c/{running.conversation_id}/"' in html
    assert f'data-generation="{running.pk}" data-seq="0" data-held="0"' in html
    assert '<noscript><meta http-equiv="refresh"' in html


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


def test_newest_messages_are_shown(
    client: Client, ended: Generation, long_talk: list[int]
) -> None:
    response = client.get(to("conversation", ended.conversation_id))
    assert shown(response) == long_talk[-PAGE_MESSAGES:]
    assert f"?before={long_talk[-PAGE_MESSAGES]}" in text_of(response)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_older_messages(
    client: Client, ended: Generation, long_talk: list[int], headers: Any
) -> None:
    address = to("conversation", ended.conversation_id)
    response = client.get(f"{address}?before={long_talk[70]}", headers=headers)
    assert shown(response) == long_talk[20:70]
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


# Headers


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
    for path in ("/", "/conversations/", *(to(n, pk) for n in ("conversation", "rename", "delete"))):
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


# Accounts


def sign_in(client: Client, password: str, path: str = "/accounts/login/") -> HttpResponse:
    response = client.post(path, {"login": "anna", "password": password})
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize("login", ["anna", "anna@example.com"])
def test_sign_in(anna: User, login: str) -> None:
    client = Client()
    form = {"login": login, "password": "a pass phrase of anna"}
    assert client.post("/accounts/login/", form).headers["Location"] == "/"
    assert client.get("/").status_code == 200


def test_sign_in_makes_a_new_session(anna: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.cookies["sessionid"] = "chosen-by-somebody-else"
    sign_in(client, "a pass phrase of anna")
    assert client.cookies["sessionid"].value != "chosen-by-somebody-else"


def test_sign_in_leads_to_no_other_site(anna: User) -> None:
    form = {"login": "anna", "password": "a pass phrase of anna", "next": "https://example.com/"}
    assert Client().post("/accounts/login/", form).headers["Location"] == "/"


def test_attempts_are_limited(anna: User) -> None:
    """The right password does not help any more, either."""
    for _ in range(12):
        sign_in(Client(), "wrong")
    client = Client()
    sign_in(client, "a pass phrase of anna")
    assert client.get("/").status_code == 302


def test_admin_knows_no_other_way_in(anna: User) -> None:
    anna.is_staff = anna.is_superuser = True
    anna.save()
    client = Client()
    form = {"username": "anna", "password": "a pass phrase of anna"}
    response = client.post("/admin/login/", form)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")
    assert client.get("/admin/").status_code == 302


def test_signup_is_closed(db: None) -> None:
    form = {"username": "new", "email": "n@example.com", "password1": "x", "password2": "x"}
    for response in (Client().get("/accounts/signup/"), Client().post("/accounts/signup/", form)):
        assert "password1" not in text_of(response)
    assert not User.objects.exists()


def test_signup_is_open(db: None, settings: Settings) -> None:
    settings.CHAT_SIGNUP_OPEN = True
    password = "a pass phrase of somebody"
    form = {"username": "new", "email": "n@example.com"}
    client = Client()
    client.post("/accounts/signup/", {**form, "password1": password, "password2": password})
    assert User.objects.get().username == "new" and client.get("/").status_code == 200


def test_password_reset_is_mailed(anna: User) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": "anna@example.com"})
    (message,) = mail.outbox
    assert message.to == ["anna@example.com"]
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(message.body))
    assert link
    page = client.get(link[1], follow=True)
    assert "password1" in text_of(page)


def test_password_reset_tells_nothing_of_accounts(anna: User) -> None:
    known = Client().post("/accounts/password/reset/", {"email": "anna@example.com"})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code
    assert known.headers.get("Location") == unknown.headers.get("Location")


def test_logout_needs_a_post(client: Client) -> None:
    client.get("/accounts/logout/")
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


# With a worker


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
