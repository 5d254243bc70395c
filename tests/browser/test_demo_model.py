"""A site without a key: the page says plainly that the demo model answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, sign_in
from tests.site_process import ADMIN_PASSWORD, SiteProcess


@pytest.fixture
def demo_site() -> Iterator[SiteProcess]:
    settings = {"ANTHROPIC_BASE_URL": "", "CHAT_DEMO": "on"}
    with tempfile.TemporaryDirectory() as folder, SiteProcess(Path(folder), settings) as running:
        yield running


def test_the_demo_model_is_named_and_answers(
    demo_site: SiteProcess, new_context: NewContext
) -> None:
    # In this order: the page is closed before its site.
    chat = ChatPage(new_context().new_page(), demo_site.base_url)
    sign_in(chat, "admin", ADMIN_PASSWORD)
    banner = chat.page.locator(".banner-demo")
    expect(banner).to_contain_text("This is the demo model, not Claude.")
    expect(banner).to_contain_text("ANTHROPIC_API_KEY")
    chat.send("Good morning")
    expect(chat.answer).not_to_be_empty()
    expect(banner).to_be_visible()


def test_a_real_model_has_no_such_banner(chat: ChatPage) -> None:
    expect(chat.composer).to_be_visible()
    expect(chat.page.locator(".banner-demo")).to_have_count(0)
