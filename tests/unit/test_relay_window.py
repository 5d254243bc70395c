"""What may be under way to a reader, and when it may go on."""

from __future__ import annotations

import asyncio

import pytest

from chat.relay import window
from chat.relay.window import WINDOW_CHARS, Window

pytestmark = pytest.mark.asyncio

HALF = "x" * (WINDOW_CHARS // 2)


async def has_room_now(reader: Window) -> bool:
    waiting = asyncio.ensure_future(reader.has_room())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    await asyncio.wait([waiting])
    return False


async def test_room_until_the_window_is_full() -> None:
    reader = Window()
    for _ in range(2):
        assert await has_room_now(reader)
        reader.sent(HALF)
    assert not await has_room_now(reader)


async def test_one_frame_may_be_larger_than_the_window() -> None:
    reader = Window()
    reader.sent(HALF * 5)
    assert not await has_room_now(reader)
    reader.acknowledged(1)
    assert await has_room_now(reader)


async def test_acknowledgement_wakes_who_waits() -> None:
    reader = Window()
    reader.sent(HALF)
    reader.sent(HALF)
    waiting = asyncio.ensure_future(reader.has_room())
    await asyncio.sleep(0)
    reader.acknowledged(1)
    assert await waiting


async def test_the_number_counts_all_frames_of_the_socket() -> None:
    reader = Window()
    for _ in range(4):
        reader.sent(HALF)
    reader.acknowledged(2)
    reader.acknowledged(2)
    assert not await has_room_now(reader)
    reader.acknowledged(3)
    assert await has_room_now(reader)


@pytest.mark.parametrize("frames", [-1, 0, 10**30])
async def test_numbers_that_make_no_sense(frames: int) -> None:
    """Who acknowledges too much harms the own socket alone, and no more than by reading."""
    reader = Window()
    reader.sent(HALF)
    reader.acknowledged(frames)
    reader.sent(HALF)
    assert await has_room_now(reader) == (frames > 0)


async def test_reader_that_acknowledges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "ACKNOWLEDGE_S", 0.01)
    reader = Window()
    reader.sent(HALF * 2)
    assert not await reader.has_room()
