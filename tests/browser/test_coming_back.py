"""Reloading, leaving, losing the network: the page has the whole text, and nothing twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import WebSocket, expect

from chat.consumers import PONG
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage, calls
from tests.browser.problems import Problems
from tests.proxy import Proxy

# The failed connection itself, and what htmx makes of it.
OFFLINE = ("WebSocket", "[object Event]", "ERR_", "[object HTMLFormElement]")
TEXT = "".join(f"word{n:04d} " for n in range(600)).strip()
SLOW = Text(TEXT, chunk=10, interval_s=0.006)
"""About three seconds, and no word comes twice."""
SILENCE_MS, PONG_MS = 10_000, 3_000  # static/chat/socket.js


@pytest.fixture(autouse=True)
def slow(model: DemoThread) -> None:
    model.script("slow", SLOW)


def begin(chat: ChatPage) -> str:
    mark = chat.play("slow")
    expect(chat.answer).to_contain_text("word0005")
    return mark


@contextlib.contextmanager
def without_a_reload(chat: ChatPage) -> Iterator[None]:
    """Check that the tab holds the same page all the while."""
    chat.page.evaluate("document.body.dataset.isTheSamePage = 'yes'")
    yield
    expect(chat.page.locator("body")).to_have_attribute("data-is-the-same-page", "yes")


def expect_whole(chat: ChatPage) -> None:
    """Expect that the page is connected again and shows everything."""
    expect(chat.offline_banner).to_be_hidden()
    chat.expect_end()
    expect(chat.answer).to_have_text(TEXT)


def test_reload_in_the_middle_goes_on(chat: ChatPage, model: DemoThread) -> None:
    mark = begin(chat)
    shown = chat.answer.inner_text()
    chat.page.reload()
    assert chat.answer.inner_text().startswith(shown)
    chat.expect_end()
    expect(chat.answer).to_have_text(TEXT)
    assert len(calls(model, mark)) == 1


def test_ten_reloads_cost_one_call(chat: ChatPage, model: DemoThread) -> None:
    mark = begin(chat)
    for _ in range(10):
        chat.page.reload()
    chat.expect_end()
    expect(chat.answer).to_have_text(TEXT)
    assert len(calls(model, mark)) == 1


def test_leaving_and_coming_back_by_the_history(chat: ChatPage) -> None:
    begin(chat)
    chat.page.get_by_role("link", name="New chat").click()
    expect(chat.page.locator(".empty")).to_be_visible()
    chat.page.go_back()
    expect(chat.page).to_have_url(CONVERSATION)
    chat.expect_end()
    expect(chat.answer).to_have_text(TEXT)


def test_a_new_tab_in_the_middle_shows_the_same(chat: ChatPage) -> None:
    begin(chat)
    other = chat.another_tab()
    other.expect_end()
    expect(other.answer).to_have_text(TEXT)
    chat.expect_end()
    assert chat.html() == other.html()


def test_a_cut_socket_catches_up_without_a_reload(
    remote: ChatPage, network: Proxy, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    begin(remote)
    with without_a_reload(remote):
        network.pull()
        expect(remote.offline_banner).to_contain_text("Reconnecting in")
        network.put_back()
        expect_whole(remote)


def test_the_socket_cut_again_and_again(
    remote: ChatPage, network: Proxy, problems: Problems, model: DemoThread
) -> None:
    problems.expect(*OFFLINE)
    mark = begin(remote)
    for _ in range(3):
        network.pull()
        expect(remote.offline_banner).to_be_visible()
        network.put_back()
        expect(remote.offline_banner).to_be_hidden()
    remote.expect_end()
    expect(remote.answer).to_have_text(TEXT)
    assert len(calls(model, mark)) == 1


def test_a_connection_that_dies_in_silence(
    remote: ChatPage, network: Proxy, problems: Problems, model: DemoThread
) -> None:
    problems.expect(*OFFLINE)
    mark = begin(remote)
    with without_a_reload(remote):
        network.hold()
        model.wait_closed(calls(model, mark)[0], timeout_s=10)
        expect(remote.offline_banner).to_contain_text("Reconnecting in")
        network.release()
        expect_whole(remote)


def test_a_silent_connection_that_lives_stays_open(begun: ChatPage) -> None:
    page, sockets = begun.page, list[WebSocket]()
    page.on("websocket", lambda opened: sockets.append(opened))
    page.clock.install()
    with page.expect_event("websocket") as opening:
        page.reload(wait_until="commit")
    # The page is told its title before anything else.
    opening.value.wait_for_event("framereceived")
    with opening.value.expect_event("framereceived", lambda frame: frame == PONG):
        page.clock.fast_forward(SILENCE_MS)
    page.clock.fast_forward(PONG_MS)
    expect(begun.offline_banner).to_be_hidden()
    assert sockets == [opening.value]


def test_what_ended_while_the_socket_was_cut(
    remote: ChatPage, network: Proxy, problems: Problems, model: DemoThread
) -> None:
    problems.expect(*OFFLINE)
    mark = begin(remote)
    network.pull()
    model.wait_closed(calls(model, mark)[0], timeout_s=10)
    network.put_back()
    remote.expect_end()
    expect(remote.answer).to_have_text(TEXT)
    live = remote.html()
    remote.page.reload()
    assert remote.html() == live


def test_what_was_sent_elsewhere_while_the_socket_was_cut(
    remote: ChatPage, network: Proxy, chat: ChatPage, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    remote.play("max-tokens")
    remote.expect_end()
    network.pull()
    expect(remote.offline_banner).to_be_visible()
    chat.page.goto(remote.page.url.replace(remote.base_url, chat.base_url))
    chat.play("max-tokens")
    chat.expect_end()
    network.put_back()
    expect(remote.answers).to_have_count(2)
    remote.expect_end()
    assert remote.html() == chat.html()


def test_a_prompt_that_could_not_be_sent_is_kept(
    remote: ChatPage, network: Proxy, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    remote.play("max-tokens")
    remote.expect_end()
    network.pull()
    remote.send("/demo max-tokens\nWords that must not be lost")
    expect(remote.page.locator("#composer-error")).to_contain_text("could not be sent")
    expect(remote.composer).to_have_value("/demo max-tokens\nWords that must not be lost")
    network.put_back()
    expect(remote.offline_banner).to_be_hidden()
    remote.composer.press("Enter")
    expect(remote.prompts).to_have_count(2)
    remote.expect_end()
