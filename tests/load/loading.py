"""Single requests to a site, timed by the clock."""

from __future__ import annotations

import contextlib
import http.client
import time

from tests.load.job import Account
from tests.load.wire import HOST

TIMEOUT_S = 60.0


def get(port: int, path: str, account: Account | None = None) -> bytes:
    """Load a page whole; return its body."""
    headers = {"Cookie": f"sessionid={account.session_key}"} if account else {}
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
    if response.status != 200:
        raise ConnectionError(f"{response.status} at {path}")
    return body


def load_ms(port: int, account: Account) -> float:
    """Return how long an account's page takes until it is there whole."""
    begun_at = time.monotonic()
    get(port, account.path, account)
    return (time.monotonic() - begun_at) * 1000
