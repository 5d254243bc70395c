"""The site as a server of the Messages API, asked by the official SDK on a running site."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from anthropic import Anthropic
from anthropic.types import ToolParam

from chat.demo.steps import (
    Answer,
    End,
    Finish,
    Raw,
    Rounds,
    Text,
    ToolUse,
)
from chat.demo.thread import DemoThread
from tests.api_events import sse
from tests.integration.answers import message_end, prompt
from tests.integration.program import (
    BODY,
    MODEL,
    SLOW,
    asked,
    conversation_of,
    created,
    post,
    raw,
    stream_of,
    token_of,
    unique,
    user,
    whole,
)
from tests.integration.test_streams import CASES
from tests.site_process import SiteProcess

WEATHER: ToolParam = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"location": {"type": "string"}}},
}


TWO_TEXTS = sse(*CASES["two-texts"].events)


SEARCHED = sse(*CASES["web-search"].events)


def saved(site: SiteProcess, conversation: str) -> list[tuple[str, str]]:
    """Return role and content of the messages of a conversation."""
    query = "SELECT role, content FROM chat_message WHERE conversation_id = ? ORDER BY id"
    return [
        (role, content if isinstance(content, str) else json.dumps(content))
        for role, content in site.rows(query, conversation)
    ]


def test_request_goes_out_as_it_came(model: DemoThread, claude: Anthropic) -> None:
    members: dict[str, Any] = {
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [WEATHER],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "metadata": {"user_id": "7"},
        "stop_sequences": ["END"],
        "output_config": {"effort": "low"},
        "extra_body": {"of_next_year": [1, None, {"a": 1.5}]},
        "extra_headers": {"anthropic-beta": "herons-2026-01-01", "anthropic-version": "2023-06-01"},
    }
    messages = [user("Hello"), {"role": "assistant", "content": "Hi"}, user(unique())]
    created(claude, *messages, **members)  # type: ignore[arg-type]  # a list of dicts
    record = asked(model, messages[-1]["content"])  # type: ignore[arg-type]
    sent = {name: value for name, value in members.items() if not name.startswith("extra")}
    assert record.body == {
        "model": MODEL,
        "max_tokens": 1_000,
        "messages": messages,
        "stream": True,
        "of_next_year": [1, None, {"a": 1.5}],
        **sent,
    }
    assert record.headers["anthropic-beta"] == "herons-2026-01-01"
    assert record.headers["anthropic-version"] == "2023-06-01"


def test_tools_of_the_program(
    site: SiteProcess, model: DemoThread, claude: Anthropic, upstream: Anthropic
) -> None:
    """The second call, with the result, goes on with the conversation of the first."""
    model.script("tools", Rounds([Text("Let me see."), ToolUse(), Finish("tool_use")], [Answer()]))
    first, where = raw(claude, ask := user(prompt("tools")), tools=[WEATHER])
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (first.stop_reason, call.name) == ("tool_use", "get_weather")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Rain"}
    told: Any = {"role": "user", "content": [result]}
    turns: list[Any] = [ask, {"role": "assistant", "content": first.content}]
    second, there = raw(claude, *turns, told, tools=[WEATHER])
    assert there == where
    again = created(upstream, *turns, told, tools=[WEATHER])
    assert whole(second)["content"] == whole(again)["content"]
    assert [role for role, _ in saved(site, where)] == ["user", "assistant"] * 2
    assert json.loads(saved(site, where)[2][1]) == [result]


@pytest.mark.parametrize("stream", [TWO_TEXTS, SEARCHED], ids=["two-texts", "web-search"])
@pytest.mark.parametrize("form", ["dump", "param", "text"])
def test_conversation_goes_on(
    site: SiteProcess, model: DemoThread, claude: Anthropic, stream: bytes, form: str
) -> None:
    """However the program writes down the answer that it got."""
    model.script("first", Raw(stream), End())
    first, where = raw(claude, ask := user(prompt("first")))
    content: Any = {
        "dump": first.content,
        "param": whole(first)["content"],
        "text": "".join(block.text for block in first.content if block.type == "text"),
    }[form]
    more = user(unique())
    _, there = raw(claude, ask, {"role": "assistant", "content": content}, more)
    assert there == where
    assert [role for role, _ in saved(site, where)] == ["user", "assistant"] * 2
    marked = [{"type": "text", "text": more["content"], "cache_control": {"type": "ephemeral"}}]
    answer = saved(site, where)[-1][1]
    turns: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": ask["content"]}]},
        {"role": "assistant", "content": content},
        {"role": "user", "content": marked},
        {"role": "assistant", "content": json.loads(answer)},
    ]
    assert raw(claude, *turns, user("And?"))[1] == where


def test_conversation_branches(site: SiteProcess, claude: Anthropic) -> None:
    """Both of two requests that go on from one answer stand in its conversation."""
    first, where = raw(claude, ask := user(unique()))
    answer: Any = {"role": "assistant", "content": first.content}
    places = [raw(claude, ask, answer, user(unique()))[1] for _ in range(2)]
    assert places == [where, where]
    rows = site.rows(
        "SELECT parent_id FROM chat_message WHERE conversation_id = ? AND role = 'user'", where
    )
    assert len(rows) == 3 and len({parent for (parent,) in rows if parent}) == 1


def test_conversation_that_is_answered_gets_no_second_one(
    site: SiteProcess, model: DemoThread, claude: Anthropic
) -> None:
    model.script("slow", SLOW)
    first, where = raw(claude, ask := user(unique()))
    turns: list[Any] = [ask, {"role": "assistant", "content": first.content}]
    with stream_of(claude, *turns, user(prompt("slow"))) as running:
        assert conversation_of(running.response.headers) == where
        _, elsewhere = raw(claude, *turns, user(unique()))
    assert elsewhere != where
    assert [role for role, _ in saved(site, elsewhere)] == ["user", "assistant"] * 2


def test_same_examples_are_no_conversation(site: SiteProcess, claude: Anthropic) -> None:
    """Nor is the same beginning of somebody else's, or the same question once more."""
    examples: list[Any] = [user(one := unique()), {"role": "assistant", "content": "Good"}]
    places = {raw(claude, *examples, user(unique()))[1] for _ in range(2)}
    first, place = raw(claude, user(one))
    places |= {place, raw(claude, user(one))[1]}
    token = token_of(site, f"other-{uuid.uuid4()}")
    turns: list[Any] = [user(one), {"role": "assistant", "content": first.content}, user("More?")]
    with Anthropic(base_url=site.base_url, api_key=token, max_retries=0) as other:
        places.add(raw(other, *turns)[1])
    assert len(places) == 5
    titles = {
        site.rows("SELECT title, is_from_api FROM chat_conversation WHERE id = ?", p)[0]
        for p in places
    }
    assert all(title.startswith(one[:30]) and is_from_api for title, is_from_api in titles)


