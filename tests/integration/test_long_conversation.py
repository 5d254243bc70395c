"""What a page of a long conversation asks of the database."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.models import User
from chat.transcript import PAGE_MESSAGES
from tests.integration.long_conversation import make

MAX_QUERIES = 15


@pytest.mark.parametrize("messages", [2, 2_000])
def test_queries_of_a_page(alice: User, client: Client, messages: int) -> None:
    path = make("alice", messages)
    client.force_login(alice)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    assert response.status_code == 200
    assert 1 < len(queries) <= MAX_QUERIES


def test_queries_of_older_messages(alice: User, client: Client) -> None:
    path = make("alice", 2_000)
    client.force_login(alice)
    newest = client.get(path).content.decode()
    before = newest.partition("?before=")[2].partition('"')[0]
    with CaptureQueriesContext(connection) as queries:
        response = client.get(f"{path}?before={before}", headers={"HX-Request": "true"})
    assert response.content.count(b"data-message=") == PAGE_MESSAGES
    assert 1 < len(queries) <= MAX_QUERIES
