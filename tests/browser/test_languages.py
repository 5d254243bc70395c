"""A German browser, and answers that are written from right to left."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person
from tests.site_process import SiteProcess

ARABIC = "مرحبا بالعالم:\n\n- نعم `print(1)`\n- لا\n\n```\nx = 1\n```\n"


@pytest.fixture
def german(new_context: NewContext, site: SiteProcess, alice: Person) -> Page:
    page = new_context(storage_state=alice.state, locale="de-DE").new_page()
    page.goto(site.base_url)
    page.wait_for_load_state()
    return page


def ask(page: Page, text: str) -> None:
    page.get_by_label("Ihre Nachricht").fill(text)
    page.get_by_label("Ihre Nachricht").press("Enter")
    expect(page.get_by_role("button", name="Senden")).to_be_visible()


def test_page_and_socket_speak_german(german: Page) -> None:
    expect(german.locator("html")).to_have_attribute("lang", "de")
    ask(german, "/demo max-tokens")
    german.wait_for_url("**/c/**")
    german.wait_for_load_state()
    # The first prompt loaded a page; of the second answer the socket alone tells.
    ask(german, "/demo max-tokens")
    expect(german.locator("#announcer")).to_contain_text("an der Längengrenze abgeschnitten")
    expect(german.locator(".message-status .notice").last).to_contain_text("Fortsetzen")


def test_answer_has_its_own_direction(chat: ChatPage, model: DemoThread) -> None:
    model.script("arabic", Text(ARABIC, interval_s=0))
    chat.play("arabic")
    chat.expect_end()
    expect(chat.answer.locator("ul")).to_have_css("direction", "rtl")
    for code in chat.answer.locator("code").all():
        expect(code).to_have_css("direction", "ltr")
    expect(chat.answer.locator("pre")).to_have_css("text-align", "start")


def test_prompt_has_its_own_direction(chat: ChatPage) -> None:
    expect(chat.composer).to_have_css("unicode-bidi", "plaintext")
