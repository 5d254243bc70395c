"""People with accounts on a site under test, signed in from the start, and what they send."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import httpx2

from tests.faults.records import Row

TIMEOUT_S = 30.0
_TOKEN = secrets.token_hex(16)  # CSRF compares the form's with the cookie's, whoever made it

_MAKE_PEOPLE = """
import json
from django.contrib.auth.hashers import make_password
from chat.models import User
from tests.sessions import begin_session

password = make_password({password!r})
names = [f"{prefix}-{{n}}" for n in range({count})]
User.objects.bulk_create([User(username=name, password=password) for name in names])
people = User.objects.filter(username__in=names)
keys = {{user.username: begin_session(user) for user in people}}
print("made", json.dumps(keys))
"""
PASSWORD = "a pass phrase of everybody"


@dataclass
class Send:
    """A prompt, and what its sender was told of it.

    `path` is its conversation, "" where no answer came or the prompt was refused; `at` is when
    the answer came, in seconds of `time.time()`.
    """

    text: str
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    code: int = 0
    path: str = ""
    at: float = 0.0
    body: str = ""

    @property
    def is_acknowledged(self) -> bool:
        return self.code == 302 and bool(self.path)


class Load(NamedTuple):
    """How a page came: seconds until its first byte, and its size."""

    first_byte_s: float
    size_bytes: int


@dataclass
class Person:
    """An account with an open session; the same cookies are good at every process."""

    name: str
    session_key: str
    sends: list[Send] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)  # granted ones, by their prompt

    @property
    def cookies(self) -> dict[str, str]:
        return {"sessionid": self.session_key, "csrftoken": _TOKEN}

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def get(self, base_url: str, path: str) -> httpx2.Response:
        async with self._client(base_url) as client:
            return await client.get(path)

    async def load(self, base_url: str, path: str) -> Load:
        """Load a page, with an eye on the clock."""
        async with self._client(base_url) as client:
            begun_at = time.monotonic()
            async with client.stream("GET", path) as response:
                pieces = response.aiter_bytes()
                first = await anext(pieces)
                first_byte_s = time.monotonic() - begun_at
                size_bytes = len(first) + sum([len(piece) async for piece in pieces])
        return Load(first_byte_s, size_bytes)

    async def post(self, base_url: str, path: str, **form: str) -> httpx2.Response:
        async with self._client(base_url) as client:
            return await client.post(path, data={"csrfmiddlewaretoken": _TOKEN, **form})

    async def send(self, base_url: str, text: str, path: str = "/") -> Send:
        """Send a prompt once, in a new conversation or in that of `path`; say how it went."""
        send = self.draft(text)
        await self.send_again(base_url, send, path)
        return send

    async def ask(self, base_url: str, text: str, path: str = "/") -> Send:
        """Send a prompt that has to be taken."""
        send = await self.send(base_url, text, path)
        assert send.is_acknowledged, f"{send.code}: {send.body[:500]}"
        return send

    def draft(self, text: str) -> Send:
        """Write a prompt that is sent later, with a key as the page makes one."""
        send = Send(text)
        self.sends.append(send)
        return send

    async def send_again(self, base_url: str, send: Send, path: str = "/") -> Send:
        """Send a prompt under the key that it had; raises what the connection raises."""
        address = path if path == "/" else f"{path}send/"
        response = await self.post(base_url, address, text=send.text, key=str(send.key))
        send.code, send.at, send.body = response.status_code, time.time(), response.text
        location = response.headers.get("Location", "")
        send.path = location if location.startswith("/c/") else ""
        return send

    async def sign_in(self, base_url: str) -> httpx2.Response:
        """Sign in with name and password, without the session that is open."""
        async with self._client(base_url) as client:
            client.cookies.delete("sessionid")
            form = {"csrfmiddlewaretoken": _TOKEN, "login": self.name, "password": PASSWORD}
            return await client.post("/accounts/login/", data=form)

    async def stop(self, base_url: str, generation_id: int) -> httpx2.Response:
        return await self.post(base_url, f"/g/{generation_id}/stop/")

    async def retry(self, base_url: str, row: Row) -> httpx2.Response:
        response = await self.post(base_url, f"/m/{row.message_id}/retry/")
        self.retries[row.prompt] += response.status_code == 302
        return response

    async def go_on(self, base_url: str, row: Row) -> httpx2.Response:
        """Press Continue."""
        return await self.post(base_url, f"/m/{row.message_id}/continue/")

    def _client(self, base_url: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=base_url,
            cookies=self.cookies,
            headers={"Origin": base_url},
            timeout=TIMEOUT_S,
            # There is no TLS here, and reading all certificates takes 60 ms a client.
            verify=False,
        )


class Managed(Protocol):
    """A site whose management commands can be run."""

    def manage(self, *arguments: str, stdin: str = "") -> str: ...


def make_people(site: Managed, prefix: str, count: int) -> list[Person]:
    """Make accounts that are signed in already, in one go."""
    code = _MAKE_PEOPLE.format(password=PASSWORD, prefix=prefix, count=count)
    printed = site.manage("shell", "--command", code)
    keys = json.loads(printed.partition("made ")[2])
    return [Person(name, key) for name, key in keys.items()]
