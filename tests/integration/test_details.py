"""Timelines: what is stored at the end, and told of answers that run, are old, or somebody's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from chat import details, events
from chat.demo.steps import Attempts, End, Status, Text, Thinking
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.worker import Worker
from tests.integration.answers import answered, finished, prompt, reached, send, stop
from tests.integration.pages import text_of, to

pytestmark = pytest.mark.django_db(transaction=True)

OVERLOADED = Status(529, "overloaded_error", "Overloaded", {"retry-after": "0"})


def stored_of(generation: Generation) -> dict[str, Any]:
    assert generation.timeline is not None
    return dict(generation.timeline)


async def facts_of(generation: Generation) -> dict[str, Any]:
    facts: dict[str, Any] = await sync_to_async(details.facts_of)(generation)
    return facts


@pytest.mark.asyncio
async def test_timeline_is_stored_at_the_end(
    worker: Worker, alice: User, model: DemoThread
) -> None:
    model.script("timed", Thinking("Well, well."), Text(["Group ", "commit."]))
    done = await answered(alice, prompt("timed"))
    told = stored_of(done)
    assert told["final"]["status"] == "complete" and told["stop_reason"] == "end_turn"
    assert [block["type"] for block in told["blocks"]] == ["thinking", "text"]
    assert told["characters"] == len("Well, well.Group commit.")
    assert told["requests"][0]["request_id"] == done.request_id != ""
    assert told["output_tokens"] == done.output_tokens > 0
    assert 0 <= told["taken_s"] <= told["first_word_s"] <= told["final"]["at_s"]


@pytest.mark.asyncio
async def test_attempts_are_told(worker: Worker, alice: User, model: DemoThread) -> None:
    model.script("busy-once", Attempts([OVERLOADED], [Text("Here.")]))
    told = stored_of(await answered(alice, prompt("busy-once")))
    assert [request["attempt"] for request in told["requests"]] == [1, 2]
    assert [retry["error_code"] for retry in told["retries"]] == ["overloaded"]


@pytest.mark.asyncio
@pytest.mark.parametrize("steps", [[Text("Group commit.")], [Text("Half"), End()]])
async def test_stored_timeline_is_what_the_log_says(
    worker: Worker, alice: User, model: DemoThread, steps: list[Any]
) -> None:
    """But for ids of requests, which are no events."""
    model.script("logged", *steps)
    done = await answered(alice, prompt("logged"))
    stored, done.timeline = stored_of(done), None
    from_log = await facts_of(done)
    for request in (*stored["requests"], *from_log["requests"]):
        request.pop("request_id")
    # Deltas that shared a commit have one time in the log.
    for told in (stored, from_log):
        del told["longest_gap"], told["points"]
    assert from_log == stored


@pytest.mark.asyncio
async def test_running_answer_is_told_as_far_as_it_has_come(
    worker: Worker, alice: User, model: DemoThread
) -> None:
    model.script("slow", Text(["word "] * 2_000, interval_s=0.05))
    generation = await send(alice, prompt("slow"))
    await reached(generation, "content_block_delta")
    await generation.arefresh_from_db(from_queryset=Generation.objects.select_related("owner"))
    told = await facts_of(generation)
    assert told["final"] is None and told["characters"] > 0 and told["first_word_s"] is not None
    await stop(alice, generation)
    assert stored_of(await finished(generation))["final"]["status"] == "stopped"


@pytest.mark.asyncio
async def test_pruned_answer_without_one_tells_what_its_row_says(
    worker: Worker, alice: User
) -> None:
    done = await answered(alice, "Hello")
    await Generation.objects.filter(pk=done.pk).aupdate(timeline=None)
    await sync_to_async(events.prune)(timezone.now() + timedelta(days=1))
    told = await facts_of(await Generation.objects.aget(pk=done.pk))
    assert told["requests"] == told["points"] == []
    assert told["final"]["status"] == "complete" and told["output_tokens"] == done.output_tokens


@pytest.mark.asyncio
async def test_page_and_json_tell_the_same(worker: Worker, alice: User) -> None:
    done = await answered(alice, "Hello")
    client = Client()
    await sync_to_async(client.force_login)(alice)
    page = text_of(await sync_to_async(client.get)(to("timeline", done.pk)))
    told = (await sync_to_async(client.get)(to("api-timeline", done.pk))).json()
    assert told["generation"] == done.pk and told["points"] == stored_of(done)["points"]
    assert f"{told['characters']:,}" in page and told["requests"][0]["model"] in page
    assert "<polyline" in page and "style=" not in page and "<script" not in page


def test_json_that_is_known_is_not_sent_again(client: Client, ended: Generation) -> None:
    first = client.get(address := to("api-timeline", ended.pk))
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_page_of_an_answer_that_never_began(client: Client, ended: Generation) -> None:
    page = text_of(client.get(to("timeline", ended.pk)))
    assert "<polyline" not in page and "(stalled)" in page


def test_steps_are_in_order(ended: Generation) -> None:
    ended.refresh_from_db()
    times = [step.at_s for step in details.steps(details.facts_of(ended))]
    assert times == sorted(times) and len(times) == 2


def test_answer_leads_to_its_details(client: Client, ended: Generation) -> None:
    page = text_of(client.get(to("conversation", ended.conversation_id)))
    assert re.search(rf'<a class="details-link" href="{to("timeline", ended.pk)}">', page)


def test_running_answer_leads_nowhere(client: Client, running: Generation) -> None:
    assert "details-link" not in text_of(client.get(to("conversation", running.conversation_id)))


@pytest.mark.parametrize("name", ["timeline", "api-timeline"])
def test_strangers_see_nothing(stranger: Client, ended: Generation, name: str) -> None:
    assert stranger.get(to(name, ended.pk)).status_code == 404
