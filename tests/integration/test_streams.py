"""Streams as the Messages API sends them, cut anywhere on their way through a real socket.

Each is read twice: by this project, and by the SDK's own accumulator. Both must hold the same.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import anthropic
import httpx2
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic

from chat.content import plain_text
from chat.demo.steps import End, Raw, Step
from chat.demo.thread import DemoThread
from chat.models import User
from chat.tools import Toolset
from chat.worker import Worker
from tests.api_events import message_start, sse
from tests.conftest import make_runtime, working
from tests.integration.answers import (
    answered,
    block,
    check_log,
    entries,
    message_end,
    prompt,
    text_block,
    text_in_log,
)

pytestmark = pytest.mark.asyncio

CUTS = 5  # ways in which each stream is cut
PING = {"type": "ping"}
Events = list[dict[str, Any]]


class Case(NamedTuple):
    """A stream and how it ends; `sdk_knows` whether the SDK's accumulator can be asked."""

    events: Events
    text: str = ""
    status: str = "complete"
    error_code: str = ""
    stop_reason: str = "end_turn"
    sdk_knows: bool = True


def whole(*blocks: Events, stop_reason: str = "end_turn", **members: Any) -> Events:
    """Return a whole message of blocks."""
    inner = [event for one in blocks for event in one]
    return [message_start(), PING, *inner, *message_end(stop_reason, **members)]


def said(index: int = 0, text: str = "Herons wait; 日本語 and 👍🏽 do too.") -> Events:
    return text_block(index, *(text[at : at + 5] for at in range(0, len(text), 5)))


def tool(index: int, start: dict[str, Any], *pieces: str) -> Events:
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces))
    return block(index, {"input": {}, **start}, *deltas)


USE = {"type": "tool_use", "id": "toolu_01Heron", "name": "find_nests"}
SERVER = {"type": "server_tool_use", "id": "srvtoolu_01Heron"}
SAID = "Herons wait; 日本語 and 👍🏽 do too."
SEARCH = [
    tool(0, {**SERVER, "name": "web_search"}, '{"query"', ': "grey ', 'heron 鷺"}'),
    block(
        1,
        {
            "type": "web_search_tool_result",
            "tool_use_id": SERVER["id"],
            "caller": {"type": "direct"},
            "content": [
                {
                    "type": "web_search_result",
                    "title": "Where herons nest",
                    "url": "https://example.org/herons",
                    "encrypted_content": "aGVyb25z",
                    "page_age": "3 May 2026",
                }
            ],
        },
    ),
]
CITATION = {
    "type": "web_search_result_location",
    "cited_text": "They nest in tall trees.",
    "url": "https://example.org/herons",
    "title": "Where herons nest",
    "encrypted_index": "MQ==",
}
CITED = block(
    2,
    {"type": "text", "text": "", "citations": []},
    {"type": "citations_delta", "citation": CITATION},
    {"type": "text_delta", "text": "They nest "},
    {"type": "text_delta", "text": "in tall trees."},
    {"type": "citations_delta", "citation": {**CITATION, "encrypted_index": "Mg=="}},
)
FETCHED = {
    "type": "web_fetch_tool_result",
    "tool_use_id": SERVER["id"],
    "content": {
        "type": "web_fetch_result",
        "url": "https://example.org/herons",
        "retrieved_at": "2026-05-03T10:00:00Z",
        "content": {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Herons.\nMore 鷺."},
            "title": "Herons",
            "citations": {"enabled": True},
        },
    },
}
RAN = {
    "type": "bash_code_execution_tool_result",
    "tool_use_id": SERVER["id"],
    "content": {
        "type": "bash_code_execution_result",
        "stdout": "4\n",
        "stderr": "",
        "return_code": 0,
        "content": [],
    },
}
CALLED_FROM_CODE = {**USE, "input": {"river": "Aare"}, "caller": {"type": "direct"}}
THOUGHT = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "A heron stands "},
    {"type": "thinking_delta", "thinking": "on one leg. 鷺"},
    {"type": "signature_delta", "signature": "c2lnbmVkIGJ5IGEgaGVyb24="},
)
UNSEEN_THOUGHT = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "signature_delta", "signature": "b21pdHRlZA=="},
)
REFUSED = {
    "stop_reason": "refusal",
    "stop_sequence": None,
    "stop_details": {"type": "refusal", "category": "bio", "explanation": "Not about eggs."},
}


