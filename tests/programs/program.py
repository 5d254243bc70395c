"""A program of somebody's: a process that knows the site's address and a token, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.programs.npm_packages import find_node

NODE_PROGRAMS = Path(__file__).parent / "node"
TIMEOUT_S = 120.0


class Account(NamedTuple):
    """Where a program is sent, and the token that it is given."""

    base_url: str
    token: str

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a program."""
        path = os.environ.get("PATH", "")
        return {"PATH": path, "CHAT_URL": self.base_url, "CHAT_TOKEN": self.token, **more}

    def at(self, base_url: str) -> Self:
        """Return the same account, reached by another address."""
        return self._replace(base_url=base_url)


class Answer(NamedTuple):
    """What the site has stored of an answer."""

    text: str
    status: str
    error_code: str
    generation_id: int


FindAnswer = Callable[[str], Answer]


def run(account: Account, command: Sequence[str], **environment: str) -> str:
    """Run a program to its end; return what it wrote. It has to end well."""
    done = subprocess.run(
        command,
        env=account.environment(**environment),
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    written = done.stdout.decode()
    assert done.returncode == 0, f"{written[-2000:]}\n{done.stderr.decode()[-4000:]}"
    return written


def start(account: Account, command: Sequence[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start a program whose output can be read as it comes."""
    return subprocess.Popen(
        command, env=account.environment(**environment), stdout=subprocess.PIPE, bufsize=0
    )


def node(name: str) -> list[str]:
    """Return the command of one of our programs for Node.js."""
    return [find_node(), str(NODE_PROGRAMS / f"{name}.mjs")]


def python(file: Path) -> list[str]:
    return [sys.executable, str(file)]


def json_lines(written: str) -> list[Any]:
    return [json.loads(line) for line in written.splitlines()]