def test_paused_answer_goes_on(model: DemoThread, claude: Anthropic) -> None:
    """Which a program asks for with the answer as the last message."""
    begun = [e for e in CASES["web-search"].events if e.get("index", 0) < 2]
    model.script(
        "paused", Rounds([Raw(sse(*begun[:-2], *message_end("pause_turn"))), End()], [Answer()])
    )
    first, where = raw(claude, ask := user(prompt("paused")))
    assert first.stop_reason == "pause_turn"
    second, there = raw(claude, ask, {"role": "assistant", "content": first.content})
    assert (second.stop_reason, there) == ("end_turn", where)


def test_older_header_for_the_key(site: SiteProcess, token: str) -> None:
    response = post(site, {**BODY, "messages": [user("Hello")]}, **{"x-api-key": token})
    assert response.status_code == 200 and response.json()["type"] == "message"
    assert response.headers["request-id"].startswith("req_")
    assert response.headers["content-type"] == "application/json"


def test_whole_number_as_javascript_has_it(
    model: DemoThread, site: SiteProcess, token: str
) -> None:
    body = {**BODY, "max_tokens": 5.0, "messages": [user(text := unique())]}
    assert post(site, body, token).status_code == 200
    assert repr(asked(model, text).body["max_tokens"]) == "5"


def test_models(claude: Anthropic) -> None:
    (model,) = claude.models.list()
    assert (model.id, model.type) == (MODEL, "model")
