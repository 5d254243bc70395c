"""A tool that changes something waits for the person, on a page or by a program."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import AsyncClient
from django.urls import reverse

from chat import approvals, services
from chat.demo.steps import Finish, Rounds, Step, Text
from chat.demo.thread import DemoThread
from chat.errors import AlreadyDecided
from chat.json_values import readable_json
from chat.models import Approval, Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.conftest import make_runtime, working
from tests.integration.answers import (
    END_S,
    answered,
    check_log,
    data_of,
    finished,
    prompt,
    reached,
    send,
    stop,
)
from tests.integration.own_tools import Gate, calling, own_toolset, use

pytestmark = pytest.mark.asyncio

NOTE = use("toolu_1", "note", '{"text": "<b>milk</b>"}')
NO_TIME = 0.1


async def asked(model: DemoThread, user: User) -> Generation:
    """Return an answer that waits for the person's word on a note."""
    model.script("notes", calling(Text("May I? "), NOTE))
    generation = await send(user, prompt("notes"))
    await reached(generation, "approval_wanted")
    return generation


async def decide(user: User, generation: Generation, word: bool) -> None:
    await in_thread(services.approve, user, generation.pk, "toolu_1", is_approved=word)


async def client_of(user: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(user)
    return client


async def post(user: User, generation: Generation, data: dict[str, str]) -> int:
    address = reverse("approve", args=[generation.pk])
    response = await (await client_of(user)).post(address, data)
    return int(response.status_code)


async def result_of(generation: Generation) -> dict[str, Any]:
    (result,) = await data_of(generation, "tool_result")
    return result


async def test_answer_waits_and_goes_on_when_allowed(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    (wanted,) = await data_of(generation, "approval_wanted")
    assert wanted == {
        "tool_use_id": "toolu_1",
        "name": "note",
        "input": {"text": "<b>milk</b>"},
        "wait_s": 30.0,
    }
    row = await Generation.objects.aget(pk=generation.pk)
    assert (row.status, gate.noted) == ("streaming", [])
    await decide(alice, generation, True)
    ended = await finished(generation)
    assert (ended.status, ended.message.text) == ("complete", "May I? So it is.")
    assert gate.noted == ["<b>milk</b>"]
    assert (await result_of(ended))["content"] == "noted 1"
    await check_log(ended)


async def test_declined_call_is_not_made(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    await decide(alice, generation, False)
    ended = await finished(generation)
    result = await result_of(ended)
    assert result["is_error"] and "declined" in result["content"]
    assert (ended.status, gate.noted) == ("complete", [])
    given = {"tool_use_id": "toolu_1", "is_approved": False, "is_late": False}
    assert await data_of(ended, "approval_given") == [given]


async def test_no_word_in_time_declines(model: DemoThread, alice: User, gate: Gate) -> None:
    toolset = replace(own_toolset(gate), approval_s=NO_TIME)
    async with working(replace(make_runtime(model), toolset=toolset)):
        model.script("notes", calling(NOTE))
        ended = await answered(alice, prompt("notes"))
    result = await result_of(ended)
    assert result["is_error"] and result["content"].startswith("Nobody allowed this call within")
    assert gate.noted == []
    assert (await data_of(ended, "approval_given"))[0]["is_late"]
    with pytest.raises(AlreadyDecided):
        await decide(alice, ended, True)


async def test_word_counts_for_one_call_alone(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    """A server that numbers its calls anew in each answer gives two of them one id."""
    asks: list[Step] = [NOTE, Finish("tool_use")]
    model.script("notes", Rounds(asks, asks, [Text("So it is.")]))
    generation = await send(alice, prompt("notes"))
    await reached(generation, "approval_wanted")
    await decide(alice, generation, True)
    ended = await finished(generation)
    results = await data_of(ended, "tool_result")
    assert [result["is_error"] for result in results] == [False, True]
    assert "the id of an earlier one" in results[1]["content"]
    assert gate.noted == ["<b>milk</b>"]


async def test_word_whose_ring_is_lost_is_seen(
    tool_worker: Worker, model: DemoThread, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "LOOK_S", 0.1)
    generation = await asked(model, alice)
    row = Approval.objects.filter(generation=generation, is_approved=None)
    assert await row.aupdate(is_approved=True) == 1
    assert (await result_of(await finished(generation)))["content"] == "noted 1"


async def test_stop_while_it_waits(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    await stop(alice, generation)
    ended = await finished(generation)
    assert (ended.status, ended.message.text) == ("stopped", "May I? ")
    with pytest.raises(AlreadyDecided):
        await decide(alice, ended, True)
    assert gate.noted == []
    await check_log(ended)


async def test_deleted_while_it_waits(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    (call,) = (task for task in asyncio.all_tasks() if task.get_name() == "tool-note")
    await in_thread(services.delete, alice, generation.conversation_id)
    await asyncio.wait({call}, timeout=END_S)
    assert call.done() and not await Approval.objects.aexists()
    assert gate.noted == []


async def test_other_tools_run_meanwhile(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    add = use("toolu_2", "add", '{"a": 1, "b": 2}')
    model.script("both", calling(NOTE, add))
    generation = await send(alice, prompt("both"))
    assert json.loads((await reached(generation, "tool_result")).data)["content"] == "3"
    await decide(alice, generation, True)
    assert (await finished(generation)).status == "complete"


async def test_nobody_is_asked_about_what_can_not_be_done(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    model.script("wrong", calling(use("toolu_1", "note", '{"words": 1}')))
    ended = await answered(alice, prompt("wrong"))
    assert (await result_of(ended))["is_error"]
    assert not await data_of(ended, "approval_wanted")


@pytest.mark.long
@pytest.mark.parametrize("too_many", [False, True])
async def test_only_what_can_be_read_whole_is_asked_about(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate, too_many: bool
) -> None:
    chars = approvals.MAX_INPUT_CHARS - len(readable_json({"text": ""})) + too_many
    note = json.dumps({"text": "x" * chars})
    model.script("lengthy", calling(use("toolu_1", "note", note)))
    generation = await send(alice, prompt("lengthy"))
    if not too_many:
        await reached(generation, "approval_wanted")
        await decide(alice, generation, True)
    result = await result_of(await finished(generation))
    assert result["is_error"] == too_many
    assert len(await data_of(generation, "approval_wanted")) == (not too_many)
    if too_many:
        limit = approvals.MAX_INPUT_CHARS
        assert f"{limit + 1} of at most {limit} characters" in result["content"]
    assert gate.noted == ([] if too_many else ["x" * chars])


async def test_page_shows_the_whole_input(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    text = "so much " * 1_200 + "and at last: all of it"
    model.script("lengthy", calling(use("toolu_1", "note", json.dumps({"text": text}))))
    generation = await send(alice, prompt("lengthy"))
    await reached(generation, "approval_wanted")
    address = reverse("conversation", args=[generation.conversation_id])
    assert text in (await (await client_of(alice)).get(address)).content.decode()
    await stop(alice, generation)
    await finished(generation)


async def test_each_call_is_asked_about(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    second = use("toolu_2", "note", '{"text": "eggs"}')
    model.script("twice", Rounds([NOTE, second, Finish("tool_use")], [Text("Noted.")]))
    generation = await send(alice, prompt("twice"))
    await reached(generation, "approval_wanted", 2)
    await decide(alice, generation, False)
    await in_thread(services.approve, alice, generation.pk, "toolu_2", is_approved=True)
    await finished(generation)
    assert gate.noted == ["eggs"]


async def test_word_counts_once(tool_worker: Worker, model: DemoThread, alice: User) -> None:
    generation = await asked(model, alice)
    await decide(alice, generation, False)
    await decide(alice, generation, False)
    with pytest.raises(AlreadyDecided):
        await decide(alice, generation, True)
    await finished(generation)


async def test_stranger_can_not_decide(
    tool_worker: Worker, model: DemoThread, alice: User, bob: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    assert await post(bob, generation, {"allow": "toolu_1"}) == 404
    assert await post(alice, generation, {"allow": "toolu_2"}) == 404
    assert await post(alice, generation, {}) == 404
    assert (await Approval.objects.aget()).is_approved is None
    assert await post(alice, generation, {"decline": "toolu_1"}) == 302
    assert (await finished(generation)).status == "complete" and gate.noted == []


async def test_page_asks_and_its_buttons_decide(
    tool_worker: Worker, model: DemoThread, alice: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    client = await client_of(alice)
    address = reverse("conversation", args=[generation.conversation_id])
    page = (await client.get(address)).content.decode()
    assert f'formaction="/g/{generation.pk}/approve/"' in page
    assert 'name="allow" value="toolu_1"' in page and 'name="decline" value="toolu_1"' in page
    assert "&lt;b&gt;milk&lt;/b&gt;" in page and "<b>milk</b>" not in page
    assert await post(alice, generation, {"allow": "toolu_1"}) == 302
    await finished(generation)
    assert gate.noted == ["<b>milk</b>"]
    assert 'name="allow"' not in (await client.get(address)).content.decode()


async def test_page_needs_its_form_token(
    tool_worker: Worker, model: DemoThread, alice: User
) -> None:
    generation = await asked(model, alice)
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(alice)
    response = await client.post(reverse("approve", args=[generation.pk]), {"allow": "toolu_1"})
    assert response.status_code == 403
    assert (await Approval.objects.aget()).is_approved is None
    await stop(alice, generation)
    await finished(generation)


async def test_program_decides(
    tool_worker: Worker, model: DemoThread, alice: User, bob: User, gate: Gate
) -> None:
    generation = await asked(model, alice)
    address = reverse("api-approvals", args=[generation.pk, "toolu_1"])

    async def tell(user: User, body: object) -> tuple[int, dict[str, Any]]:
        client = await client_of(user)
        response = await client.post(
            address,
            json.dumps(body),
            content_type="application/json",
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        return response.status_code, response.json()

    assert (await tell(bob, {"approve": True}))[0] == 404
    assert (await tell(alice, {}))[0] == 400
    assert (await tell(alice, {"approve": "yes"}))[0] == 400
    assert await tell(alice, {"approve": True}) == (
        200,
        {"tool_use_id": "toolu_1", "approve": True},
    )
    status, told = await tell(alice, {"approve": False})
    assert (status, told["error"]["code"]) == (409, "already_decided")
    await finished(generation)
    assert gate.noted == ["<b>milk</b>"]
