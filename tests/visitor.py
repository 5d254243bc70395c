"""A person's browser without a browser: signs in, sends forms, opens the page's socket."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

TIMEOUT_S = 30.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """A client of a running site; a context manager.

    Args:
        base_url: the site's address, without a slash at its end.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = httpx2.Client(base_url=base_url, timeout=TIMEOUT_S)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def sign_in(self, name: str, password: str) -> None:
        self.get("/accounts/login/")
        response = self.post("/accounts/login/", login=name, password=password)
        assert response.status_code == 302, "the site did not take the password"
        self.get("/")

    def get(self, path: str) -> httpx2.Response:
        """Load a page, and keep its form token."""
        response = self.http.get(path)
        if token := _TOKEN.search(response.text):
            self._token = token[1]
        return response

    def post(self, path: str, **form: str) -> httpx2.Response:
        """Send a form of the page that was loaded last."""
        data = {"csrfmiddlewaretoken": self._token, **form}
        return self.http.post(path, data=data, headers={"Origin": self.base_url})

    def send(self, text: str, path: str = "/") -> str:
        """Send a prompt; return the path of its conversation."""
        response = self.post(path, text=text, key=str(uuid.uuid4()))
        assert response.status_code == 302, response.text[:500]
        return response.headers["Location"]

    def socket(self, path: str, origin: str | None = None) -> ClientConnection:
        """Open the socket of a conversation's page."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        return connect(
            f"{self.base_url.replace('http', 'ws', 1)}/ws{path}",
            origin=Origin(self.base_url if origin is None else origin),
            additional_headers={"Cookie": cookies},
            open_timeout=TIMEOUT_S,
            max_size=2**20,
        )


def frames(socket: ClientConnection, **position: Any) -> Iterator[str]:
    """Follow a conversation from a position; yield frames as they come."""
    socket.send(json.dumps({"verb": "follow", **position}))
    while True:
        yield str(socket.recv(timeout=TIMEOUT_S))
