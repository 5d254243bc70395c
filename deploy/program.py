"""Programs that run beside each other on one machine: started, ended, held up, waited for.

Nothing here knows what a program is for (cluster.py does).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

PORTS = range(20_000, 32_000)

START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 60.0
POLL_S = 0.02


class StartFailed(Exception):
    """A program did not become ready; the message holds the end of its log."""


class Program:
    """A child process with a log. A context manager: started on entry, killed on exit.

    Args:
        name: names its log in `folder`.
        is_ready: whether it can be used; may raise OSError as long as it can't.
        user: the account to run as, where this process may choose one.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = list(command)
        self._is_ready = is_ready
        self._environment = environment
        self._cwd = cwd or folder
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The number of the process, which has to run."""
        assert self._process is not None, f"{self.name} does not run"  # noqa: S101
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Start the program without waiting for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (commands of our own)
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                # Ctrl-C in a terminal is for whoever started it, who then ends it in order.
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the program; return when it can be used.

        Raises:
            StartFailed: it ended, or was not ready within START_TIMEOUT_S.
        """
        self.begin()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while self.is_alive and time.monotonic() < give_up_at:
            try:
                if self._is_ready():
                    return
            except OSError:
                pass
            # No event tells of another program's readiness: asking is the only way.
            time.sleep(POLL_S)
        self.kill()
        raise StartFailed(f"{self.name} did not start:\n{self.read_log()[-4000:]}")

    def send_signal(self, number: int) -> None:
        if self.is_alive:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a crash would: `kill -9`, everything that it started included."""
        if self._process is not None:
            # Its children too: PostgreSQL's would go on writing for a moment. Of one that has
            # ended, the number may be somebody else's by now.
            if self.is_alive:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(END_TIMEOUT_S)
            self._process = None

    def terminate(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code when it has."""
        self.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit code. Raises: TimeoutExpired."""
        if self._process is None:
            return 0
        code = self._process.wait(END_TIMEOUT_S)
        self._process = None
        return code

    def hold(self) -> None:
        """Have it do nothing, with its connections open."""
        self.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.send_signal(signal.SIGCONT)

    def read_log(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def free_port() -> int:
    """Return a port of the loopback interface that is free at this moment.

    One that no system gives to a connection by itself (Linux: 32768 and more), so that it stays so.
    """
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")


def listens(port: int) -> bool:
    """Whether something takes connections at a port. Raises: OSError where nothing does."""
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