def refused(*blocks: Events) -> Events:
    inner = [event for one in blocks for event in one]
    end = {"type": "message_delta", "delta": REFUSED, "usage": {"output_tokens": 3}}
    return [message_start(), *inner, end, {"type": "message_stop"}]


CASES = {
    "text": Case(whole(said()), SAID),
    "two-texts": Case(whole(said(0, "One. "), said(1, "Two.")), "One. Two."),
    "text-at-start": Case(
        whole(block(0, {"type": "text", "text": "Once "}, {"type": "text_delta", "text": "more"})),
        "Once more",
    ),
    "text-in-message-start": Case(
        [
            message_start(content=[{"type": "text", "text": "Once "}]),
            *said(1, "more"),
            *message_end(),
        ],
        "Once more",
    ),
    "tool": Case(
        whole(
            said(),
            tool(1, USE, '{"riv', 'er": "Aa', 're", "n": [1, 2.50, nu', "ll]}"),
            stop_reason="tool_use",
        ),
        SAID,
        stop_reason="tool_use",
    ),
    "tool-without-arguments": Case(
        whole(tool(0, USE), stop_reason="tool_use"), stop_reason="tool_use"
    ),
    "tool-with-empty-object": Case(
        whole(tool(0, USE, "{}"), stop_reason="tool_use"), stop_reason="tool_use"
    ),
    "tool-input-at-start": Case(
        whole(block(0, CALLED_FROM_CODE), stop_reason="tool_use"), stop_reason="tool_use"
    ),
    "two-tools": Case(
        whole(
            tool(0, USE, '{"river": "Aare"}'),
            tool(1, {**USE, "id": "toolu_02Heron"}, '{"river": "R', 'euss"}'),
            stop_reason="tool_use",
        ),
        stop_reason="tool_use",
    ),
    "cut-partial-json": Case(
        whole(said(), tool(1, USE, '{"river": "Aa')[:-1], stop_reason="max_tokens"),
        SAID,
        stop_reason="max_tokens",
        sdk_knows=False,  # it repairs what was cut off; here that is kept as it came
    ),
    "broken-partial-json": Case(
        whole(tool(0, USE, '{"river": }'), stop_reason="tool_use"),
        stop_reason="tool_use",
        sdk_knows=False,  # it raises ValueError
    ),
    "web-search": Case(whole(*SEARCH, CITED), "They nest in tall trees."),
    "web-search-error": Case(
        whole(
            SEARCH[0],
            block(
                1,
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": SERVER["id"],
                    "content": {
                        "type": "web_search_tool_result_error",
                        "error_code": "max_uses_exceeded",
                    },
                },
            ),
            said(2),
        ),
        SAID,
    ),
    "web-fetch": Case(
        whole(
            tool(0, {**SERVER, "name": "web_fetch"}, '{"url": "https://example.org/herons"}'),
            block(1, FETCHED),
            said(2),
        ),
        SAID,
    ),
    "code-execution": Case(
        whole(
            tool(0, {**SERVER, "name": "bash_code_execution"}, '{"command": "ls | wc -l"}'),
            block(1, RAN),
            said(2),
        ),
        SAID,
    ),
    "mcp": Case(
        whole(
            tool(
                0,
                {
                    "type": "mcp_tool_use",
                    "id": "mcptoolu_1",
                    "name": "nests",
                    "server_name": "bird",
                },
                '{"n": 3}',
            ),
            block(
                1,
                {
                    "type": "mcp_tool_result",
                    "tool_use_id": "mcptoolu_1",
                    "is_error": False,
                    "content": [{"type": "text", "text": "Three nests."}],
                },
            ),
            said(2),
        ),
        SAID,
    ),
    "thinking": Case(whole(THOUGHT, said(1)), SAID),
    "thinking-omitted": Case(whole(UNSEEN_THOUGHT, said(1)), SAID),
    "redacted-thinking": Case(
        whole(block(0, {"type": "redacted_thinking", "data": "aGVyb24="}), said(1)), SAID
    ),
    "compaction": Case(
        whole(
            block(
                0,
                {"type": "compaction", "content": None, "encrypted_content": None},
                {
                    "type": "compaction_delta",
                    "content": "We spoke of herons. 鷺",
                    "encrypted_content": "aGVyb24=",
                },
            ),
            said(1),
        ),
        SAID,
    ),
    "compaction-failed": Case(
        whole(
            block(
                0,
                {"type": "compaction", "content": None},
                {"type": "compaction_delta", "content": None},
            ),
            said(1),
        ),
        SAID,
        sdk_knows=False,  # null stands for what failed, "" for nothing to tell
    ),
    "fallback": Case(
        whole(
            block(
                0,
                {
                    "type": "fallback",
                    "from": {"model": "claude-opus-5-5"},
                    "to": {"model": "claude-sonnet-5-5"},
                },
            ),
            said(1),
        ),
        SAID,
    ),
    "advisor": Case(
        whole(
            tool(0, {**SERVER, "name": "advisor"}),
            block(
                1,
                {
                    "type": "advisor_tool_result",
                    "tool_use_id": SERVER["id"],
                    "content": {
                        "type": "advisor_result",
                        "text": "Look up.",
                        "stop_reason": "end_turn",
                    },
                },
            ),
            said(2),
        ),
        SAID,
    ),
    "tool-search": Case(
        whole(
            tool(0, {**SERVER, "name": "tool_search_tool_regex"}, '{"pattern": "nest"}'),
            block(
                1,
                {
                    "type": "tool_search_tool_result",
                    "tool_use_id": SERVER["id"],
                    "content": {
                        "type": "tool_search_tool_search_result",
                        "tool_references": [{"type": "tool_reference", "tool_name": "find_nests"}],
                    },
                },
            ),
            tool(2, USE, '{"river": "Aare"}'),
            stop_reason="tool_use",
        ),
        stop_reason="tool_use",
    ),
    "refusal-early": Case(refused(), stop_reason="refusal"),
    "refusal-late": Case(refused(said()), SAID, stop_reason="refusal"),
    "input-tokens-late": Case(
        whole(said(), usage={"input_tokens": 31, "output_tokens": 9, "cache_read_input_tokens": 5}),
        SAID,
    ),
    "context-management": Case(
        whole(
            said(),
            context_management={
                "applied_edits": [
                    {
                        "type": "clear_tool_uses_20250919",
                        "cleared_tool_uses": 2,
                        "cleared_input_tokens": 9,
                    }
                ]
            },
        ),
        SAID,
    ),
    "json": Case(whole(said(0, '{"birds": ["heron", "鷺"]}')), '{"birds": ["heron", "鷺"]}'),
    "pause": Case(whole(*SEARCH, stop_reason="pause_turn"), stop_reason="pause_turn"),
    "content-in-the-start": Case(
        [
            message_start(content=[CALLED_FROM_CODE], stop_reason="tool_use"),
            {"type": "message_stop"},
        ],
        stop_reason="tool_use",
    ),
    "pings": Case([PING, *(e for event in whole(said()) for e in (event, PING))], SAID),
    "repeated-start": Case([message_start(), *whole(said())], SAID, sdk_knows=False),
    "spliced-start": Case(
        [*whole(said())[:-2], message_start("msg_2"), *whole(said())[1:]],
        SAID,
        "failed",
        "bad_stream",
        "",
        sdk_knows=False,
    ),
    "no-message-stop": Case(whole(said())[:-1], SAID, "failed", "truncated", sdk_knows=False),
    "empty": Case(whole()),
}


