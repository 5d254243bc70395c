"""Stop and delete: at any moment, one final status, and the request to Claude ends at once."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from chat import services
from chat.demo.steps import (
    Status,
    Text,
    Thinking,
)
from chat.demo.thread import DemoThread
from chat.models import Conversation, Generation, Message, User
from chat.models import Event as EventRow
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import (
    UPSTREAM_CLOSES_S,
    answered,
    came,
    check_log,
    closed,
    data_of,
    entries,
    finished,
    prompt,
    reached,
    send,
    stop,
    text_in_log,
)

pytestmark = pytest.mark.asyncio

SLOW = Text(["word "] * 2_000, interval_s=0.01)


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


async def test_stop_during_a_wait_for_retry(worker: Worker, model: DemoThread, alice: User) -> None:
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
        assert isinstance(results[1], (*gone, Generation))
