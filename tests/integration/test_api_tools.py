"""`tools` of `POST /api/chat`: which of the site's tools an answer may use."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from chat.models import Generation

pytestmark = pytest.mark.django_db(transaction=True)


def refusal(client: Client, tools: Any) -> dict[str, Any]:
    response = client.post(
        "/api/chat",
        {"message": "Hi", "tools": tools},
        "application/json",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert response.status_code == 400
    error: dict[str, Any] = response.json()["error"]
    assert not Generation.objects.exists()
    return error


@pytest.mark.parametrize("names", [["no_such_tool"], ["calculator", "no_such_tool"]])
def test_unknown_name_is_refused_with_those_that_there_are(
    client: Client, names: list[str]
) -> None:
    error = refusal(client, names)
    assert error["code"] == "invalid_request"
    assert error["message"] == (
        "`tools` names `no_such_tool`, which this site does not offer; it offers `current_time`, "
        "`calculator`, `search_conversations`."
    )


@pytest.mark.parametrize("tools", ["calculator", [5], {"name": "calculator"}])
def test_tools_have_to_be_a_list_of_names(client: Client, tools: Any) -> None:
    assert "`tools` has to be a list" in refusal(client, tools)["message"]
