"""Who may do what: every route of the site against everybody, from the URL configuration itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from chat import services, tokens
from chat.models import AccessToken, Generation, Message, User

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "other", "staff", "owner")  # who owns comes last: a POST may delete
UNKNOWN = {
    "conversation_id": uuid.UUID(int=7),
    "generation_id": 10**9,
    "message_id": 10**9,
    "token_id": 10**9,
}


class Row(NamedTuple):
    """The statuses of GET and of an empty POST, for each of ROLES in order."""

    get: tuple[int, int, int, int]
    post: tuple[int, int, int, int]


def same(get: int, post: int) -> Row:
    return Row((get,) * 4, (post,) * 4)


# 302 sends anonymous people to the sign-in page, and others on from pages that are not for them.
MINE_ONLY_READ = Row((302, 404, 404, 200), (302, 405, 405, 405))
MINE_ONLY_WRITE = Row((302, 405, 405, 405), (302, 404, 404, 302))
SIGNED_IN = Row((302, 200, 200, 200), (302, 200, 200, 200))
ENTRANCE = Row((200, 302, 302, 302), (200, 302, 302, 302))
OPEN = same(200, 405)
OPEN_FORM = same(200, 200)
# Everybody but staff is sent to the sign-in page; staff needs the permission too.
ADMIN = Row((302, 302, 403, 302), (302, 302, 403, 302))
ADMIN_OWN = Row((302, 302, 200, 302), (302, 302, 200, 302))
ADMIN_NOWHERE = Row((302, 302, 404, 302), (302, 302, 404, 302))
REDIRECT = same(302, 302)

CHAT = {
    "": Row((302, 200, 200, 200), (302, 400, 400, 400)),
    "conversations/": Row((302, 200, 200, 200), (302, 405, 405, 405)),
    "c/<uuid:conversation_id>/": MINE_ONLY_READ,
    "c/<uuid:conversation_id>/send/": Row((302, 405, 405, 405), (302, 404, 404, 400)),
    "c/<uuid:conversation_id>/rename/": Row((302, 404, 404, 200), (302, 404, 404, 400)),
    "c/<uuid:conversation_id>/delete/": Row((302, 404, 404, 200), (302, 404, 404, 302)),
    "c/<uuid:conversation_id>/stream/": MINE_ONLY_READ,
    "c/<uuid:conversation_id>/changes/": MINE_ONLY_READ,
    "g/<int:generation_id>/stop/": MINE_ONLY_WRITE,
    "g/<int:generation_id>/timeline/": MINE_ONLY_READ,
    "g/<int:generation_id>/approve/": Row((302, 405, 405, 405), (302, 404, 404, 404)),
    "m/<int:message_id>/": MINE_ONLY_READ,
    "m/<int:message_id>/text/": MINE_ONLY_READ,
    "m/<int:message_id>/retry/": MINE_ONLY_WRITE,
    "m/<int:message_id>/continue/": Row((302, 405, 405, 405), (302, 404, 404, 409)),
    "account/tokens/": Row((302, 200, 200, 200), (302, 400, 400, 400)),
    "account/tokens/<int:token_id>/revoke/": Row((302, 404, 404, 200), (302, 404, 404, 302)),
    # As in production; with DEBUG both are open to everybody (test_styleguide.py).
    "styleguide/": same(404, 405),
    "styleguide/<slug:name>/": same(404, 405),
    "healthz": OPEN,
    "readyz": OPEN,
    "metrics": OPEN,  # here: all of them ask from this machine (test_health.py)
}
# By session alone, and without a word of the browser on where a POST comes from; what tokens
# may is in test_api_access.py.
API_READ = Row((401, 404, 404, 200), (405, 405, 405, 405))
API_LIST = Row((401, 200, 200, 200), (405, 405, 405, 405))
API_WRITE = Row((405, 405, 405, 405), (401, 403, 403, 403))
API = {
    "api/": OPEN,
    "api/schema": OPEN,
    "api/chat": API_WRITE,
    "api/conversations": API_LIST,
    "api/conversations/<uuid:conversation_id>": API_READ,
    "api/conversations/<uuid:conversation_id>/messages": API_READ,
    "api/messages/<int:message_id>": API_READ,
    "api/messages/<int:message_id>/retry": API_WRITE,
    "api/generations/<int:generation_id>/approvals/<str:tool_use_id>": API_WRITE,
    "api/messages/<int:message_id>/continue": API_WRITE,
    "api/generations/<int:generation_id>": API_READ,
    "api/generations/<int:generation_id>/stop": API_WRITE,
    "api/generations/<int:generation_id>/events": API_READ,
    "v1/messages": API_WRITE,
    "v1/models": API_LIST,
    "api/generations/<int:generation_id>/timeline": API_READ,
}
ACCOUNTS = {
    "login/": ENTRANCE,
    "logout/": Row((302, 200, 200, 200), (302, 302, 302, 302)),
    "inactive/": OPEN,
    "signup/": ENTRANCE,
    "reauthenticate/": SIGNED_IN,
    "email/": Row((302, 200, 200, 200), (302, 302, 302, 302)),
    "confirm-email/": OPEN,
    "password/change/": SIGNED_IN,
    "password/set/": REDIRECT,
    "password/reset/": OPEN_FORM,
    "login/code/confirm/": REDIRECT,
    r"^confirm-email/(?P<key>[-:\w]+)/$": same(200, 404),
    "password/reset/key/done/": OPEN,
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": OPEN_FORM,
    "password/reset/done/": OPEN,
}
OF_A_MODEL = {
    "": ADMIN,
    "add/": ADMIN,
    "<path:object_id>/history/": ADMIN,
    "<path:object_id>/delete/": ADMIN,
    "<path:object_id>/change/": ADMIN,
    "<path:object_id>/": REDIRECT,
}
MODELS = (
    "auth/group/",
    "chat/user/",
    "chat/conversation/",
    "chat/accesstoken/",
    "account/emailaddress/",
)
SITE_ADMIN = {
    "": ADMIN_OWN,
    "login/": Row((302, 403, 302, 403), (302, 403, 200, 403)),
    "logout/": Row((302, 302, 405, 302), (302, 302, 200, 302)),
    "password_change/": ADMIN_OWN,
    "password_change/done/": Row((302, 302, 200, 302), (302, 302, 405, 302)),
    "autocomplete/": Row((302, 302, 403, 302), (302, 302, 405, 302)),
    "jsi18n/": Row((302, 302, 200, 302), (302, 302, 405, 302)),
    "r/<path:content_type_id>/<path:object_id>/": ADMIN_NOWHERE,
    "chat/user/<id>/password/": ADMIN,
    "^(?P<app_label>auth|chat|account)/$": ADMIN_NOWHERE,
    "(?P<url>.*)$": ADMIN_NOWHERE,
    **{model + route: row for model in MODELS for route, row in OF_A_MODEL.items()},
    # Django sends staff on to the list where the object does not exist.
    "account/emailaddress/<path:object_id>/history/": REDIRECT,
}
TABLE: dict[str, Row] = {
    **CHAT,
    **API,
    **{f"accounts/{route}": row for route, row in ACCOUNTS.items()},
    **{f"admin/{route}": row for route, row in SITE_ADMIN.items()},
}


def routes() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route

    return walk(get_resolver().url_patterns, "")


class World(NamedTuple):
    """An answered conversation of the owner's, and a browser for each role."""

    clients: dict[str, Client]
    ids: dict[str, Any]


