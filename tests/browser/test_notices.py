"""What a person is told where an answer did not simply end."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from chat.demo.steps import Attempts, Cut, Status, Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage, calls

BUSY = Status(529, "overloaded_error", "Overloaded", {"retry-after": "2"})
BROKEN = (Text("Half of"), Cut())
BUSY_NOTICE = re.compile("Claude is busy; trying again in [12] s, 2 of 3")


def test_a_retry_says_what_it_waits_for(begun: ChatPage, model: DemoThread) -> None:
    model.script("busy-once", Attempts([BUSY], [Text("Now it works.")]))
    mark = begun.play("busy-once")
    expect(begun.status).to_have_text(BUSY_NOTICE)
    expect(begun.answer).to_have_text("Now it works.")
    assert len(calls(model, mark)) == 2


def test_a_page_opened_while_a_retry_waits_says_so(begun: ChatPage, model: DemoThread) -> None:
    model.script("busy-long", Status(529, "overloaded_error", "Overloaded", {"retry-after": "9"}))
    begun.play("busy-long")
    expect(begun.status).to_contain_text("Claude is busy")
    begun.page.reload()
    expect(begun.status).to_contain_text("Claude is busy; trying again in", timeout=2000)
    begun.stop_button.click()
    expect(begun.status).to_contain_text("Stopped.")


def test_a_retry_can_be_stopped(begun: ChatPage, model: DemoThread) -> None:
    model.script("busy", BUSY)
    mark = begun.play("busy")
    expect(begun.status).to_have_text(BUSY_NOTICE)
    begun.stop_button.click()
    expect(begun.status).to_contain_text("Stopped.")
    assert len(calls(model, mark)) == 1


def test_a_failed_answer_keeps_its_text(chat: ChatPage) -> None:
    chat.play("reset-late")
    expect(chat.status).to_contain_text("(connection_lost)")
    expect(chat.answer).to_contain_text("they should stay on the page.")
    expect(chat.retry_button).to_be_visible()


def test_retry_replaces_the_failed_answer(chat: ChatPage, model: DemoThread) -> None:
    model.script("mended", Attempts(BROKEN, [Text("The whole answer.")]))
    chat.play("mended")
    chat.retry_button.click()
    expect(chat.answer).to_have_text("The whole answer.")
    chat.expect_end()
    expect(chat.answers).to_have_count(1)
    live = chat.html()
    chat.page.reload()
    assert chat.html() == live


def test_retry_shows_in_another_tab(chat: ChatPage, model: DemoThread) -> None:
    model.script("mended-too", Attempts(BROKEN, [Text("The whole answer.")]))
    chat.play("mended-too")
    expect(chat.retry_button).to_be_visible()
    other = chat.another_tab()
    chat.retry_button.click()
    expect(other.answer).to_have_text("The whole answer.")
    expect(other.answers).to_have_count(1)


def test_what_no_retry_can_mend_offers_none(chat: ChatPage) -> None:
    chat.play("auth")
    expect(chat.status).to_contain_text("An admin has to check the key. (auth)")
    expect(chat.retry_button).to_have_count(0)


def test_a_refusal_is_folded_away(chat: ChatPage) -> None:
    chat.play("refusal")
    expect(chat.status).to_contain_text("Claude declined to answer this.")
    expect(chat.answer).to_be_hidden()
    chat.answers.get_by_text("What Claude had written").click()
    expect(chat.answer).to_contain_text("may be read at leisure")


def test_the_length_limit_is_told(chat: ChatPage) -> None:
    chat.play("max-tokens")
    expect(chat.status).to_contain_text("The answer was cut at the length limit.")


def test_an_empty_answer_is_told(chat: ChatPage) -> None:
    chat.play("empty")
    expect(chat.status).to_contain_text("Claude had nothing to say to this.")


def test_only_the_last_answer_offers_a_retry(chat: ChatPage) -> None:
    chat.play("reset-late")
    expect(chat.retry_button).to_be_visible()
    chat.play("max-tokens")
    chat.expect_end()
    expect(chat.answers).to_have_count(2)
    expect(chat.retry_button).to_have_count(0)
