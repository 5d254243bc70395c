"""The servers of a deployment, each private to its folder: PostgreSQL, Redis, nginx, the site.

They come from Debian's packages (postgresql, redis-server, nginx) and from this checkout.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from deploy.program import Program, free_port, listens

ROOT = Path(__file__).resolve().parent.parent
NGINX_FOLDER = ROOT / "deploy" / "nginx"
POSTGRES_CONNECTIONS = 200

_SERVER_LINE = re.compile(r"^ +server [^\n]+\n", re.MULTILINE)
_PORT = re.compile(r":\d+")

StopMode = Literal["smart", "fast", "immediate"]
_STOP_SIGNALS: Mapping[StopMode, signal.Signals] = {
    # PostgreSQL's documentation, "Shutting Down the Server".
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}


class ProgramMissing(Exception):
    """A program is not installed; the message says how to get it."""


def find_program(name: str, package: str, *folders: Path) -> str:
    """Return the path of a program. Raises: ProgramMissing."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise ProgramMissing(f"{name} is missing: install it with `apt-get install {package}`.")


class Postgres(Program):
    """A PostgreSQL server with a data folder of its own, which survives kills and restarts."""

    def __init__(self, folder: Path) -> None:
        # The newest version first, as Debian lays them out.
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        self._initdb = find_program("initdb", "postgresql", *versions)
        program = find_program("postgres", "postgresql", *versions)
        # It refuses to run as root.
        self._as = "postgres" if os.geteuid() == 0 else None
        self.port = free_port()
        self._data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if self._as:
            shutil.chown(folder, self._as)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": folder,
            "max_connections": POSTGRES_CONNECTIONS,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            "postgres",
            [program, "-D", str(self._data), *settings],
            folder,
            is_ready=self._takes_queries,
            user=self._as,
        )
        self.url = self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def begin(self) -> None:
        if not self._data.exists():
            options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
            subprocess.run(  # noqa: S603
                [self._initdb, "-D", str(self._data), "--locale=C.UTF-8", *options],
                cwd=self._data.parent,
                user=self._as,
                check=True,
                capture_output=True,
            )
        super().begin()

    def stop(self, mode: StopMode = "fast") -> None:
        """End it; `immediate` is a crash after which the next start recovers."""
        self.terminate(_STOP_SIGNALS[mode])

    def hold(self) -> None:
        super().hold()  # First, so that it starts no more of them.
        self._signal_children(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_children(signal.SIGCONT)
        super().go_on()

    def _signal_children(self, number: int) -> None:
        """Signal the processes that serve connections; each is a session of its own."""
        if not self.is_alive:
            return
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        for child in map(int, children.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    def _takes_queries(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            raise ConnectionError from error
        return True


class Redis(Program):
    """A Redis server that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        program = find_program("redis-server", "redis-server")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        super().__init__(
            "redis",
            [program, "--port", str(self.port), *options],
            folder,
            is_ready=lambda: self.ask("PING").startswith("+PONG"),
        )

    def ask(self, command: str) -> str:
        """Send one command; return the reply as Redis writes it. Raises: OSError."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(4096).decode()

    def fill(self) -> None:
        """Have it refuse every write, as a full one does."""
        self.ask("CONFIG SET maxmemory 1")

    def empty(self) -> None:
        """Undo `fill`, and forget everything."""
        self.ask("CONFIG SET maxmemory 0")
        self.ask("FLUSHALL")


class Site(Program):
    """One process of the site.

    Args:
        environment: all that its settings need.
        command: starts a server; `{port}` in it becomes the port.
    """

    SERVE: Sequence[str] = ("manage.py", "serve", "--port", "{port}")

    def __init__(
        self,
        name: str,
        folder: Path,
        environment: Mapping[str, str],
        *,
        command: Sequence[str] = SERVE,
        port: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        super().__init__(
            name,
            [sys.executable, *(part.format(port=self.port) for part in command)],
            folder,
            is_ready=self._answers,
            environment=self.environment,
            cwd=ROOT,
        )

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command with this process's settings; return what it printed."""
        return subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200


class Nginx(Program):
    """nginx in front of some sites, configured as `deploy/nginx/` says, over plain HTTP."""

    def __init__(self, folder: Path, sites: Sequence[Site], *, port: int = 0) -> None:
        self.port = port or free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        config = folder / "nginx.conf"
        config.write_text(_nginx_config(folder, self.port, [site.port for site in sites]))
        # Its workers run as an account of their own, and have to reach the folder.
        folder.chmod(0o755)
        super().__init__(
            "nginx",
            [find_program("nginx", "nginx"), "-p", str(folder), "-c", str(config)],
            folder,
            is_ready=lambda: listens(self.port),
        )


def _nginx_config(folder: Path, port: int, site_ports: Sequence[int]) -> str:
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
{"user www-data;" if os.geteuid() == 0 else ""}
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 8192; }}
http {{
  access_log off;
{temporary}
{_upstream(site_ports)}
  server {{
    listen 127.0.0.1:{port};
    include {NGINX_FOLDER}/locations.conf;
  }}
}}
"""


def _upstream(site_ports: Sequence[int]) -> str:
    """Return `upstream.conf` with other ports."""
    text = (NGINX_FOLDER / "upstream.conf").read_text()
    lines = _SERVER_LINE.findall(text)
    servers = "".join(_PORT.sub(f":{port}", lines[0]) for port in site_ports)
    return text.replace("".join(lines), servers)
