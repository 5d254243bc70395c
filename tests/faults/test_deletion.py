"""A conversation that is deleted while Claude writes in it."""

from __future__ import annotations

import asyncio
import time

import pytest

from chat.demo.steps import Text
from tests.faults.conftest import chiefly
from tests.faults.place import Place
from tests.faults.scene import UPSTREAM_CLOSES_S, scene
from tests.faults.speech import Speech
from tests.faults.tab import Tab
from tests.faults.verdicts import Verdicts

pytestmark = pytest.mark.asyncio

TABLES = ("chat_conversation", "chat_message", "chat_generation")
SENTENCE = "This conversation was deleted."


def is_told(tab: Tab) -> bool:
    return SENTENCE in tab.page.element("messages").text and not tab.page.has_running


@chiefly("multi")
async def test_deleted_while_it_streams(place: Place, verdict: Verdicts) -> None:
    """Through another process, where there is one; with a tab open at each."""
    place.model.script("without-end", Text(Speech(), interval_s=0.01))
    logged = len(place.log_text())
    near, far = place.sites[0].base_url, place.sites[-1].base_url
    async with (
        scene(place, "without-end") as seen,
        Tab(seen.person, near, seen.sent.path) as other,
        scene(place, "whole") as bystander,
    ):
        for tab in (seen.tab, other):
            await tab.until(lambda tab: tab.answer.count("word") > 30)
        row, path = seen.row, seen.sent.path
        deleted_at = time.time()
        codes = [(await seen.person.post(far, f"{path}delete/")).status_code]
        await asyncio.gather(seen.tab.until(is_told), other.until(is_told))
        told_s = time.time() - deleted_at
        closed_s = ((await seen.closed()).closed_at or 0) - deleted_at
        for address in (path, f"{path}delete/", f"/m/{row.message_id}/"):
            codes += [(await seen.person.get(url, address)).status_code for url in (near, far)]
        codes.append((await seen.person.stop(near, row.id)).status_code)
        # What the owner still had to write would come before the answer to this.
        later = await bystander.then("whole")
        await later.until_ended()
        await later.check()
    left = sum(place.records.count(table, path) for table in TABLES)
    left += len(place.records.events(row.id))
    verdict(
        "a conversation deleted while it streams",
        "upstream closed within 1 s, no rows left, no 5xx, every tab is told",
        f"upstream closed after {closed_s:.2f} s, told after {told_s:.2f} s, {left} rows left",
        holds=closed_s < UPSTREAM_CLOSES_S
        and not left
        and codes == [302] + [404] * 7
        and "Traceback" not in place.log_text()[logged:],
    )
