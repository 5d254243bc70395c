"""One answer, from the prompt to its final status: real database, real model server, real SDK."""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import NamedTuple

import pytest

from chat import services
from chat.demo.scenarios import BUILT_IN
from chat.demo.steps import (
    Answer,
    Attempts,
    Block,
    Delta,
    End,
    Event,
    Finish,
    Raw,
    Refuse,
    Stall,
    Start,
    Status,
    Text,
    Thinking,
    Wait,
)
from chat.demo.thread import DemoThread
from chat.models import Conversation, Generation, Message, User
from chat.models import Event as EventRow
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import (
    UPSTREAM_CLOSES_S,
    answered,
    calls,
    came,
    check_log,
    closed,
    data_of,
    entries,
    finished,
    message_start,
    prompt,
    reached,
    send,
    sent_text,
    sse,
    stop,
    text_block,
    text_in_log,
)

pytestmark = pytest.mark.asyncio

FIRST = "These words come first and are worth keeping. "
SLOW = Text(["word "] * 2_000, interval_s=0.01)


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
    "pause-turn": ends("pause_turn"),
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
    assert [r["attempt"] for r in await data_of(generation, "request")] == list(
        range(1, count + 1)
    )
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


async def test_no_retry_after_a_block_began(
    worker: Worker, model: DemoThread, alice: User
) -> None:
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


# Stop


async def check_stopped(model: DemoThread, generation: Generation, stopped_at: float) -> Generation:
    """Check that an answer ended soon after its stop, and its request with it."""
    ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("stopped", "")
    await check_log(ended)
    record = await closed(model, ended)
    assert record.closed_by == "client" and record.closed_at is not None
    assert record.closed_at - stopped_at < UPSTREAM_CLOSES_S
    return ended


def now() -> float:
    """The clock of the model server's records."""
    return time.time()


async def test_stop_before_the_headers(worker: Worker, model: DemoThread, alice: User) -> None:
    generation = await send(alice, text := prompt("stall-headers"))
    await came(model, text)
    stopped_at = now()
    await stop(alice, generation)
    ended = await check_stopped(model, generation, stopped_at)
    assert ended.message.text == "" and ended.message.content == []


async def test_stop_before_the_first_word(worker: Worker, model: DemoThread, alice: User) -> None:
    generation = await send(alice, prompt("stall-early"))
    await reached(generation, "message_start")
    stopped_at = now()
    await stop(alice, generation)
    ended = await check_stopped(model, generation, stopped_at)
    assert ended.input_tokens > 0 and ended.first_word_at is None


async def test_stop_at_once(worker: Worker, alice: User) -> None:
    """The stop is there before the worker has taken the generation."""
    generation = await send(alice, prompt("stall-headers"))
    await stop(alice, generation)
    assert (await finished(generation)).status == "stopped"


