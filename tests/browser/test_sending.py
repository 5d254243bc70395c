"""Sending a prompt: once, by every way there is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from chat.demo.steps import Text, Wait
from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage, calls
from tests.browser.problems import Problems


def test_send_from_the_empty_page_opens_a_conversation(chat: ChatPage) -> None:
    chat.send("Good morning")
    expect(chat.page).to_have_url(CONVERSATION)
    expect(chat.prompts).to_have_text("Good morning")
    expect(chat.page.locator(".conversation-item [aria-current]")).to_have_text("Good morning")
    chat.expect_end()
    expect(chat.answer).not_to_be_empty()


def test_send_in_a_conversation_keeps_the_page(begun: ChatPage) -> None:
    address = begun.page.url
    begun.send("And then?")
    expect(begun.prompts).to_have_count(2)
    begun.expect_end()
    expect(begun.answers).to_have_count(2)
    expect(begun.page).to_have_url(address)
    expect(begun.composer).to_have_value("")


def test_shift_enter_breaks_the_line(begun: ChatPage) -> None:
    begun.composer.press_sequentially("one")
    begun.composer.press("Shift+Enter")
    begun.composer.press_sequentially("two")
    expect(begun.composer).to_have_value("one\ntwo")
    begun.composer.press("Enter")
    expect(begun.prompts.last).to_have_text("one\ntwo")
    assert begun.prompts.last.inner_text() == "one\ntwo"


def test_enter_on_nothing_does_nothing(begun: ChatPage) -> None:
    begun.composer.fill(" \n ")
    begun.composer.press("Enter")
    begun.send("after it")
    expect(begun.prompts).to_have_text([re.compile(".*"), "after it"])


def test_send_of_nothing_is_refused_in_words(begun: ChatPage, problems: Problems) -> None:
    problems.expect("400")
    begun.send_button.click()
    expect(begun.page.locator("#composer-error")).to_contain_text("Write a message first")
    expect(begun.prompts).to_have_count(1)


@pytest.mark.parametrize("start", ["chat", "begun"])
def test_double_click_on_send_sends_once(
    start: str, request: pytest.FixtureRequest, model: DemoThread
) -> None:
    chat: ChatPage = request.getfixturevalue(start)
    model.script("slow-start", Wait(0.5), Text("Here it is."))
    chat.composer.fill("/demo slow-start\ndouble-click-" + start)
    chat.send_button.dblclick()
    expect(chat.answer).to_have_text("Here it is.")
    expect(chat.prompts.filter(has_text="double-click")).to_have_count(1)
    assert len(calls(model, "double-click-" + start)) == 1


def test_fifty_presses_of_enter_send_once(begun: ChatPage, model: DemoThread) -> None:
    model.script("slow-start", Wait(0.5), Text("Here it is."))
    begun.composer.fill("/demo slow-start\nfifty-presses")
    for _ in range(50):
        begun.page.keyboard.press("Enter")
    expect(begun.answer).to_have_text("Here it is.")
    begun.expect_end()
    assert len(calls(model, "fifty-presses")) == 1
    expect(begun.prompts).to_have_count(2)


def test_example_button_sends_its_words(chat: ChatPage) -> None:
    example = chat.page.locator(".example").first
    words = example.inner_text()
    example.click()
    expect(chat.page).to_have_url(CONVERSATION)
    expect(chat.prompts).to_have_text(words)


def test_an_input_method_keeps_its_enter(begun: ChatPage) -> None:
    begun.composer.fill("nihao")
    begun.composer.dispatch_event(
        "keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    )
    expect(begun.composer).to_have_value("nihao")
    expect(begun.prompts).to_have_count(1)


def test_a_response_later_than_the_answer_leaves_send_in_place(
    begun: ChatPage, model: DemoThread
) -> None:
    def respond_late(route: Route) -> None:
        response = route.fetch()
        expect(begun.announcer).to_have_text("Claude's answer is complete.")
        route.fulfill(response=response)

    model.script("at-once", Text("Done."))
    begun.page.route("**/send/", respond_late)
    begun.play("at-once")
    expect(begun.composer).to_have_value("")
    expect(begun.send_button).to_be_visible()
    expect(begun.stop_button).to_have_count(0)
