"""What all tests share: the environment, users, the model server, a worker, a whole site."""

from __future__ import annotations

import asyncio
import asyncio.constants
import gc
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from django.conf import settings
from django.db import connections
from pytest_django import Settings

from chat.claude.stream import Claude
from chat.demo.pace import Pace
from chat.demo.thread import DemoThread
from chat.events import Committer
from chat.generation import Runtime
from chat.models import User
from chat.worker import Worker
from tests.faults import verdicts
from tests.site_process import SiteProcess
from tests.turns import turn

# Debugging, asyncio keeps where each future was made, as deep as this: a quarter of all the time.
asyncio.constants.DEBUG_STACK_DEPTH = 1  # type: ignore[misc]

QUICK = Pace(first_word_s=0.0, tokens_per_s=1_000_000.0)


@pytest.fixture(autouse=True)
def no_static_files(settings: Settings) -> None:
    """Have the sites that are processes of their own serve them: to list them takes 0.1 s."""
    settings.SERVESTATIC_USE_FINDERS = settings.SERVESTATIC_USE_STATIC_ROOT = False


@pytest.fixture(scope="session")
def model() -> Iterator[DemoThread]:
    """The model server, as fast as it goes; scenarios give it a pace of their own."""
    with DemoThread(pace=QUICK) as server:
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each run a SQLite file of its own, so that two runs at once do not share one."""
    if settings.IS_SQLITE:
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connections["default"].settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", password="a pass phrase of alice")


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("bob", password="a pass phrase of bob")


def make_runtime(model: DemoThread) -> Runtime:
    claude = Claude(api_key="none", base_url=model.base_url, connect_timeout_s=5, read_timeout_s=1)
    return Runtime(
        process_id=uuid.uuid4(),
        claude=claude,
        committer=Committer(),
        max_tokens=16_000,
        system="",
        max_retry_wait_s=30,
    )


@pytest_asyncio.fixture
async def worker(transactional_db: None, model: DemoThread) -> AsyncIterator[Worker]:
    """A worker of this process in the test's loop; nothing of it is left afterwards."""
    async with working(make_runtime(model)) as begun:
        yield begun


@asynccontextmanager
async def working(runtime: Runtime) -> AsyncIterator[Worker]:
    """Run a worker for as long as the block lasts."""
    begun = Worker(runtime, heartbeat_s=0.2)
    await begun.begin()
    try:
        yield begun
    finally:
        await begun.drain(0)
    # A task that nobody owns any more is a bug, even where it does no harm.
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(scope="session")
def site(model: DemoThread) -> Iterator[SiteProcess]:
    """The whole site as a process of its own, with a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        running = SiteProcess(Path(folder), {"ANTHROPIC_BASE_URL": model.base_url})
        with running:
            yield running


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two for each core: tests wait for servers about a third of their time."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have no collection of garbage look through the tests themselves, of which there are many."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test marked `alone` while the other processes of the run wait."""
    with turn(is_alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the fault suite, where it ran."""
    reports = (
        report for key in ("passed", "failed") for report in terminalreporter.getreports(key)
    )
    if rows := verdicts.collected(reports):
        verdicts.write(rows)
        terminalreporter.section("faults")
        for line in verdicts.table(rows):
            terminalreporter.line(line)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last: Playwright keeps a loop running in the main thread."""
    items.sort(key=lambda item: "browser" in item.path.parts)
