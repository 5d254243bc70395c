"""What readers see: any page, opened at any time and cut off at any frame, ends as a fresh one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from chat import services
from chat.content import plain_text
from chat.demo.search import TIDES, cited, failed_search, found, search_call
from chat.demo.steps import Block, Cut, Delta, Event, Step, Text, Thinking, ToolUse
from chat.demo.thread import DemoThread
from chat.ending import read_answer
from chat.heartbeat import GUEST
from chat.models import Conversation, Generation, Process, User
from chat.relay import Position, follow_conversation
from chat.threads import in_thread
from chat.worker import Worker
from tests.frames import ENDED
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.shown_page import ShownPage

pytestmark = pytest.mark.asyncio

SEE_S = 30.0  # longer than a page needs to see an end where the machine is busy


async def get(user: User, path: str) -> str:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(path)
    assert response.status_code == 200
    return response.content.decode()


async def load(user: User, conversation: Conversation) -> ShownPage:
    """Load a page of a conversation afresh."""
    return ShownPage(await get(user, reverse("conversation", args=[conversation.pk])))


@asynccontextmanager
async def socket(
    user: User, conversation: Conversation, page: ShownPage
) -> AsyncIterator[AsyncIterator[str]]:
    """Open what a socket would follow, from where the page stands."""
    frames = follow_conversation(user, conversation.pk, page.position)
    try:
        yield frames
    finally:
        await frames.aclose()


def has_ended(page: ShownPage, generation_id: int) -> bool:
    return page.position.shown_id >= generation_id and not page.has_running


async def watch(user: User, generation: Generation, page: ShownPage) -> ShownPage:
    """Apply frames until the page shows the end of an answer."""
    async with asyncio.timeout(SEE_S), socket(user, generation.conversation, page) as frames:
        while not has_ended(page, generation.pk):
            page.apply(await anext(frames))
            for path in page.loads:
                page.apply_loaded(await get(user, path))
    return page


async def watch_in_parts(user: User, generation: Generation, chance: random.Random) -> ShownPage:
    """Follow an answer to its end, on sockets that break after a few frames each."""
    page = ShownPage('<div id="messages"></div>')
    async with asyncio.timeout(SEE_S):
        while not has_ended(page, generation.pk):
            async with socket(user, generation.conversation, page) as frames:
                for _ in range(chance.randint(2, 4)):
                    page.apply(await anext(frames))
                    if has_ended(page, generation.pk):
                        break
    return page


async def check_like_fresh(user: User, generation: Generation, page: ShownPage) -> None:
    """Check that a page shows an ended answer as a page that is loaded now."""
    fresh = await load(user, generation.conversation)
    assert page.message_ids == fresh.message_ids
    pk = generation.message_id
    assert page.body(pk).markup() == fresh.body(pk).markup()
    status = f"status-{generation.pk}"
    shown, stored = page.element(status), fresh.element(status)
    assert shown is not None and stored is not None
    assert shown.text.split() == stored.text.split()


async def check_all_like_fresh(user: User, conversation: Conversation, page: ShownPage) -> None:
    """Check that a page shows every message as a page that is loaded now."""
    fresh = await load(user, conversation)
    assert page.message_ids == fresh.message_ids
    for pk in page.message_ids:
        assert page.article(pk).markup() == fresh.article(pk).markup()


WEB = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://example.com/", "title": "T"}],
}
SHAPES: dict[str, list[Step]] = {
    "text": [
        Text("One two three.\n\nFour five\n six.\n\n\nSeven <b>&amp; eight</b>. " * 20, chunk=7)
    ],
    "spaces": [Text(["\n", "\n ", " a", " ", "\n", "\n", "b \n", "\n\n", " \n"])],
    "long-words": [Text("x" * 3_000 + " end", chunk=50)],
    "emoji": [Text("👨‍👩‍👧‍👦 e\u0301 🇨🇭🇩🇪 日本語です。", chunk=1)],
    "thinking": [Thinking("Hm, <i>well</i>. " * 20), Text("Yes, of course.")],
    "tool": [Text("I look. "), ToolUse("weather", {"city": "Oslo <b>"}), Text("Done.")],
    "search": [Text("Let me see"), Block(WEB), Text("ing: done.")],
    "citations": [
        Text("It *rai"),
        cited("ns in** Spain", (TIDES, "It rains.")),
        Text(" and **there*. "),
        Block(WEB),
        cited("So.\n\n", (TIDES, "So."), (TIDES, "So.")),
        Text("```\ncode"),
    ],
    "search-error": [search_call("rain"), failed_search(), Text("No <b>rain</b>.")],
    "pages": [Text("Look: "), search_call("rain"), found(), Text("Seen.")],
    "unknown": [Text("Known. "), Block({"type": "hologram", "depth": 3}), Text("Known.")],
    "result-without-content": [Text("Odd: "), Block({"type": "future_tool_result"})],
    "unknown-delta": [
        Text("Seen. "),
        Delta({"type": "ghost_delta", "text": "never seen "}),
        Text("Seen."),
    ],
    "unknown-delta-number": [Text("Seen. "), Delta({"type": "ghost_delta", "text": 5}), Text("x")],
    "block-with-text": [Block({"type": "text", "text": "At once "}, []), Text("and more.")],
    "same-index": [
        Text("First block "),
        Event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        Text("second block."),
    ],
    "foreign-retry": [Text("Before. "), Event("retry", {}), Text("After.")],
    "foreign-request": [Text("Before. "), Event("request", {}), Text("After.")],
    "compaction": [
        Block(
            {"type": "compaction", "content": None},
            [{"type": "compaction_delta", "content": "Summary."}],
        ),
        Text("Go on."),
    ],
    "input-twice": [
        Block(
            {"type": "tool_use", "id": "toolu_1", "name": "sum", "input": {}},
            [{"type": "input_json_delta", "partial_json": '{"a": 1'}],
        )
    ],
    "big": [Text("w0001 w0002\n\n" * 15_000, chunk=0), Text("The end.")],
}


@pytest.mark.parametrize("name", sorted(SHAPES))
async def test_live_page_ends_like_a_fresh_one(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    model.script(f"shape-{name}", *SHAPES[name])
    generation = await send(alice, prompt(f"shape-{name}"))
    page = await watch(alice, generation, ShownPage('<div id="messages"></div>'))
    await check_like_fresh(alice, await finished(generation), page)


CUT_OFF = ["text", "spaces", "emoji", "thinking", "tool", "unknown", "citations", "pages"]


@pytest.mark.parametrize("name", CUT_OFF)
async def test_page_that_is_cut_off_again_and_again(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    """A socket that breaks after a few frames, so that the page says anew what it shows."""
    chance = random.Random(name)
    slow = [Text("Slow start. ", chunk=2, interval_s=0.02), *SHAPES[name]]
    model.script(f"cut-{name}", *slow)
    generation = await send(alice, prompt(f"cut-{name}"))
    page = await watch_in_parts(alice, generation, chance)
    await check_like_fresh(alice, await finished(generation), page)


async def test_page_made_while_its_answer_ends(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """Its row was read while it ran, its log when it had ended, in the middle of a word."""
    model.script("cut-word", Text("Some words and half a wo"), Cut())
    ended = await answered(alice, prompt("cut-word"))
    # A process that lives for an hour: an answer that nobody writes would be found, and ended.
    beat_at = timezone.now() + timedelta(hours=1)
    other = await Process.objects.acreate(
        name=f"{GUEST}of the test", started_at=beat_at, heartbeat_at=beat_at
    )
    row = Generation.objects.filter(pk=ended.pk)
    await row.aupdate(status=Generation.Status.STREAMING, finished_at=None, owner=other)
    page = await load(alice, ended.conversation)
    await row.aupdate(status=ended.status, finished_at=ended.finished_at)
    assert page.position.generation_id == ended.pk and page.position.held
    await check_like_fresh(alice, ended, await watch(alice, ended, page))


async def test_page_that_is_cut_off_in_a_big_delta(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """A delta of several frames of which the page has got only the first ones."""
    model.script("cut-big", Text("Slow. "), *SHAPES["big"])
    generation = await send(alice, prompt("cut-big"))
    page = await load(alice, generation.conversation)
    async with socket(alice, generation.conversation, page) as frames:
        while len(page.body(generation.message_id).text) < 1_000:
            page.apply(await anext(frames))
    await watch(alice, generation, page)
    await check_like_fresh(alice, await finished(generation), page)


@pytest.mark.parametrize("seed", range(4))
async def test_pages_opened_at_any_time(
    worker: Worker, model: DemoThread, alice: User, seed: int
) -> None:
    text = Text("Some words, 日本語 and 👍🏽, in paragraphs.\n\n" * 6, chunk=3, interval_s=0.005)
    model.script("any-time", Thinking("Well. " * 5), text, ToolUse("sum", {"a": 1}))
    generation = await send(alice, prompt("any-time"))
    chance = random.Random(seed)

    async def open_late() -> ShownPage:
        await asyncio.sleep(chance.uniform(0, 0.8))
        return await watch(alice, generation, await load(alice, generation.conversation))

    async with asyncio.TaskGroup() as group:
        pages = [group.create_task(open_late()) for _ in range(8)]
    ended = await finished(generation)
    for page in pages:
        await check_like_fresh(alice, ended, page.result())


async def test_frames_are_few_and_small(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("quick", Text(["word "] * 1_000, interval_s=0.001))
    generation = await send(alice, prompt("quick"))
    page, sizes = ShownPage('<div id="messages"></div>'), []
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with socket(alice, generation.conversation, page) as frames:
        async for frame in frames:
            page.apply(frame)
            sizes.append(len(frame.encode()))
            if has_ended(page, generation.pk):
                break
    assert len(sizes) <= 30 * (loop.time() - began) + 5
    assert max(sizes) < 2**20


async def test_shown_text_is_saved(worker: Worker, model: DemoThread, alice: User) -> None:
    """Whatever a frame shows is in the database when it comes."""
    model.script("saved", Text("Saved first, shown second. " * 30, chunk=5, interval_s=0.005))
    generation = await send(alice, prompt("saved"))
    page = ShownPage('<div id="messages"></div>')
    async with socket(alice, generation.conversation, page) as frames:
        while not has_ended(page, generation.pk):
            page.apply(await anext(frames))
            answer = await in_thread(read_answer, generation.pk)
            stored = plain_text(answer.content.blocks())
            if generation.message_id in page.message_ids:
                assert stored.startswith(page.body(generation.message_id).text.strip())


@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("rate-limited-once", "Claude is busy"),
        ("server-error-once", "Claude's service reported an error"),
        ("reset-once", "Claude can't be reached"),
    ],
)
async def test_wait_for_retry_is_shown(
    worker: Worker, model: DemoThread, alice: User, scenario: str, reason: str
) -> None:
    generation = await send(alice, prompt(scenario))
    page, seen = ShownPage('<div id="messages"></div>'), []
    async with asyncio.timeout(SEE_S), socket(alice, generation.conversation, page) as frames:
        while not has_ended(page, generation.pk):
            page.apply(await anext(frames))
            if element := page.element(f"status-{generation.pk}"):
                seen.append(" ".join(element.text.split()))
    assert f"{reason}; trying again in 1 s, 2 of 3" in seen


async def test_end_comes_once_to_a_page_that_missed_it(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await send(alice, prompt("overloaded"))
    page = await load(alice, generation.conversation)
    assert page.has_running
    await finished(generation)
    seen = [""]
    async with asyncio.timeout(SEE_S), socket(alice, generation.conversation, page) as frames:
        while not has_ended(page, generation.pk):
            seen.append(await anext(frames))
            page.apply(seen[-1])
        # What comes after it shows that nothing more came of it.
        await in_thread(services.rename, alice, generation.conversation_id, "Another name")
        while "Another name" not in seen[-1]:
            seen.append(await anext(frames))
            page.apply(seen[-1])
    assert ENDED.findall("".join(seen)).count(str(generation.pk)) == 1
    await check_like_fresh(alice, await finished(generation), page)


async def test_second_prompt_and_title_come_by_themselves(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """A page that is left open shows what another tab does."""
    first = await answered(alice, prompt("max-tokens"))
    page = await load(alice, first.conversation)
    async with asyncio.timeout(SEE_S), socket(alice, first.conversation, page) as frames:
        waiting = asyncio.ensure_future(anext(frames))
        second = await send(alice, prompt("max-tokens"), first.conversation)
        page.apply(await waiting)
        while not has_ended(page, second.pk):
            page.apply(await anext(frames))
        await in_thread(services.rename, alice, first.conversation_id, "Another name")
        page.apply(await anext(frames))
    title = page.element("chat-title")
    assert title is not None and title.text == "Another name"
    await check_like_fresh(alice, await finished(second), page)


@pytest.mark.parametrize("is_renamed", [False, True])
async def test_prompt_to_a_page_that_missed_something(
    worker: Worker, model: DemoThread, alice: User, is_renamed: bool
) -> None:
    """It gets that as well, though what was sent just now needs no look at the rows."""
    model.script("begun", Text("Some words and half a wo"), Cut())
    first = await answered(alice, prompt("begun"))
    page = await load(alice, first.conversation)
    async with asyncio.timeout(SEE_S), socket(alice, first.conversation, page) as frames:
        page.apply(await anext(frames))  # the title
        if is_renamed:
            await in_thread(services.rename, alice, first.conversation_id, "Another name")
        else:
            await in_thread(services.continue_answer, alice, first.message_id)
            await finished(await Generation.objects.aget(message=first.message, pk__gt=first.pk))
        second = await send(alice, prompt("max-tokens"), first.conversation)
        while second.message_id not in page.message_ids:
            page.apply(await anext(frames))
        title = page.element("chat-title")
        assert title is not None and (title.text == "Another name") is is_renamed
        while not has_ended(page, second.pk):
            page.apply(await anext(frames))
    await check_all_like_fresh(alice, first.conversation, page)


async def test_retry_replaces_the_answer(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, prompt("auth"))
    page = await load(alice, first.conversation)
    await in_thread(services.retry, alice, first.message_id)
    second = await Generation.objects.select_related("conversation").aget(
        conversation=first.conversation, pk__gt=first.pk
    )
    await watch(alice, second, page)
    assert first.message_id not in page.message_ids
    await check_like_fresh(alice, await finished(second), page)


async def test_page_that_slept_through_everything(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """It holds an unfinished answer; meanwhile that ended, and two more came."""
    model.script("brief", Text("word " * 50, interval_s=0.01))
    first = await send(alice, prompt("brief"))
    await reached(first, "content_block_delta", 3)
    page = await load(alice, first.conversation)
    await finished(first)
    await answered(alice, prompt("max-tokens"), first.conversation)
    last = await answered(alice, prompt("empty"), first.conversation)
    async with asyncio.timeout(SEE_S), socket(alice, first.conversation, page) as frames:
        while not has_ended(page, last.pk):
            page.apply(await anext(frames))
    fresh = await load(alice, first.conversation)
    assert page.message_ids == fresh.message_ids
    for pk in page.message_ids:
        assert page.article(pk).text.split() == fresh.article(pk).text.split()


async def test_page_that_missed_an_end_and_a_beginning(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """It holds an unfinished answer; meanwhile that ended, and another one is being written."""
    model.script("brief", Text("word " * 50, interval_s=0.01))
    model.script("slow", Text(["wor", "d "] * 1_000, interval_s=0.01))
    first = await send(alice, prompt("brief"))
    await reached(first, "content_block_delta", 3)
    page = await load(alice, first.conversation)
    await finished(first)
    second = await send(alice, prompt("slow"), first.conversation)
    await reached(second, "content_block_delta", 3)
    async with asyncio.timeout(SEE_S), socket(alice, first.conversation, page) as frames:
        while len(page.message_ids) < 4 or not page.body(second.message_id).text:
            page.apply(await anext(frames))
        await stop(alice, second)
        while not has_ended(page, second.pk):
            page.apply(await anext(frames))
    await check_all_like_fresh(alice, first.conversation, page)


async def test_stopped_answer_is_shown_whole(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("slow", Text(["wor", "d "] * 1_000, interval_s=0.01))
    generation = await send(alice, prompt("slow"))
    page = await load(alice, generation.conversation)
    watching = asyncio.create_task(watch(alice, generation, page))
    await reached(generation, "content_block_delta", 6)
    await stop(alice, generation)
    ended = await finished(generation)
    await check_like_fresh(alice, ended, await watching)


@pytest.mark.parametrize("name", ["refusal", "refusal-early", "reset-late", "empty", "tool-use"])
async def test_ending_is_shown(worker: Worker, model: DemoThread, alice: User, name: str) -> None:
    generation = await send(alice, prompt(name))
    page = await watch(alice, generation, ShownPage('<div id="messages"></div>'))
    await check_like_fresh(alice, await finished(generation), page)


async def test_positions_that_make_no_sense(worker: Worker, model: DemoThread, alice: User) -> None:
    """A page that claims what can't be gets an end, and harms nobody."""
    model.script("brief", Text("word " * 30, interval_s=0.01))
    generation = await send(alice, prompt("brief"))
    big = 10**18 - 1
    for claim in (
        Position(big, big, big, big),
        Position(big, generation.pk, big, 0),
        Position(generation.message_id, generation.pk, 3, big),
        Position(generation.message_id, generation.pk, 0, big),
        Position(0, generation.pk, 2, 1),
    ):
        frames = follow_conversation(alice, generation.conversation_id, claim)
        async with asyncio.timeout(SEE_S):
            while f'id="status-{generation.pk}"' not in await anext(frames):
                pass
        await frames.aclose()
    assert (await finished(generation)).status == "complete"


async def test_deleted_conversation_is_announced(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("slow", Text(["word "] * 1_000, interval_s=0.01))
    generation = await send(alice, prompt("slow"))
    page = await load(alice, generation.conversation)
    frames = follow_conversation(alice, generation.conversation_id, page.position)
    await anext(frames)
    await in_thread(services.delete, alice, generation.conversation_id)
    last = ""
    async with asyncio.timeout(SEE_S):
        async for frame in frames:
            last = frame
    page.apply(last)
    assert "This conversation was deleted." in page.element("messages").text
    assert not page.message_ids and not page.has_running
