"""Who may do what over the API: every route of the URL configuration, by session and by token.

A write of a session has to come from a page of this site; a token needs the scope for it; what is
somebody else's is answered as what is not there.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import get_resolver

from chat import services, tokens
from chat.models import AccessToken, Conversation, Generation, User
from tests.integration.pages import end
from tests.integration.test_access import UNKNOWN, address

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
READS = ("GET", "HEAD")
# What those get who may, where that is not 200. {} is sent, or one of BODIES.
OWN = {
    ("api/chat", "POST"): 400,
    ("api/conversations/<uuid:conversation_id>", "DELETE"): 204,
    ("api/messages/<int:message_id>/retry", "POST"): 202,
    ("api/messages/<int:message_id>/continue", "POST"): 409,
    ("api/generations/<int:generation_id>/stop", "POST"): 202,
    ("v1/messages", "POST"): 400,
}
BODIES: Mapping[tuple[str, str], dict[str, Any]] = {
    ("api/conversations/<uuid:conversation_id>", "PATCH"): {"title": "Mine"},
    ("api/generations/<int:generation_id>/approvals/<str:tool_use_id>", "POST"): {"approve": True},
}

ORIGIN = {"Origin": "http://testserver"}
BY_SESSION: dict[str, dict[str, str]] = {
    "session, same origin": ORIGIN,
    "session, fetch of a page": {"Sec-Fetch-Site": "same-origin"},
    "session, foreign origin": {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"},
    "session, foreign port": {"Origin": "http://testserver:81", "Sec-Fetch-Site": "same-site"},
    "session, null origin": {"Origin": "null"},
    "session, typed address": {"Sec-Fetch-Site": "none"},
    "session, no origin": {},
}
MAY_WRITE = ("session, same origin", "session, fetch of a page", "token", "token by X-Api-Key")
MAY_READ = (*BY_SESSION, "token", "token by X-Api-Key", "token that reads")
KNOWN_TO_NOBODY = ("revoked token", "unknown token", "no token", "token of a closed account")
ROUTES = {
    str(pattern.pattern): pattern.callback.methods
    for pattern in get_resolver("chat.urls").url_patterns
    if hasattr(pattern.callback, "methods")
}
CASES = [(route, method) for route in ROUTES for method in METHODS]
TAKEN = [(route, method) for route, method in CASES if method in ROUTES[route]]
WRITES = [(route, method) for route, method in TAKEN if method not in READS]


class World(NamedTuple):
    callers: Mapping[str, Client]
    ids: Mapping[str, Any]

    def ask(
        self, caller: str, route: str, method: str, ids: Mapping[str, Any] | None = None
    ) -> Any:
        path = address(route, {**self.ids, **(ids or {})})
        body = BODIES.get((route, method), {})
        return self.callers[caller].generic(method, path, json.dumps(body), "application/json")


def by_token(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def world() -> World:
    chat, read = AccessToken.Scope.CHAT, AccessToken.Scope.READ
    owner, other = (User.objects.create_user(name) for name in ("owner", "other"))
    closed = User.objects.create_user("closed", is_active=False)
    revoked = tokens.create(owner, "revoked", chat)
    revoked.row.delete()
    secret = tokens.create(owner, "own", chat).secret
    callers = {name: Client(headers=headers) for name, headers in BY_SESSION.items()}
    for client in callers.values():
        client.force_login(owner)
    callers |= {
        "token": by_token(secret),
        "token by X-Api-Key": Client(headers={"X-Api-Key": secret}),
        "token that reads": by_token(tokens.create(owner, "read", read).secret),
        "foreign token": by_token(tokens.create(other, "foreign", chat).secret),
        "revoked token": by_token(revoked.secret),
        "unknown token": by_token("chat_nobodys"),
        "token of a closed account": by_token(tokens.create(closed, "closed", chat).secret),
        "no token": Client(headers=ORIGIN),
    }
    # A token counts before a session, also where nobody knows it.
    callers["unknown token"].force_login(owner)
    services.send_prompt(owner, None, "A private question", uuid.uuid4())
    generation = end(Generation.objects.get())
    generation.approvals.create(tool_use_id="toolu_1", is_approved=True)
    ids = {
        "conversation_id": generation.conversation_id,
        "generation_id": generation.pk,
        "message_id": generation.message_id,
        "tool_use_id": "toolu_1",
    }
    return World(callers, ids)


def state() -> Any:
    return list(Conversation.objects.values()), list(Generation.objects.values())


def test_every_route_of_the_api_has_a_door() -> None:
    doors = {
        str(pattern.pattern)
        for pattern in get_resolver("chat.urls").url_patterns
        if str(pattern.pattern).startswith(("api/", "v1/"))
    }
    assert doors - set(ROUTES) == {"api/", "api/schema"}


@pytest.mark.parametrize(("route", "method"), [case for case in TAKEN if case[1] in READS])
def test_owner_reads(world: World, route: str, method: str) -> None:
    for caller in MAY_READ:
        assert world.ask(caller, route, method).status_code == 200, caller


@pytest.mark.parametrize(("route", "method"), WRITES)
@pytest.mark.parametrize("caller", MAY_WRITE)
def test_owner_writes(world: World, route: str, method: str, caller: str) -> None:
    assert world.ask(caller, route, method).status_code == OWN.get((route, method), 200)


@pytest.mark.parametrize(("route", "method"), WRITES)
def test_others_write_nothing(world: World, route: str, method: str) -> None:
    before = state()
    for caller in set(MAY_READ) - set(MAY_WRITE):
        response = world.ask(caller, route, method)
        code = "scope_missing" if "token" in caller else "foreign_page"
        assert response.status_code == 403 and code.encode() in response.content, caller
    assert state() == before


@pytest.mark.parametrize(("route", "method"), TAKEN)
def test_nobody(world: World, route: str, method: str) -> None:
    before = state()
    for caller in KNOWN_TO_NOBODY:
        response = world.ask(caller, route, method)
        assert response.status_code == 401, caller
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert state() == before


def headers_of(response: Any) -> dict[str, str]:
    """Return the headers, but for the name that the Messages API gives to each request."""
    return {name: value for name, value in response.headers.items() if name != "request-id"}


def without_request_id(body: bytes) -> bytes:
    return re.sub(rb"req_\w+", b"", body)


@pytest.mark.parametrize(("route", "method"), TAKEN)
def test_stranger_gets_what_an_unknown_id_gives(world: World, route: str, method: str) -> None:
    before = state()
    theirs = world.ask("foreign token", route, method)
    nobodys = world.ask("foreign token", route, method, UNKNOWN)
    assert theirs.status_code == nobodys.status_code
    assert without_request_id(theirs.content) == without_request_id(nobodys.content)
    assert headers_of(theirs) == headers_of(nobodys)
    assert theirs.status_code == (404 if "_id>" in route else OWN.get((route, method), 200))
    assert b"private" not in theirs.content and state() == before


def test_stranger_sends_nothing_into_a_conversation(world: World) -> None:
    for name in (world.ids["conversation_id"], UNKNOWN["conversation_id"]):
        body = {"message": "Hi", "conversation": str(name)}
        response = world.callers["foreign token"].post("/api/chat", body, "application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_there")


@pytest.mark.parametrize(("route", "method"), [case for case in CASES if case not in TAKEN])
def test_method_that_is_not_taken(world: World, route: str, method: str) -> None:
    for caller in ("token", "no token", "session, foreign origin"):
        response = world.ask(caller, route, method)
        assert response.status_code == 405
        assert response.headers["Allow"] == ", ".join((*ROUTES[route], "OPTIONS"))


@pytest.mark.parametrize("route", ROUTES)
def test_options_say_what_is_taken_and_let_no_foreign_page_in(world: World, route: str) -> None:
    response = world.ask("session, foreign origin", route, "OPTIONS")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Allow"] == ", ".join((*ROUTES[route], "OPTIONS"))
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("route", [route for route, method in TAKEN if method == "HEAD"])
def test_head_says_what_get_says(world: World, route: str) -> None:
    get, head = world.ask("token", route, "GET"), world.ask("token", route, "HEAD")
    assert headers_of(head) == headers_of(get)


@pytest.mark.parametrize("route", [route for route, method in TAKEN if method == "GET"])
def test_no_proxy_keeps_what_one_person_reads(world: World, route: str) -> None:
    cached = world.ask("token", route, "GET").headers["Cache-Control"]
    assert "no-cache" in cached and "public" not in cached
