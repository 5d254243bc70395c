"""Management commands as a person runs them: processes with pipes, signals, or a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

from tests.site_process import ROOT, SiteProcess

END_S = 60.0


class Running:
    """A command that runs; its output is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.text = b""

    @property
    def stdout(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def read_until(self, words: bytes) -> None:
        """Read what it writes until some words have come."""
        while words not in self.text:
            came = os.read(self.stdout.fileno(), 65_536)
            assert came, self.process.communicate()[1].decode()
            self.text += came

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Send a signal, where one is given; return exit code, whole output and errors."""
        if number is not None:
            self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=END_S)
        return self.process.returncode, (self.text + out).decode(), errors.decode()

    def close_output(self) -> tuple[int, str]:
        """Read no more, as `head` does; return exit code and errors."""
        self.stdout.close()
        assert self.process.stderr is not None
        errors = self.process.stderr.read().decode()
        return self.process.wait(END_S), errors


@contextlib.contextmanager
def running(site: SiteProcess, *arguments: str, stdin: bytes = b"") -> Iterator[Running]:
    """Run a command; kill it, where it has not ended, on exit."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=site.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
            yield Running(process)
        finally:
            process.kill()


def run(site: SiteProcess, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a command to its end; return exit code, output and errors."""
    with running(site, *arguments, stdin=stdin) as command:
        return command.end()


def run_on_terminal(site: SiteProcess, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; return its exit code and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=site.environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    # Where the last process has closed a terminal, Linux reports an error to who reads it (EIO).
    with process, os.fdopen(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):
        while came := screen.read(65_536):
            shown += came
    return process.wait(END_S), shown.decode()
