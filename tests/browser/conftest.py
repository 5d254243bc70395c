"""The tests in a real browser: Chromium, signed-in people, and what the browser complained of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    StorageState,
    StorageStateCookie,
    expect,
    sync_playwright,
)

from chat.demo.thread import DemoThread
from tests.browser.chat_page import CONVERSATION, ChatPage
from tests.browser.chromium import ChromiumIsMissing, launch
from tests.browser.problems import Problems
from tests.proxy import Proxy
from tests.site_process import ADMIN_PASSWORD, SiteProcess
from tests.visitor import Visitor

TIMEOUT_S = 120.0  # a slow machine takes 30 s for a click beside a megabyte of text

NewContext = Callable[..., BrowserContext]


class Person(NamedTuple):
    """An account, and the cookies of somebody who has signed in to it."""

    name: str
    password: str
    state: StorageState


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=TIMEOUT_S * 1000)
    with sync_playwright() as playwright:
        try:
            opened = launch(playwright)
        except ChromiumIsMissing as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))
        yield opened
        opened.close()


@pytest.fixture
def problems() -> Iterator[Problems]:
    """What the browser complained of; any complaint that the test did not expect fails it."""
    collected = Problems()
    yield collected
    assert collected.unexpected == []


@pytest.fixture
def new_context(browser: Browser, problems: Problems) -> Iterator[NewContext]:
    """Make browser contexts (a profile of its own each) that are watched, and closed at the end."""
    opened: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_S * 1000)
        problems.watch(context)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


def sign_in(chat: ChatPage, name: str, password: str) -> None:
    chat.open()
    chat.page.get_by_label("Username or email").fill(name)
    chat.page.get_by_label("Password", exact=True).fill(password)
    chat.page.get_by_role("button", name="Sign in").click()


def signed_in(base_url: str, name: str, password: str) -> Person:
    """Sign somebody in without a browser, which would take seconds to load the pages."""
    with Visitor(base_url) as visitor:
        visitor.sign_in(name, password)
        cookies = [_cookie(name, value) for name, value in visitor.http.cookies.items()]
    return Person(name, password, {"cookies": cookies, "origins": []})


def _cookie(name: str, value: str) -> StorageStateCookie:
    return {
        **{"name": name, "value": value, "domain": "127.0.0.1", "path": "/", "expires": -1},
        **{"httpOnly": True, "secure": False, "sameSite": "Lax"},
    }


@pytest.fixture(scope="session")
def alice(site: SiteProcess) -> Person:
    site.add_user("alice", "a pass phrase of alice")
    return signed_in(site.base_url, "alice", "a pass phrase of alice")


@pytest.fixture(scope="session")
def bob(site: SiteProcess) -> Person:
    site.add_user("bob", "a pass phrase of bob")
    return signed_in(site.base_url, "bob", "a pass phrase of bob")


@pytest.fixture
def chat(new_context: NewContext, site: SiteProcess, alice: Person) -> ChatPage:
    """The empty page of alice, who is signed in."""
    context = new_context(storage_state=alice.state)
    return ChatPage(context.new_page(), site.base_url).open()


@pytest.fixture
def begun(chat: ChatPage) -> ChatPage:
    """A conversation of alice with one finished answer."""
    chat.play("max-tokens")
    expect(chat.page).to_have_url(CONVERSATION)
    chat.expect_end()
    return chat


@pytest.fixture
def network(site: SiteProcess) -> Iterator[Proxy]:
    """A network before the site, for a browser that uses its address instead of the site's."""
    with Proxy(site.port) as opened:
        yield opened


@pytest.fixture
def remote(new_context: NewContext, network: Proxy, alice: Person) -> ChatPage:
    """The empty page of alice, seen through the network. (Cookies know no ports.)"""
    context = new_context(storage_state=alice.state)
    return ChatPage(context.new_page(), network.base_url).open()


@pytest.fixture(scope="session")
def own_site(model: DemoThread) -> Iterator[SiteProcess]:
    """A second site, which tests may kill and start again."""
    with tempfile.TemporaryDirectory() as folder:
        running = SiteProcess(Path(folder), {"ANTHROPIC_BASE_URL": model.base_url})
        with running:
            yield running


@pytest.fixture(scope="session")
def admin(own_site: SiteProcess) -> Person:
    """The admin of the second site."""
    return signed_in(own_site.base_url, "admin", ADMIN_PASSWORD)


@pytest.fixture
def own_chat(new_context: NewContext, own_site: SiteProcess, admin: Person) -> ChatPage:
    """The empty page of the second site's admin."""
    context = new_context(storage_state=admin.state)
    return ChatPage(context.new_page(), own_site.base_url).open()
