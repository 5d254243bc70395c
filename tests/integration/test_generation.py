"""One answer, from the prompt to its final status: real database, real model server, real SDK."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from chat.demo.scenarios import BUILT_IN
from chat.demo.steps import (
    Attempts,
    End,
    Event,
    Start,
    Status,
    Text,
    Thinking,
    Wait,
)
from chat.demo.thread import DemoThread
from chat.models import User
from chat.worker import Worker
from tests.integration.answers import (
    answered,
    calls,
    check_log,
    closed,
    data_of,
    entries,
    finished,
    prompt,
    send,
    sent_text,
    text_in_log,
)

pytestmark = pytest.mark.asyncio


class Outcome(NamedTuple):
    """How an answer ends; `stop_reason` "" where the API gave none. `requests` counts calls."""

    status: str
    error_code: str = ""
    requests: int = 1
    stop_reason: str = ""
    is_empty: bool = False


def ends(stop_reason: str = "end_turn", requests: int = 1, *, is_empty: bool = False) -> Outcome:
    return Outcome("complete", "", requests, stop_reason, is_empty)


def fails(error_code: str, requests: int = 1, *, is_empty: bool = False) -> Outcome:
    return Outcome("failed", error_code, requests, "", is_empty)


def refuses(error_code: str, requests: int = 1) -> Outcome:
    return fails(error_code, requests, is_empty=True)


OUTCOMES = {
    "rate-limited-once": ends(requests=2),
    "rate-limited-long": refuses("rate_limited"),
    "rate-limited-no-retry-after": refuses("rate_limited", 3),
    "overloaded-once": ends(requests=2),
    "overloaded": refuses("overloaded", 3),
    "server-error-once": ends(requests=2),
    "server-error": refuses("upstream_error", 3),
    "timeout": refuses("upstream_error", 3),
    "bad-request": refuses("bad_request"),
    "context-too-long": refuses("context_too_long"),
    "auth": refuses("auth"),
    "billing": refuses("billing"),
    "permission": refuses("permission"),
    "not-found": refuses("not_found"),
    "too-large": refuses("too_large"),
    "error-event-early": refuses("overloaded", 3),
    "error-event-late": fails("overloaded"),
    "error-event-once": ends(requests=2),
    "reset-early": refuses("unreachable", 3),
    "reset-once": ends(requests=2),
    "reset-start": refuses("connection_lost"),
    "reset-late": fails("connection_lost"),
    "closed-late": fails("connection_lost"),
    "truncated": fails("truncated"),
    "truncated-early": refuses("truncated"),
    "garbage": fails("bad_stream"),
    "bad-utf8": fails("bad_stream"),
    "stall": fails("stalled"),
    "stall-early": refuses("stalled"),
    "stall-headers": refuses("stalled"),
    "pings": ends(),
    "pause": fails("stalled"),
    "slow-words": ends(),
    "thinking": ends(),
    "redacted-thinking": ends(),
    "tool-use": ends("tool_use"),
    "tool-loop": ends("tool_use", is_empty=True),
    "server-tools": ends(),
    "citations": ends(),
    "search-error": ends(),
    "pause-turn": ends(requests=2),
    "unknown-events": ends(),
    "refusal": ends("refusal"),
    "refusal-early": ends("refusal", is_empty=True),
    "max-tokens": ends("max_tokens"),
    "context-window": ends("model_context_window_exceeded"),
    "empty": ends(is_empty=True),
    "whole": ends(),
    "cut-utf8": ends(),
    "big-delta": ends(),
    "fast": ends(),
    "emoji": ends(),
    "chinese": ends(),
    "html": ends(),
    "odd-text": ends(),
}


async def test_every_scenario_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(BUILT_IN)


# They wait or are long, so that they are played side by side.
LONG = {"slow-words", "fast", "pause", *(name for name, o in OUTCOMES.items() if o.requests > 1)}


@pytest.mark.parametrize("name", sorted(set(OUTCOMES) - LONG))
async def test_scenario(worker: Worker, model: DemoThread, alice: User, name: str) -> None:
    await check_scenario(model, alice, name)


async def test_long_scenarios(worker: Worker, model: DemoThread, alice: User) -> None:
    await asyncio.gather(*(check_scenario(model, alice, name) for name in sorted(LONG)))


async def check_scenario(model: DemoThread, alice: User, name: str) -> None:
    generation = await answered(alice, prompt(name))
    message = generation.message
    assert message.parent is not None
    requests = calls(model, message.parent)
    stop_reason = generation.stop_reason
    seen = Outcome(
        generation.status, generation.error_code, len(requests), stop_reason, not message.text
    )
    assert (name, seen) == (name, OUTCOMES[name])
    await check_log(generation)
    text = sent_text(requests[-1], BUILT_IN[name].steps(attempt=len(requests) - 1))
    if name == "pause-turn":
        text += sent_text(requests[-1], BUILT_IN[name].steps(call=1))
    if name == "pause":
        text = text.removesuffix("And these come after the pause.")
    assert message.text == text == text_in_log(await entries(generation))


@pytest.mark.parametrize("name", ["rate-limited-once", "overloaded", "reset-early"])
async def test_retry_is_in_the_log(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    generation = await answered(alice, prompt(name))
    count = OUTCOMES[name].requests
    retries = await data_of(generation, "retry")
    assert [retry["attempt"] for retry in retries] == list(range(2, count + 1))
    assert [r["attempt"] for r in await data_of(generation, "request")] == list(range(1, count + 1))
    assert all(0 < retry["wait_s"] <= 2 and retry["attempts"] == 3 for retry in retries)


async def test_retry_after_is_honoured(worker: Worker, model: DemoThread, alice: User) -> None:
    limit = Status(429, "rate_limit_error", "Slower", {"retry-after": "0.7"})
    model.script("limit-0.7", Attempts([limit], [Text("Now.")]))
    generation = await answered(alice, prompt("limit-0.7"))
    assert generation.message.parent is not None
    first, second = calls(model, generation.message.parent)
    assert first.first_byte_at is not None
    assert 0.7 <= second.started_at - first.first_byte_at < 1.5
    assert (await data_of(generation, "retry"))[0]["wait_s"] == 0.7


async def test_retry_after_a_date(worker: Worker, model: DemoThread, alice: User) -> None:
    limit = Status(
        429, "rate_limit_error", "Later", {"retry-after": "Sun, 06 Nov 2044 08:49:37 GMT"}
    )
    model.script("limit-date", limit)
    generation = await answered(alice, prompt("limit-date"))
    assert generation.error_code == "rate_limited"
    assert await data_of(generation, "retry") == []


async def test_waits_together_are_bounded(worker: Worker, model: DemoThread, alice: User) -> None:
    limit = Status(429, "rate_limit_error", "Later", {"retry-after": "31"})
    model.script("limit-31", limit)
    generation = await answered(alice, prompt("limit-31"))
    assert generation.message.parent is not None
    assert len(calls(model, generation.message.parent)) == 1


async def test_no_retry_after_a_block_began(worker: Worker, model: DemoThread, alice: User) -> None:
    overloaded = Event("error", {"error": {"type": "overloaded_error", "message": "Busy"}})
    opened = Event("content_block_start", {"index": 0, "content_block": {"type": "thinking"}})
    model.script("error-in-block", Start(), opened, overloaded, End())
    generation = await answered(alice, prompt("error-in-block"))
    assert (generation.status, generation.error_code) == ("failed", "overloaded")
    assert generation.message.parent is not None
    assert len(calls(model, generation.message.parent)) == 1


async def test_nothing_listens(worker: Worker, alice: User) -> None:
    """Refused connections are tried three times, and the words say that Claude is away."""
    worker._runtime.claude._client.base_url = "http://127.0.0.1:9"
    generation = await answered(alice, "Anybody there?")
    assert (generation.status, generation.error_code) == ("failed", "unreachable")
    assert len(await data_of(generation, "retry")) == 2


async def test_facts_are_stored(worker: Worker, model: DemoThread, alice: User) -> None:
    generation = await answered(alice, prompt("max-tokens"))
    record = await closed(model, generation)
    assert generation.request_id == record.id
    assert generation.usage["input_tokens"] == generation.input_tokens > 0
    assert generation.usage["output_tokens"] == generation.output_tokens > 0
    assert generation.started_at and generation.first_word_at and generation.finished_at
    assert generation.created_at <= generation.started_at <= generation.first_word_at
    assert generation.first_word_at <= generation.finished_at


async def test_first_word_is_not_the_first_thought(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("thinks-long", Thinking("Hm. " * 60, chunk=4), Wait(0.4), Text("Yes."))
    generation = await answered(alice, prompt("thinks-long"))
    thought = next(e for e in await entries(generation) if e.kind == "content_block_start")
    assert generation.first_word_at is not None
    assert (generation.first_word_at - thought.at).total_seconds() > 0.5


async def test_no_word_no_time(worker: Worker, alice: User) -> None:
    assert (await answered(alice, prompt("tool-loop"))).first_word_at is None


async def test_usage_of_a_failed_answer_is_kept(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await answered(alice, prompt("reset-late"))
    assert generation.input_tokens > 0
    assert generation.request_id == (await closed(model, generation)).id


async def test_refusal_keeps_its_details(worker: Worker, alice: User) -> None:
    generation = await answered(alice, prompt("refusal-early"))
    assert generation.stop_details is not None
    assert generation.stop_details["category"] == "cyber"


async def test_many_at_once(worker: Worker, alice: User) -> None:
    generations = [await send(alice, prompt("emoji")) for _ in range(15)]
    ended = await asyncio.gather(*(finished(generation) for generation in generations))
    assert {g.status for g in ended} == {"complete"}
    assert len({g.message.text for g in ended}) == 1
    for generation in ended:
        await check_log(generation)
