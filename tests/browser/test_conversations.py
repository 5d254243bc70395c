"""Several conversations and several tabs: whose they are, what they are called, that they go."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from chat.transcript import PAGE_MESSAGES
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person
from tests.browser.problems import Problems
from tests.site_process import SiteProcess

# Resolves to the code with which a socket closed; never opened is 1006.
OPEN_SOCKET = """address => new Promise(resolve => {
    const socket = new WebSocket(address);
    socket.onopen = () => resolve("opened");
    socket.onclose = event => resolve(event.code);
})"""

# Sixty more prompts, each under the one before.
LENGTHEN = """
from chat.models import Conversation, Message
shown = Conversation.objects.get(pk="%s")
for number in range(40):
    Message.objects.create(
        conversation=shown, parent_id=shown.active_path()[-1], role="user", text=f"No. {number}"
    )
"""


@pytest.fixture
def stranger(new_context: NewContext, bob: Person) -> Page:
    return new_context(storage_state=bob.state).new_page()


def test_a_strangers_conversation_is_not_found(
    begun: ChatPage, stranger: Page, problems: Problems
) -> None:
    problems.expect("404")
    response = stranger.goto(begun.page.url)
    assert response is not None and response.status == 404
    expect(stranger.get_by_role("heading", name="Page not found")).to_be_visible()


def test_a_strangers_socket_is_refused(begun: ChatPage, stranger: Page, problems: Problems) -> None:
    problems.expect("WebSocket connection to")
    stranger.goto(begun.base_url)
    address = begun.page.url.replace("http://", "ws://").replace("/c/", "/ws/c/")
    assert begun.page.evaluate(OPEN_SOCKET, address) == "opened"
    assert stranger.evaluate(OPEN_SOCKET, address) == 1006


def test_an_idle_tab_shows_what_another_sends(begun: ChatPage) -> None:
    idle = begun.another_tab()
    begun.send("Can you hear me?")
    expect(idle.prompts.last).to_have_text("Can you hear me?")
    begun.expect_end()
    idle.expect_end()
    assert idle.html() == begun.html()


def test_a_tab_of_another_conversation_stays_as_it_is(begun: ChatPage) -> None:
    other = begun.another_tab()
    other.page.get_by_role("link", name="New chat").click()
    other.play("max-tokens")
    other.expect_end()
    expect(begun.prompts).to_have_count(1)
    expect(other.prompts).to_have_count(1)


def test_two_tabs_send_at_once_one_is_refused_and_keeps_its_text(
    begun: ChatPage, model: DemoThread, problems: Problems
) -> None:
    problems.expect("409")
    model.script("busy-writing", Text("On and on. " * 500, interval_s=0.02))
    late = begun.another_tab()
    # Its socket is deaf, as if the news were still on their way.
    late.page.route_web_socket(re.compile("/ws/c/"), lambda socket: None)
    late.page.reload()
    begun.play("busy-writing")
    late.send("Me too!")
    expect(late.page.locator("#composer-error")).to_contain_text("An answer is still being written")
    expect(late.composer).to_have_value("Me too!")
    begun.stop_button.click()
    begun.expect_end()
    expect(begun.prompts).to_have_count(2)


def test_rename_changes_the_title_everywhere(begun: ChatPage) -> None:
    other = begun.another_tab()
    item = begun.page.locator(".conversation-item", has=begun.page.locator("[aria-current]"))
    item.hover()
    item.locator("summary").click()
    item.get_by_role("link", name="Rename").click()
    begun.page.get_by_label("Title").fill("A better name")
    begun.page.get_by_role("button", name="Rename").click()
    expect(begun.page.get_by_role("heading", level=1)).to_have_text("A better name")
    expect(other.page.get_by_role("heading", level=1)).to_have_text("A better name")
    expect(other.page.locator(".conversation-item [aria-current]")).to_have_text("A better name")


def test_delete_asks_and_deletes(begun: ChatPage, problems: Problems) -> None:
    problems.expect("404")
    address = begun.page.url
    begun.page.goto(f"{address}delete/")
    begun.page.get_by_role("link", name="Cancel").click()
    expect(begun.page).to_have_url(address)
    begun.page.goto(f"{address}delete/")
    begun.page.get_by_role("button", name="Delete").click()
    expect(begun.page.locator(".empty")).to_be_visible()
    response = begun.page.goto(address)
    assert response is not None and response.status == 404


def test_delete_is_told_in_another_tab(begun: ChatPage) -> None:
    other = begun.another_tab()
    expect(other.offline_banner).to_be_hidden()
    begun.page.goto(f"{begun.page.url}delete/")
    begun.page.get_by_role("button", name="Delete").click()
    expect(other.announcer).to_have_text("This conversation was deleted.")
    expect(other.page.locator("#messages")).to_have_text("This conversation was deleted.")


def test_older_messages_load_as_one_scrolls_up(begun: ChatPage, site: SiteProcess) -> None:
    site.manage("shell", "--command", LENGTHEN % begun.page.url.split("/")[-2])
    begun.page.reload()
    messages = begun.page.locator(".message")
    expect(messages).to_have_count(PAGE_MESSAGES)
    begun.page.locator(".older").scroll_into_view_if_needed()
    expect(messages).to_have_count(42)
    expect(begun.page.locator(".older")).to_have_count(0)
    ids = messages.evaluate_all("all => all.map(one => +one.dataset.message)")
    assert ids == sorted(set(ids))


def test_the_list_goes_on_as_one_scrolls_down(chat: ChatPage) -> None:
    for _ in range(3):
        chat.open().play("empty")
    items = chat.open().page.locator(".conversation-item")
    more = chat.page.locator(".more")
    while more.count():
        count = items.count()
        more.scroll_into_view_if_needed()
        expect(items).not_to_have_count(count)
    ids = items.evaluate_all("all => all.map(one => one.id)")
    assert len(ids) == len(set(ids)) > 2
