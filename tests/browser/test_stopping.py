"""Stop: from the button, from the keyboard, from another tab, and all the way up to the model."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Stall, Text, Wait
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage, calls
from tests.site_process import SiteProcess

ENDLESS = Text("These words go on and on. " * 2000, interval_s=0.02)


@pytest.fixture
def writing(chat: ChatPage, model: DemoThread) -> ChatPage:
    """A conversation with an answer that is being written, and would be for long."""
    model.script("endless", ENDLESS)
    chat.play("endless")
    expect(chat.answer).to_contain_text("on and on")
    return chat


def test_stop_keeps_what_had_come(writing: ChatPage) -> None:
    shown = writing.answer.inner_text()
    writing.stop_button.click()
    expect(writing.status).to_contain_text("Stopped.")
    writing.expect_end()
    assert writing.answer.inner_text().startswith(shown)
    stopped = writing.html()
    writing.page.reload()
    assert writing.html() == stopped


def test_stop_closes_the_stream_within_a_second(chat: ChatPage, model: DemoThread) -> None:
    model.script("endless", ENDLESS)
    mark = chat.play("endless")
    expect(chat.answer).to_contain_text("on and on")
    (record,) = calls(model, mark)
    clicked_at = time.time()
    chat.stop_button.click()
    model.wait_closed(record)
    assert record.closed_by == "client"
    assert record.closed_at is not None and record.closed_at - clicked_at < 1.0


def test_escape_stops(writing: ChatPage) -> None:
    writing.composer.focus()
    writing.page.keyboard.press("Escape")
    expect(writing.status).to_contain_text("Stopped.")


def test_stop_before_the_first_word(chat: ChatPage, model: DemoThread) -> None:
    model.script("mute", Stall())
    chat.play("mute")
    expect(chat.status).to_contain_text("Waiting for the first word")
    chat.stop_button.click()
    expect(chat.status).to_contain_text("Stopped.")
    chat.expect_end()


def test_stop_in_one_tab_ends_the_answer_in_the_other(writing: ChatPage) -> None:
    other = writing.another_tab()
    expect(other.status).to_contain_text("Received")
    writing.stop_button.click()
    expect(other.status).to_contain_text("Stopped.", timeout=2000)
    other.expect_end()
    writing.expect_end()
    assert other.answer.inner_text() == writing.answer.inner_text()


def test_a_second_tab_can_stop_too(writing: ChatPage) -> None:
    other = writing.another_tab()
    other.stop_button.click()
    expect(writing.status).to_contain_text("Stopped.", timeout=2000)
    expect(other.status).to_contain_text("Stopped.")


def test_stop_hammered_is_one_stop(writing: ChatPage, site: SiteProcess) -> None:
    hammer = "button => { for (let n = 0; n < 20; n++) button.click(); }"
    writing.stop_button.evaluate(hammer)
    for _ in range(5):
        writing.page.keyboard.press("Escape")
    expect(writing.status).to_contain_text("Stopped.")
    writing.expect_end()
    expect(writing.page.locator(".notice:visible")).to_have_count(1)
    (status,) = site.rows("SELECT status FROM chat_generation ORDER BY id DESC LIMIT 1")[0]
    assert status == "stopped"


def test_a_new_prompt_after_a_stop_is_answered(writing: ChatPage, model: DemoThread) -> None:
    model.script("brief", Wait(0.1), Text("Back to work."))
    writing.stop_button.click()
    writing.expect_end()
    writing.play("brief")
    expect(writing.answer).to_have_text("Back to work.")
