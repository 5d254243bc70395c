"""Following without a websocket, on a running site: by a stream of events, and by questions."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.fallbacks import FRAME_END
from tests.integration.shown_page import ShownPage
from tests.site_process import SiteProcess
from tests.visitor import Visitor

TEXT = "".join(f"word{n:04d} and **more** of it.\n\n" for n in range(150))
# More than two streams carry, and some seconds long.
LARGE = "".join(f"word{n:05d} of a long answer.\n\n" for n in range(20_000))
PASSWORD = "a pass phrase of nora"


@pytest.fixture(scope="module")
def account(site: SiteProcess, model: DemoThread) -> str:
    model.script("slow", Text(TEXT, chunk=12, interval_s=0.003))
    model.script("large", Text(LARGE, chunk=5_000, interval_s=0.03))
    model.script("endless", Text("on and on " * 5_000, interval_s=0.02))
    site.add_user("nora", PASSWORD)
    return "nora"


@pytest.fixture
def visitor(site: SiteProcess, account: str) -> Iterator[Visitor]:
    with Visitor(site.base_url) as signed_in:
        signed_in.sign_in(account, PASSWORD)
        yield signed_in


def events(response: httpx2.Response) -> Iterator[str]:
    """Yield the data of server-sent events (HTML, 9.2.6)."""
    data: list[str] = []
    for line in response.iter_lines():
        if line.startswith("data: "):
            data.append(line.removeprefix("data: "))
        elif not line and data:
            yield "\n".join(data)
            data = []


class Reader:
    """A page that follows by what the site offers beside a websocket."""

    def __init__(self, visitor: Visitor, scenario: str) -> None:
        self.visitor = visitor
        self.path = visitor.send(f"/demo {scenario}")
        self.page = ShownPage(visitor.get(self.path).text)
        self.connections = 0

    def stream(self, most_frames: int = 10**9) -> None:
        """Follow one stream to its end, to the answer's, or for so many frames."""
        self.connections += 1
        query = vars(self.page.position)
        with self.visitor.http.stream("GET", f"{self.path}stream/", params=query) as response:
            assert response.headers["Content-Type"] == "text/event-stream"
            for number, frame in enumerate(events(response), 1):
                self.page.apply(frame)
                if number == most_frames or not self.page.has_running:
                    return

    def ask(self) -> None:
        self.connections += 1
        query = vars(self.page.position)
        response = self.visitor.http.get(f"{self.path}changes/", params=query)
        for frame in response.text.split(FRAME_END):
            self.page.apply(frame)

    def stop(self) -> None:
        # A page that was cut off between two frames has no position, and a Stop all the same.
        actions = self.page.element("composer-actions")
        button = actions and actions.find(lambda each: "data-generation" in each.attributes)
        assert button
        response = self.visitor.post(f"/g/{button.attributes['data-generation']}/stop/")
        assert response.status_code == 302

    def body(self) -> str:
        return self.page.body(self.page.message_ids[-1]).markup()

    def fresh_body(self) -> str:
        fresh = ShownPage(self.visitor.get(self.path).text)
        return fresh.body(fresh.message_ids[-1]).markup()


def test_stream_brings_an_answer_to_its_end(visitor: Visitor) -> None:
    reader = Reader(visitor, "slow")
    reader.stream()
    assert "word0149" in reader.body()
    assert reader.body() == reader.fresh_body()
    assert reader.connections == 1


def test_stream_goes_on_from_where_the_page_is(visitor: Visitor) -> None:
    reader = Reader(visitor, "slow")
    while reader.page.has_running:
        reader.stream(most_frames=3)
    assert reader.body() == reader.fresh_body()
    assert reader.connections > 3


def test_long_stream_ends_by_itself_and_goes_on(visitor: Visitor) -> None:
    reader = Reader(visitor, "large")
    while reader.page.has_running:
        reader.stream()
    assert reader.body() == reader.fresh_body()
    assert reader.connections > 1


def test_questions_bring_an_answer_to_its_end(visitor: Visitor) -> None:
    reader = Reader(visitor, "slow")
    while reader.page.has_running:
        reader.ask()
    assert reader.body() == reader.fresh_body()


def test_stop_is_told_by_the_stream(visitor: Visitor) -> None:
    reader = Reader(visitor, "endless")
    reader.stream(most_frames=3)
    reader.stop()
    reader.stream()
    assert not reader.page.has_running
    assert "Stopped." in reader.page.article(reader.page.message_ids[-1]).text


def test_stream_ends_when_its_reader_signs_out(visitor: Visitor, site: SiteProcess) -> None:
    reader = Reader(visitor, "endless")
    query = vars(reader.page.position)
    with visitor.http.stream("GET", f"{reader.path}stream/", params=query) as response:
        frames = events(response)
        next(frames)
        with Visitor(site.base_url) as other:
            other.http.cookies.update(visitor.http.cookies)
            other.get("/")
            other.post("/accounts/logout/")
        for _ in frames:
            pass  # Until the site ends it; the client's time-out fails the test otherwise.
    with Visitor(site.base_url) as again:
        again.sign_in("nora", PASSWORD)
        again.get(reader.path)
        again.post(f"/g/{reader.page.position.generation_id}/stop/")


def test_stream_of_a_position_that_makes_no_sense(visitor: Visitor) -> None:
    reader = Reader(visitor, "slow")
    query = {"message_id": "x", "generation_id": "-1", "seq": "9" * 50, "held": ""}
    with visitor.http.stream("GET", f"{reader.path}stream/", params=query) as response:
        assert any("word0000" in frame for frame in events(response))
