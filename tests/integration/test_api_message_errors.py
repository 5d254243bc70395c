"""What the site refuses as a server of the Messages API, and what Claude does, as SDKs see it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic
from anthropic.types import Message

from chat.demo.steps import (
    End,
    Event,
    Status,
    Text,
)
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.integration.program import (
    BODY,
    created,
    post,
    stream_of,
    streamed,
    token_of,
    user,
)
from tests.site_process import SiteProcess


def refused(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the type of an error that has the API's shape."""
    body = response.json()
    assert body["type"] == "error" and body["request_id"] == response.headers["request-id"]
    assert body["error"]["message"]
    return response.status_code, body["error"]["type"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"model": None}, "`model` is missing"),
        ({"model": 7}, "`model` has to be a text"),
        ({"model": "m" * 101}, "101 characters"),
        ({"max_tokens": None}, "`max_tokens` is missing"),
        ({"max_tokens": 0}, "between 1 and 16000"),
        ({"max_tokens": 16_001}, "`max_tokens` is 16001; it has to lie between 1 and 16000."),
        ({"max_tokens": 5.5}, "`max_tokens` has to be a whole number"),
        ({"max_tokens": True}, "`max_tokens` has to be a whole number"),
        ({"stream": "yes"}, "`stream` has to be true or false"),
        ({"messages": None}, "at least one message"),
        ({"messages": []}, "at least one message"),
        ({"messages": [user("a")] * 10_001}, "10001 messages"),
        ({"messages": ["a"]}, "`messages.0.role`"),
        ({"messages": [user("a"), {"role": "robot", "content": "a"}]}, "`messages.1.role`"),
        ({"messages": [{"role": "user"}]}, "`messages.0.content`"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "`messages.0.content`"),
        ({"messages": [user("a"), {"role": "assistant", "content": "b"}]}, "the user's"),
        ({"messages": [user("a"), {"role": "assistant", "content": []}]}, "the user's"),
    ],
)
def test_bad_request(site: SiteProcess, token: str, members: dict[str, Any], words: str) -> None:
    response = post(site, {**BODY, **members}, token)
    assert refused(response) == (400, "invalid_request_error")
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize("name", ["anthropic-beta", "anthropic-version"])
def test_long_header(site: SiteProcess, token: str, name: str) -> None:
    body = {**BODY, "messages": [user("Hello")]}
    response = post(site, body, token, **{name: "b" * 1_001})
    assert refused(response) == (400, "invalid_request_error")
    assert f"`{name}` has 1001 characters" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "method", "status", "kind"),
    [
        ("/v1/messages", "GET", 405, "invalid_request_error"),
        ("/v1/models", "POST", 405, "invalid_request_error"),
        ("/v1/messages/count_tokens", "POST", 404, "not_found_error"),
        ("/v1/messages/", "POST", 404, "not_found_error"),
        ("/v1/nothing/here", "DELETE", 404, "not_found_error"),
        ("/v1/", "GET", 404, "not_found_error"),
    ],
)
def test_wrong_address(
    site: SiteProcess, token: str, path: str, method: str, status: int, kind: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    response = httpx2.request(method, site.base_url + path, headers=headers)
    assert refused(response) == (status, kind)


def test_who_may_not(site: SiteProcess) -> None:
    body = {**BODY, "messages": [user("Hello")]}
    assert refused(post(site, body)) == (401, "authentication_error")
    assert refused(post(site, body, "chat_wrong")) == (401, "authentication_error")
    reader = token_of(site, f"reader-{uuid.uuid4()}", "read")
    assert refused(post(site, body, reader)) == (403, "permission_error")


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
)
def test_too_large(site: SiteProcess, token: str, content_type: str) -> None:
    body = {**BODY, "messages": [user("a" * 6_200_000)]}
    response = post(site, body, token, **{"Content-Type": content_type})
    assert refused(response) == (413, "request_too_large")
    assert "6100000 bytes" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "content",
    ["ä" * 1_000_001, [{"type": "text", "text": "a" * 1_000_001}] * 2],
    ids=["text", "blocks"],
)
def test_prompt_too_long(site: SiteProcess, token: str, content: Any) -> None:
    turns = [user("a"), {"role": "assistant", "content": "b"}, {"role": "user", "content": content}]
    response = post(site, {**BODY, "messages": turns}, token)
    assert refused(response) == (413, "request_too_large")
    assert "2000002 bytes" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.InternalServerError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (413, "request_too_large", anthropic.ContentTooLargeError),
        (429, "rate_limit_error", anthropic.RateLimitError),
    ],
)
@pytest.mark.parametrize("ask", [created, streamed])
def test_failure_before_the_message(
    model: DemoThread,
    claude: Anthropic,
    ask: Callable[..., Message],
    status: int,
    kind: str,
    error: type[anthropic.APIStatusError],
) -> None:
    """What is wrong with the site's own key is no fault of the program's."""
    model.script("fails", Status(status, kind, "No", {"retry-after": "600"}))
    with pytest.raises(error) as raised:
        ask(claude, user(prompt("fails")))
    assert raised.value.type == ("api_error" if status == 401 else kind)
    assert raised.value.request_id


def test_failure_in_the_message(model: DemoThread, claude: Anthropic) -> None:
    fault = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    model.script("breaks", Text("So far"), Event("error", fault), End())
    with stream_of(claude, user(prompt("breaks"))) as stream:
        with pytest.raises(anthropic.APIStatusError) as raised:
            stream.get_final_message()
        assert stream.current_message_snapshot.content[0].text == "So far"
    assert raised.value.type == "overloaded_error"
    with pytest.raises(anthropic.OverloadedError):
        created(claude, user(prompt("breaks")))