async def test_stop_during_a_wait_for_retry(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    limit = Status(429, "rate_limit_error", "Slower", {"retry-after": "20"})
    model.script("limit-20", limit)
    generation = await send(alice, prompt("limit-20"))
    await reached(generation, "retry")
    await stop(alice, generation)
    async with asyncio.timeout(2):
        ended = await finished(generation)
    assert (ended.status, ended.error_code) == ("stopped", "")
    assert len(await data_of(ended, "request")) == 1


async def test_stop_in_the_text(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("slow", SLOW)
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_delta", 5)
    stopped_at = now()
    await stop(alice, generation)
    ended = await check_stopped(model, generation, stopped_at)
    assert len(ended.message.text) >= 5 * len("word ")
    assert ended.message.text == text_in_log(await entries(ended))


async def test_stop_in_the_thinking(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("thinks", Thinking("Hm. " * 2_000, chunk=4, interval_s=0.01), Text("Yes."))
    generation = await send(alice, prompt("thinks"))
    await reached(generation, "content_block_delta", 3)
    stopped_at = now()
    await stop(alice, generation)
    ended = await check_stopped(model, generation, stopped_at)
    assert ended.message.text == ""
    assert ended.message.content[0]["thinking"].startswith("Hm. Hm. ")


async def test_stop_in_a_stall(worker: Worker, model: DemoThread, alice: User) -> None:
    generation = await send(alice, prompt("stall"))
    await reached(generation, "content_block_delta")
    stopped_at = now()
    await stop(alice, generation)
    await check_stopped(model, generation, stopped_at)


async def test_stop_twice(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("slow", SLOW)
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_delta")
    stopped_at = now()
    await asyncio.gather(*(stop(alice, generation) for _ in range(5)))
    ended = await check_stopped(model, generation, stopped_at)
    asked_at = ended.stop_requested_at
    await stop(alice, generation)
    assert (await finished(generation)).stop_requested_at == asked_at


async def test_cancel_again_and_again(worker: Worker, model: DemoThread, alice: User) -> None:
    """Rings that come while the end is being written change nothing."""
    model.script("slow", SLOW)
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_delta")
    await stop(alice, generation)
    while await Generation.objects.filter(pk=generation.pk, status="streaming").aexists():
        worker.cancel(generation.pk)
    ended = await finished(generation)
    assert ended.status == "stopped"
    await check_log(ended)


async def test_stop_after_the_end(worker: Worker, alice: User) -> None:
    generation = await answered(alice, prompt("max-tokens"))
    before = await entries(generation)
    await stop(alice, generation)
    await generation.arefresh_from_db()
    assert generation.status == "complete" and generation.stop_requested_at is None
    assert await entries(generation) == before


@pytest.mark.parametrize("seed", range(5))
async def test_stop_at_the_last_delta(
    worker: Worker, model: DemoThread, alice: User, seed: int
) -> None:
    """Ten races each: one final status, whatever wins, and a text that fits it."""
    pieces = [f"{number} " for number in range(20)]
    model.script("short", Text(pieces, interval_s=0.001))
    chance = random.Random(seed)

    async def race() -> Generation:
        generation = await send(alice, prompt("short"))
        await reached(generation, "content_block_delta")
        await asyncio.sleep(chance.uniform(0, 0.04))
        await stop(alice, generation)
        return await finished(generation)

    for ended in await asyncio.gather(*(race() for _ in range(10))):
        await check_log(ended)
        assert ended.status in ("stopped", "complete") and not ended.error_code
        assert "".join(pieces).startswith(ended.message.text)
        assert ended.status == "stopped" or ended.message.text == "".join(pieces)
        assert ended.message.text == text_in_log(await entries(ended))


async def test_nothing_is_appended_after_the_end(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("slow", SLOW)
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_delta")
    await stop(alice, generation)
    ended = await finished(generation)
    before = await entries(ended)
    await closed(model, ended)
    # Another answer's commits would carry what the stopped one left behind.
    await answered(alice, prompt("whole"))
    assert await entries(ended) == before


# Deletion


async def test_delete_while_it_streams(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("slow", SLOW)
    generation = await send(alice, text := prompt("slow"))
    record = await came(model, text)
    await reached(generation, "content_block_delta")
    deleted_at = now()
    await in_thread(services.delete, alice, generation.conversation_id)
    await asyncio.to_thread(model.wait_closed, record)
    assert record.closed_by == "client" and record.closed_at is not None
    assert record.closed_at - deleted_at < UPSTREAM_CLOSES_S
    assert not await EventRow.objects.filter(generation=generation).aexists()
    assert not await Generation.objects.aexists() and not await Message.objects.aexists()


async def test_delete_spoils_no_other_answer(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("brief", Text(["word "] * 60, interval_s=0.005))
    generations = [await send(alice, prompt("brief")) for _ in range(6)]
    await asyncio.gather(*(reached(g, "content_block_delta") for g in generations))
    for generation in generations[::2]:
        await in_thread(services.delete, alice, generation.conversation_id)
    for kept in [await finished(generation) for generation in generations[1::2]]:
        assert kept.status == "complete" and kept.message.text == "word " * 60
        await check_log(kept)


async def test_delete_and_send_at_once(worker: Worker, alice: User) -> None:
    """A prompt that is sent while its conversation goes is saved whole or refused."""
    for _ in range(20):
        first = await answered(alice, prompt("empty"))
        results = await asyncio.gather(
            in_thread(services.delete, alice, first.conversation_id),
            send(alice, prompt("empty"), first.conversation),
            return_exceptions=True,
        )
        assert results[0] is None
        gone = Conversation.DoesNotExist, Generation.DoesNotExist
        assert isinstance(results[1], gone) or isinstance(results[1], Generation)


# Context


async def test_earlier_turns_are_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, one := prompt("max-tokens"))
    second = await answered(alice, two := prompt("whole"), first.conversation)
    body = (await closed(model, second)).body
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [turn["content"] for turn in body["messages"]] == [
        [{"type": "text", "text": text}] for text in (one, first.message.text, two)
    ]


@pytest.mark.parametrize("name", ["refusal", "refusal-early"])
async def test_refused_exchange_is_not_sent(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    first = await answered(alice, one := prompt("max-tokens"))
    await answered(alice, prompt(name), first.conversation)
    third = await answered(alice, three := prompt("whole"), first.conversation)
    body = (await closed(model, third)).body
    texts = [turn["content"][0]["text"] for turn in body["messages"]]
    assert texts == [one, first.message.text, three]


async def test_refusal_takes_no_other_prompt_along(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """A prompt whose answer failed stays, although the next one was refused."""
    # The first line decides what is played, and the two prompts go out as one turn.
    model.script("three-ends", Status(401, "authentication_error", "No"))
    first = await answered(alice, one := prompt("three-ends"))
    model.script("three-ends", Text(FIRST), Refuse())
    second = await answered(alice, prompt("three-ends"), first.conversation)
    assert second.stop_reason == "refusal"
    model.script("three-ends", Answer())
    third = await answered(alice, three := prompt("three-ends"), first.conversation)
    body = (await closed(model, third)).body
    texts = [block["text"] for turn in body["messages"] for block in turn["content"]]
    assert texts == [one, three]


async def test_partial_answer_is_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, prompt("reset-late"))
    second = await answered(alice, prompt("whole"), first.conversation)
    body = (await closed(model, second)).body
    assert body["messages"][1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": first.message.text}],
    }


async def test_request_after_an_empty_answer(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """Two prompts in a row become one turn: turns alternate, and none is empty."""
    first = await answered(alice, one := prompt("empty"))
    second = await answered(alice, two := prompt("whole"), first.conversation)
    (turn,) = (await closed(model, second)).body["messages"]
    assert [block["text"] for block in turn["content"]] == [one, two]


async def test_replaced_answer_is_not_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, prompt("truncated"))
    await in_thread(services.retry, alice, first.message.pk)
    again = await finished(await Generation.objects.aget(status__in=Generation.RUNNING))
    third = await answered(alice, prompt("whole"), first.conversation)
    body = (await closed(model, third)).body
    assert len(body["messages"]) == 3 and again.message.pk != first.message.pk


# What the API may send one day, or should never send


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


STRANGE = {
    "usage-text": Event("message_delta", {"delta": {}, "usage": {"output_tokens": "many"}}),
    "usage-negative": Event("message_delta", {"delta": {}, "usage": {"output_tokens": -5}}),
    "usage-nan": Raw(
        b'event: message_delta\ndata: {"delta":{},"usage":{"output_tokens":NaN}}\n\n'
    ),
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
    async with asyncio.timeout(3):
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


async def test_fifty_at_once(worker: Worker, alice: User) -> None:
    generations = [await send(alice, prompt("emoji")) for _ in range(50)]
    ended = await asyncio.gather(*(finished(generation) for generation in generations))
    assert {g.status for g in ended} == {"complete"}
    assert len({g.message.text for g in ended}) == 1
    for generation in ended:
        await check_log(generation)
