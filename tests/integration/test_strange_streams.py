"""What the API may send one day, or should never send: an end in any case, the text kept."""

from __future__ import annotations

import asyncio
import re

import pytest

from chat.demo.steps import (
    Answer,
    Block,
    Delta,
    End,
    Event,
    Finish,
    Raw,
    Stall,
    Step,
    Text,
)
from chat.demo.thread import DemoThread
from chat.models import User
from chat.worker import Worker
from tests.api_events import message_start, sse
from tests.integration.answers import (
    answered,
    check_log,
    data_of,
    entries,
    finished,
    prompt,
    send,
    text_block,
)

pytestmark = pytest.mark.asyncio

HONEST_END_S = 5.0
FIRST = "These words come first and are worth keeping. "


async def test_unknown_events_are_in_the_log(worker: Worker, alice: User) -> None:
    generation = await answered(alice, prompt("unknown-events"))
    kinds = {entry.kind for entry in await entries(generation)}
    assert {"weather_report", "content_block_shrug"} <= kinds
    deltas = [d["delta"] for d in await data_of(generation, "content_block_delta")]
    assert {"type": "sparkle_delta", "sparkle": "*"} in deltas
    assert {"type": "hologram", "depth": 3} in generation.message.content


@pytest.mark.parametrize(
    "event",
    [
        Event("content_block_future", {}),
        Event("content_block_future", {"index": "none"}),
        Event("future", {"index": [], "delta": 5}),
        Event("message_future", {}),
        Event("request", {}),
        Event("retry", {}),
        Event("final", {"status": "complete", "error_code": ""}),
        Event("tool_result", {}),
        Delta({"type": "future_delta"}),
        Delta({"type": "future_delta", "text": "not of the text"}),
        Raw(b"event: ping\ndata: not json\n\n"),
    ],
    ids=lambda event: re.sub(r"\W+", "-", repr(event)),
)
async def test_unknown_event_breaks_nothing(
    worker: Worker, model: DemoThread, alice: User, event: Event | Delta | Raw
) -> None:
    model.script("future", Text(FIRST), event, Text(FIRST))
    generation = await answered(alice, prompt("future"))
    assert (generation.status, generation.error_code) == ("complete", "")
    assert generation.message.text == FIRST * 2
    await check_log(generation)


