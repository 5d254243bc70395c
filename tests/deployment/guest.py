"""Somebody beside the machine who uses its site: visit.py as a process in the machine's network."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.servers import ROOT

VISIT_TIMEOUT_S = 300.0


class VisitFailed(Exception):
    """The site did not do what it has to; the message holds what the visit printed."""


class Guest:
    """Signs in as admin on each visit; `session_keys` are of the people who stay.

    Args:
        beside: turns a command into one that runs in the machine's network.
        certificate: the one that the site shows.
    """

    def __init__(
        self, base_url: str, beside: Callable[[list[str]], list[str]], certificate: Path
    ) -> None:
        self.password = ""
        self.session_keys: list[str] = []
        self._base_url = base_url
        self._beside = beside
        self._certificate = certificate

    def visit(self, verb: str, *arguments: str) -> str:
        """Visit the site once; return the last line that visit.py printed."""
        with self._begin(verb, *arguments) as process:
            return _result(process)

    @contextlib.contextmanager
    def staying(self, report: Callable[[str], None]) -> Iterator[None]:
        """Have answers written and prompts sent as long as the block runs; report how it went."""
        with self._begin("stay") as process:
            assert process.stdout is not None
            if process.stdout.readline():  # else it has failed already
                yield
            report(_result(process))

    @contextlib.contextmanager
    def _begin(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "tests.deployment.visit", self._base_url, *arguments]
        environment = {
            "CHAT_ADMIN_PASSWORD": self.password,
            "CHAT_SESSION_KEYS": " ".join(self.session_keys),
            "SSL_CERT_FILE": str(self._certificate),
        }
        process = subprocess.Popen(
            self._beside(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def _result(process: subprocess.Popen[str]) -> str:
    """End the input of a visit; return its last line. Raises: VisitFailed."""
    printed, _ = process.communicate(timeout=VISIT_TIMEOUT_S)
    if process.returncode:
        raise VisitFailed(printed)
    return printed.strip().splitlines()[-1]
