"""Accounts: signing in and up, attempts, lost passwords."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from chat.models import User
from tests.integration.pages import text_of

pytestmark = pytest.mark.django_db


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


def test_a_closed_account_is_signed_out(anna: User) -> None:
    client = Client()
    sign_in(client, "a pass phrase of anna")
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert client.get("/").status_code == 302
    User.objects.filter(pk=anna.pk).update(is_active=True)
    assert client.get("/").status_code == 200
    anna.delete()
    assert client.get("/").status_code == 302


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
