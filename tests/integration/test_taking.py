"""An answer is taken in the thread that queued it, whatever comes before it begins."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError

from chat import generation, services
from chat import worker as workers
from chat.demo.thread import DemoThread
from chat.generation import Runtime, Taken
from chat.models import Generation, User
from chat.worker import Worker
from tests.conftest import make_runtime
from tests.integration.answers import answered, calls, check_log, finished, prompt, send

pytestmark = pytest.mark.asyncio

WAIT_S = 20.0

Between = Callable[[Callable[[Generation], None]], None]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Has something done in the thread that has taken an answer, before it is begun."""

    def set_up(do: Callable[[Generation], None]) -> None:
        def take(queued: Generation, owner: User, runtime: Runtime) -> Taken | None:
            taken = generation.take(queued, owner, runtime)
            do(queued)
            return taken

        monkeypatch.setattr(workers, "take", take)

    return set_up


async def test_taken_when_it_is_sent(worker: Worker, alice: User, between: Between) -> None:
    seen: list[tuple[str, object]] = []

    def look(taken: Generation) -> None:
        row = Generation.objects.get(pk=taken.pk)
        seen.append((row.status, row.owner_id))
        assert (taken.status, taken.owner_id, taken.started_at) == (*seen[-1], row.started_at)

    between(look)
    ended = await answered(alice, prompt("whole"))
    assert seen == [("streaming", worker.process_id)]
    assert ended.status == "complete"
    await check_log(ended)


async def test_stop_before_it_begins(
    worker: Worker, model: DemoThread, alice: User, between: Between
) -> None:
    between(lambda taken: void(services.stop(alice, taken.pk)))
    ended = await answered(alice, prompt("whole"))
    assert ended.status == "stopped"
    assert ended.message.parent is not None
    assert calls(model, ended.message.parent) == []
    await check_log(ended)


async def test_stop_before_it_is_taken(
    worker: Worker, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(queued: Generation, owner: User, runtime: Runtime) -> Taken | None:
        services.stop(alice, queued.pk)
        return generation.take(queued, owner, runtime)

    monkeypatch.setattr(workers, "take", take)
    ended = await answered(alice, prompt("whole"))
    assert ended.status == "stopped"
    await check_log(ended)


async def test_deleted_before_it_begins(worker: Worker, alice: User, between: Between) -> None:
    between(lambda taken: services.delete(alice, taken.conversation_id))
    with pytest.raises(Generation.DoesNotExist):
        await send(alice, prompt("whole"))
    async with asyncio.timeout(WAIT_S):
        while worker._tasks:
            await asyncio.wait(worker._tasks.values())


async def test_heartbeat_before_it_begins(worker: Worker, alice: User, between: Between) -> None:
    """It does not take for lost what has no task yet."""
    loop = asyncio.get_running_loop()

    def beat(taken: Generation) -> None:
        looking = worker._look_after(is_rung=True)
        assert asyncio.run_coroutine_threadsafe(looking, loop).result(WAIT_S)

    between(beat)
    ended = await answered(alice, prompt("whole"))
    assert ended.status == "complete"
    await check_log(ended)


@pytest.mark.parametrize(("drain_s", "status"), [(WAIT_S, "complete"), (0, "interrupted")])
async def test_drain_waits_for_what_is_being_taken(
    transactional_db: None,
    model: DemoThread,
    alice: User,
    between: Between,
    drain_s: float,
    status: str,
) -> None:
    leaving = Worker(make_runtime(model), heartbeat_s=0.2)
    await leaving.begin()
    is_taken, may_begin = threading.Event(), threading.Event()

    def hold(taken: Generation) -> None:
        is_taken.set()
        assert may_begin.wait(WAIT_S)

    between(hold)
    sending = asyncio.create_task(send(alice, prompt("whole")))
    assert await asyncio.to_thread(is_taken.wait, WAIT_S)
    draining = asyncio.create_task(leaving.drain(drain_s))
    while not (leaving._is_over or drain_s):
        await asyncio.sleep(0)
    may_begin.set()
    ended = await finished(await sending)
    await draining
    assert ended.status == status
    await check_log(ended)


@pytest.mark.parametrize("error", [OperationalError("the connection is gone"), MemoryError()])
async def test_what_could_not_be_taken_at_once(
    worker: Worker, alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def take(queued: Generation, owner: User, runtime: Runtime) -> Taken | None:
        raise error

    monkeypatch.setattr(workers, "take", take)
    ended = await answered(alice, prompt("whole"))
    assert ended.status == "complete"
    await check_log(ended)


def void(_: object) -> None:
    """Return nothing."""
