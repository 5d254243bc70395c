"""The end of a process, as a deploy asks for it, under every server that the site runs on."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from chat.consumers import CLOSE_TRY_AGAIN
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.faults.waiting import until
from tests.integration.answers import prompt
from tests.integration.own_tools import calling, use
from tests.integration.shown_page import ShownPage
from tests.site_process import ADMIN_PASSWORD, SERVERS, Server, SiteProcess
from tests.visitor import Visitor, frames

DRAIN_S = 5
EXIT_S = 30.0
ANSWERED_S = 30.0

PAGES_COME_BACK = {1006, 1012, CLOSE_TRY_AGAIN}
WORDS = [f"word{number:04d} " for number in range(3_000)]
BRIEF = WORDS[:100]
ASKED = "SELECT seq FROM chat_event WHERE kind = 'message_stop'"


@pytest.fixture(scope="module")
def sites(
    model: DemoThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Server, SiteProcess]]:
    """One site for each server, all of one database, and none of them running."""
    environment = {"ANTHROPIC_BASE_URL": model.base_url, "CHAT_DRAIN_S": str(DRAIN_S)}
    with SiteProcess(tmp_path_factory.mktemp("serve"), environment) as first:
        first.kill()
        others = {
            server: SiteProcess(
                tmp_path_factory.mktemp(server), environment, server=server, beside=first
            )
            for server in SERVERS
        }
        yield {**others, "serve": first}


@pytest.fixture(params=list(SERVERS))
def site(request: pytest.FixtureRequest, sites: dict[Server, SiteProcess]) -> Iterator[SiteProcess]:
    """A site that the test ends, under each server in turn."""
    chosen = sites[request.param]
    chosen.log.write_text("")
    chosen.start()
    yield chosen
    chosen.kill()


@pytest.fixture
def visitor(site: SiteProcess) -> Iterator[Visitor]:
    with Visitor(site.base_url) as signed_in:
        signed_in.sign_in("admin", ADMIN_PASSWORD)
        yield signed_in


def slow(model: DemoThread, words: list[str]) -> str:
    name = f"drain-{len(words)}"
    model.script(name, Text(words, interval_s=0.02))
    return prompt(name)


class Watcher:
    """A page's socket, and what it has shown."""

    def __init__(self, socket: ClientConnection) -> None:
        self._frames = frames(socket)
        self._page = ShownPage('<div id="messages"></div>')
        self.text = ""

    def see(self, words: int) -> None:
        while self.text.count("word") < words:
            self._take()

    def see_all(self) -> int:
        """Take what comes until the socket is closed; return the code."""
        try:
            while True:
                self._take()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def _take(self) -> None:
        self._page.apply(next(self._frames))
        ids = self._page.message_ids
        self.text = self._page.body(ids[-1]).text.strip() if len(ids) == 2 else ""


def ending(site: SiteProcess, path: str) -> tuple[str, str, str]:
    """Return status, error code and text of a conversation's newest answer."""
    query = (
        "SELECT g.status, g.error_code, m.text FROM chat_generation g "
        "JOIN chat_message m ON m.id = g.message_id WHERE g.conversation_id = ? ORDER BY g.id"
    )
    conversation = path.strip("/").split("/")[1].replace("-", "")  # as SQLite stores it
    status, error_code, text = site.rows(query, conversation)[-1]
    return status, error_code, text


def wait_for_exit(site: SiteProcess) -> None:
    assert site.wait() in (0, -signal.SIGTERM)  # uvicorn says why it ended
    assert "Traceback" not in site.read_log(), site.read_log()


def processes(site: SiteProcess) -> int:
    return int(site.rows("SELECT count(*) FROM chat_process")[0][0])


def test_what_can_finish_does_and_the_rest_is_interrupted(
    site: SiteProcess, visitor: Visitor, model: DemoThread
) -> None:
    running = processes(site)
    brief, long = visitor.send(slow(model, BRIEF)), visitor.send(slow(model, WORDS))
    with visitor.socket(brief) as one, visitor.socket(long) as other:
        short, cut = Watcher(one), Watcher(other)
        short.see(5)
        cut.see(5)
        asked_at = time.monotonic()
        site.send_signal(signal.SIGTERM)
        assert {short.see_all(), cut.see_all()} <= PAGES_COME_BACK
        wait_for_exit(site)
        assert DRAIN_S - 1 < time.monotonic() - asked_at < EXIT_S
    assert ending(site, brief) == ("complete", "", "".join(BRIEF))
    status, error_code, text = ending(site, long)
    assert (status, error_code) == ("interrupted", "shutdown")
    assert text.startswith(cut.text) and "".join(WORDS).startswith(text)
    assert processes(site) == running - 1


def test_prompt_on_its_way_is_saved(site: SiteProcess, visitor: Visitor) -> None:
    """Half of the form has come when the process is asked to end; it is answered later."""
    path = visitor.send(prompt("empty"))
    visitor.get(path)
    form = {"text": prompt("whole"), "key": str(uuid.uuid4())}
    with visitor.sent_by_half("/", **form) as send_rest:
        site.send_signal(signal.SIGTERM)
        response = send_rest()
    wait_for_exit(site)
    site.start()
    give_up_at = time.monotonic() + ANSWERED_S
    while ending(site, response.headers["Location"])[0] != "complete":
        assert time.monotonic() < give_up_at
        # A database in another process tells nobody that it has changed.
        time.sleep(0.05)


@pytest.mark.parametrize("site", ["serve"], indirect=True)
def test_page_shows_the_end_of_what_finishes(
    site: SiteProcess, visitor: Visitor, model: DemoThread
) -> None:
    """Under Daphne: other servers close the sockets before they say that it is over."""
    path = visitor.send(slow(model, BRIEF))
    with visitor.socket(path) as socket:
        watcher = Watcher(socket)
        watcher.see(5)
        site.send_signal(signal.SIGTERM)
        assert watcher.see_all() == CLOSE_TRY_AGAIN
    assert watcher.text == "".join(BRIEF).strip()


def test_tool_that_hangs_does_not_keep_the_process(model: DemoThread, tmp_path: Path) -> None:
    model.script("hang", calling(use("t", "hang", '{"lock_s": 300}')))
    environment = {
        "ANTHROPIC_BASE_URL": model.base_url,
        "CHAT_DRAIN_S": "1",
        "CHAT_TOOLS": "tests.integration.own_tools.hang",
    }
    with SiteProcess(tmp_path, environment) as site, Visitor(site.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        path = visitor.send(prompt("hang"))
        # After this the tool is called.
        asyncio.run(until(lambda: site.rows(ASKED), ANSWERED_S))
        site.send_signal(signal.SIGTERM)
        wait_for_exit(site)
        assert ending(site, path)[:2] == ("interrupted", "shutdown")


@pytest.mark.parametrize("site", ["serve"], indirect=True)
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_the_drain(
    site: SiteProcess, visitor: Visitor, model: DemoThread, second: signal.Signals
) -> None:
    path = visitor.send(slow(model, WORDS))
    with visitor.socket(path) as socket:
        watcher = Watcher(socket)
        watcher.see(5)
        site.send_signal(signal.SIGTERM)
        watcher.see(10)
        site.send_signal(second)
        watcher.see_all()
    wait_for_exit(site)
    assert ending(site, path)[:2] == ("interrupted", "shutdown")
    assert len(watcher.text) < len("".join(WORDS)) / 2
