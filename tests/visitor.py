"""A person's browser without a browser: signs in, sends forms, opens the page's socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

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

    @property
    def cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

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

    @contextlib.contextmanager
    def sent_by_half(
        self, path: str, **form: str
    ) -> Iterator[Callable[[], http.client.HTTPResponse]]:
        """Send the first half of a form; what is yielded sends the rest."""
        body = urlencode({"csrfmiddlewaretoken": self._token, **form}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Cookie": self.cookies,
            "Origin": self.base_url,
        }
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=TIMEOUT_S)

        def send_rest() -> http.client.HTTPResponse:
            connection.send(body[len(body) // 2 :])
            return connection.getresponse()

        with contextlib.closing(connection):
            connection.request("POST", path, body[: len(body) // 2], headers)
            yield send_rest

    def send(self, text: str, path: str = "/") -> str:
        """Send a prompt; return the path of its conversation."""
        response = self.post(path, text=text, key=str(uuid.uuid4()))
        assert response.status_code == 302, response.text[:500]
        return response.headers["Location"]

    def socket(self, path: str, origin: str | None = None) -> ClientConnection:
        """Open the socket of a conversation's page."""
        return connect(
            f"{self.base_url.replace('http', 'ws', 1)}/ws{path}",
            origin=Origin(self.base_url if origin is None else origin),
            additional_headers={"Cookie": self.cookies},
            open_timeout=TIMEOUT_S,
            max_size=2**20,
        )


def frames(socket: ClientConnection, **position: Any) -> Iterator[str]:
    """Follow a conversation from a position; yield frames as they come."""
    socket.send(json.dumps({"verb": "follow", **position}))
    while True:
        yield str(socket.recv(timeout=TIMEOUT_S))