@pytest.fixture
def world(db: None) -> World:
    clients = {"anonymous": Client()}
    for role in ROLES[1:]:
        user = User.objects.create_user(role, password="x", is_staff=role == "staff")
        clients[role] = Client()
        clients[role].force_login(user)
    owner = User.objects.get(username="owner")
    sent = services.send_prompt(owner, None, "A private question", uuid.uuid4())
    Generation.objects.update(status=Generation.Status.FAILED, finished_at=timezone.now())
    generation = Generation.objects.get()
    token = tokens.create(owner, "test", AccessToken.Scope.READ).row
    ids = {
        "token_id": token.pk,
        "tool_use_id": "toolu_1",
        "conversation_id": sent.conversation.pk,
        "generation_id": generation.pk,
        "message_id": generation.message_id,
        "object_id": sent.conversation.pk,
        "id": owner.pk,
        "content_type_id": 1,
        "uidb36": "1",
        "key": "set-password",
        "app_label": "chat",
        "url": "nothing/here",
        "name": "empty",
    }
    return World(clients, ids)


def address(route: str, ids: dict[str, Any]) -> str:
    """Return a path of a route, with the ids of what the owner has."""
    if route.startswith("admin/auth/group/"):
        ids = {**ids, "object_id": Group.objects.get_or_create(name="group")[0].pk}
    elif route.startswith("admin/chat/accesstoken/"):
        ids = {**ids, "object_id": ids["token_id"]}
    elif route.startswith("admin/chat/user/"):
        ids = {**ids, "object_id": ids["id"]}
    route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda m: str(ids[m[1]]), route)
    route = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(ids[m[1]]), route)
    return "/" + route.replace("^", "").replace("$", "")


def statuses(world: World, route: str, method: str) -> tuple[int, ...]:
    path = address(route, world.ids)
    return tuple(getattr(world.clients[role], method)(path).status_code for role in ROLES)


def test_every_route_has_a_row() -> None:
    assert set(routes()) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_route(world: World, route: str) -> None:
    row = TABLE[route]
    assert statuses(world, route, "get") == row.get
    assert statuses(world, route, "post") == row.post


@pytest.mark.parametrize("route", [r for r in TABLE if TABLE[r].get[0] == 302])
@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_sent_to_the_sign_in_page(world: World, route: str, method: str) -> None:
    response = getattr(world.clients["anonymous"], method)(address(route, world.ids))
    entrances = (
        "/accounts/login/",
        "/admin/login/",
        "/admin/auth",
        "/admin/chat",
        "/admin/account",
    )
    assert response.headers["Location"].startswith(entrances)


def without_token(html: bytes) -> bytes:
    """Return a page without its form token, which is new each time."""
    return re.sub(rb'(csrftoken": "|csrfmiddlewaretoken" value=")\w+', b"", html)


@pytest.mark.parametrize("route", [r for r in CHAT if "_id" in r])
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_see_what_an_unknown_id_gives(world: World, route: str, method: str) -> None:
    """Also superusers: the admin is their way, the chat is not."""
    User.objects.filter(username="staff").update(is_superuser=True)
    path = address(route, world.ids)
    unknown = address(route, {name: UNKNOWN.get(name, "") for name in world.ids})
    for role in ("other", "staff"):
        theirs = getattr(world.clients[role], method)(path)
        nobodys = getattr(world.clients[role], method)(unknown)
        assert theirs.status_code == nobodys.status_code in (404, 405)
        assert without_token(theirs.content) == without_token(nobodys.content)
    assert Message.objects.count() == 2 and not Generation.objects.filter(status="queued").exists()


@pytest.mark.parametrize(
    "path", ["/g/9999999999999999999999/stop/", "/m/" + "9" * 5000 + "/retry/"]
)
def test_ids_out_of_range(world: World, path: str) -> None:
    assert world.clients["owner"].post(path).status_code == 404
