"""The driver as a process of its own (driver.py), for whoever measures something meanwhile."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Self

from deploy.servers import ROOT
from tests.load.job import PATIENCE_S, Job, Result


class Driving:
    """A context manager: on entry all readers are open, on exit they are gone."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.driver"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._say(self._job.to_json())
            self._line(PATIENCE_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, look: Callable[[], object] | None = None, every_s: float = 1.0) -> Result:
        """Have all answers written; return what the driver measured.

        Args:
            look: called again and again meanwhile, after `every_s` each.
        """
        self._say("go")
        return Result.from_json(self._line(self._job.timeout_s + PATIENCE_S, look, every_s))

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(
        self, timeout_s: float, look: Callable[[], object] | None = None, every_s: float = 1.0
    ) -> str:
        """Return the next line. Raises: TimeoutError, RuntimeError where the driver has ended."""
        stdout = self._process.stdout
        assert stdout
        give_up_at = time.monotonic() + timeout_s
        while not select.select([stdout], [], [], every_s)[0]:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"the driver said nothing within {timeout_s:.0f} s")
            if look:
                look()
        if line := stdout.readline():
            return line
        raise RuntimeError("the driver has ended; what it died of stands above")
