"""Account and error pages: in the site's dress, labelled, and free of anything the CSP forbids."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from allauth.account.forms import SignupForm
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.mail import EmailMessage
from django.template.loader import get_template, render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

TEMPLATES = Path(__file__).parents[2] / "templates"
ENTRANCE_PAGES = [
    "account_login",
    "account_signup",
    "account_inactive",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
]
MANAGE_PAGES = [
    "account_change_password",
    "account_email",
    "account_logout",
    "account_reauthenticate",
]
ERROR_PAGES = ["400", "403", "403_csrf", "404", "413", "429", "500", "503"]
# A field of these types is read out by its value, or not at all.
UNLABELLED_TYPES = {"hidden", "submit", "button"}


class Page(HTMLParser):
    """What a page consists of, as far as these tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.script_text = ""
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.script_text += data.strip()

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.tags if tag in names]

    def inline_parts(self) -> list[str]:
        """Return all that `style-src 'self'; script-src 'self'` would block."""
        found = [tag for tag, _ in self.tags if tag == "style"]
        found += [
            f"{tag}[{name}]"
            for tag, attrs in self.tags
            for name in attrs
            if name == "style" or name.startswith(("on", "hx-on"))
        ]
        return found + ([self.script_text] if self.script_text else [])

    def foreign_urls(self) -> list[str]:
        urls = [attrs.get("src") or attrs.get("href", "") for attrs in self.all("script", "link")]
        return [url for url in urls if not url.startswith("/") or url.startswith("//")]

    def unlabelled_fields(self) -> list[dict[str, str]]:
        labelled = {attrs.get("for") for attrs in self.all("label")}
        return [
            field
            for field in self.all("input", "select", "textarea")
            if field.get("type") not in UNLABELLED_TYPES
            and "hidden" not in field
            and field.get("id") not in labelled
        ]

    def dangling_descriptions(self) -> list[str]:
        ids = {attrs.get("id") for _, attrs in self.tags}
        described = " ".join(attrs.get("aria-describedby", "") for _, attrs in self.tags)
        return [target for target in described.split() if target not in ids]


def assert_dressed(html: str) -> None:
    page = Page(html)
    assert {"class": "card", "id": "main", "tabindex": "-1"} in page.all("main")
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"]
    assert page.inline_parts() == []
    assert page.foreign_urls() == []
    assert page.unlabelled_fields() == []
    assert page.dangling_descriptions() == []


def text(response: Any) -> str:
    """Return the HTML of an answer of Django's client, whose stubs give it no plain class."""
    return str(response.content.decode())


@pytest.fixture
def alice_client(client: Client) -> Client:
    client.force_login(
        get_user_model().objects.create_user("alice", "alice@example.org", "x7-Kolibri-Wald")
    )
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("name", ENTRANCE_PAGES)
def test_entrance_page_is_dressed(client: Client, name: str) -> None:
    response = client.get(reverse(name), secure=True)
    assert response.status_code == 200
    assert_dressed(text(response))


@pytest.mark.django_db
@pytest.mark.parametrize("name", MANAGE_PAGES)
def test_manage_page_is_dressed(alice_client: Client, name: str) -> None:
    response = alice_client.get(reverse(name), secure=True)
    assert response.status_code == 200
    assert_dressed(text(response))


@pytest.mark.django_db
def test_set_password_page_is_dressed(alice_client: Client) -> None:
    user = get_user_model().objects.get(username="alice")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    alice_client.force_login(user)
    assert_dressed(text(alice_client.get(reverse("account_set_password"), secure=True)))


@pytest.mark.django_db
def test_used_reset_link_offers_a_new_one(client: Client) -> None:
    response = client.get(
        reverse("account_reset_password_from_key", args=["1", "used-key"]), secure=True
    )
    assert_dressed(text(response))
    assert {reverse("account_reset_password")} <= {
        attrs.get("href") for attrs in Page(text(response)).all("a")
    }


@pytest.mark.django_db
def test_reset_link_asks_for_a_password_twice(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    get_user_model().objects.create_user("alice", "alice@example.org", "x7-Kolibri-Wald")
    client.post(reverse("account_reset_password"), {"email": "alice@example.org"}, secure=True)
    link = next(word for word in mailoutbox[0].body.split() if "/reset/key/" in word)
    response = client.get("/" + link.split("/", 3)[3], secure=True, follow=True)
    assert_dressed(text(response))
    types = [field.get("type") for field in Page(text(response)).all("input")]
    assert types.count("password") == 2


@pytest.mark.django_db
def test_invalid_confirmation_link_is_dressed(client: Client) -> None:
    response = client.get(reverse("account_confirm_email", args=["wrong"]), secure=True)
    assert_dressed(text(response))


@pytest.mark.django_db
def test_open_signup_is_dressed(client: Client) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    html = render_to_string("account/signup.html", {"form": SignupForm()}, request)
    assert_dressed(html)
    assert 'autocomplete="new-password"' in html


@pytest.mark.django_db
def test_login_names_both_ways_to_sign_in(client: Client) -> None:
    html = text(client.get(reverse("account_login"), secure=True))
    assert "Username or email</label>" in html
    assert 'autocomplete="current-password"' in html


@pytest.mark.django_db
def test_wrong_password_is_announced(client: Client) -> None:
    response = client.post(
        reverse("account_login"), {"login": "alice", "password": "wrong"}, secure=True
    )
    assert_dressed(text(response))
    assert 'role="alert"' in text(response)


@pytest.mark.django_db
def test_field_error_describes_its_field(client: Client) -> None:
    html = text(client.post(reverse("account_login"), {"password": "secret"}, secure=True))
    assert_dressed(html)
    login = next(field for field in Page(html).all("input") if field.get("name") == "login")
    assert login["aria-invalid"] == "true"
    assert login["aria-describedby"] == "id_login_error"


@pytest.mark.parametrize("name", ERROR_PAGES)
def test_error_page_needs_no_context(name: str) -> None:
    html = render_to_string(f"{name}.html")
    assert_dressed(html)
    assert {"class": "button button-primary", "href": "/"} in Page(html).all("a")


@pytest.mark.parametrize(("wait_s", "words"), [(1, "in 1 second."), (30, "in 30 seconds.")])
def test_429_tells_how_long_to_wait(wait_s: int, words: str) -> None:
    assert words in render_to_string("429.html", {"retry_after_s": wait_s})


@pytest.mark.django_db
def test_post_without_csrf_token_is_dressed() -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"), secure=True)
    assert response.status_code == 403
    assert_dressed(text(response))


@pytest.mark.parametrize("layout", ["base", "entrance", "manage"])
def test_layout_of_allauth_is_replaced(layout: str) -> None:
    """All of allauth's pages stand on these three, also those no setting turns on yet."""
    template: Any = get_template(f"allauth/layouts/{layout}.html")
    origin = template.template.origin
    assert Path(origin.name).is_relative_to(settings.BASE_DIR)


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES))
)
def test_template_holds_nothing_inline(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert " style=" not in source
    assert " onclick=" not in source
    assert "<style" not in source


def test_stylesheet_fetches_nothing() -> None:
    css = (Path(__file__).parents[2] / "static/chat/chat.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css
