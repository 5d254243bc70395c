from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic

from chat.demo.pace import Pace
from chat.demo.scenarios import BUILT_IN
from chat.demo.server import DemoServer

PARTIAL = "These words arrive before the fault"
QUIET_S = 0.3  # how long a client of these tests waits for the next byte


@dataclass(frozen=True)
class Outcome:
    """What a client sees: the error (a type or an API error type) or the stop reason."""

    text: str = ""
    error: type[Exception] | str | None = None
    stop_reason: str | None = None
    blocks: tuple[str, ...] = ("text",)
    attempts: int = 1


def fails(error: type[Exception] | str, text: str = "") -> Outcome:
    return Outcome(text, error, blocks=())


def ends(stop_reason: str | None = "end_turn", text: str = "", *blocks: str) -> Outcome:
    return Outcome(text, None, stop_reason, blocks or ("text",))


SECOND = Outcome("demo model", None, "end_turn", attempts=2)
SEARCH = ("text", "server_tool_use", "web_search_tool_result", "text")
OUTCOMES = {
    "rate-limited-once": SECOND,
    "rate-limited-long": fails(anthropic.RateLimitError),
    "rate-limited-no-retry-after": fails(anthropic.RateLimitError),
    "overloaded-once": SECOND,
    "overloaded": fails(anthropic.OverloadedError),
    "server-error-once": SECOND,
    "server-error": fails(anthropic.InternalServerError),
    "timeout": fails(anthropic.GatewayTimeoutError),
    "bad-request": fails(anthropic.BadRequestError),
    "context-too-long": fails(anthropic.BadRequestError),
    "auth": fails(anthropic.AuthenticationError),
    "billing": fails(anthropic.PaymentRequiredError),
    "permission": fails(anthropic.PermissionDeniedError),
    "not-found": fails(anthropic.NotFoundError),
    "too-large": fails(anthropic.ContentTooLargeError),
    "error-event-early": fails("overloaded_error"),
    "error-event-late": fails("overloaded_error", PARTIAL),
    "error-event-once": SECOND,
    "reset-early": fails(anthropic.APIConnectionError),
    "reset-once": SECOND,
    "reset-start": fails(httpx2.TransportError),
    "reset-late": fails(httpx2.ReadError, PARTIAL),
    "closed-late": fails(httpx2.RemoteProtocolError, PARTIAL),
    "truncated": ends(None, PARTIAL),
    "truncated-early": Outcome(blocks=()),
    "garbage": fails(ValueError, PARTIAL),
    "bad-utf8": fails(UnicodeDecodeError, PARTIAL),
    "stall": fails(httpx2.ReadTimeout, PARTIAL),
    "stall-early": fails(httpx2.ReadTimeout),
    "stall-headers": fails(anthropic.APITimeoutError),
    "pings": ends("end_turn", PARTIAL),
    "pause": fails(httpx2.ReadTimeout, PARTIAL),
    "slow-words": fails(httpx2.ReadTimeout),
    "thinking": ends("end_turn", "it depends", "thinking", "text"),
    "redacted-thinking": ends("end_turn", "can't see", "redacted_thinking", "text"),
    "tool-use": ends("tool_use", "look that up", "text", "tool_use"),
    "tool-loop": ends("tool_use", "", "tool_use"),
    "server-tools": ends("end_turn", "the Sun", *SEARCH),
    "citations": ends("end_turn", "the tides follow the Moon", *SEARCH[1:3], *["text"] * 9),
    "search-error": ends("end_turn", "The search failed", *SEARCH),
    "pause-turn": ends("pause_turn", "", "text", "server_tool_use"),
    "unknown-events": ends("end_turn", "Known before. Known after.", "text", "hologram", "text"),
    "refusal": ends("refusal", "come first"),
    "refusal-early": Outcome(stop_reason="refusal", blocks=()),
    "max-tokens": ends("max_tokens", "come first"),
    "context-window": ends("model_context_window_exceeded", "come first"),
    "empty": Outcome(stop_reason="end_turn", blocks=()),
    "whole": ends("end_turn", "demo model"),
    "cut-utf8": ends("end_turn", "Before the cut: 日本語 and 👍 and after it."),
    "big-delta": ends("end_turn", "w000001 w000002"),
    "fast": ends("end_turn", "w000001 w000002"),
    "emoji": ends("end_turn", "👨‍👩‍👧‍👦"),
    "chinese": ends("end_turn", "演示模型"),
    "html": ends("end_turn", 'hx-swap-oob="true"'),
    "odd-text": ends("end_turn", "NUL \0, surrogate \ud83d, bell"),
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DemoServer]:
    demo = DemoServer(pace=Pace(first_word_s=0.0, tokens_per_s=1_000_000.0))
    await demo.start()
    yield demo
    await demo.stop()