def pieces(data: bytes, seed: int) -> Iterator[Step]:
    """Cut bytes at random places, inside of characters and lines too; seed 0 cuts every byte."""
    chance = random.Random(seed)
    at = 0
    while at < len(data):
        size = chance.choice((1, 2, 3, 7, 40, 400)) if seed else 1
        yield Raw(data[at : at + size])
        at += size
    yield End()


@pytest_asyncio.fixture
async def worker(transactional_db: None, model: DemoThread) -> AsyncIterator[Worker]:
    """A worker that makes one request for each answer, which the SDK's is compared with."""
    runtime = replace(make_runtime(model), toolset=Toolset(rounds=0))
    async with working(runtime) as begun:
        yield begun


@pytest.mark.parametrize("name", sorted(CASES))
async def test_stream(worker: Worker, model: DemoThread, alice: User, name: str) -> None:
    case, contents = CASES[name], []
    for seed in range(CUTS):
        model.script(f"stream-{name}", *pieces(sse(*case.events), seed))
        generation = await answered(alice, prompt(f"stream-{name}"))
        seen = (generation.status, generation.error_code, generation.stop_reason)
        assert seen == (case.status, case.error_code, case.stop_reason)
        assert generation.message.text == case.text == text_in_log(await entries(generation))
        await check_log(generation)
        contents.append(generation.message.content)
    assert contents == [contents[0]] * CUTS
    if case.sdk_knows:
        assert contents[0] == await folded_by_the_sdk(model, f"stream-{name}")


