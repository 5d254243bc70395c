"""Transactions that meet: each takes its locks in the same order, so that none is broken off."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from tests.faults.place import Place
from tests.faults.scene import CALL_S, scene
from tests.faults.verdicts import Verdicts
from tests.faults.waiting import until

pytestmark = pytest.mark.asyncio

_LOCK = "SELECT id FROM chat_conversation WHERE id = %s FOR UPDATE"
_LOCK_AT_ONCE = "SELECT id FROM chat_generation WHERE id = %s FOR UPDATE NOWAIT"


async def test_prompt_while_an_answer_ends(multi: Place, verdict: Verdicts) -> None:
    """Locks what a prompt locks first, lets the answer end, and then what it locks next."""
    assert multi.postgres is not None
    name, speech = multi.speak(interval_s=0.02)
    async with scene(multi, name) as seen:
        await seen.tab.until(lambda tab: "word" in tab.answer)
        row = seen.row
        with psycopg.connect(multi.postgres.url) as sender:
            sender.execute(_LOCK, [UUID(seen.sent.path.split("/")[2])])
            speech.end_after(1)
            await until(multi.records.lock_waiters, CALL_S)
            sender.execute(_LOCK_AT_ONCE, [row.id])
        await seen.until_ended()
        await seen.check(speech.text)
    verdict(
        "a prompt is sent while an answer ends",
        "neither waits for the other for good",
        f"{seen.row.status}, {len(seen.row.text)} characters",
        holds=seen.row.status == "complete",
    )
