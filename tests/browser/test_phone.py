"""A phone: the list is a drawer, nothing scrolls sideways, the composer is at hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person
from tests.site_process import SiteProcess

WIDE = f"{'W' * 300}\n\nhttps://example.com/{'a/' * 200}\n\n```\n{'code ' * 80}\n```\n"


@pytest.fixture
def phone(new_context: NewContext, site: SiteProcess, alice: Person) -> ChatPage:
    context = new_context(
        storage_state=alice.state,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
    )
    return ChatPage(context.new_page(), site.base_url).open()


def test_the_drawer_opens_and_closes(phone: ChatPage) -> None:
    new_chat = phone.page.get_by_role("link", name="New chat")
    expect(new_chat).not_to_be_visible()
    phone.page.locator(".sidebar-open").tap()
    expect(new_chat).to_be_in_viewport(ratio=1)
    phone.page.locator(".sidebar-backdrop").tap(position={"x": 370, "y": 400})
    expect(new_chat).not_to_be_visible()


def test_the_drawer_works_from_the_keyboard(phone: ChatPage) -> None:
    phone.page.get_by_role("checkbox", name="Show the list of conversations").focus()
    phone.page.keyboard.press("Space")
    expect(phone.page.get_by_role("link", name="New chat")).to_be_in_viewport(ratio=1)
    phone.page.keyboard.press("Space")
    expect(phone.page.get_by_role("link", name="New chat")).not_to_be_visible()


def test_a_conversation_is_chosen_in_the_drawer(phone: ChatPage) -> None:
    mark = phone.play("max-tokens")
    phone.expect_end()
    phone.open()
    phone.page.locator(".sidebar-open").tap()
    phone.page.get_by_role("link", name=mark).tap()
    expect(phone.prompts).to_contain_text(mark)


def test_nothing_scrolls_sideways(phone: ChatPage, model: DemoThread) -> None:
    model.script("wide", Text(WIDE))
    phone.play("wide", "x" * 300)
    phone.expect_end()
    sizes = "all => all.map(one => one.scrollWidth - one.clientWidth)"
    assert phone.page.locator("html, body, #conversation").evaluate_all(sizes) == [0, 0, 0]
    expect(phone.composer).to_be_in_viewport(ratio=1)
    expect(phone.send_button).to_be_in_viewport(ratio=1)


def test_the_send_button_is_big_enough_for_a_finger(phone: ChatPage) -> None:
    box = phone.send_button.bounding_box()
    assert box is not None and min(box["width"], box["height"]) >= 44
