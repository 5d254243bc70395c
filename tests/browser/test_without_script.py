"""A browser without script: forms post, pages load whole, the answer can be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage
from tests.browser.conftest import NewContext, Person, sign_in
from tests.browser.problems import Problems
from tests.site_process import SiteProcess


@pytest.fixture
def plain(new_context: NewContext, site: SiteProcess, alice: Person) -> ChatPage:
    """The empty page of alice, who signed in without script."""
    chat = ChatPage(new_context(java_script_enabled=False).new_page(), site.base_url)
    sign_in(chat, alice.name, alice.password)
    expect(chat.composer).to_be_visible()
    return chat


def test_a_prompt_is_sent_and_its_answer_read(plain: ChatPage, model: DemoThread) -> None:
    model.script("plain", Text("An answer for every browser."))
    plain.composer.fill("/demo plain")
    plain.send_button.click()
    expect(plain.page).to_have_url(CONVERSATION)
    # A page without script is as old as its loading: it is loaded until the answer is there.
    while plain.page.locator(".reload-link").count():
        plain.page.locator(".reload-link").click()
    expect(plain.answer).to_have_text("An answer for every browser.")
    plain.composer.fill("/demo max-tokens")
    plain.send_button.click()
    expect(plain.prompts).to_have_count(2)


def test_an_example_is_sent(plain: ChatPage) -> None:
    plain.page.locator(".example").first.click()
    expect(plain.prompts).to_have_text("Explain how a rainbow forms, in two paragraphs")


def test_an_answer_can_be_stopped(plain: ChatPage, model: DemoThread) -> None:
    model.script("endless", Text("These words go on and on. " * 2000, interval_s=0.02))
    plain.composer.fill("/demo endless")
    plain.send_button.click()
    plain.stop_button.click()
    # The stop is asked for, and the next page shows that it came.
    expect(plain.status).to_contain_text("Stopped.")
    expect(plain.send_button).to_be_visible()


def test_an_empty_prompt_is_refused_in_words(plain: ChatPage, problems: Problems) -> None:
    problems.expect("400")
    plain.send_button.click()
    expect(plain.page.locator("#composer-error")).to_contain_text("Write a message first")
    expect(plain.composer).to_be_visible()
