"""Which requests take turns, and which have a connection to the API opened."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from chatsite.handler import may_ask, takes_a_turn

CONVERSATION = "/c/3f2b8a52-7c4e-4a6b-9d55-0a8f0d5c1e11/"


@pytest.mark.parametrize("path", ["/", f"{CONVERSATION}send/", "/m/7/retry/", "/m/7/continue/"])
def test_prompts_take_turns(path: str) -> None:
    assert may_ask(RequestFactory().post(path))
    assert takes_a_turn(RequestFactory().post(path))
    assert not takes_a_turn(RequestFactory().get(path))


@pytest.mark.parametrize(
    "path",
    ["/g/7/stop/", "/g/7/approve/", "/accounts/login/", "/api/chat", "/v1/messages", "/admin/"],
)
def test_nothing_else_does(path: str) -> None:
    assert not takes_a_turn(RequestFactory().post(path))


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/api/chat", True),
        ("/v1/messages", True),
        ("/g/7/stop/", False),
        ("/accounts/login/", False),
    ],
)
def test_programs_ask_as_well(path: str, *, may: bool) -> None:
    assert may_ask(RequestFactory().post(path)) == may
    assert not may_ask(RequestFactory().get(path))
