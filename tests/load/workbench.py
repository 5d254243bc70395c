"""What is measured, and what it is measured with: sites, the bare relay, the model server.

accounts -> (driver) -> contender -> upstream
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from deploy.program import Program, free_port, listens
from deploy.servers import ROOT, Postgres, Redis, Site
from tests.load.job import NOBODY, Account, Job, Way
from tests.load.processes import Memory, cpu_s, memory
from tests.site_process import SERVERS

Place = Literal["daphne", "uvicorn", "cluster", "bare"]

SETTINGS = {
    "DEBUG": "off",
    "CHAT_DEMO": "off",
    "SECURE_SSL_REDIRECT": "off",
    "SECURE_COOKIES": "off",
    "ANTHROPIC_API_KEY": "sk-ant-of-the-benchmark",
    "REDIS_URL": "",
    "LOG_LEVEL": "INFO",
    "CHAT_TOOLS": "none",
    # Nobody sends as fast as a benchmark, or has so many pages open.
    "CHAT_SENDS_PER_MINUTE": "10000",
    "CHAT_RUNNING_PER_USER": "10000",
    "CHAT_RUNNING_PER_PROCESS": "10000",
    "CHAT_SOCKETS_PER_USER": "100000",
    "CHAT_SOCKETS_PER_PROCESS": "100000",
}
_SERVE = {"daphne": SERVERS["serve"], "uvicorn": SERVERS["uvicorn"]}


@dataclass
class Contender:
    """Something that passes answers on: the programs that do it, and who may ask.

    Prompts go to the first of the programs, and answers are read from the last one.
    """

    programs: Sequence[Program]
    ports: Sequence[int]
    accounts: list[Account]
    way: Way = "page"
    _used: int = field(default=0, init=False)

    @property
    def pids(self) -> list[int]:
        return [program.pid for program in self.programs]

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.pids)

    @property
    def memory(self) -> Memory:
        return memory(self.pids)

    def take(self, count: int) -> list[Account]:
        """Return accounts whose conversations are still short."""
        if self.way == "bare":
            return [NOBODY] * count
        begin, self._used = self._used, self._used + count
        assert self._used <= len(self.accounts), "there are too few accounts"
        return self.accounts[begin : self._used]

    def job(self, readers: int, *, way: Way | None = None, **options: Any) -> Job:
        """Return a job for so many readers; `options` are the job's own."""
        return Job(
            run=uuid.uuid4().hex,
            way=way or self.way,
            port=self.ports[0],
            reader_port=self.ports[-1],
            accounts=self.take(readers),
            **options,
        )


class Cluster(NamedTuple):
    contender: Contender
    postgres: Postgres
    redis: Redis


class Workbench:
    """A context manager: the model server runs, and sites can be started, inside the block.

    Args:
        people: how many accounts each site begins with.
    """

    def __init__(self, folder: Path, people: int) -> None:
        self.folder = folder
        self._people = people
        self._numbers = itertools.count(1)
        self.upstream_port = free_port()
        self.upstream = program("upstream", folder, self.upstream_port)
        self._settings = {
            **SETTINGS,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "STATIC_ROOT": str(folder / "static"),
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.upstream_port}",
        }
        self._template = folder / "template.sqlite3"
        self._accounts: list[Account] = []

    def __enter__(self) -> Self:
        # PostgreSQL runs as an account of its own.
        self.folder.chmod(0o755)
        site = self._site(f"sqlite:///{self._template}")
        site.manage("collectstatic", "--noinput", "--verbosity=0")
        self._accounts = self._set_up(site)
        self.upstream.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.upstream.kill()

    def begin(self, place: Place) -> contextlib.AbstractContextManager[Contender]:
        """Start what is measured, for as long as the block of the context manager runs."""
        if place == "bare":
            return self._bare()
        if place == "cluster":
            return self._pair()
        return self._single(place)

    def site(self, place: Literal["daphne", "uvicorn"] = "daphne") -> Site:
        """Return a site on SQLite, not started, with the accounts that all begin with."""
        file = self.folder / f"site-{next(self._numbers)}.sqlite3"
        shutil.copyfile(self._template, file)
        return self._site(f"sqlite:///{file}", command=_SERVE[place])

    @contextlib.contextmanager
    def _bare(self) -> Iterator[Contender]:
        port = free_port()
        with program("bare_relay", self.folder, port, self.upstream_port) as relay:
            yield Contender([relay], [port], [], "bare")

    @contextlib.contextmanager
    def _single(self, place: Literal["daphne", "uvicorn"]) -> Iterator[Contender]:
        with self.site(place) as site:
            yield Contender([site], [site.port], self._accounts)

    @contextlib.contextmanager
    def _pair(self) -> Iterator[Contender]:
        with self.cluster(2) as cluster:
            yield cluster.contender

    @contextlib.contextmanager
    def cluster(self, processes: int) -> Iterator[Cluster]:
        """Start processes, of which the first writes answers that the second one's readers read."""
        with (
            Postgres(self.folder / "postgres") as postgres,
            Redis(self.folder) as redis,
            contextlib.ExitStack() as stack,
        ):
            shared = {"REDIS_URL": redis.url}
            sites = [self._site(postgres.url, **shared) for _ in range(processes)]
            accounts = self._set_up(sites[0])
            for site in sites:
                stack.enter_context(site)
            ports = [site.port for site in sites[:2]]
            yield Cluster(Contender(sites, ports, accounts), postgres, redis)

    def _site(
        self, database_url: str, command: Sequence[str] = Site.SERVE, **settings: str
    ) -> Site:
        environment = {**self._settings, "DATABASE_URL": database_url, **settings}
        name = f"site-{next(self._numbers)}"
        return Site(name, self.folder, environment, command=command)

    def _set_up(self, site: Site) -> list[Account]:
        site.manage("migrate", "--verbosity=0")
        return [Account(*each) for each in make(site, "accounts", self._people)]


def program(name: str, folder: Path, port: int, *arguments: int) -> Program:
    """Return a server of the benchmark's own, not started."""
    return Program(
        name,
        [sys.executable, "-m", f"tests.load.{name}", str(port), *map(str, arguments)],
        folder,
        is_ready=lambda: listens(port),
        cwd=ROOT,
    )


def make(site: Site, what: str, number: int) -> Any:
    """Have a site make rows (accounts.py); return what was printed."""
    code = f"from tests.load.accounts import print_{what}; print_{what}({number})"
    return json.loads(site.manage("shell", "--command", code).partition("made ")[2])
