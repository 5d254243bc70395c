"""axe-core finds nothing, in any state of the page and in the ways through the site.

What else a screen reader and a keyboard need is in test_composer.py.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from chat.demo.steps import Text, Thinking
from chat.demo.thread import DemoThread
from tests.browser.axe import bring_axe, violations
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person
from tests.browser.problems import Problems
from tests.site_process import SiteProcess

WIDE, PHONE = (1440, 900), (390, 844)

# The site waits for ten seconds; what it sent first may have come later than usual.
NOTES_MS = 9_000

# Keeps every sentence that a screen reader is given, and when.
LISTEN = """window.heard = [];
const announcer = document.getElementById("announcer");
new MutationObserver(() => heard.push([announcer.textContent, performance.now()]))
    .observe(announcer, {childList: true, characterData: true})"""


def state_addresses(page: Page, site: SiteProcess) -> list[str]:
    page.goto(f"{site.base_url}/styleguide/")
    addresses: list[str] = page.locator("main a").evaluate_all("all => all.map(a => a.href)")
    return addresses


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_state_has_a_violation(
    new_context: NewContext, site: SiteProcess, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    # Without motion nothing is judged on its way to where it stands.
    context = new_context(viewport=viewport, reduced_motion="reduce")
    bring_axe(context)
    page = context.new_page()
    found = {}
    for address in state_addresses(page, site):
        page.emulate_media(color_scheme="light")
        page.goto(address)
        found[address] = violations(page)
        page.emulate_media(color_scheme="dark")
        found[address] += violations(page, of_colors=True)
    assert len(found) > 40
    assert {address: some for address, some in found.items() if some} == {}


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def seen(
    request: pytest.FixtureRequest, new_context: NewContext, site: SiteProcess, alice: Person
) -> ChatPage:
    """The empty page of alice, with axe-core in it."""
    width, height = request.param
    context = new_context(
        storage_state=alice.state,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    bring_axe(context)
    return ChatPage(context.new_page(), site.base_url).open()


def test_empty_page(seen: ChatPage) -> None:
    assert violations(seen.page) == []


@pytest.mark.parametrize("path", ["login", "password/reset"])
def test_entrance(new_context: NewContext, site: SiteProcess, path: str) -> None:
    context = new_context()
    bring_axe(context)
    page = context.new_page()
    page.goto(f"{site.base_url}/accounts/{path}/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert violations(page) == []


def test_an_answer_while_it_is_written(seen: ChatPage, model: DemoThread) -> None:
    model.script(
        "all-day",
        Thinking("Let me see. " * 10, interval_s=0),
        Text("These words go on and on. " * 2000, interval_s=0.02),
    )
    seen.play("all-day")
    expect(seen.answer).to_contain_text("These words")
    assert violations(seen.page) == []
    seen.stop_button.click()
    expect(seen.status).to_contain_text("Stopped.")
    assert violations(seen.page) == []


def test_a_failed_answer(seen: ChatPage) -> None:
    seen.play("reset-late")
    expect(seen.retry_button).to_be_visible()
    assert violations(seen.page) == []


def test_a_refused_prompt(seen: ChatPage, problems: Problems) -> None:
    problems.expect("400")
    seen.page.wait_for_load_state()
    seen.composer.fill(" ")
    seen.send_button.click()
    expect(seen.page.locator("#composer-error")).to_be_visible()
    assert violations(seen.page) == []


@pytest.mark.parametrize("page_name", ["rename", "delete"])
def test_rename_and_delete(seen: ChatPage, page_name: str) -> None:
    seen.play("max-tokens")
    seen.expect_end()
    seen.page.goto(f"{seen.page.url}{page_name}/")
    expect(seen.page.get_by_role("link", name="Cancel")).to_be_visible()
    assert violations(seen.page) == []


@pytest.mark.parametrize("path", ["password/change", "email", "logout"])
def test_account_pages(seen: ChatPage, path: str) -> None:
    seen.page.goto(f"{seen.base_url}/accounts/{path}/")
    expect(seen.page.get_by_role("heading", level=1)).to_be_visible()
    assert violations(seen.page) == []


def test_a_screen_reader_hears_of_progress_seldom(begun: ChatPage, model: DemoThread) -> None:
    model.script("slow", Text("Steady words. " * 100, chunk=14, interval_s=0.13))
    begun.page.evaluate(LISTEN)
    begun.play("slow")
    expect(begun.announcer).to_contain_text("Received")
    expect(begun.answers.last).to_have_attribute("aria-busy", "true")
    begun.expect_end()
    expect(begun.announcer).to_have_text("Claude's answer is complete.")
    (first, started), *notes, (last, _) = begun.page.evaluate("heard")
    assert (first, last) == ("Claude is answering.", "Claude's answer is complete.")
    assert all(text.startswith("Received ") for text, _ in notes)
    times = [started, *(at for _, at in notes)]
    assert all(later - earlier > NOTES_MS for earlier, later in pairwise(times))
