"""Thinking, tools and citations from the model to the page, and years later."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from chat import services
from chat.demo.search import TIDES, cited, failed_search, found, search_call
from chat.demo.steps import Block, Cut, Pings, Step, Text, Thinking
from chat.demo.thread import DemoThread
from chat.ending import read_answer
from chat.models import Event, Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.test_continuing import continued, newest
from tests.integration.test_relay import check_like_fresh, load, watch

pytestmark = pytest.mark.asyncio


def without_space(text: str) -> str:
    return " ".join(text.split())


def durations_of(generation: Generation) -> list[Any]:
    kept: list[Any] | None = generation.message.durations_s
    assert kept is not None
    return kept


async def shown(user: User, generation: Generation) -> str:
    """Return the words of an answer on a page that is loaded now."""
    page = await load(user, generation.conversation)
    return without_space(page.body(generation.message_id).text)


async def test_durations_are_kept_without_the_log(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("ponder", Thinking("Hm. " * 20, interval_s=0.02), Text("Yes."))
    generation = await answered(alice, prompt("ponder"))
    thinking_s, text_s = durations_of(generation)
    assert 0 < thinking_s < 60 and text_s is None
    await Event.objects.filter(generation=generation).adelete()
    assert re.search(r"Thought for [1-9]\d* s", await shown(alice, generation))


async def test_durations_are_those_of_the_log(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """What readers of the log were told is what is stored, to the millisecond."""
    steps: list[Step] = [Thinking("Hm."), search_call("rain"), Pings(2, 0.1), found(), Text("Yes.")]
    model.script("timed", *steps)
    generation = await answered(alice, prompt("timed"))
    answer = await in_thread(read_answer, generation.pk)
    kept = durations_of(generation)
    assert kept == answer.durations.seconds() and kept[1] > 0.1


async def test_running_blocks_have_a_clock(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("slow", search_call("rain"), Pings(600, 0.1), found())
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_stop")
    words = await shown(alice, generation)
    assert re.search(r"Tool: web_search… \d+ s", words)
    page = await load(alice, generation.conversation)
    watching = asyncio.create_task(watch(alice, generation, page))
    await stop(alice, generation)
    await check_like_fresh(alice, await finished(generation), await watching)
    assert "…" not in await shown(alice, generation)


async def test_a_search_that_fails_says_so(worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("fails", search_call("rain"), failed_search(), Text("No rain."))
    words = await shown(alice, await answered(alice, prompt("fails")))
    assert re.search(r"Tool: web_search, failed after \d+ s", words)
    assert "The tool has too much to do. (too_many_requests)" in words


async def test_cited_text_is_stored_as_it_came(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("cites", Text("It "), cited("rains", (TIDES, "So it does.")), Text("."))
    message = (await answered(alice, prompt("cites"))).message
    assert message.text == "It rains."
    assert [block["text"] for block in message.content] == ["It ", "rains", "."]
    html, *others = message.rendered
    assert html.startswith("<p>It rains<sup ") and others == ["", ""]
    assert f'href="{TIDES[0]}"' in html and " id=" not in html


async def test_blocks_of_an_answer_that_goes_on_keep_theirs(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    steps: list[Step] = [
        Thinking("Hm."),
        cited("It rains", (TIDES, "So it does.")),
        Text(" in Sp"),
        Cut(),
    ]
    model.script("cut-cited", *steps)
    first = await answered(alice, prompt("cut-cited"))
    before = durations_of(first)
    page = await load(alice, first.conversation)
    await in_thread(services.continue_answer, alice, first.message_id)
    second = await newest(first.message_id)
    page = await watch(alice, second, page)
    ended = await finished(second)
    await check_like_fresh(alice, ended, page)
    assert durations_of(ended)[: len(before)] == before and before[0] is not None
    assert '<sup class="citation">' in ended.message.rendered[1]


async def test_behind_a_citation_a_new_block_goes_on(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("cut-behind", cited("It rains", (TIDES, "So it does.")), Cut())
    first = await answered(alice, prompt("cut-behind"))
    ended = await continued(alice, first)
    begun, *others = ended.message.content
    assert begun["text"] == "It rains" and begun["citations"] and others
    assert "<p>It rains<sup " in ended.message.rendered[0]


async def test_thinking_that_is_stopped_has_no_time(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("thinks", Thinking("Hm. " * 2_000, chunk=4, interval_s=0.01))
    generation = await send(alice, prompt("thinks"))
    page = await load(alice, generation.conversation)
    watching = asyncio.create_task(watch(alice, generation, page))
    await reached(generation, "content_block_delta", 3)
    await stop(alice, generation)
    ended = await finished(generation)
    assert ended.message.durations_s == [None]
    await check_like_fresh(alice, ended, await watching)


async def test_malformed_results_are_shown_as_they_came(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    odd = {"type": "web_search_tool_result", "tool_use_id": 5, "content": [{"url": []}, 7]}
    model.script("odd-result", Block(odd), Block({**odd, "content": "text"}), Text("So."))
    words = await shown(alice, await answered(alice, prompt("odd-result")))
    assert '"url": []' in words and '"text"' in words
