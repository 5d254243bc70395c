"""GET /api/generations/<id>/events: the log to the byte, from any number on, cut anywhere."""

from __future__ import annotations

import http.client
import json
import random
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from chat.demo.steps import Block, Event, Start, Step, Text, Thinking
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.site_process import SiteProcess
from tests.visitor import TIMEOUT_S

CUTS = [40, pytest.param(200, marks=pytest.mark.long)]
ALIVE = b": alive\n\n"
WORDS = [f"word{number:04d} é😀\n\n" for number in range(400)]
CITED = {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "\u2028"}}
RICH: list[Step] = [
    Start(),
    Thinking("Hm. " * 50, chunk=7, interval_s=0.001),
    Text(WORDS, interval_s=0.002),
    Block({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Cited"}, CITED]),
    Block({"type": "a_new_block", "id": "1"}, [{"type": "a_new_delta", "more": ["\r\n"]}]),
    Event("a_new_event", {"of": "tomorrow"}),
]


class Reader:
    """Reads a log's stream bit by bit over connections of its own, as a program that resumes."""

    def __init__(self, site: SiteProcess, token: str, generation_id: str) -> None:
        self._port, self._token = site.port, token
        self._path = f"/api/generations/{generation_id}"
        self.whole = b""
        self.last_id = "0"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)

    def ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, last_id: str = "0"
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Last-Event-ID": last_id}
        connection.request(method, self._path + path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        return response

    def read(self, size: int | None) -> bytes:
        """Read so many bytes behind the last whole event, or all, then close the connection."""
        with closing(self.connect()) as connection:
            return self.ask(connection, "GET", "/events", self.last_id).read(size)

    def resume(self, size: int | None) -> None:
        """Read on behind the last whole event, and keep what came whole."""
        events, end, _ = self.read(size).rpartition(b"\n\n")
        came = (events + end).replace(ALIVE, b"")
        self.whole += came
        if ids := re.findall(rb"^id: (\d+)$", came, re.MULTILINE):
            self.last_id = ids[-1].decode()


@pytest.fixture
def begun(site: SiteProcess, model: DemoThread, token: str) -> Iterator[Reader]:
    """The log of a rich answer that is being written."""
    model.script("rich", *RICH)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=TIMEOUT_S)
    body = json.dumps({"message": prompt("rich"), "background": True})
    with closing(connection):
        connection.request("POST", "/api/chat", body, {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        assert response.status == 200
        yield Reader(site, token, response.headers["Chat-Generation"])


@pytest.fixture
def chance() -> random.Random:
    seed = random.randrange(2**32)
    print("seed", seed)
    return random.Random(seed)


@pytest.mark.parametrize("cuts", CUTS)
def test_cut_at_many_places_after_the_end(begun: Reader, chance: random.Random, cuts: int) -> None:
    uncut = begun.read(None).replace(ALIVE, b"")
    for place in sorted(chance.sample(range(1, len(uncut)), cuts)):
        begun.resume(place - len(begun.whole))
    begun.resume(None)
    assert begun.whole == uncut


@pytest.mark.parametrize("cuts", CUTS)
def test_cut_at_many_places_while_it_is_written(
    begun: Reader, chance: random.Random, cuts: int
) -> None:
    for _ in range(cuts):
        begun.resume(chance.randrange(1, 500))
    begun.resume(None)
    begun.whole, cut, begun.last_id = b"", begun.whole, "0"
    begun.resume(None)
    assert cut == begun.whole


def test_numbers_rise_one_by_one(begun: Reader) -> None:
    begun.resume(None)
    ids = [int(number) for number in re.findall(rb"^id: (\d+)$", begun.whole, re.MULTILINE)]
    assert ids == list(range(1, len(ids) + 1)) and len(ids) > 20


def test_head_does_not_last_as_long_as_the_answer(begun: Reader) -> None:
    """What is asked next on the same connection is answered while the log still grows."""
    with closing(begun.connect()) as connection:
        assert begun.ask(connection, "HEAD", "/events").read() == b""
        generation = json.loads(begun.ask(connection, "GET", "").read())
    assert generation["status"] == "streaming"
    begun.resume(None)
