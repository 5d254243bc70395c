"""A site under test, alone with SQLite or several processes with PostgreSQL and Redis.

people -> (nginx) -> sites -> upstream (a Proxy) -> the scripted model server
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from deploy.servers import Nginx, Postgres, Redis, Site
from tests.faults.people import Person, make_people
from tests.faults.records import Records
from tests.faults.speech import Speech
from tests.proxy import Proxy

Mode = Literal["single", "multi"]
MODES: tuple[Mode, ...] = ("single", "multi")

SETTINGS = {
    "DEBUG": "off",
    "SECURE_SSL_REDIRECT": "off",
    "SECURE_COOKIES": "off",
    "ANTHROPIC_API_KEY": "sk-ant-of-the-tests",
    "CHAT_READ_TIMEOUT_S": "5",
    "CHAT_DRAIN_S": "10",
    # Each round of tools is one more request; the checker knows how many there may be without.
    "CHAT_TOOLS": "none",
    # Nobody sends as fast as the tests do.
    "CHAT_SENDS_PER_MINUTE": "10000",
}
PEOPLE = 300  # made at a time; enough for a run of the short tests


class Place:
    """A context manager: all of it runs inside the block.

    Args:
        processes: of the site; more than one needs the mode `multi`.
        settings: on top of, or instead of, SETTINGS.
    """

    def __init__(
        self,
        mode: Mode,
        folder: Path,
        model: DemoThread,
        *,
        processes: int = 1,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.mode = mode
        self.folder = folder
        self.model = model
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        database_url = f"sqlite:///{folder / 'site.sqlite3'}"
        if mode == "multi":
            self.postgres = Postgres(folder / "postgres")
            self.redis = Redis(folder)
            database_url = self.postgres.url
        self.upstream = Proxy(int(model.base_url.rpartition(":")[2]))
        self._settings = {
            **SETTINGS,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url if self.redis else "",
            "STATIC_ROOT": str(folder / "static"),
            **(settings or {}),
        }
        self.records = Records(self._settings["DATABASE_URL"])
        self._processes = processes
        self._people: list[Person] = []
        self.sites: list[Site] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.upstream)
            for server in (self.postgres, self.redis):
                if server:
                    stack.enter_context(server)
            settings = {**self._settings, "ANTHROPIC_BASE_URL": self.upstream.base_url}
            self.sites = [
                Site(f"site-{n}", self.folder, settings) for n in range(1, self._processes + 1)
            ]
            first = self.sites[0]
            first.manage("collectstatic", "--noinput", "--verbosity=0")
            first.manage("migrate", "--verbosity=0")
            for site in self.sites:
                stack.callback(site.kill)
                site.begin()
            for site in self.sites:
                site.wait_until_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def person(self) -> Person:
        """Return somebody whom no test has met yet."""
        self.gather(1)
        return self._people.pop()

    def gather(self, people: int) -> None:
        """Have so many people ready, whatever becomes of the database; PEOPLE at most."""
        if len(self._people) < people:
            self._people += make_people(self.sites[0], secrets.token_hex(4), PEOPLE)

    def speak(self, *, interval_s: float) -> tuple[str, Speech]:
        """Script an answer that goes on until it is told to end; return its scenario with it."""
        name, speech = f"speech-{secrets.token_hex(16)}", Speech()
        self.model.script(name, Text(speech, interval_s=interval_s))
        return name, speech

    def owner_of(self, path: str) -> Site:
        """Return the process that writes the newest answer of a conversation: it is taken."""
        number = self.records.owner_pid(self.records.newest(path))
        return next(site for site in self.sites if site.is_alive and site.pid == number)

    def mend(self) -> None:
        """Have everything run and pass again, whatever the last test did to it."""
        self.upstream.put_back()
        self.upstream.release()
        self.upstream.delay(0)
        self.upstream.cut_after(None)
        self.upstream.crumble(None)
        for program in (self.postgres, self.redis, *self.sites):
            if program:
                program.go_on()
                if not program.is_alive:
                    program.start()
        if self.redis:
            self.redis.ask("CONFIG SET maxmemory 0")

    def log_text(self) -> str:
        return "".join(site.read_log() for site in self.sites)

    @contextlib.contextmanager
    def nginx(self, sites: Sequence[Site] | None = None) -> Iterator[Nginx]:
        """Run nginx in front of the sites while the block lasts."""
        with Nginx(self.folder, sites or self.sites) as nginx:
            yield nginx
