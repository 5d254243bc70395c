"""A site under test: `manage.py serve` as a process that can be killed and started again."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 30.0
ADMIN_PASSWORD = "a pass phrase of the admin"


class SiteProcess:
    """A context manager: started on entry, killed on exit. Accounts are made by `add_user`.

    Args:
        folder: for the database and the log.
        environment: variables on top of the test's own.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "site.sqlite3"
        self.log = folder / "site.log"
        self._environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CHAT_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.manage("setup")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start serving; return when the site answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def kill(self) -> None:
        """End the process as a crash would: `kill -9`."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask the process to end, as a deploy does; return its exit code."""
        return self._signal(signal.SIGTERM)

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command against the site's database; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def add_user(self, name: str, password: str) -> None:
        code = (
            f"from chat.models import User; User.objects.create_user({name!r}, None, {password!r})"
        )
        self.manage("shell", "--command", code)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows of the site's database."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            connection.close()

    def _signal(self, number: int) -> int:
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        self._process = None
        return process.wait(timeout=60)

    def _wait_until_it_answers(self) -> None:
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < give_up_at:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    connection.close()
                    return
            except OSError:
                # No event tells of a listening socket: asking is the only way.
                time.sleep(0.05)
        raise AssertionError(f"the site did not start:\n{self.log.read_text()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