@pytest_asyncio.fixture
async def client(server: DemoServer) -> AsyncIterator[AsyncAnthropic]:
    timeout = httpx2.Timeout(5.0, read=QUIET_S)
    async with AsyncAnthropic(
        base_url=server.base_url, api_key="demo", max_retries=0, timeout=timeout
    ) as sdk:
        yield sdk


async def play(client: AsyncAnthropic, prompt: str, **options: Any) -> Outcome:
    """Follow one raw stream and say what was seen of it."""
    turn = {"role": "user", "content": prompt}
    options = {"messages": [turn], "max_tokens": 9000, "model": "claude-sonnet-5-5", **options}
    text, blocks, stop_reason = "", [], None
    try:
        async with await client.messages.create(stream=True, **options) as stream:
            async for event in stream:
                if event.type == "content_block_start":
                    blocks.append(event.content_block.type)
                elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                    text += event.delta.text
                elif event.type == "message_delta":
                    stop_reason = event.delta.stop_reason
    except anthropic.APIStatusError as error:
        kind = error.type if error.status_code == 200 else type(error)
        return Outcome(text, kind, None)
    except Exception as error:
        return Outcome(text, type(error), None)
    return Outcome(text, None, stop_reason, tuple(blocks))


def test_every_scenario_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(BUILT_IN)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", sorted(set(OUTCOMES) - {"fast"}))
async def test_scenario_has_its_outcome(client: AsyncAnthropic, name: str) -> None:
    wanted = OUTCOMES[name]
    for attempt in range(wanted.attempts):
        seen = await play(client, f"/demo {name}\nWhat happens?")
        assert (seen.error is None) is (wanted.error is None and attempt + 1 == wanted.attempts)
    assert wanted.text in seen.text
    if isinstance(wanted.error, type):
        assert isinstance(seen.error, type) and issubclass(seen.error, wanted.error)
    elif wanted.error:
        assert seen.error == wanted.error
    else:
        assert (seen.stop_reason, seen.blocks) == (wanted.stop_reason, wanted.blocks)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "value"), [("rate-limited-once", "1"), ("rate-limited-long", "3600")]
)
async def test_retry_after(client: AsyncAnthropic, name: str, value: str) -> None:
    turn: Any = {"role": "user", "content": f"/demo {name}"}
    with pytest.raises(anthropic.RateLimitError) as refusal:
        await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[turn])
    assert refusal.value.response.headers["retry-after"] == value


@pytest.mark.asyncio
async def test_fast_is_five_thousand_deltas(client: AsyncAnthropic, server: DemoServer) -> None:
    seen = await play(client, "/demo fast")
    assert seen.stop_reason == "end_turn" and OUTCOMES["fast"].text in seen.text
    record = server.requests[0]
    assert record.events_sent == 5_000 + len(
        ["message_start", "ping", "block_start", "block_stop", "message_delta", "message_stop"]
    )


@pytest.mark.asyncio
async def test_big_delta_is_one_event_of_1_mb(client: AsyncAnthropic, server: DemoServer) -> None:
    assert len((await play(client, "/demo big-delta")).text) == 1_000_000
    assert server.requests[0].events_sent == 7


@pytest.mark.asyncio
async def test_refusal_says_why(client: AsyncAnthropic) -> None:
    turn: Any = {"role": "user", "content": "/demo refusal-early"}
    async with client.messages.stream(
        model="claude-haiku-5-5", max_tokens=9, messages=[turn]
    ) as stream:
        message = await stream.get_final_message()
    assert message.stop_details and message.stop_details.category == "cyber"


@pytest.mark.asyncio
async def test_pause_turn_is_resumed(client: AsyncAnthropic) -> None:
    turn: Any = {"role": "user", "content": "/demo pause-turn"}
    options: dict[str, Any] = {"model": "claude-haiku-5-5", "max_tokens": 900}
    paused = await client.messages.create(messages=[turn], **options)
    rest = await client.messages.create(messages=[turn, paused.to_param()], **options)
    assert (paused.stop_reason, rest.stop_reason) == ("pause_turn", "end_turn")
    assert rest.content[-1].citations[0].url == "https://example.com/tides"


@pytest.mark.asyncio
async def test_error_event_without_stream_is_a_status(client: AsyncAnthropic) -> None:
    turn: Any = {"role": "user", "content": "/demo error-event-late"}
    with pytest.raises(anthropic.OverloadedError):
        await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[turn])


@pytest.mark.asyncio
async def test_menu_for_unknown_name(client: AsyncAnthropic) -> None:
    seen = await play(client, "/demo nothing-like-it")
    assert "There is no scenario" in seen.text and "/demo stall-early" in seen.text
