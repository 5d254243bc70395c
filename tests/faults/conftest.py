"""The fault suite's fixtures: the sites under test, and the table of verdicts."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from chat.demo.thread import DemoThread
from deploy.servers import ProgramMissing
from tests.faults.place import MODES, Mode, Place
from tests.faults.verdicts import Verdicts


@contextlib.contextmanager
def missing_program_is_said() -> Iterator[None]:
    """Skip where a server is not installed; in CI that is a failure."""
    try:
        yield
    except ProgramMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL and nginx can enter, under accounts of their own."""
    with tempfile.TemporaryDirectory(prefix="chat-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def chiefly(mode: Mode) -> pytest.MarkDecorator:
    """Run a test on this kind of site; on the others in `make faults` alone."""
    modes = [m if m == mode else pytest.param(m, marks=pytest.mark.long) for m in MODES]
    return pytest.mark.parametrize("place", modes, indirect=True)


class Places:
    """Makes each place once, when the first test asks for it."""

    def __init__(self, model: DemoThread, stack: contextlib.ExitStack) -> None:
        self._model = model
        self._stack = stack
        self._places: dict[Mode, Place] = {}

    def get(self, mode: Mode) -> Place:
        if mode not in self._places:
            folder = self._stack.enter_context(open_folder())
            with missing_program_is_said():
                made = Place(mode, folder, self._model, processes=1 if mode == "single" else 2)
            self._places[mode] = self._stack.enter_context(made)
        place = self._places[mode]
        place.mend()
        return place


@pytest.fixture(scope="session")
def places(model: DemoThread) -> Iterator[Places]:
    with contextlib.ExitStack() as stack:
        yield Places(model, stack)


@pytest.fixture(params=MODES)
def place(request: pytest.FixtureRequest, places: Places) -> Place:
    """Each kind of site in turn, whole at the start of every test."""
    return places.get(cast(Mode, request.param))


@pytest.fixture
def multi(places: Places) -> Place:
    """Two processes with PostgreSQL and Redis."""
    return places.get("multi")


@pytest.fixture
def single(places: Places) -> Place:
    """One process with SQLite."""
    return places.get("single")


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Verdicts:
    """Enter a row into the table: `verdict(fault, promise, measured, holds=...)`."""
    callspec = getattr(request.node, "callspec", None)
    usual = "single" if "single" in request.fixturenames else "multi"
    mode = callspec.params.get("place", usual) if callspec else usual
    return Verdicts(request.node, str(mode))
