"""Clumsy people and bad days: floods of text, lost sessions, a site that dies in the middle."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage
from tests.browser.conftest import NewContext, Person, sign_in
from tests.browser.problems import Problems
from tests.site_process import SiteProcess

MEGABYTE = ("A line of a long text, which somebody pasted.\n" * 22_800)[:1_000_000]
OFFLINE = ("WebSocket", "[object Event]", "ERR_")
SIZE = "field => field.value.length"


@pytest.fixture(autouse=True)
def endless(model: DemoThread) -> None:
    model.script("endless", Text([f"word{n:05d} " for n in range(9000)], interval_s=0.02))


def test_a_megabyte_is_sent(begun: ChatPage, site: SiteProcess) -> None:
    begun.paste(MEGABYTE)
    begun.send_button.click()
    expect(begun.prompts).to_have_count(2)
    query = "SELECT length(text) FROM chat_message WHERE role = 'user' ORDER BY id DESC LIMIT 1"
    assert site.rows(query) == [(1_000_000,)]
    assert begun.composer.evaluate(SIZE) == 0
    begun.expect_end()


def test_far_more_than_the_limit_keeps_the_text(begun: ChatPage, problems: Problems) -> None:
    problems.expect("413", "400", "ERR_", "htmx:")
    # Each of these letters takes six bytes in a form: more than the site reads of one.
    begun.paste(("é" * 99 + "\n") * 11_000)
    begun.send_button.click()
    expect(begun.page.locator("#composer-error")).to_be_visible()
    assert begun.composer.evaluate(SIZE) == 1_100_000


def test_back_after_a_send_then_send_again(chat: ChatPage) -> None:
    chat.send("/demo max-tokens\nThe first of two")
    expect(chat.page).to_have_url(CONVERSATION)
    first = chat.page.url
    chat.expect_end()
    chat.page.go_back()
    expect(chat.page.locator(".empty")).to_be_visible()
    chat.send("/demo max-tokens\nThe second of two")
    expect(chat.prompts).to_contain_text("The second of two")
    assert chat.page.url != first


def test_sign_out_in_another_tab_ends_the_stream_here(
    new_context: NewContext, site: SiteProcess, alice: Person, problems: Problems
) -> None:
    problems.expect("403", "WebSocket")
    chat = ChatPage(new_context().new_page(), site.base_url)
    sign_in(chat, alice.name, alice.password)
    chat.play("endless")
    expect(chat.answer).to_contain_text("word00005")
    other = chat.another_tab()
    other.page.get_by_text(alice.name, exact=True).click()
    other.page.get_by_role("button", name="Sign out").click()
    expect(chat.offline_banner).to_contain_text("You are signed out.", timeout=5000)


def test_a_session_that_ended_keeps_the_text(
    new_context: NewContext, site: SiteProcess, alice: Person, problems: Problems
) -> None:
    problems.expect("403", "htmx:", "WebSocket")
    context = new_context()
    chat = ChatPage(context.new_page(), site.base_url)
    sign_in(chat, alice.name, alice.password)
    chat.play("max-tokens")
    chat.expect_end()
    context.clear_cookies()
    chat.send("Words that must not be lost")
    expect(chat.composer).to_have_value("Words that must not be lost")
    expect(chat.page.locator("#composer-error, #offline").locator("visible=true")).to_be_visible()


def test_a_killed_site_comes_back_by_itself(
    own_chat: ChatPage, own_site: SiteProcess, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    own_chat.play("endless")
    expect(own_chat.answer).to_contain_text("word00020")
    own_chat.page.evaluate("document.body.dataset.isTheSamePage = 'yes'")
    own_site.kill()
    expect(own_chat.offline_banner).to_contain_text("Reconnecting in")
    shown = own_chat.answer.inner_text()
    own_site.start()
    expect(own_chat.offline_banner).to_be_hidden()
    expect(own_chat.status).to_contain_text("(owner_lost)")
    assert own_chat.answer.inner_text().startswith(shown)
    expect(own_chat.retry_button).to_be_visible()
    own_chat.expect_end()
    expect(own_chat.page.locator("body")).to_have_attribute("data-is-the-same-page", "yes")


def test_retry_works_after_a_crash(
    own_chat: ChatPage, own_site: SiteProcess, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    own_chat.play("endless")
    expect(own_chat.answer).to_contain_text("word00005")
    own_site.kill()
    own_site.start()
    own_chat.retry_button.click()
    expect(own_chat.stop_button).to_be_visible()
    expect(own_chat.answers).to_have_count(1)
    own_chat.stop_button.click()
    expect(own_chat.status).to_contain_text("Stopped.")


def test_a_restarted_site_comes_back_by_itself(
    own_chat: ChatPage, own_site: SiteProcess, problems: Problems
) -> None:
    problems.expect(*OFFLINE)
    own_chat.play("max-tokens")
    own_chat.expect_end()
    own_site.terminate()
    expect(own_chat.offline_banner).to_contain_text("Reconnecting in")
    own_site.start()
    expect(own_chat.offline_banner).to_be_hidden()
    own_chat.play("max-tokens")
    expect(own_chat.answers).to_have_count(2)
