"""How often one reader gets what comes: at once, then in batches that a page can keep up with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from chat import fragments
from chat.events import Entry, Follower
from chat.relay.answer import LiveAnswer
from chat.relay.position import Position
from chat.threads import in_thread

FRAME_INTERVAL_S = 1 / 30
"""A reader gets at most one batch of frames in this time."""

CROWD_PER_S = 80
CROWD_INTERVAL_S = 1 / 10
"""The same where more than so many events come in a second: nobody reads so fast, and each batch
costs a page the same."""

SLOW_INTERVAL_S = 0.25
"""The longest time between two batches, where parsing takes long."""

LONG_CHARS = 4_000
"""More text than this is parsed in a thread."""

HOLD_MAX_S = 0.1
"""A word that does not end is shown after this time."""

ANNOUNCE_INTERVAL_S = 10.0
"""A screen reader hears of the progress at most this often."""


def noted(frames: list[str], position: Position) -> Iterator[str]:
    """Yield frames that belong together, and note whether more of them follow."""
    for number, frame in enumerate(frames, 1):
        position.is_between = number < len(frames)
        yield frame


async def paced(
    answer: LiveAnswer, generation_id: int, position: Position
) -> AsyncGenerator[str, None]:
    """Yield an answer's frames as its log grows: the first at once, then at most 30 a second."""
    loop = asyncio.get_running_loop()
    held_since: float | None = None
    announced_at = sent_at = loop.time()
    with Follower(generation_id, position.seq) as follower:
        while not follower.has_ended:
            timeout_s = None if held_since is None else held_since + HOLD_MAX_S - loop.time()
            entries = await follower.next(timeout_s)
            now = loop.time()
            overdue = held_since is not None and now >= held_since + HOLD_MAX_S
            # What is held now may have come just now, behind a word that has ended since.
            frames = await take_in(answer, entries, overdue=False)
            if overdue and not frames:
                frames = await take_in(answer, [], overdue=True)
            took_s = loop.time() - now
            if not answer.held:
                held_since = None
            elif frames or overdue or held_since is None:
                held_since = now
            if frames and now >= announced_at + ANNOUNCE_INTERVAL_S:
                frames.append(fragments.announcement(answer.view().received))
                announced_at = now
            position.seq, position.held = answer.seq, answer.held
            for frame in noted(frames, position):
                yield frame
            if frames:
                pause_s = _pause_s(len(entries), now - sent_at, took_s)
                sent_at = now
                # With the past a page catches up soon.
                await asyncio.sleep(FRAME_INTERVAL_S if follower.is_behind else pause_s)


def _pause_s(events: int, since_s: float, took_s: float) -> float:
    """Return the time until the next frames; where parsing takes long, it is done less often."""
    least_s = CROWD_INTERVAL_S if events > CROWD_PER_S * since_s else FRAME_INTERVAL_S
    return max(least_s, min(10 * took_s, SLOW_INTERVAL_S))


async def take_in(answer: LiveAnswer, entries: list[Entry], *, overdue: bool) -> list[str]:
    """Take in events and return what they change, off the loop where there is much to parse."""

    def take() -> list[str]:
        for entry in entries:
            answer.feed(entry)
        return answer.frames(overdue=overdue)

    chars = answer.work_chars + sum(len(entry.data) for entry in entries)
    return take() if chars < LONG_CHARS else await in_thread(take)
