"""A shell that stays open, as somebody who follows a guide has one."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Self

STEP_TIMEOUT_S = 900.0
_DONE = "this step is done"


class StepFailed(Exception):
    """A command failed, or took too long; the message holds what was printed."""


class Shell:
    """A bash that runs one step after the other; a context manager.

    Variables and the folder stay from step to step. The first command that fails ends it.

    Args:
        command: starts bash.
        root: the folder that bash has as its root; steps are put into its /root.
    """

    def __init__(self, command: list[str], root: Path) -> None:
        self._command = command
        self._root = root
        self._steps = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._type("set -euo pipefail")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, commands: str) -> str:
        """Run one step; return what it printed.

        Raises:
            StepFailed: a command failed, or STEP_TIMEOUT_S was over.
        """
        self._steps += 1
        step = f"root/step-{self._steps}.sh"
        (self._root / step).write_text(commands)
        # From a file, because commands that read their input would read the next ones.
        self._type(f". /{step} </dev/null\necho; echo '{_DONE}'")
        watchdog = threading.Timer(STEP_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            return self._read_until_done(commands)
        finally:
            watchdog.cancel()

    def _read_until_done(self, commands: str) -> str:
        assert self._process.stdout is not None
        printed: list[str] = []
        for line in self._process.stdout:
            if line == f"{_DONE}\n":
                return "".join(printed).strip()
            printed.append(line)
        raise StepFailed(f"this step failed:\n{commands}\n{''.join(printed)[-4000:]}")

    def _type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
