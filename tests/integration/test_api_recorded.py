"""Streams of the Messages API, through the site and to the SDK: as if it had asked Claude itself.

Each is read by the SDK from the model server, from `/v1/messages`, and from the log.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, Stream
from anthropic.lib.streaming import MessageStream
from anthropic.types import Message, RawMessageStreamEvent

from chat.demo.steps import (
    End,
    Raw,
)
from chat.demo.thread import DemoThread
from tests.api_events import sse
from tests.integration.answers import prompt
from tests.integration.program import (
    created,
    holds,
    stream_of,
    streamed,
    user,
    whole,
)
from tests.integration.test_streams import CASES

RECORDED = Path(__file__).parent.parent / "recorded"


# The first it repairs, of the second it knows no input, of the third it takes no delta.
SDK_DIFFERS = (
    "incomplete_partial_json_response-0",
    "anthropic-mcp.1.chunks-0",
    "anthropic-compaction.1.chunks-0",
)
# One of each kind; the others are played with `-m long`.
QUICK = ("basic_response", "refusal", "anthropic-web-search-tool.1.chunks", "tool_use_response")


def read_log(claude: Anthropic, generation_id: str) -> Message:
    """Return the message that the SDK's stream helper reads from a log of the site."""
    log: Stream[RawMessageStreamEvent] = claude.get(  # type: ignore[call-overload]
        f"/api/generations/{generation_id}/events?request=1",
        cast_to=RawMessageStreamEvent,
        stream=True,
        stream_cls=Stream[RawMessageStreamEvent],
    )
    with MessageStream(log, output_format=anthropic.NOT_GIVEN) as stream:
        return stream.get_final_message()


def recordings() -> Iterator[Any]:
    """Yield the messages that were recorded, as the API sent them."""
    for file in sorted(RECORDED.glob("*.*s*")) + sorted(RECORDED.glob("*response.txt")):
        lines = file.read_text().splitlines()
        events = [line.removeprefix("data: ") for line in lines if line.startswith(("data: ", "{"))]
        data = [json.loads(event) for event in events]
        starts = [at for at, event in enumerate(data) if event["type"] == "message_start"]
        if file.name.startswith("duplicate"):
            starts = starts[:1]
        for number, (start, end) in enumerate(itertools.pairwise([*starts, len(data)])):
            marks = () if file.stem in QUICK else pytest.mark.long
            yield pytest.param(sse(*data[start:end]), id=f"{file.stem}-{number}", marks=marks)


@pytest.mark.parametrize("stream", list(recordings()))
def test_recorded_stream(
    model: DemoThread,
    claude: Anthropic,
    upstream: Anthropic,
    stream: bytes,
    request: pytest.FixtureRequest,
) -> None:
    model.script("recorded", Raw(stream), End())
    expected = whole(streamed(upstream, user(prompt("recorded"))))
    with stream_of(claude, user(prompt("recorded"))) as through:
        got = through.get_final_message()
    assert whole(got) == expected
    generation_id = through.response.headers["chat-generation"]
    assert whole(read_log(claude, generation_id)) == expected
    at_once = whole(created(claude, user(prompt("recorded"))))
    if request.node.callspec.id in SDK_DIFFERS:
        del at_once["content"], expected["content"]
    assert holds(at_once, expected)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.sdk_knows and not c.error_code])
def test_stream_of_every_kind(
    model: DemoThread, claude: Anthropic, upstream: Anthropic, name: str
) -> None:
    model.script("case", Raw(sse(*CASES[name].events)), End())
    expected = whole(streamed(upstream, user(prompt("case"))))
    assert whole(streamed(claude, user(prompt("case")))) == expected
    assert holds(whole(created(claude, user(prompt("case")))), expected)
