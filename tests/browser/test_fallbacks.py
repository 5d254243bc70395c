"""A network without websockets: the page follows by events, or asks, and shows the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.problems import Problems
from tests.proxy import Proxy

WEBSOCKET = b"Upgrade: websocket"
EVENTS = b"text/event-stream"
TEXT = "".join(f"word{n:04d} " for n in range(600)).strip()
BY_EVENTS, BY_POLLING = "#link[data-by=events]", "#link[data-by=polling]"


@pytest.fixture(params=["events", "polling"])
def link(request: pytest.FixtureRequest, network: Proxy, problems: Problems) -> str:
    """Where the page's link goes to, as a selector, behind a wall that lets no socket through."""
    problems.expect("WebSocket", "[object Event]", "ERR_", "EventSource", "net::", "htmx:")
    network.refuse(WEBSOCKET)
    if request.param == "polling":
        network.withhold(EVENTS)
    return BY_EVENTS if request.param == "events" else BY_POLLING


@pytest.fixture
def walled(link: str, remote: ChatPage, model: DemoThread) -> ChatPage:
    """A page behind the wall, on which an answer of some seconds has been asked for."""
    model.script("slow", Text(TEXT, chunk=10, interval_s=0.006))
    model.script("endless", Text("on and on " * 5_000, interval_s=0.02))
    remote.play("max-tokens")
    expect(remote.page.locator(link)).to_be_attached()
    remote.expect_end()
    expect(remote.offline_banner).to_be_hidden()
    return remote


def test_an_answer_is_read(walled: ChatPage) -> None:
    walled.play("slow")
    expect(walled.answer).to_contain_text("word0005")
    walled.expect_end()
    expect(walled.answer).to_have_text(TEXT)
    shown = walled.html()
    walled.page.reload()
    assert walled.html() == shown


def test_an_answer_is_stopped(walled: ChatPage) -> None:
    walled.play("endless")
    expect(walled.answer).to_contain_text("on and on")
    walled.page.evaluate("document.body.dataset.isTheSamePage = 'yes'")
    walled.stop_button.click()
    expect(walled.status).to_contain_text("Stopped.")
    walled.expect_end()
    expect(walled.page.locator("body")).to_have_attribute("data-is-the-same-page", "yes")


def test_a_cut_network_comes_back(walled: ChatPage, network: Proxy) -> None:
    walled.play("slow")
    expect(walled.answer).to_contain_text("word0005")
    network.pull()
    expect(walled.offline_banner).to_be_visible()
    network.put_back()
    expect(walled.offline_banner).to_be_hidden()
    walled.expect_end()
    expect(walled.answer).to_have_text(TEXT)


def test_signed_out_is_said_and_keeps_what_is_typed(walled: ChatPage, problems: Problems) -> None:
    problems.expect("403")
    walled.composer.fill("Half a thought")
    walled.page.context.clear_cookies(name="sessionid")
    walled.composer.press("Enter")
    expect(walled.page.locator("#composer-error")).to_contain_text("You are signed out.")
    expect(walled.composer).to_have_value("Half a thought")
