"""A database without room, as a person sees it: refused in words, sent once when there is room."""

from __future__ import annotations

import contextlib
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage
from tests.browser.conftest import NewContext, Person, signed_in
from tests.browser.problems import Problems
from tests.site_process import ADMIN_PASSWORD, SiteProcess

# Enough for the log, and too little for what is written to the database's own files.
ROOM_BYTES = 40_000
LONG = "/demo max-tokens\n" + "A line of a long text.\n" * 2_500
KEY = "input[name=key]"


@pytest.fixture(scope="module")
def small_site(model: DemoThread) -> Iterator[SiteProcess]:
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "ANTHROPIC_BASE_URL": model.base_url,
            "DATABASE_URL": f"sqlite:///{folder}/own.sqlite3",
        }
        with SiteProcess(Path(folder), settings) as running:
            yield running


@pytest.fixture(scope="module")
def person(small_site: SiteProcess) -> Person:
    return signed_in(small_site.base_url, "admin", ADMIN_PASSWORD)


@contextlib.contextmanager
def no_room(site: SiteProcess) -> Iterator[None]:
    """Let the site's process write no file further than it can write its log."""
    before = resource.prlimit(site.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))
    try:
        yield
    finally:
        resource.prlimit(site.pid, resource.RLIMIT_FSIZE, before)


def test_page_keeps_the_prompt_and_its_key(
    new_context: NewContext, small_site: SiteProcess, person: Person, problems: Problems
) -> None:
    problems.expect("503", "htmx:")
    context = new_context(storage_state=person.state)
    chat = ChatPage(context.new_page(), small_site.base_url).open()
    chat.play("max-tokens")
    chat.expect_end()
    chat.paste(LONG)
    key = chat.page.locator(KEY).input_value()
    error = chat.page.locator("#composer-error")
    with no_room(small_site):
        chat.send_button.click()
        expect(error).to_contain_text("can't save anything at the moment. What you typed is kept")
        expect(chat.composer).to_be_editable()
        assert chat.composer.input_value() == LONG
        assert chat.page.locator(KEY).input_value() == key
    chat.send_button.click()
    expect(chat.prompts).to_have_count(2)
    expect(chat.composer).to_have_value("")
    expect(error).to_be_hidden()
    chat.expect_end()


def test_without_script_the_prompt_comes_back_in_a_form(
    new_context: NewContext, small_site: SiteProcess, person: Person, problems: Problems
) -> None:
    problems.expect("503")
    context = new_context(storage_state=person.state, java_script_enabled=False)
    chat = ChatPage(context.new_page(), small_site.base_url).open()
    chat.paste(LONG)
    with no_room(small_site):
        chat.send_button.click()
        expect(chat.page.get_by_role("heading")).to_have_text("Not possible at the moment")
        expect(chat.composer).to_have_value(LONG)
    chat.page.get_by_role("button", name="Send again").click()
    expect(chat.page).to_have_url(CONVERSATION)
    expect(chat.prompts).to_have_count(1)
