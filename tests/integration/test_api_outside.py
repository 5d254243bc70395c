"""Errors that a program meets outside the views are JSON, with the headers that they had."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from chat.api.outside import retold
from chat.models import Conversation, User
from tests.integration.outages import database_away
from tests.integration.test_api_conversations import program

pytestmark = pytest.mark.django_db


def check(response: Any, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert set(response.json()["error"]) == {"code", "message", "retryable"}
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/chat/", "/api/messages/x", "/api/chat%00"])
def test_unknown_address(method: str, path: str) -> None:
    check(getattr(Client(), method)(path), 404, "not_there")


def test_unknown_address_in_development(settings: Settings) -> None:
    settings.DEBUG = True
    check(Client().get("/api/nothing"), 404, "not_there")


def test_pages_keep_theirs() -> None:
    assert b"<h1" in Client().get("/nothing").content


def test_method_that_is_not_taken() -> None:
    response = Client().put("/api/chat")
    check(response, 405, "method_refused")
    assert response.headers["Allow"] == "POST, OPTIONS"
    response = Client().post("/api/schema")
    check(response, 405, "method_refused")
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_large_body(anna: User, settings: Settings, kind: str) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = program(anna).post("/api/chat", "x" * 1_001, content_type=kind)
    check(response, 413, "body_too_large")
    assert not Conversation.objects.exists()


def test_host_of_another_site() -> None:
    check(Client(headers={"Host": "example.org"}).get("/api/schema"), 400, "invalid_request")


def test_mistake_of_ours(anna: User, settings: Settings) -> None:
    api = program(anna)
    api.raise_request_exception = False
    settings.CHAT_MAX_TOKENS = "no number"
    check(api.post("/api/chat", {"message": "Hi", "max_tokens": 1}, "application/json"), 500,
          "internal")  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_debug", [True, False])
def test_outage(transactional_db: None, settings: Settings, is_debug: bool) -> None:
    settings.DEBUG = is_debug
    by_token = program(User.objects.create_user("anna"))
    by_session = Client()
    by_session.force_login(User.objects.get())
    with database_away():
        for api in (by_token, by_session):
            response = api.get("/api/conversations")
            check(response, 503, "unavailable")
            assert response.headers["Retry-After"] == "30"


def retold_as(response: HttpResponse, path: str = "/api/chat") -> Any:
    request: HttpRequest = RequestFactory().get(path)
    return retold(request, response)


def test_headers_and_cookies_are_kept() -> None:
    response = HttpResponse("<p>Later.", status=503, headers={"Retry-After": "30"})
    response.set_cookie("sessionid", "x")
    told = retold_as(response)
    assert told.headers["Retry-After"] == "30" and told.cookies["sessionid"].value == "x"
    assert b"unavailable" in told.content


@pytest.mark.parametrize("code", [400, 403, 404, 405, 413, 500, 502, 503])
def test_status_is_kept(code: int) -> None:
    assert retold_as(HttpResponse(status=code)).status_code == code


@pytest.mark.parametrize(
    "response", [HttpResponse("<p>A page"), JsonResponse({}, status=400), HttpResponse(status=302)]
)
def test_everything_else_is_left_alone(response: HttpResponse) -> None:
    assert retold_as(response) is response
    assert retold_as(HttpResponse(status=404), "/c/api/").content == b""
