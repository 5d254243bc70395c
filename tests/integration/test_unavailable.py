"""Pages and forms while the database is away: refused in words, with what was typed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from chat import outage
from chat.models import Conversation, IdempotencyKey, Message, User
from tests.integration.outages import database_away
from tests.integration.pages import HTMX, field, text_of, to

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = uuid.UUID(int=7)
CANNOT_SAVE = "This site can&#x27;t save anything at the moment."
KEPT = f"{CANNOT_SAVE} What you typed is kept: try again in half a minute."
CANNOT_SHOW = "This site can&#x27;t show what is saved at the moment. Nothing is lost."


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def browser(transactional_db: None, settings: Settings, request: pytest.FixtureRequest) -> Client:
    """A signed-in person's client, which gets the pages of errors as a browser does."""
    settings.DEBUG = request.param
    anna = User.objects.create_user("anna", "anna@example.com", "a pass phrase of anna")
    client = Client(raise_request_exception=False)
    client.force_login(anna)
    return client


@pytest.fixture
def away(browser: Client) -> Iterator[None]:
    with database_away():
        yield


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?after=<b>",
        to("conversation", UNKNOWN),
        to("conversations"),
        to("message", 7),
        to("rename", UNKNOWN),
        "/accounts/password/change/",
        "/admin/",
    ],
)
def test_every_page_says_so(browser: Client, away: None, path: str) -> None:
    response = browser.get(path)
    html = text_of(response)
    assert response.status_code == 503 and CANNOT_SHOW in html
    assert response.headers["Retry-After"] == "30"
    assert "no-store" in response.headers["Cache-Control"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Traceback" not in html and "<b>" not in html


def test_page_is_in_the_language_of_the_browser(browser: Client, away: None) -> None:
    html = text_of(browser.get("/", headers={"Accept-Language": "de"}))
    assert '<html lang="de"' in html and "Im Moment nicht möglich" in html
    assert "Nichts ist verloren." in html


def test_page_offers_to_load_again(browser: Client, away: None) -> None:
    html = text_of(browser.get("/", {"after": "7"}))
    assert '<a class="button button-primary" href="/?after=7">' in html
    html = text_of(browser.get("//example.com/"))
    assert 'href="//example.com' not in html


@pytest.mark.parametrize("path", ["/healthz", "/nowhere"])
def test_what_needs_no_database_works(browser: Client, away: None, path: str) -> None:
    assert browser.get(path).status_code == {"/healthz": 200, "/nowhere": 404}[path]


def test_readyz_says_so_in_its_own_words(browser: Client, away: None) -> None:
    response = browser.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "not writable")


@pytest.mark.parametrize("path", ["/", to("send", UNKNOWN)])
def test_prompt_is_given_back_with_its_key(browser: Client, away: None, path: str) -> None:
    form = {"text": "\n Words </textarea><b>", "key": str(uuid.uuid4())}
    response = browser.post(path, form)
    html = text_of(response)
    assert response.status_code == 503 and KEPT in html
    assert "\n\n Words &lt;/textarea&gt;&lt;b&gt;</textarea>" in html
    assert field(html, "key") == form["key"]
    assert f'method="post" action="{path}"' in html


def test_example_is_given_back(browser: Client, away: None) -> None:
    html = text_of(browser.post("/", {"text": "", "example": "Explain a rainbow"}))
    assert "\nExplain a rainbow</textarea>" in html


def test_form_that_was_given_back_can_be_sent(browser: Client) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = browser.cookies
    token = field(text_of(strict.get("/")), "csrfmiddlewaretoken")
    form = {"text": "Patience", "key": str(uuid.uuid4()), "csrfmiddlewaretoken": token}
    with database_away():
        html = text_of(strict.post("/", form))
    names = ("csrfmiddlewaretoken", "key")
    again = {name: field(html, name) for name in names} | {"text": "Patience"}
    assert strict.post("/", again).status_code == 302
    assert Message.objects.get(role="user").text == "Patience"


def test_saved_though_the_answer_was_lost(browser: Client) -> None:
    form = {"text": "Once", "key": str(uuid.uuid4())}
    address = browser.post("/", form).headers["Location"]
    with database_away():
        html = text_of(browser.post("/", form))
    response = browser.post("/", {"text": "Once", "key": field(html, "key")})
    assert response.headers["Location"] == address
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("path", ["/", to("retry", 7), to("continue", 7), to("stop", 7)])
def test_htmx_tells_it_on_the_page(browser: Client, away: None, path: str) -> None:
    """The page keeps its composer as it is: the text, and the key."""
    form = {"text": "Words", "key": str(uuid.uuid4()), "socket": "open"}
    response = browser.post(path, form, headers=HTMX)
    html = text_of(response)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert response.headers["HX-Retarget"] == "#composer-error"
    assert re.fullmatch(r'<p class="composer-error[^>]+>[^<]+</p>\s*', html)
    assert (KEPT if path == "/" else CANNOT_SAVE) in html


def test_other_forms_are_not_given_back(browser: Client, away: None) -> None:
    browser.cookies.clear()
    form = {"login": "anna", "password": "a pass phrase of anna"}
    response = browser.post("/accounts/login/", form)
    html = text_of(response)
    assert response.status_code == 503 and f"{CANNOT_SAVE} Nothing was changed." in html
    assert "pass phrase" not in html and "anna" not in html


def test_token_is_needed_all_the_same(browser: Client, away: None) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = browser.cookies
    assert strict.post("/", {"text": "Forged"}).status_code == 403


def test_no_trace_is_logged(
    browser: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "_told_at", float("-inf"))
    with database_away():
        for _ in range(3):
            browser.post("/", {"text": "Secret words"})
    assert [record for record in caplog.records if record.exc_info] == []
    told = [r.getMessage() for r in caplog.records if r.name == "chat.outage"]
    assert len(told) == 1 and "Secret" not in caplog.text


def test_everything_works_again(browser: Client) -> None:
    with database_away():
        assert browser.get("/").status_code == 503
    assert browser.get("/").status_code == 200
    assert browser.post("/", {"text": "Hello"}).status_code == 302


def test_a_mistake_is_still_an_error_500(
    browser: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Conversation._meta, "db_table", "no_such_table")
    assert browser.post("/", {"text": "Hello"}).status_code == 500
    assert [record for record in caplog.records if record.exc_info]
