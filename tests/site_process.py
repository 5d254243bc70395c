"""A site under test: a server as a process that can be killed, held up and started again."""

from __future__ import annotations

import atexit
import contextlib
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from deploy.servers import ROOT, Site
from tests.site_database import SiteDatabase

__all__ = ["ADMIN_PASSWORD", "ROOT", "SERVERS", "Server", "SiteProcess"]

ADMIN_PASSWORD = "a pass phrase of the admin"

Server = Literal["serve", "daphne", "uvicorn", "granian"]
SERVERS: Mapping[Server, list[str]] = {
    "serve": ["manage.py", "serve", "--port", "{port}"],
    "daphne": ["-m", "daphne", "--verbosity", "0", "--port", "{port}", "chatsite.asgi:application"],
    # Without a limit it waits for ever for a client that does not read.
    "uvicorn": [
        *("-m", "uvicorn", "--port", "{port}", "--timeout-graceful-shutdown", "5"),
        *("--loop", "chat.lanes:new_event_loop", "--ws-per-message-deflate", "false"),
        *("--log-level", "warning", "chatsite.asgi:application"),
    ],
    "granian": [
        *("-m", "granian", "--interface", "asgi", "--port", "{port}"),
        *("--log-level", "warning", "chatsite.asgi:application"),
    ],
}


@functools.cache
def _set_up_database() -> SiteDatabase:
    """Set a database up, once in a process of tests: to copy it takes no time."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    database = stack.enter_context(SiteDatabase(folder))
    settings = {"DATABASE_URL": database.url, "CHAT_ADMIN_PASSWORD": ADMIN_PASSWORD}
    Site("setup", folder, settings).manage("setup")
    return database


class SiteProcess(Site):
    """A context manager: started on entry with an admin, killed on exit, its database dropped.

    Args:
        folder: for the database and the log.
        environment: variables on top of the test's own.
        beside: another process, which is there for longer and whose database this one shares.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        server: Server = "serve",
        beside: SiteProcess | None = None,
    ) -> None:
        self._is_first = beside is None
        self._stack = contextlib.ExitStack()
        self.database: SiteDatabase = (
            beside.database if beside else SiteDatabase(folder, _set_up_database())
        )
        settings = {
            "DATABASE_URL": self.database.url,
            "CHAT_ADMIN_PASSWORD": ADMIN_PASSWORD,
            **environment,
        }
        # What the environment names instead is empty.
        self._needs_setup = self._is_first and "DATABASE_URL" in environment
        super().__init__("site", folder, settings, command=SERVERS[server])

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            if self._is_first:
                stack.enter_context(self.database)
            if self._needs_setup:
                self.manage("setup")
            stack.callback(self.kill)
            self.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add_user(self, name: str, password: str) -> None:
        code = (
            f"from chat.models import User; User.objects.create_user({name!r}, None, {password!r})"
        )
        self.manage("shell", "--command", code)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows of the site's database; `?` stands for a parameter."""
        return self.database.rows(query, *parameters)
