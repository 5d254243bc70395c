"""Too much at once, as a person sees it: told in words, with the time to wait, nothing lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person, signed_in
from tests.browser.problems import Problems
from tests.site_process import SiteProcess

MAX_BYTES = 1_000
LIMITS = {
    "CHAT_SOCKETS_PER_USER": "1",
    "CHAT_SENDS_PER_MINUTE": "2",
    "CHAT_PROMPT_MAX_BYTES": str(MAX_BYTES),
}


@pytest.fixture(scope="module")
def strict_site(model: DemoThread) -> Iterator[SiteProcess]:
    """A site that allows little."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"ANTHROPIC_BASE_URL": model.base_url, **LIMITS}
        with SiteProcess(Path(folder), settings) as running:
            yield running


@pytest.fixture
def person(strict_site: SiteProcess, request: pytest.FixtureRequest) -> Person:
    """Somebody who has sent nothing yet."""
    name = request.node.name.replace("[", "-").strip("]")[-30:]
    strict_site.add_user(name, "a pass phrase")
    return signed_in(strict_site.base_url, name, "a pass phrase")


@pytest.fixture
def chat(new_context: NewContext, strict_site: SiteProcess, person: Person) -> ChatPage:
    context = new_context(storage_state=person.state)
    return ChatPage(context.new_page(), strict_site.base_url).open()


@pytest.fixture
def begun(chat: ChatPage) -> ChatPage:
    """A conversation with one finished answer."""
    chat.play("max-tokens")
    chat.expect_end()
    return chat


def test_a_page_too_many_says_so_and_comes_back(chat: ChatPage, problems: Problems) -> None:
    chat.page.context.clock.install()
    chat.play("max-tokens")
    chat.expect_end()
    other = chat.another_tab()
    expect(other.offline_banner).to_contain_text("Too many pages of this site are open")
    expect(other.offline_banner).to_contain_text("trying again in")
    expect(chat.offline_banner).to_be_hidden()
    chat.page.close()
    other.page.clock.fast_forward("00:30")
    # Where the site learns of it too late, the page waits once more.
    expect(other.offline_banner).to_be_hidden(timeout=60_000)


def test_a_page_too_many_still_sends(chat: ChatPage) -> None:
    chat.play("max-tokens")
    chat.expect_end()
    other = chat.another_tab()
    expect(other.offline_banner).to_be_visible()
    other.send("/demo max-tokens\nWithout a socket")
    expect(other.prompts.last).to_contain_text("Without a socket")


def test_too_many_sends_keep_the_text(chat: ChatPage, problems: Problems) -> None:
    problems.expect("429")
    for _ in range(2):
        chat.play("max-tokens")
        chat.expect_end()
    chat.send("Words that must not be lost")
    error = chat.page.locator("#composer-error")
    expect(error).to_contain_text("at most 2 messages a minute from one person. Try again in")
    expect(chat.composer).to_have_value("Words that must not be lost")
    expect(chat.prompts).to_have_count(2)
    chat.page.get_by_role("button", name="Continue").last.click()
    expect(error).to_contain_text("Try again in")
    expect(chat.composer).to_have_value("Words that must not be lost")


@pytest.mark.parametrize("start", ["chat", "begun"])
def test_more_than_the_limit_is_refused_in_words(
    start: str, request: pytest.FixtureRequest, problems: Problems
) -> None:
    problems.expect("413")
    chat: ChatPage = request.getfixturevalue(start)
    text = "x" * (MAX_BYTES + 1)
    chat.composer.fill(text)
    chat.send_button.click()
    error = chat.page.locator("#composer-error")
    expect(error).to_contain_text(f"at most {MAX_BYTES} can be sent")
    expect(chat.composer).to_have_value(text)
    chat.composer.fill("A shorter one")
    chat.send_button.click()
    expect(chat.prompts.last).to_have_text("A shorter one")
