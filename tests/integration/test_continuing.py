"""Continue: a further generation of the same message goes on where its text ended."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from django.urls import reverse

from chat import errors, services
from chat.content import part_before, plain_text
from chat.demo.answers import answer
from chat.demo.steps import Cut, Finish, Refuse, Text
from chat.demo.thread import DemoThread
from chat.heartbeat import Heartbeat
from chat.models import Conversation, Generation, Message, Process, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.conftest import make_runtime
from tests.frames import ENDED
from tests.integration.answers import (
    answered,
    came,
    check_log,
    finished,
    prompt,
    reached,
    send,
    stop,
)
from tests.integration.test_relay import (
    SEE_S,
    check_all_like_fresh,
    check_like_fresh,
    get,
    has_ended,
    load,
    socket,
    watch,
)

pytestmark = pytest.mark.asyncio

FIRST = "The tide comes in twice a d"
QUESTION = "Why is the sea salty?"


@pytest_asyncio.fixture
async def short_worker(transactional_db: None, model: DemoThread) -> AsyncIterator[Worker]:
    """A worker whose answers are cut after twenty tokens."""
    begun = Worker(replace(make_runtime(model), max_tokens=20), heartbeat_s=0.2)
    await begun.begin()
    yield begun
    await begun.drain(0)


async def newest(message_id: int) -> Generation:
    rows = Generation.objects.select_related("conversation", "message__parent")
    found = await rows.filter(message=message_id).order_by("-pk").afirst()
    assert found is not None
    return found


async def continued(user: User, generation: Generation) -> Generation:
    """Have an answer gone on with; return the ended generation that did it."""
    await in_thread(services.continue_answer, user, generation.message_id)
    return await finished(await newest(generation.message_id))


async def cut_off(model: DemoThread, user: User, *steps: Any) -> Generation:
    """Return an answer that ended in the middle of a word."""
    model.script("cut-off", Text(FIRST), *(steps or (Cut(),)))
    ended = await answered(user, prompt("cut-off"))
    assert ended.message.text == FIRST
    return ended


async def test_parts_read_as_one_answer(short_worker: Worker, alice: User) -> None:
    """Cut at the length limit again and again, at any character, it is the whole text at last."""
    generation = await answered(alice, QUESTION)
    parts = 1
    while generation.stop_reason == "max_tokens":
        generation = await continued(alice, generation)
        parts += 1
    assert parts > 3
    assert (generation.status, generation.stop_reason) == ("complete", "end_turn")
    assert generation.message.text == answer(QUESTION, [])
    assert [block["type"] for block in generation.message.content] == ["text"]
    async for part in generation.message.generations.all():
        await check_log(part)


async def test_record_keeps_the_parts_apart(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await cut_off(model, alice)
    second = await continued(alice, first)
    message = second.message
    assert message.pk == first.message_id
    assert (second.first_block, second.first_char) == (0, len(FIRST))
    before = part_before(message.content, second.first_block, second.first_char)
    assert plain_text(before) == FIRST
    assert message.text.startswith(FIRST) and len(message.text) > len(FIRST)
    assert await message.generations.acount() == 2
    assert await Message.objects.filter(conversation=message.conversation_id).acount() == 2


async def test_request_quotes_the_end(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await cut_off(model, alice)
    await continued(alice, first)
    body = model.requests[-1].body
    assert body is not None
    asked, begun, go_on = body["messages"]
    assert (asked["role"], begun["role"], go_on["role"]) == ("user", "assistant", "user")
    assert begun["content"] == [{"type": "text", "text": FIRST}]
    assert FIRST in go_on["content"][0]["text"]


async def test_later_context_holds_one_turn(worker: Worker, model: DemoThread, alice: User) -> None:
    ended = await continued(alice, await cut_off(model, alice))
    question = prompt("whole")
    await answered(alice, question, ended.conversation)
    body = (await came(model, question)).body
    assert body is not None
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [{"type": "text", "text": ended.message.text}]


async def test_stopped_answer_goes_on(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("slow-cut", Text(["word "] * 1_000, interval_s=0.01))
    generation = await send(alice, prompt("slow-cut"))
    await reached(generation, "content_block_delta", 3)
    await stop(alice, generation)
    stopped = await finished(generation)
    ended = await continued(alice, stopped)
    assert ended.status == "complete"
    assert ended.message.text.startswith(stopped.message.text)
    statuses = [g.status async for g in ended.message.generations.order_by("pk")]
    assert statuses == ["stopped", "complete"]


@pytest.mark.parametrize("steps", [(Finish("end_turn"),), (Refuse(),)])
async def test_whole_and_refused_answers_do_not_go_on(
    worker: Worker, model: DemoThread, alice: User, steps: tuple[Any, ...]
) -> None:
    ended = await cut_off(model, alice, *steps)
    with pytest.raises(errors.NothingToContinue):
        await in_thread(services.continue_answer, alice, ended.message_id)


async def test_only_the_last_answer_goes_on(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await cut_off(model, alice)
    await answered(alice, prompt("whole"), first.conversation)
    with pytest.raises(errors.NothingToContinue):
        await in_thread(services.continue_answer, alice, first.message_id)


async def test_answer_without_a_word_does_not_go_on(worker: Worker, alice: User) -> None:
    failed = await answered(alice, prompt("auth"))
    assert (failed.status, failed.message.text) == ("failed", "")
    with pytest.raises(errors.NothingToContinue):
        await in_thread(services.continue_answer, alice, failed.message_id)


async def test_running_answer_does_not_go_on(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("slow-cut", Text(["word "] * 1_000, interval_s=0.01))
    generation = await send(alice, prompt("slow-cut"))
    await reached(generation, "content_block_delta")
    with pytest.raises(errors.AnswerRunning):
        await in_thread(services.continue_answer, alice, generation.message_id)


async def test_twice_at_once_is_one_continuation(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    first = await cut_off(model, alice)
    tries = [in_thread(services.continue_answer, alice, first.message_id) for _ in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Generation) for result in results) == 1
    refused = (errors.AnswerRunning, errors.NothingToContinue)
    assert all(isinstance(result, (Generation, *refused)) for result in results)
    await finished(await newest(first.message_id))
    assert await Generation.objects.filter(message=first.message_id).acount() == 2


async def test_open_page_shows_the_continuation(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    first = await cut_off(model, alice)
    page = await load(alice, first.conversation)
    await in_thread(services.continue_answer, alice, first.message_id)
    second = await newest(first.message_id)
    page = await watch(alice, second, page)
    await check_like_fresh(alice, await finished(second), page)


async def test_page_that_was_away_shows_the_continuation(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """It shows the message already, so that only the generation tells that there is more."""
    first = await cut_off(model, alice)
    page = await load(alice, first.conversation)
    second = await continued(alice, first)
    page = await watch(alice, second, page)
    await check_like_fresh(alice, second, page)


@pytest.mark.parametrize("is_asked_again", [False, True])
async def test_page_cut_off_before_the_end_that_is_gone_on_with(
    worker: Worker, model: DemoThread, alice: User, is_asked_again: bool
) -> None:
    """It shows the first part running; all that followed has ended when it comes back."""
    model.script("slow-cut", Text(["word "] * 1_000, interval_s=0.01))
    first = await send(alice, prompt("slow-cut"))
    await reached(first, "content_block_delta", 3)
    page = await load(alice, first.conversation)
    await stop(alice, first)
    second = last = await continued(alice, await finished(first))
    if is_asked_again:
        last = await answered(alice, prompt("whole"), first.conversation)
    seen = [""]
    async with asyncio.timeout(SEE_S), socket(alice, first.conversation, page) as frames:
        await in_thread(services.rename, alice, first.conversation_id, "Another name")
        while not (has_ended(page, last.pk) and "Another name" in "".join(seen)):
            seen.append(await anext(frames))
            page.apply(seen[-1])
    assert sorted(ENDED.findall("".join(seen))) == sorted({str(second.pk), str(last.pk)})
    await check_all_like_fresh(alice, first.conversation, page)


@pytest.mark.parametrize("frames_before", range(1, 4))
async def test_page_that_is_cut_off_while_a_long_answer_is_gone_on_with(
    worker: Worker, model: DemoThread, alice: User, frames_before: int
) -> None:
    """What stands there already is too much for a frame, and comes in several ones."""
    model.script("long-cut", Text("w0001 w0002\n\n" * 12_000, chunk=0), Finish("max_tokens"))
    first = await answered(alice, prompt("long-cut"))
    page = await load(alice, first.conversation)
    await in_thread(services.continue_answer, alice, first.message_id)
    async with socket(alice, first.conversation, page) as frames:
        for _ in range(frames_before):
            page.apply(await anext(frames))
    generation = await newest(first.message_id)
    await watch(alice, generation, page)
    await check_like_fresh(alice, await finished(generation), page)


async def test_page_opened_in_the_middle_of_a_continuation(
    short_worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await answered(alice, QUESTION)
    while generation.stop_reason == "max_tokens":
        await in_thread(services.continue_answer, alice, generation.message_id)
        second = await newest(generation.message_id)
        page = await watch(alice, second, await load(alice, generation.conversation))
        generation = await finished(second)
        await check_like_fresh(alice, generation, page)


async def test_buttons(worker: Worker, model: DemoThread, alice: User) -> None:
    ended = await cut_off(model, alice)
    page = await get(alice, reverse("conversation", args=[ended.conversation_id]))
    assert f'formaction="/m/{ended.message_id}/continue/"' in page
    await continued(alice, ended)
    page = await get(alice, reverse("conversation", args=[ended.conversation_id]))
    assert "/continue/" not in page


async def test_refused_continuation_keeps_what_was_answered(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """The first part was not refused: Claude goes on reading it, but not what was."""
    first = await cut_off(model, alice)
    refused = await Generation.objects.acreate(
        conversation_id=first.conversation_id,
        message_id=first.message_id,
        first_char=len(FIRST),
        status=Generation.Status.COMPLETE,
        stop_reason="refusal",
        finished_at=first.finished_at,
    )
    blocks = [{"type": "text", "text": FIRST + "ay, and then"}]
    await Message.objects.filter(pk=refused.message_id).aupdate(content=blocks)
    question = prompt("whole")
    await answered(alice, question, first.conversation)
    body = (await came(model, question)).body
    assert body is not None
    assert body["messages"][1]["content"] == [{"type": "text", "text": FIRST}]


async def test_interrupted_answers_go_on_by_themselves(
    model: DemoThread, alice: User, settings: Any
) -> None:
    """The process that ends hands over; the next one goes on, without a click."""
    settings.CHAT_ON_INTERRUPT = "continue"
    model.script("slow-cut", Text(["word "] * 1_000, interval_s=0.01))
    leaving = Worker(make_runtime(model), heartbeat_s=0.2)
    await leaving.begin()
    generation = await send(alice, prompt("slow-cut"))
    await reached(generation, "content_block_delta", 3)
    await leaving.drain(0)
    interrupted = await finished(generation)
    assert (interrupted.status, interrupted.error_code) == ("interrupted", "shutdown")
    second = await newest(generation.message_id)
    assert second.status == "queued" and second.pk != generation.pk
    coming = Worker(make_runtime(model), heartbeat_s=0.2)
    await coming.begin()
    ended = await finished(second)
    await coming.drain(0)
    assert ended.status == "complete"
    assert ended.message.text.startswith(interrupted.message.text)


async def test_answer_that_kills_its_owners_is_not_gone_on_with_for_ever(
    alice: User, settings: Any
) -> None:
    settings.CHAT_ON_INTERRUPT = "continue"
    conversation = await Conversation.objects.acreate(owner=alice, title="Deadly")
    asked = await Message.objects.acreate(conversation=conversation, role="user", text="?")
    message = await Message.objects.acreate(
        conversation=conversation, role="assistant", parent=asked
    )
    generation = await Generation.objects.acreate(conversation=conversation, message=message)
    finder = Heartbeat(uuid.uuid4(), 60)
    await in_thread(finder.beat, set(), is_rung=False)
    ended = 0
    while generation.is_running:
        ended += 1
        assert ended < 10, "it is gone on with for ever"
        owner = await Process.objects.acreate(
            name="dead", started_at=asked.created_at, heartbeat_at=asked.created_at
        )
        await Generation.objects.filter(pk=generation.pk).aupdate(
            status="streaming", owner=owner, started_at=asked.created_at
        )
        await in_thread(finder.take_over, generation.pk, owner.pk)
        generation = await newest(message.pk)
    assert ended == 4
