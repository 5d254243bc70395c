"""What a page shows while tools run, and that it ends as a fresh one."""

from __future__ import annotations

import asyncio
import random

import pytest

from chat import services
from chat.demo.steps import Attempts, Finish, Rounds, Status, Step, Text, Thinking
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.own_tools import Gate, calling, use
from tests.integration.shown_page import ShownPage
from tests.integration.test_relay import (
    SEE_S,
    check_like_fresh,
    load,
    socket,
    watch,
    watch_in_parts,
)

pytestmark = pytest.mark.asyncio

ADD = use("toolu_1", "add", '{"a": 1, "b": 2}')
WORDS = Text("Some words, and 日本語.\n\n" * 4, chunk=5)
ROUNDS: dict[str, list[Step | Attempts | Rounds]] = {
    "words": [calling(WORDS, ADD, then="It is **three**.")],
    "several": [calling(ADD, use("toolu_2", "add", '{"a": 2, "b": 2}'), then="Three, four.")],
    "error": [calling(Text("Hm. "), use("toolu_1", "fail", '{"secretly": true}'))],
    "bad-json": [calling(use("toolu_1", "add", '{"a": <b>'))],
    "markup": [calling(use("toolu_1", "<b>no</b>", "{}"))],
    "long": [calling(use("toolu_1", "write", '{"chars": 90000}'))],
    "thinks": [
        Rounds(
            [Thinking("Hm. " * 9), ADD, Finish("tool_use")],
            [Thinking("So. " * 9), use("toolu_2", "add", '{"a": 3, "b": 3}'), Finish("tool_use")],
            [Thinking("Well."), Text("Six.")],
        )
    ],
    "endless": [Rounds([Text("Again. "), ADD, Finish("tool_use")])],
    "retried": [
        Rounds([WORDS, ADD, Finish("tool_use")], []),
        Attempts([Status(429, "rate_limit_error", "x", {"retry-after": "0.2"})], [Text("Three.")]),
    ],
}


@pytest.mark.parametrize("name", sorted(ROUNDS))
async def test_live_page_ends_like_a_fresh_one(
    tool_worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    model.script(f"tools-{name}", *ROUNDS[name])
    generation = await send(alice, prompt(f"tools-{name}"))
    page = await watch(alice, generation, ShownPage('<div id="messages"></div>'))
    await check_like_fresh(alice, await finished(generation), page)


@pytest.mark.parametrize("name", ["words", "several", "thinks"])
async def test_page_that_is_cut_off_again_and_again(
    tool_worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    chance = random.Random(name)
    model.script(f"cut-{name}", *ROUNDS[name])
    generation = await send(alice, prompt(f"cut-{name}"))
    page = await watch_in_parts(alice, generation, chance)
    await check_like_fresh(alice, await finished(generation), page)


def status(page: ShownPage, generation: Generation) -> str:
    element = page.element(f"status-{generation.pk}")
    return " ".join(element.text.split()) if element else ""


async def seen(user: User, generation: Generation, page: ShownPage, words: str) -> None:
    """Apply frames until the page's status has words in it."""
    async with asyncio.timeout(SEE_S), socket(user, generation.conversation, page) as frames:
        while words not in status(page, generation):
            page.apply(await anext(frames))


async def test_tool_that_runs_is_named(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    model.script("slow-tool", calling(Text("Wait. "), use("toolu_1", "slow")))
    generation = await send(alice, prompt("slow-tool"))
    page = await load(alice, generation.conversation)
    await seen(alice, generation, page, "Running slow…")
    assert status(await load(alice, generation.conversation), generation) == "Running slow…"
    gate.go_on.set()
    page = await watch(alice, generation, page)
    await check_like_fresh(alice, await finished(generation), page)


async def test_result_is_shown_with_the_name_of_its_tool(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("adds", calling(ADD))
    generation = await answered(alice, prompt("adds"))
    body = (await load(alice, generation.conversation)).body(generation.message_id)
    assert "Result: add" in body.text and " 3" in " ".join(body.text.split())


async def test_failure_is_shown(tool_worker: Worker, model: DemoThread, alice: User) -> None:
    model.script("fails", calling(use("toolu_1", "fail", '{"secretly": false}')))
    generation = await answered(alice, prompt("fails"))
    words = (await load(alice, generation.conversation)).body(generation.message_id).text
    assert "Tool: fail, failed after" in words and "This can't be done." in words


@pytest.mark.parametrize("word", [True, False])
async def test_question_comes_and_goes(
    tool_worker: Worker, model: DemoThread, alice: User, word: bool
) -> None:
    model.script("notes", calling(WORDS, use("toolu_1", "note", '{"text": "<b>"}')))
    generation = await send(alice, prompt("notes"))
    page = await load(alice, generation.conversation)
    await seen(alice, generation, page, "May Claude use note")
    fresh = await load(alice, generation.conversation)
    assert status(page, generation) == status(fresh, generation)
    await in_thread(services.approve, alice, generation.pk, "toolu_1", is_approved=word)
    page = await watch(alice, generation, page)
    assert "May Claude" not in status(page, generation)
    await check_like_fresh(alice, await finished(generation), page)


async def test_question_goes_with_a_stop(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("notes", calling(WORDS, use("toolu_1", "note", '{"text": "<b>"}')))
    generation = await send(alice, prompt("notes"))
    await reached(generation, "approval_wanted")
    page = await load(alice, generation.conversation)
    assert "May Claude use note" in status(page, generation)
    await stop(alice, generation)
    page = await watch(alice, generation, page)
    await check_like_fresh(alice, await finished(generation), page)