STRANGE: dict[str, Step] = {
    "usage-text": Event("message_delta", {"delta": {}, "usage": {"output_tokens": "many"}}),
    "usage-negative": Event("message_delta", {"delta": {}, "usage": {"output_tokens": -5}}),
    "usage-nan": Raw(b'event: message_delta\ndata: {"delta":{},"usage":{"output_tokens":NaN}}\n\n'),
    "usage-infinite": Raw(
        b'event: message_delta\ndata: {"delta":{},"usage":{"output_tokens":1e999}}\n\n'
    ),
    "usage-fraction": Event("message_delta", {"delta": {}, "usage": {"output_tokens": 1.5}}),
    "usage-object": Event("message_delta", {"delta": {}, "usage": {"output_tokens": {}}}),
    "usage-other-nan": Raw(b'event: message_delta\ndata: {"delta":{},"usage":{"cost":NaN}}\n\n'),
    "usage-list": Event("message_delta", {"delta": {}, "usage": [1]}),
    "usage-huge": Event("message_delta", {"delta": {}, "usage": {"output_tokens": 10**30}}),
    "delta-list": Event("message_delta", {"delta": [1], "usage": {}}),
    "stop-reason-object": Event("message_delta", {"delta": {"stop_reason": {"a": 1}}}),
    "stop-reason-long": Event("message_delta", {"delta": {"stop_reason": "x" * 500}}),
    "stop-details-text": Event("message_delta", {"delta": {"stop_details": "so"}}),
    "stop-details-nan": Raw(
        b'event: message_delta\ndata: {"delta":{"stop_details":{"category":NaN}}}\n\n'
    ),
    "message-delta-empty": Event("message_delta", {}),
    "block-null": Event("content_block_start", {"index": 7, "content_block": None}),
    "block-text-number": Block({"type": "text", "text": 5}, [{"type": "text_delta", "text": "x"}]),
    "block-nan": Raw(
        b"event: content_block_start\n"
        b'data: {"index":7,"content_block":{"type":"hologram","depth":NaN}}\n\n'
    ),
    "block-without-type": Event("content_block_start", {"index": 7, "content_block": {}}),
    "delta-of-no-block": Event(
        "content_block_delta", {"index": 9, "delta": {"type": "text_delta", "text": "lost"}}
    ),
    "delta-number": Delta({"type": "text_delta", "text": 5}),
    "signature-number": Block(
        {"type": "thinking", "thinking": ""}, [{"type": "signature_delta", "signature": 5}]
    ),
    "compaction-object": Block(
        {"type": "compaction", "content": None}, [{"type": "compaction_delta", "content": {"a": 1}}]
    ),
    "citation-null": Delta({"type": "citations_delta", "citation": None}),
    "input-nan": Block(
        {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
        [{"type": "input_json_delta", "partial_json": '{"a": NaN}'}],
    ),
    "input-infinite": Block(
        {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
        [{"type": "input_json_delta", "partial_json": '{"a": -1e999}'}],
    ),
    "input-deep": Block(
        {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
        [{"type": "input_json_delta", "partial_json": "[" * 100_000}],
    ),
    "input-very-long-number": Block(
        {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
        [{"type": "input_json_delta", "partial_json": "1" * 5_000}],
    ),
    "data-deep": Raw(b"event: future\ndata: " + b"[" * 100_000 + b"\n\n"),
    "future-list": Raw(b"event: future\ndata: []\n\n"),
    "future-no-json": Raw(b"event: future\ndata: not json\n\n"),
    "data-list": Raw(b"event: content_block_delta\ndata: [1]\n\n"),
    "data-number": Raw(b"event: message_stop\ndata: 5\n\n"),
    "index-missing": Event("content_block_delta", {"delta": {"type": "text_delta", "text": "x"}}),
    "error-without-body": Event("error", {}),
    "error-text": Event("error", {"error": "gone"}),
    "two-blocks-of-one-index": Event(
        "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    ),
    "long-kind": Event("x" * 3_000, {}),
    "empty-kind": Raw(b"event:\ndata: {}\n\n"),
    "no-kind": Raw(b'data: {"choices":[]}\n\n'),
    "second-message": Raw(sse(message_start("msg_2"))),
    "html": Raw(b"<html><body>502 Bad Gateway</body></html>\n\n"),
}


@pytest.mark.parametrize("name", sorted(STRANGE))
async def test_strange_stream_has_an_end(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    """Whatever a server sends: a final status in a few seconds, the text before it kept."""
    stop_event = Raw(sse({"type": "message_stop"}))
    model.script(f"strange-{name}", Text(FIRST), STRANGE[name], stop_event, End())
    generation = await send(alice, prompt(f"strange-{name}"))
    async with asyncio.timeout(HONEST_END_S):
        generation = await finished(generation)
    assert generation.status in ("complete", "failed")
    assert generation.message.text.startswith(FIRST)
    await check_log(generation)


async def test_second_message_is_a_bad_stream(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    other = Raw(sse(message_start("msg_2"), *text_block(0, "Of another answer.")))
    model.script("spliced", Text(FIRST), other, Finish())
    generation = await answered(alice, prompt("spliced"))
    assert (generation.status, generation.error_code) == ("failed", "bad_stream")
    assert generation.message.text == FIRST


async def test_repeated_message_start_is_harmless(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    start = sse(message_start("msg_1"))
    model.script("repeated", Raw(start), Raw(start), Raw(sse(*text_block(0, FIRST))), Finish())
    # The server's own message_start is the third one, with an id of its own.
    generation = await answered(alice, prompt("repeated"))
    assert generation.message.text == FIRST
    assert len(await data_of(generation, "message_start")) == 1


async def test_content_before_the_message(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("headless", Raw(sse(*text_block(0, FIRST))), Answer())
    generation = await answered(alice, prompt("headless"))
    assert (generation.status, generation.error_code) == ("failed", "bad_stream")


async def test_what_follows_message_stop_is_not_read(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    ended = sse({"type": "message_stop"})
    model.script("too-long", Text(FIRST), Raw(ended), Text("Too late."), Stall())
    generation = await answered(alice, prompt("too-long"))
    assert (generation.status, generation.message.text) == ("complete", FIRST)


async def test_log_holds_what_the_api_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    usage = {"output_tokens": 9, "future": {"deep": [1, None, "ü"]}}
    model.script(
        "exact",
        Text("Hi."),
        Event("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": usage}),
        Raw(sse({"type": "message_stop"})),
        End(),
    )
    generation = await answered(alice, prompt("exact"))
    (delta,) = await data_of(generation, "message_delta")
    assert delta["usage"] == usage
    assert generation.usage["future"] == usage["future"] and generation.usage["input_tokens"] > 0
