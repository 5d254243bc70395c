"""`python -m deploy.cluster`: a whole site of several processes on one machine, to try or to test.

PostgreSQL, Redis, N processes of the site and nginx in front of them, all private to a folder.
Needs Debian's packages postgresql, redis-server and nginx.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from deploy.servers import Nginx, Postgres, ProgramMissing, Redis, Site


class Cluster:
    """A context manager: everything runs inside the block.

    Args:
        folder: for data and logs; what it holds from an earlier run is used again.
        environment: settings on top of, or instead of, those of a plain cluster.
        port: of nginx; 0 takes a free one.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        processes: int = 3,
        port: int = 0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL and nginx run as accounts of their own.
        self.postgres = Postgres(folder / "postgres")
        self.redis = Redis(folder)
        settings = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "DEBUG": "off",
            "BEHIND_PROXY": "on",
            "STATIC_ROOT": str(folder / "static"),
            # nginx speaks plain HTTP here, on the loopback interface alone.
            "SECURE_SSL_REDIRECT": "off",
            "SECURE_COOKIES": "off",
            "CHAT_ON_INTERRUPT": "continue",
            **environment,
        }
        self.sites = [Site(f"site-{n}", folder, settings) for n in range(1, processes + 1)]
        self.nginx = Nginx(folder, self.sites, port=port)
        self.base_url = self.nginx.base_url

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.postgres)
            stack.enter_context(self.redis)
            self.sites[0].manage("collectstatic", "--noinput", "--verbosity=0")
            print(self.sites[0].manage("setup"), end="", flush=True)
            for site in self.sites:
                stack.callback(site.kill)
                site.begin()
            for site in self.sites:
                site.wait_until_ready()
            stack.enter_context(self.nginx)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def terminate(self) -> None:
        """End the processes of the site in order, all at once, as a shutdown does."""
        for site in self.sites:
            site.send_signal(signal.SIGTERM)
        for site in self.sites:
            site.wait()

    def restart_in_turn(self) -> None:
        """Restart one process of the site after the other, as a deploy does."""
        for site in self.sites:
            site.terminate()
            site.start()


def main() -> None:
    options = _options()
    environment = dict(os.environ)
    if not environment.get("SECRET_KEY"):
        environment["SECRET_KEY"] = secrets.token_urlsafe(50)
    if not environment.get("ANTHROPIC_API_KEY") and not environment.get("ANTHROPIC_BASE_URL"):
        environment.setdefault("CHAT_DEMO", "on")
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            cluster = Cluster(
                folder.resolve(), environment, processes=options.processes, port=options.port
            )
        except ProgramMissing as missing:
            sys.exit(str(missing))
        with cluster:
            print(f"Chat is ready at {cluster.base_url}/ (logs in {folder}); Ctrl-C ends it.")
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
            cluster.terminate()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster", description=__doc__)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--port", type=int, default=8000, help="of nginx")
    parser.add_argument("--folder", type=Path, help="keep data and logs here (default: nowhere)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
