"""Who is let in to the API, and how everybody else is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from chat import tokens
from chat.models import AccessToken, User
from tests.integration.api_client import CHAT, JSON, READ, error_of

pytestmark = pytest.mark.django_db

IN = (400, "invalid_request")  # let in, and told that the body says nothing
OUT = (401, "not_signed_in")
FOREIGN = (403, "foreign_page")
OWN = "http://testserver"


def post(client: Client, **headers: str) -> Any:
    return client.post("/api/chat", "{}", content_type=JSON, headers=headers)


def told(response: Any) -> tuple[int, str]:
    return response.status_code, error_of(response)["code"]


def bearer(user: User, scope: AccessToken.Scope = CHAT) -> str:
    return f"Bearer {tokens.create(user, 'a program', scope).secret}"


# By session


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": OWN}, IN),
        ({"Origin": OWN.upper()}, IN),
        ({"Sec-Fetch-Site": "same-origin"}, IN),
        ({}, FOREIGN),
        ({"Origin": ""}, FOREIGN),
        ({"Origin": "null"}, FOREIGN),
        ({"Origin": "https://testserver"}, FOREIGN),
        ({"Origin": "http://testserver:8000"}, FOREIGN),
        ({"Origin": "http://testserver.example.com"}, FOREIGN),
        ({"Origin": "http://example.com", "Sec-Fetch-Site": "same-origin"}, FOREIGN),
        ({"Sec-Fetch-Site": "same-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "cross-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "none"}, FOREIGN),
        ({"Referer": OWN}, FOREIGN),
    ],
)
def test_page_that_asks_by_session(
    client: Client, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert told(post(client, **headers)) == expected


def test_trusted_origin(client: Client, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.org"]
    assert told(post(client, Origin="https://chat.example.org")) == IN


def test_no_form_token_is_needed(anna: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    assert told(post(strict, Origin=OWN)) == IN


def test_nobody(client: Client) -> None:
    client.logout()
    response = post(client, Origin=OWN)
    assert told(response) == OUT
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


# By token


def test_token_needs_no_origin(anna: User) -> None:
    token = bearer(anna)
    for headers in ({}, {"Origin": "https://example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        assert told(post(Client(), Authorization=token, **headers)) == IN


def test_token_as_older_sdks_send_it(anna: User) -> None:
    assert told(post(Client(), **{"X-Api-Key": bearer(anna).removeprefix("Bearer ")})) == IN


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_scheme_of_a_token(anna: User, scheme: str) -> None:
    token = bearer(anna).removeprefix("Bearer ")
    assert told(post(Client(), Authorization=f"{scheme} {token}")) == IN


@pytest.mark.parametrize(
    "token", ["Bearer chat_wrong", "Bearer x y", "Bearer é", "Bearer " + "x" * 9_000]
)
def test_wrong_token(client: Client, token: str) -> None:
    """The session beside it does not count: who sends a token means it."""
    assert told(post(client, Authorization=token, Origin=OWN)) == OUT


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer  ", "chat_token"])
def test_no_token(header: str) -> None:
    assert told(post(Client(), Authorization=header)) == OUT


def test_token_that_is_gone(anna: User) -> None:
    token = bearer(anna)
    AccessToken.objects.all().delete()
    assert told(post(Client(), Authorization=token)) == OUT


def test_token_of_a_disabled_account(anna: User) -> None:
    token = bearer(anna)
    User.objects.update(is_active=False)
    assert told(post(Client(), Authorization=token)) == OUT


def test_token_that_may_only_read(anna: User) -> None:
    token = bearer(anna, READ)
    assert told(post(Client(), Authorization=token)) == (403, "scope_missing")
    response = Client().get("/api/generations/1/events", headers={"Authorization": token})
    assert told(response) == (404, "not_there")


# Told


@pytest.mark.parametrize(
    ("path", "method"),
    [("/api/chat", "get"), ("/api/chat", "delete"), ("/api/generations/1/events", "post")],
)
def test_method_is_refused(client: Client, path: str, method: str) -> None:
    response = getattr(client, method)(path, headers={"Origin": OWN})
    assert told(response) == (405, "method_refused")
    assert method.upper() not in response.headers["Allow"]


def test_sentences_are_in_the_callers_language(client: Client) -> None:
    english, german = (
        client.post(
            "/api/chat",
            '{"message": ""}',
            content_type=JSON,
            headers={"Accept-Language": language, "Origin": OWN},
        ).json()["error"]
        for language in ("en", "de")
    )
    assert english["code"] == german["code"] == "prompt_empty"
    assert english["message"].startswith("There is nothing") and german != english


def test_no_proxy_keeps_an_error(client: Client) -> None:
    assert "private" in post(client).headers["Cache-Control"]