async def folded_by_the_sdk(model: DemoThread, scenario: str) -> list[dict[str, Any]]:
    """Return the content that the SDK makes of the same bytes."""
    async with (
        AsyncAnthropic(base_url=model.base_url, api_key="none", max_retries=0) as sdk,
        sdk.beta.messages.stream(
            model="claude-sonnet-5-5",
            max_tokens=9,
            messages=[{"role": "user", "content": prompt(scenario)}],
        ) as stream,
    ):
        message = await stream.get_final_message()
    return [one.to_dict() for one in message.content]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("cut-partial-json", {**USE, "input": {}, "partial_json": '{"river": "Aa'}),
        ("broken-partial-json", {**USE, "input": {}, "partial_json": '{"river": }'}),
        ("compaction-failed", {"type": "compaction", "content": None}),
    ],
)
async def test_block_that_the_sdk_is_not_asked_for(
    worker: Worker, model: DemoThread, alice: User, name: str, wanted: dict[str, Any]
) -> None:
    model.script(f"alone-{name}", *pieces(sse(*CASES[name].events), 1))
    generation = await answered(alice, prompt(f"alone-{name}"))
    assert wanted in generation.message.content


@pytest.mark.parametrize("cut", range(0, 100, 10))
async def test_stream_that_breaks_anywhere(
    worker: Worker, model: DemoThread, alice: User, cut: int
) -> None:
    """What came whole is kept, and nothing is made up."""
    data = sse(*whole(THOUGHT, said(1), tool(2, USE, '{"river": ', '"Aare"}')))
    model.script("breaks", Raw(data[: len(data) * cut // 100]), End())
    generation = await answered(alice, prompt("breaks"))
    assert generation.status == "failed"
    assert generation.error_code in ("truncated", "bad_stream")
    assert SAID.startswith(generation.message.text)
    assert generation.message.text == plain_text(generation.message.content)
    await check_log(generation)


async def test_usage_is_overwritten_not_added(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("usage", *pieces(sse(*CASES["input-tokens-late"].events), 1))
    generation = await answered(alice, prompt("usage"))
    assert (generation.input_tokens, generation.output_tokens) == (36, 9)


async def test_refusal_details(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("refused", *pieces(sse(*CASES["refusal-late"].events), 1))
    assert (await answered(alice, prompt("refused"))).stop_details == REFUSED["stop_details"]


async def test_sdk_and_transport_are_those_of_the_site() -> None:
    """The comparison is worth something only as long as both read with the same release."""
    assert anthropic.__version__.startswith("2.") and httpx2.__version__.startswith("2.")
