"""The log: many writers share commits, one owner writes each log, readers miss nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings
from django.db import IntegrityError, connection, connections
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import events, services
from chat.events import Committer, Entry, Follower, Log, LogClosed, commit, far, rows
from chat.events.commit import MAX_PENDING_CHARS, live_logs
from chat.events.follow import READ_CHARS, READ_ROWS
from chat.kinds import FINAL
from chat.models import Conversation, Event, Generation, Message, Process, User
from chat.threads import in_thread

pytestmark = pytest.mark.asyncio

WAIT_S = 20.0
SQLITE_ONLY = pytest.mark.skipif(connection.vendor != "sqlite", reason="locks a SQLite file")

NewLog = Callable[[], Any]


@pytest_asyncio.fixture
async def committer(transactional_db: None) -> AsyncIterator[Committer]:
    made = Committer()
    yield made
    live_logs.clear()
    await made.close()


@pytest_asyncio.fixture
async def new_log(committer: Committer, alice: User) -> NewLog:
    """Make generations that this process writes, each with an empty log."""
    process = await Process.objects.acreate(
        id=uuid.uuid4(), name="test", started_at=Now(), heartbeat_at=Now()
    )

    async def make() -> Log:
        conversation = await Conversation.objects.acreate(owner=alice, title="Log")
        message = await Message.objects.acreate(conversation=conversation, role="assistant")
        generation = await Generation.objects.acreate(
            conversation=conversation,
            message=message,
            status=Generation.Status.STREAMING,
            owner=process,
        )
        return Log(generation.pk, process.pk, committer)

    return make


def delta(text: str, index: int = 0, kind: str = "text_delta") -> tuple[str, dict[str, Any]]:
    member = {"text_delta": "text", "thinking_delta": "thinking"}.get(kind, "partial_json")
    data = {"index": index, "delta": {"type": kind, member: text}}
    return "content_block_delta", {"type": "content_block_delta", **data}


async def stored(log: Log) -> list[Entry]:
    return await in_thread(events.read, log.generation_id)


def texts(log: list[Entry]) -> list[str]:
    return ["".join(json.loads(e.data).get("delta", {}).values()) for e in log]


async def end(log: Log) -> None:
    """End a generation as generation.py does: status and last event in one transaction."""

    def write() -> Entry:
        last = Event.objects.filter(generation_id=log.generation_id).count()
        final = Entry(last + 1, FINAL, '{"status":"complete"}', timezone.now())
        events.insert_entries(log.generation_id, [final])
        Generation.objects.filter(pk=log.generation_id).update(
            status=Generation.Status.COMPLETE, finished_at=timezone.now()
        )
        return final

    await log.flush()
    log.close(await in_thread(write))


class Commits:
    """Counts the transactions of the committer's thread, and the rows of each."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.groups: list[int] = []

    async def __aenter__(self) -> Commits:
        await self._in_thread(self._install)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._in_thread(connections["default"].execute_wrappers.clear)

    async def _in_thread(self, function: Callable[[], Any]) -> None:
        await self._committer._thread.call(function)

    def _install(self) -> None:
        # Looked up here: each thread has a connection, and wrappers, of its own.
        connections["default"].execute_wrappers.append(self._count)

    def _count(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INSERT INTO" in sql:
            # On PostgreSQL one statement takes all rows as JSON.
            self.groups.append(len(params if many else json.loads(params[0])))
        return execute(sql, params, many, context)


# Writing


async def test_logs_share_a_commit(new_log: NewLog, committer: Committer) -> None:
    logs = [await new_log() for _ in range(5)]
    async with Commits(committer) as commits:
        for log in logs:
            await log.append("message_start", {})
        await asyncio.gather(*(log.flush() for log in logs))
    assert commits.groups == [5]


@pytest.mark.skipif(not settings.IS_SQLITE, reason="PostgreSQL plans by the size of a table")
async def test_commit_reads_only_the_rows_that_it_locks(new_log: NewLog) -> None:
    """However many answers there are; else each commit would take as long as the site is old."""
    groups = {await new_log(): [Entry(1, "future", "{}", timezone.now())] for _ in range(3)}

    def plan() -> str:
        with CaptureQueriesContext(connection) as queries:
            rows.write(groups)
        (locking,) = [q["sql"] for q in queries if q["sql"].startswith("SELECT id, owner_id")]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {locking}")
            return str(cursor.fetchall())

    assert "SCAN" not in await in_thread(plan)


async def test_what_comes_during_a_commit_waits_for_the_next(
    new_log: NewLog, committer: Committer
) -> None:
    log = await new_log()
    async with Commits(committer) as commits:
        await log.append("message_start", {})
        await asyncio.sleep(0)  # the first commit begins
        for number in range(100):
            await log.append(*delta(f"{number} "))
        await log.flush()
    assert commits.groups == [1, 1]
    assert texts(await stored(log))[1] == "text_delta" + "".join(f"{n} " for n in range(100))


async def test_answer_that_has_just_begun_is_not_kept_waiting(
    new_log: NewLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have their pause between two commits, which is so long here that it would be seen."""
    monkeypatch.setattr(commit, "COMMIT_INTERVAL_S", 60)
    old, new = [await new_log() for _ in range(2)], await new_log()
    for log in old:
        for number in range(commit.FIRST_EVENTS):
            await log.append(f"future-{number}", {})
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*(log.flush() for log in old))
        await old[0].append(*delta("later "))
        await asyncio.sleep(0)  # It begins to wait.
        await new.append(*delta("first "))
        await asyncio.gather(new.flush(), old[0].flush())


async def test_order_and_numbers(new_log: NewLog) -> None:
    log = await new_log()
    for number in range(200):
        await log.append("future", {"number": number})
        if number % 7 == 0:
            await asyncio.sleep(0)
    await log.flush()
    entries = await stored(log)
    assert [e.seq for e in entries] == list(range(1, 201))
    assert [json.loads(e.data)["number"] for e in entries] == list(range(200))


async def test_only_like_deltas_are_joined(new_log: NewLog) -> None:
    log = await new_log()
    for kind, data in [
        delta("a"),
        delta("b"),
        delta("c", index=1),
        delta("d", index=1, kind="thinking_delta"),
        delta("e", index=1, kind="thinking_delta"),
        delta("{", index=1, kind="input_json_delta"),
        delta("f", index=1),
        ("content_block_stop", {"index": 1}),
        delta("g", index=1),
        delta("h", index=1),
    ]:
        await log.append(kind, data)
    await log.flush()
    joined = [text.rpartition("delta")[2] for text in texts(await stored(log))]
    assert joined == ["ab", "c", "de", "{", "f", "", "gh"]


async def test_data_is_kept_exactly(new_log: NewLog) -> None:
    log = await new_log()
    data = {"text": "ü 👍 \u2028 \\ \" '", "deep": [{"a": None}, 1.5, True], "big": 2**60}
    await log.append("future", data)
    await log.flush()
    (entry,) = await stored(log)
    assert json.loads(entry.data) == data


async def test_flush_of_an_empty_log(new_log: NewLog) -> None:
    await asyncio.wait_for((await new_log()).flush(), WAIT_S)


async def test_flush_means_committed(new_log: NewLog) -> None:
    log = await new_log()
    for number in range(50):
        await log.append(*delta(f"{number} "))
        await log.flush()
        assert len(await stored(log)) == number + 1


async def test_many_writers(new_log: NewLog) -> None:
    logs = [await new_log() for _ in range(20)]

    async def write(log: Log) -> None:
        for number in range(100):
            await log.append(*delta(f"{number} "))
            await asyncio.sleep(0)
        await log.flush()

    await asyncio.gather(*(write(log) for log in logs))
    for log in logs:
        entries = await stored(log)
        assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
        text = "".join(json.loads(e.data)["delta"]["text"] for e in entries)
        assert text == "".join(f"{n} " for n in range(100))


# Refusals


async def delete(log: Log) -> None:
    await Conversation.objects.filter(generations=log.generation_id).adelete()


async def give_away(log: Log) -> None:
    other = await Process.objects.acreate(name="other", started_at=Now(), heartbeat_at=Now())
    await Generation.objects.filter(pk=log.generation_id).aupdate(owner=other)


async def take_owner(log: Log) -> None:
    await Generation.objects.filter(pk=log.generation_id).aupdate(owner=None)


async def finish(log: Log) -> None:
    await Generation.objects.filter(pk=log.generation_id).aupdate(
        status=Generation.Status.INTERRUPTED, finished_at=timezone.now()
    )


@pytest.mark.parametrize("lose", [delete, give_away, take_owner, finish])
async def test_lost_generation_refuses_its_log_alone(new_log: NewLog, lose: Any) -> None:
    lost, kept = await new_log(), await new_log()
    await lose(lost)
    await lost.append("future", {})
    await kept.append("future", {})
    with pytest.raises(LogClosed):
        await asyncio.wait_for(lost.flush(), WAIT_S)
    await asyncio.wait_for(kept.flush(), WAIT_S)
    assert (len(await stored(lost)), len(await stored(kept))) == (0, 1)
    with pytest.raises(LogClosed):
        await lost.append("future", {})


async def test_failed_commit_is_told_to_every_writer(new_log: NewLog) -> None:
    """A row that is there already: an owner that counts wrongly is refused, not believed."""
    wrong, other = await new_log(), await new_log()
    row = Entry(1, "future", "{}", timezone.now())
    await in_thread(events.insert_entries, wrong.generation_id, [row])
    await wrong.append("future", {})
    await other.append("future", {})
    for log in (wrong, other):
        with pytest.raises(Exception, match=r"UNIQUE|unique"):
            await asyncio.wait_for(log.flush(), WAIT_S)


async def test_refused_log_does_no_harm_to_those_that_come_later(new_log: NewLog) -> None:
    wrong = await new_log()
    row = Entry(1, "future", "{}", timezone.now())
    await in_thread(events.insert_entries, wrong.generation_id, [row])
    await wrong.append("future", {})
    await asyncio.sleep(0)
    await wrong.append("future", {})  # pending, while the first one is refused
    with pytest.raises(IntegrityError):
        await asyncio.wait_for(wrong.flush(), WAIT_S)
    later = await new_log()
    await later.append("future", {})
    await asyncio.wait_for(later.flush(), WAIT_S)
    assert (len(await stored(wrong)), len(await stored(later))) == (1, 1)


async def test_commit_that_was_done_though_nobody_said_so(new_log: NewLog) -> None:
    """The connection broke between the commit and its acknowledgement."""
    log = await new_log()
    entries = [Entry(seq, "future", f'{{"n": {seq}}}', timezone.now()) for seq in (1, 2, 3)]
    await in_thread(events.insert_entries, log.generation_id, entries[:2])
    for again in (entries, entries[1:], entries):
        await in_thread(events.insert_entries, log.generation_id, again)
    assert await stored(log) == entries


async def test_group_of_which_a_part_is_there_or_taken_away(new_log: NewLog) -> None:
    """The others' rows are written all the same, and what is there already stays as it is."""
    entries = [Entry(seq, "future", "{}", timezone.now()) for seq in (1, 2)]
    new, known, taken = [await new_log() for _ in range(3)]
    await in_thread(events.insert_entries, known.generation_id, entries[:1])
    await Generation.objects.filter(pk=taken.generation_id).aupdate(owner=None)
    written = await in_thread(rows.write, dict.fromkeys((new, known, taken), entries))
    assert written == {new.generation_id, known.generation_id}
    assert [await stored(log) for log in (new, known, taken)] == [entries, entries, []]


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "other",
    [
        Entry(1, "past", "{}", NOON),
        Entry(1, "future", "[]", NOON),
        Entry(1, "future", "{}", NOON + timedelta(microseconds=1)),
    ],
)
async def test_another_event_under_the_same_number(new_log: NewLog, other: Entry) -> None:
    log = await new_log()
    entry = Entry(1, "future", "{}", NOON)
    await in_thread(events.insert_entries, log.generation_id, [entry])
    with pytest.raises(IntegrityError):
        await in_thread(events.insert_entries, log.generation_id, [other])
    assert await stored(log) == [entry]


# Back-pressure


@SQLITE_ONLY
async def test_writer_waits_when_too_much_is_pending(new_log: NewLog) -> None:
    log = await new_log()
    with locked_database():
        await log.append(*delta("x" * (MAX_PENDING_CHARS - 10)))
        await asyncio.sleep(0.05)  # the commit has taken it, and waits for the lock
        await log.append(*delta("y" * (MAX_PENDING_CHARS - 10)))
        blocked = asyncio.ensure_future(log.append(*delta("z" * 20)))
        done, _ = await asyncio.wait([blocked], timeout=0.1)
        assert not done
    await asyncio.wait_for(blocked, WAIT_S)
    assert len("".join(texts(await stored(log)))) >= 2 * MAX_PENDING_CHARS - 20


@SQLITE_ONLY
async def test_small_deltas_do_not_block_before_the_bound(new_log: NewLog) -> None:
    """Half of the bound, in pieces of ten characters that are joined as they wait."""
    log = await new_log()
    with locked_database():
        await log.append("message_start", {})
        await asyncio.sleep(0.05)
        async with asyncio.timeout(WAIT_S):
            for _ in range(MAX_PENDING_CHARS // 20):
                await log.append(*delta("ten chars "))
    await asyncio.wait_for(log.flush(), WAIT_S)


class locked_database:  # noqa: N801  (reads as a statement)
    """Hold the write lock of the SQLite file from another connection."""

    def __enter__(self) -> None:
        name = connection.settings_dict["NAME"]
        self._other = sqlite3.connect(name, isolation_level=None)
        self._other.execute("BEGIN IMMEDIATE")

    def __exit__(self, *error: object) -> None:
        self._other.execute("ROLLBACK")
        self._other.close()


@SQLITE_ONLY
async def test_nothing_is_lost_while_the_database_is_locked(new_log: NewLog) -> None:
    logs = [await new_log() for _ in range(3)]
    with locked_database():
        for number in range(30):
            for log in logs:
                await log.append(*delta(f"{number} "))
            await asyncio.sleep(0.01)
        assert all(not log.since(0) for log in logs)
    for log in logs:
        await asyncio.wait_for(log.flush(), WAIT_S)
        deltas = [json.loads(e.data)["delta"]["text"] for e in await stored(log)]
        assert "".join(deltas) == "".join(f"{n} " for n in range(30))


@SQLITE_ONLY
async def test_commit_is_tried_again_when_the_lock_outlasts_sqlite(
    new_log: NewLog, committer: Committer
) -> None:
    """A connection that gives up at once, as SQLite's does after its own time-out."""
    log = await new_log()

    def be_impatient() -> None:
        connections["default"].ensure_connection()
        connections["default"].connection.execute("PRAGMA busy_timeout=1")

    await committer._thread.call(be_impatient)
    with locked_database():
        await log.append(*delta("kept"))
        await asyncio.sleep(0.3)
    await asyncio.wait_for(log.flush(), WAIT_S)
    assert texts(await stored(log)) == ["text_deltakept"]


# Reading


async def collect(generation_id: int, after: int = 0) -> list[Entry]:
    async with asyncio.timeout(WAIT_S):
        return [entry async for entry in events.follow(generation_id, after)]


async def written(new_log: NewLog, count: int = 10) -> Log:
    log: Log = await new_log()
    for number in range(count):
        await log.append("future", {"number": number})
    await log.flush()
    return log


@pytest.mark.parametrize("after", [0, 1, 4, 9, 10])
async def test_follow_from_anywhere(new_log: NewLog, after: int) -> None:
    log = await written(new_log)
    await end(log)
    assert [e.seq for e in await collect(log.generation_id, after)] == list(range(after + 1, 12))


@pytest.mark.parametrize("after", [11, 12, 10**9])
async def test_follow_behind_the_end(new_log: NewLog, after: int) -> None:
    log = await written(new_log)
    await end(log)
    assert await collect(log.generation_id, after) == []


async def test_follow_an_unknown_generation(new_log: NewLog) -> None:
    assert await collect(10**9) == []


async def test_follow_while_it_is_written(new_log: NewLog) -> None:
    log = await new_log()
    readers = [asyncio.create_task(collect(log.generation_id, after)) for after in (0, 0, 3)]
    for number in range(50):
        await log.append("future", {"number": number})
        await asyncio.sleep(0)
    await end(log)
    one, two, late = await asyncio.gather(*readers)
    assert one == two == await stored(log)
    assert late == one[3:]


async def test_memory_and_database_tell_the_same(new_log: NewLog) -> None:
    log = await written(new_log)
    for after in range(11):
        from_memory = log.since(after)
        assert from_memory is not None
        from_rows = await in_thread(events.read, log.generation_id, after)
        assert [e[:3] for e in from_memory] == [e[:3] for e in from_rows]
        assert [e.at for e in from_memory] == [e.at for e in from_rows]


async def test_reader_behind_what_memory_holds(new_log: NewLog) -> None:
    log = await new_log()
    for number in range(6):
        await log.append("future", {"text": str(number) * 400_000})
        await log.flush()
    assert log.since(0) is None
    reader = asyncio.create_task(collect(log.generation_id))
    await end(log)
    assert [e.seq for e in await reader] == [1, 2, 3, 4, 5, 6, 7]


async def test_reader_in_another_process(new_log: NewLog) -> None:
    """No memory and no rings: it looks for itself, within a second."""
    log = await written(new_log)
    live_logs.clear()
    with Follower(log.generation_id) as follower:
        assert len(await follower.next()) == 10
        row = Entry(11, "future", "{}", timezone.now())
        await in_thread(events.insert_entries, log.generation_id, [row])
        async with asyncio.timeout(WAIT_S):
            assert [e.seq for e in await follower.next()] == [11]


async def test_reader_who_is_told_asks_the_database_only_where_it_must(new_log: NewLog) -> None:
    log = await written(new_log)
    live_logs.clear()
    rows = [Entry(seq, "future", "{}", timezone.now()) for seq in range(11, 15)]
    with Follower(log.generation_id) as follower:
        assert len(await follower.next()) == 10
        # Nowhere else than in memory.
        far.take(log.generation_id, rows[:1])
        assert await follower.next(WAIT_S) == rows[:1]
        # One that was lost on its way stands in the database, and so does what no one told of.
        await in_thread(events.insert_entries, log.generation_id, rows)
        far.take(log.generation_id, rows[2:3])
        assert await follower.next(WAIT_S) == rows[1:]


async def test_follower_times_out(new_log: NewLog) -> None:
    log = await written(new_log)
    with Follower(log.generation_id, after=10) as follower:
        assert await follower.next(0.05) == []
        assert not follower.has_ended


async def test_follower_ends_with_a_deleted_generation(new_log: NewLog, alice: User) -> None:
    log = await written(new_log)
    conversation = await Conversation.objects.aget(generations=log.generation_id)
    reader = asyncio.create_task(collect(log.generation_id))
    await in_thread(services.delete, alice, conversation.pk)
    await log.append("future", {})
    with pytest.raises(LogClosed):
        await log.flush()
    log.close(None)
    assert len(await reader) in (0, 10)


async def test_final_that_came_by_other_means(new_log: NewLog) -> None:
    """Whoever found the generation without an owner ended it: readers hear of it."""
    log = await written(new_log)
    reader = asyncio.create_task(collect(log.generation_id, 5))
    live_logs.clear()
    await end(log)
    assert [e.seq for e in await reader] == [6, 7, 8, 9, 10, 11]


async def test_thousand_rows_are_read_in_pieces(new_log: NewLog) -> None:
    log = await written(new_log, 1_234)
    await end(log)
    live_logs.clear()
    assert [e.seq for e in await collect(log.generation_id)] == list(range(1, 1_236))


async def read_in_parts(log: Log) -> list[list[Entry]]:
    """Return what a reader in another process gets at once, each time."""
    live_logs.clear()
    parts = []
    with Follower(log.generation_id) as follower:
        while part := await follower.next(0.05):
            parts.append(part)
    return parts


async def test_large_events_are_read_by_their_size(new_log: NewLog) -> None:
    log = await new_log()
    for size in (10, *[READ_CHARS * 3 // 10] * 3, 2 * READ_CHARS, 10, 10):
        await log.append("future", {"text": "x" * size})
        await log.flush()
    parts = await read_in_parts(log)
    assert [[e.seq for e in part] for part in parts] == [[1, 2, 3, 4, 5], [6, 7]]


async def test_small_events_are_read_by_their_number(new_log: NewLog) -> None:
    parts = await read_in_parts(await written(new_log, READ_ROWS + 1))
    assert [len(part) for part in parts] == [READ_ROWS, 1]


async def test_end_of_a_request_is_rung(new_log: NewLog) -> None:
    log = await new_log()
    with events.Bell(events.end_topic(log.generation_id)) as bell:
        await log.append(*delta("more"))
        await log.flush()
        assert not await bell.wait(0)
        await log.append("message_stop", {"type": "message_stop"})
        await log.flush()
        assert await bell.wait(0)
