"""One message, one generation, and stop, retry and continue, each by a token."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from chat.models import Generation, Message, User
from tests.integration.test_api_conversations import program

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(anna: User) -> Client:
    return program(anna)


def test_message_is_read(api: Client, ended: Generation) -> None:
    answer = api.get(f"/api/messages/{ended.message_id}").json()
    assert answer["role"] == "assistant" and answer["conversation"] == str(ended.conversation_id)
    assert answer["generations"] == [api.get(f"/api/generations/{ended.pk}").json()]


def test_generation_that_failed(api: Client, ended: Generation) -> None:
    answer = api.get(f"/api/generations/{ended.pk}").json()
    assert answer["status"] == "failed" and answer["stop_reason"] is None
    assert answer["error"]["code"] == "stalled" and answer["error"]["retryable"] is True
    assert datetime.fromisoformat(answer["finished_at"]).tzinfo is not None
    assert answer["started_at"] is None


def test_generation_that_is_whole(api: Client, running: Generation) -> None:
    Generation.objects.update(
        status=Generation.Status.COMPLETE,
        stop_reason="end_turn",
        usage={"output_tokens": 7},
        input_tokens=5,
        output_tokens=7,
        finished_at=timezone.now(),
    )
    answer = api.get(f"/api/generations/{running.pk}").json()
    assert (answer["stop_reason"], answer["error"]) == ("end_turn", None)
    assert (answer["usage"], answer["input_tokens"], answer["output_tokens"]) == (
        {"output_tokens": 7},
        5,
        7,
    )


def test_generation_with_a_code_of_another_release(api: Client, ended: Generation) -> None:
    Generation.objects.update(error_code="of_tomorrow")
    assert api.get(f"/api/generations/{ended.pk}").json()["error"]["code"] == "of_tomorrow"


def test_generation_is_not_sent_again_where_it_is_known(api: Client, running: Generation) -> None:
    address = f"/api/generations/{running.pk}"
    headers = {"If-None-Match": api.get(address).headers["ETag"]}
    assert api.get(address, headers=headers).status_code == 304
    Generation.objects.update(status=Generation.Status.STREAMING)
    assert api.get(address, headers=headers).json()["status"] == "streaming"


def test_stop_asks_for_the_end(api: Client, running: Generation) -> None:
    response = api.post(f"/api/generations/{running.pk}/stop")
    assert (response.status_code, response.json()["id"]) == (202, running.pk)
    running.refresh_from_db()
    assert running.stop_requested_at is not None


def test_stop_of_what_has_ended_changes_nothing(api: Client, ended: Generation) -> None:
    response = api.post(f"/api/generations/{ended.pk}/stop")
    assert (response.status_code, response.json()["status"]) == (202, "failed")
    ended.refresh_from_db()
    assert ended.stop_requested_at is None


def test_retry_gives_the_new_generation(api: Client, ended: Generation) -> None:
    response = api.post(f"/api/messages/{ended.message_id}/retry")
    newest = Generation.objects.latest("pk")
    assert (response.status_code, response.json()["id"]) == (202, newest.pk)
    assert newest.pk != ended.pk and response.json()["message"] == newest.message_id
    assert response.json()["status"] == "queued"


def test_retry_while_one_is_written(api: Client, running: Generation) -> None:
    response = api.post(f"/api/messages/{running.message_id}/retry")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "answer_running")


def test_retry_of_a_prompt(api: Client, ended: Generation) -> None:
    prompt = Message.objects.get(role="user")
    assert api.post(f"/api/messages/{prompt.pk}/retry").status_code == 404


def test_continue_gives_the_new_generation(api: Client, ended: Generation) -> None:
    Message.objects.filter(pk=ended.message_id).update(text="Herons wait")
    response = api.post(f"/api/messages/{ended.message_id}/continue")
    newest = Generation.objects.latest("pk")
    assert (response.status_code, response.json()["id"]) == (202, newest.pk)
    assert response.json()["message"] == ended.message_id


def test_continue_of_nothing(api: Client, ended: Generation) -> None:
    response = api.post(f"/api/messages/{ended.message_id}/continue")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "nothing_to_continue")


@pytest.mark.parametrize("number", [10**9, 10**30])
def test_unknown_numbers(api: Client, number: int) -> None:
    for address in (f"messages/{number}", f"generations/{number}"):
        assert api.get(f"/api/{address}").json()["error"]["code"] == "not_there"
