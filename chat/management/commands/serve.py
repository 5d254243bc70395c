"""`manage.py serve`: the whole site in one process, by Daphne."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chat.lanes import new_event_loop

WEBSOCKET_NEVER_TIMES_OUT = -1
"""By default Daphne closes each socket after a day, and its page has to come back."""


class Command(BaseCommand):
    help = "Serve the site on one address, with the worker that answers prompts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        # Twisted does without, and here nothing speaks TLS by it: 5 MB less.
        sys.modules.setdefault("OpenSSL", None)  # type: ignore[arg-type]  # (import_system, 5.3.1)
        # Imported here, because Twisted chooses its reactor by the first import.
        from twisted.internet import asyncioreactor

        if "twisted.internet.reactor" not in sys.modules:
            asyncioreactor.install(new_event_loop())  # type: ignore[no-untyped-call]
        from daphne.server import Server
        from twisted.internet import reactor

        from chatsite.asgi import application, life

        host, port = options["host"], options["port"]

        async def begin() -> None:
            await life.begin()
            self.stdout.write(f"Chat is ready at http://{_shown(host)}:{port}/")

        def start() -> None:
            # Kept by the loop's own set for as long as the reactor runs.
            self._begin = asyncio.ensure_future(begin())

        reactor.callWhenRunning(start)
        Server(
            application=application,
            endpoints=[f"tcp:port={port}:interface={host}"],
            websocket_timeout=WEBSOCKET_NEVER_TIMES_OUT,
            proxy_forwarded_address_header="X-Forwarded-For" if settings.BEHIND_PROXY else None,
            proxy_forwarded_proto_header="X-Forwarded-Proto" if settings.BEHIND_PROXY else None,
            server_name="",
            verbosity=1,
        ).run()


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "localhost") else host  # noqa: S104
