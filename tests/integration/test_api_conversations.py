"""`/api/conversations`: lists in parts, reading, renaming and deleting, each by a token."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat import services, tokens
from chat.api import conversations
from chat.models import TITLE_MAX_CHARS, AccessToken, Conversation, Generation, Message, User
from tests.integration.pages import end

pytestmark = pytest.mark.django_db

LIST = "/api/conversations"
TOKEN_QUERIES = 2  # it is looked for, and its use is noted


@pytest.fixture
def api(anna: User) -> Client:
    """A program of Anna's."""
    return program(anna)


def program(owner: User, scope: AccessToken.Scope = AccessToken.Scope.CHAT) -> Client:
    secret = tokens.create(owner, "test", scope).secret
    return Client(headers={"Authorization": f"Bearer {secret}"})


def talks(owner: User, count: int) -> list[str]:
    """Make conversations, a second apart; return their ids, the newest first."""
    now = timezone.now()
    rows = [
        Conversation(owner=owner, title=f"Talk {n}", created_at=now, updated_at=now)
        for n in range(count)
    ]
    Conversation.objects.bulk_create(rows)
    for n, row in enumerate(rows):
        Conversation.objects.filter(pk=row.pk).update(updated_at=now - timedelta(seconds=n))
    return [str(row.pk) for row in rows]


def all_parts(api: Client, address: str) -> list[Any]:
    """Follow `next` to the end."""
    items: list[Any] = []
    cursor = ""
    while True:
        part = api.get(address, {"limit": "2", **({"cursor": cursor} if cursor else {})}).json()
        items += part["items"]
        if part["next"] is None:
            return items
        cursor = part["next"]


def of(conversation: Conversation) -> str:
    return f"{LIST}/{conversation.pk}"


# Lists


def test_list_is_newest_first(api: Client, anna: User) -> None:
    ids = talks(anna, 3)
    answer = api.get(LIST).json()
    assert [item["id"] for item in answer["items"]] == ids and answer["next"] is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_list_in_parts_holds_everything_once(api: Client, anna: User, count: int) -> None:
    ids = talks(anna, count)
    assert [item["id"] for item in all_parts(api, LIST)] == ids


def test_list_in_parts_goes_on_where_times_are_the_same(api: Client, anna: User) -> None:
    ids = talks(anna, 5)
    Conversation.objects.update(updated_at=timezone.now())
    assert sorted(item["id"] for item in all_parts(api, LIST)) == sorted(ids)


