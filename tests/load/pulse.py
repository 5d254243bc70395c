"""How long a site is held up: a page that has nothing to do asks whether it lives."""

from __future__ import annotations

import json
import time
from typing import Self

from websockets.sync.client import connect
from websockets.typing import Origin

from tests.load.job import Account
from tests.load.wire import HOST

TIMEOUT_S = 60.0
_PING = json.dumps({"verb": "ping"})


class Pulse:
    """A context manager: an open socket. `longest_ms` is the longest time that an answer took.

    A site's loop was held up for no longer than that.
    """

    def __init__(self, port: int, account: Account) -> None:
        self._socket = connect(
            f"ws://{HOST}:{port}/ws{account.path}",
            origin=Origin(f"http://{HOST}:{port}"),
            additional_headers={"Cookie": f"sessionid={account.session_key}"},
            compression=None,
            proxy=None,
        )
        self.longest_ms = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def look(self) -> None:
        begun_at = time.monotonic()
        self._socket.send(_PING)
        self._socket.recv(timeout=TIMEOUT_S)
        self.longest_ms = max(self.longest_ms, (time.monotonic() - begun_at) * 1000)
