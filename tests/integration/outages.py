"""A database that can't be reached, for whoever connects to it from now on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def database_away() -> Iterator[None]:
    """Have every new connection of this process fail, as the driver itself has it fail.

    Connections last as long as the work that took them, so that new ones are all there are.
    """
    current = connections.settings[DEFAULT_DB_ALIAS]
    before = dict(current)
    connections.close_all()
    if settings.IS_SQLITE:
        current["NAME"] = str(Path(before["NAME"]).parent / "no folder" / "none.sqlite3")
    else:
        # A pool would go on with the connections that it has.
        options = {name: value for name, value in before["OPTIONS"].items() if name != "pool"}
        current.update(OPTIONS=options, HOST="127.0.0.1", PORT="9")
    try:
        yield
    finally:
        connections.close_all()
        current.update(before)