def test_list_in_parts_is_stable_while_rows_are_added(api: Client, anna: User) -> None:
    ids = talks(anna, 4)
    first = api.get(LIST, {"limit": 2}).json()
    Conversation.objects.create(owner=anna, title="New")
    second = api.get(LIST, {"limit": 2, "cursor": first["next"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids


def test_list_takes_one_query(
    api: Client, anna: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    talks(anna, 30)
    with django_assert_num_queries(TOKEN_QUERIES + 1):
        assert len(api.get(LIST).json()["items"]) == 30


def test_list_says_what_is_being_written(api: Client, running: Generation) -> None:
    assert api.get(LIST).json()["items"][0]["running_generation"] == running.pk


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=", "cursor=" + "0" * 46]
)
def test_list_refuses_what_it_does_not_know(api: Client, query: str) -> None:
    response = api.get(f"{LIST}?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"


def test_list_takes_any_cursor_of_its_form(api: Client) -> None:
    for digit in "0f":
        assert api.get(LIST, {"cursor": digit * 45}).status_code == 200


# Messages


def test_messages_lead_to_the_newest(api: Client, anna: User, ended: Generation) -> None:
    services.retry(anna, ended.message_id)
    shown = api.get(f"{of(ended.conversation)}/messages").json()["items"]
    every = api.get(f"{of(ended.conversation)}/messages?all=1").json()["items"]
    assert [item["role"] for item in shown] == ["user", "assistant"]
    assert [item["role"] for item in every] == ["user", "assistant", "assistant"]
    assert shown[1] == every[2] and every[1]["parent"] == every[2]["parent"] == shown[0]["id"]


def test_messages_hold_what_was_said(api: Client, ended: Generation) -> None:
    prompt, answer = api.get(f"{of(ended.conversation)}/messages").json()["items"]
    assert (prompt["text"], prompt["generations"]) == ("Hello there", [])
    assert prompt["content"] == [{"type": "text", "text": "Hello there"}]
    assert [g["id"] for g in answer["generations"]] == [ended.pk]


@pytest.mark.parametrize("in_all", ["", "&all=1"])
def test_messages_in_parts(api: Client, ended: Generation, in_all: str) -> None:
    parent: Message | None = ended.message
    for _ in range(4):
        parent = Message.objects.create(
            conversation=ended.conversation, parent=parent, role=Message.Role.USER
        )
    ids = sorted(Message.objects.values_list("pk", flat=True))
    address = f"{of(ended.conversation)}/messages?{in_all}"
    assert [item["id"] for item in all_parts(api, address)] == ids


def test_messages_take_five_queries(
    api: Client, ended: Generation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    parent = ended.message
    for _ in range(20):
        parent = Message.objects.create(
            conversation=ended.conversation, parent=parent, role=Message.Role.USER
        )
    with django_assert_num_queries(TOKEN_QUERIES + 5):
        assert len(api.get(f"{of(ended.conversation)}/messages").json()["items"]) == 22


def test_part_of_large_messages_ends_early(
    api: Client, ended: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "PART_CHARS", 100)
    parent = ended.message
    for _ in range(3):
        parent = Message.objects.create(
            conversation=ended.conversation,
            parent=parent,
            role=Message.Role.USER,
            content=[{"type": "text", "text": "x" * 90}],
        )
    first = api.get(f"{of(ended.conversation)}/messages").json()
    assert len(first["items"]) == 2 and first["next"]
    address = f"{of(ended.conversation)}/messages?limit=100"
    ids = [item["id"] for item in all_parts(api, address)]
    assert ids == sorted(Message.objects.values_list("pk", flat=True))


def test_messages_of_all_versions_take_other_values_of_all_for_a_mistake(
    api: Client, ended: Generation
) -> None:
    assert api.get(f"{of(ended.conversation)}/messages?all=yes").status_code == 400


# One


def test_conversation_is_read(api: Client, ended: Generation) -> None:
    answer = api.get(of(ended.conversation)).json()
    assert answer["title"] == "Hello there" and answer["is_from_api"] is False
    assert answer["running_generation"] is None


def test_conversation_is_not_sent_again_where_it_is_known(api: Client, ended: Generation) -> None:
    first = api.get(of(ended.conversation))
    tag = first.headers["ETag"]
    for known in (tag, f'W/{tag}, "other"', "*"):
        again = api.get(of(ended.conversation), headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    Conversation.objects.update(title="Another")
    changed = api.get(of(ended.conversation), headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag


def test_rename(api: Client, ended: Generation) -> None:
    response = api.patch(of(ended.conversation), {"title": " Grey  herons "}, "application/json")
    assert (response.status_code, response.json()["title"]) == (200, "Grey herons")
    assert response.headers["ETag"] == api.get(of(ended.conversation)).headers["ETag"]


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": " \n"}, {"title": None}, {"title": 7},
             {"title": "x" * (TITLE_MAX_CHARS + 1)}, {"title": "x", "owner": 1}, [], "x"]
)  # fmt: skip
def test_rename_refuses_bad_input(api: Client, ended: Generation, body: Any) -> None:
    response = api.patch(of(ended.conversation), body, "application/json")
    assert response.status_code == 400
    assert Conversation.objects.get().title == "Hello there"


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_change_of_another_state_is_refused(api: Client, ended: Generation, method: str) -> None:
    tag = api.get(of(ended.conversation)).headers["ETag"]
    Conversation.objects.update(title="Another")
    response = getattr(api, method)(
        of(ended.conversation), {"title": "Mine"}, "application/json", headers={"If-Match": tag}
    )
    assert (response.status_code, response.json()["error"]["code"]) == (412, "changed_meanwhile")
    assert Conversation.objects.get().title == "Another"


@pytest.mark.parametrize("is_any", [True, False])
def test_change_of_the_state_that_was_read(api: Client, ended: Generation, is_any: bool) -> None:
    tag = "*" if is_any else api.get(of(ended.conversation)).headers["ETag"]
    headers = {"If-Match": tag}
    renamed = api.patch(
        of(ended.conversation), {"title": "Mine"}, "application/json", headers=headers
    )
    assert renamed.status_code == 200 and Conversation.objects.get().title == "Mine"
    # What was read before the change is an earlier state now.
    again = api.patch(
        of(ended.conversation), {"title": "More"}, "application/json", headers=headers
    )
    assert again.status_code == (200 if is_any else 412)


def test_delete(api: Client, running: Generation) -> None:
    response = api.delete(of(running.conversation))
    assert (response.status_code, response.content) == (204, b"")
    assert not Generation.objects.exists() and not Conversation.objects.exists()
    assert api.delete(of(running.conversation)).status_code == 404


def test_unknown_conversation(api: Client) -> None:
    response = api.get(f"{LIST}/{uuid.uuid4()}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_there")


def test_ended_answer_is_not_running(api: Client, running: Generation) -> None:
    end(running)
    assert api.get(of(running.conversation)).json()["running_generation"] is None
