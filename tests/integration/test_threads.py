"""Connections outside the pool: for one block, and closed after it."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.ending import LARGE_CHARS
from chat.models import User
from chat.threads import in_request, in_thread, own_connection
from chat.worker import Worker
from tests.integration.answers import answered, check_log, prompt

pytestmark = pytest.mark.asyncio


def use_own(error: Exception | None = None) -> None:
    usual = connections["default"]
    try:
        with own_connection():
            own = connections["default"]
            assert own is not usual and "pool" not in own.settings_dict["OPTIONS"]
            assert User.objects.count() == 1
            if error:
                raise error
    finally:
        assert connections["default"] is usual
        assert own.connection is None
    assert User.objects.count() == 1


async def test_own_connection_lasts_as_long_as_its_block(alice: User) -> None:
    await in_thread(use_own)


async def test_own_connection_is_closed_after_a_failure(alice: User) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        await in_thread(use_own, ValueError("on purpose"))


async def test_large_answer(worker: Worker, model: DemoThread, alice: User) -> None:
    piece = "A line of a large answer.\n" * 4_000
    pieces = [piece] * (LARGE_CHARS // len(piece) + 1)
    model.script("large", Text(pieces, interval_s=0))
    generation = await answered(alice, prompt("large"))
    assert generation.status == "complete" and generation.message.text == "".join(pieces)
    await check_log(generation)


async def test_in_request_gives_the_connection_back(transactional_db: None) -> None:
    """A stream that goes on for long keeps none from others."""
    assert await in_request(User.objects.count) == 0
    assert await sync_to_async(lambda: connection.connection)() is None
