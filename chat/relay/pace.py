"""How often one reader gets what comes: at once, then in batches that a page can keep up with."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from time import monotonic

from chat import fragments
from chat.events import Bell, Entry, Follower, end_topic
from chat.relay.answer import LiveAnswer
from chat.relay.position import Position
from chat.threads import in_thread

FRAME_INTERVAL_S = 1 / 30
"""A reader gets one batch of frames in this time, on average; one that is early does not wait."""

CROWD_CHARS_PER_S = 900
CROWD_INTERVAL_S = 1 / 8
"""The same where more than so many characters come in a second: nobody reads so fast, and each
batch costs a page the same."""

SLOW_INTERVAL_S = 0.25
"""The longest time between two batches, where parsing takes long or the process is busy."""

EARLY_S = 0.2
"""So much earlier than on average a batch may come: those of an answer's beginning, and where those
before it came late."""

RATE_S = 0.2
"""Characters are counted for so long."""

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


class Pace:
    """Decides when a reader gets its next batch. Times are of the monotonic clock."""

    def __init__(self, now: float, characters: int = 0) -> None:
        self._due_at, self._counted_from = now - EARLY_S, now
        self._counted = characters
        self._least_s = FRAME_INTERVAL_S
        self._late_s = 0.0

    def count(self, characters: int, now: float) -> None:
        """Take in how many characters have come in all."""
        since_s = now - self._counted_from
        if since_s >= RATE_S:
            is_crowd = characters - self._counted > CROWD_CHARS_PER_S * since_s
            self._least_s = CROWD_INTERVAL_S if is_crowd else FRAME_INTERVAL_S
            self._counted, self._counted_from = characters, now

    async def wait(self, began_at: float, took_s: float, end: Bell, *, is_behind: bool) -> None:
        """Wait until the next batch is due, or `end` is rung; arguments as those of `next_at`."""
        due_at = self.next_at(began_at, took_s, is_behind=is_behind)
        pause_s = due_at - monotonic()
        if pause_s > 0 and not await end.wait(pause_s):
            self._late_s = monotonic() - due_at

    def next_at(self, began_at: float, took_s: float, *, is_behind: bool) -> float:
        """Return when the batch behind this one is due.

        Args:
            began_at, took_s: when this one was begun, and how long it was made for.
            is_behind: whether it held the past, with which a page catches up soon.
        """
        # Parsing takes a tenth of the time at most, and so does what else keeps the loop busy.
        slow_s = min(10 * (took_s + self._late_s), SLOW_INTERVAL_S)
        interval_s = FRAME_INTERVAL_S if is_behind else max(self._least_s, slow_s)
        self._due_at = max(self._due_at, began_at - EARLY_S) + interval_s
        return self._due_at


async def paced(
    answer: LiveAnswer, generation_id: int, position: Position
) -> AsyncGenerator[str, None]:
    """Yield an answer's frames as its log grows: the first and the last at once, others paced."""
    held_since: float | None = None
    announced_at = monotonic()
    pace = Pace(announced_at, answer.characters)
    end = Bell(end_topic(generation_id))
    with Follower(generation_id, position.seq) as follower, end:
        while not follower.has_ended:
            end.clear()
            timeout_s = None if held_since is None else held_since + HOLD_MAX_S - monotonic()
            entries = await follower.next(timeout_s)
            now = monotonic()
            overdue = held_since is not None and now >= held_since + HOLD_MAX_S
            # What is held now may have come just now, behind a word that has ended since.
            frames = await take_in(answer, entries, overdue=False)
            if overdue and not frames:
                frames = await take_in(answer, [], overdue=True)
            took_s = monotonic() - now
            pace.count(answer.characters, now)
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
                await pace.wait(now, took_s, end, is_behind=follower.is_behind)


async def take_in(answer: LiveAnswer, entries: list[Entry], *, overdue: bool) -> list[str]:
    """Take in events and return what they change, off the loop where there is much to parse."""

    def take() -> list[str]:
        for entry in entries:
            answer.feed(entry)
        return answer.frames(overdue=overdue)

    chars = answer.work_chars + sum(len(entry.data) for entry in entries)
    return take() if chars < LONG_CHARS else await in_thread(take)
