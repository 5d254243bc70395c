"""Markdown as it is written: it grows on the page into what a fresh load shows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Step, Text, Wait
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person
from tests.hostile_texts import HOSTILE
from tests.site_process import SiteProcess
from tests.unit.markdown_texts import Writer

DOCUMENTS = 12
LATE_LINK = "See [the site].\n\nAnd more.\n\n[the site]: https://a.example/\n"
LONG_TABLE = "| n | word |\n|---|---|\n" + "".join(f"| {n} | *row* {n} |\n" for n in range(60))
ELEMENTS = re.compile(
    "a|abbr|blockquote|br|code|del|details|div|em|h[1-6]|hr|li|ol|p|pre|s|span|strong|summary|ul"
    "|table|tbody|td|th|thead|tr|math|m[a-z]+"
)


def documents() -> str:
    return "\n\n".join(Writer(seed).document() for seed in range(DOCUMENTS))


def expect_the_same_when_loaded_anew(chat: ChatPage) -> None:
    chat.expect_end()
    live, height = chat.html(), height_of(chat)
    chat.page.reload()
    assert live == chat.html()
    # The parts that a growing text stands in look like nothing.
    assert height == height_of(chat)


def height_of(chat: ChatPage) -> float:
    # Of parts that are out of sight a browser knows the height about.
    show = "parts => parts.forEach(part => part.style.contentVisibility = 'visible')"
    chat.answer.locator(".part").evaluate_all(show)
    box = chat.answer.bounding_box()
    assert box
    return box["height"]


def test_documents_grow_into_what_a_load_shows(begun: ChatPage, model: DemoThread) -> None:
    model.script("documents", Text(documents(), chunk=9, interval_s=0.002))
    begun.play("documents")
    expect_the_same_when_loaded_anew(begun)


def test_a_page_loaded_meanwhile_grows_on(begun: ChatPage, model: DemoThread) -> None:
    model.script("documents-slowly", Text(documents(), chunk=9, interval_s=0.005))
    begun.play("documents-slowly")
    expect(begun.answer.locator("p").nth(5)).to_be_visible()
    begun.page.reload()
    expect_the_same_when_loaded_anew(begun)


def test_a_table_grows_by_rows(begun: ChatPage, model: DemoThread) -> None:
    model.script("long-table", Text(LONG_TABLE, chunk=7, interval_s=0.005))
    begun.play("long-table")
    expect(begun.answer.locator("tbody tr")).to_have_count(60)
    expect(begun.answer.locator("table")).to_have_count(1)
    expect_the_same_when_loaded_anew(begun)


def test_a_link_whose_address_comes_last(begun: ChatPage, model: DemoThread) -> None:
    model.script("late-link", Text(LATE_LINK, chunk=5, interval_s=0.02))
    begun.play("late-link")
    begun.expect_end()
    expect(begun.answer.get_by_role("link", name="the site")).to_be_visible()
    expect_the_same_when_loaded_anew(begun)


def test_what_is_finished_stays_selected(begun: ChatPage, model: DemoThread) -> None:
    steps: list[Step] = [Text("First *paragraph*.\n\n"), Text("And **more**. " * 60, chunk=5)]
    model.script("selected", *steps, Wait(0.5))
    begun.play("selected")
    expect(begun.answer.locator("p").nth(1)).to_be_visible()
    # Not by the mouse, under which the text moves on while it is followed.
    begun.answer.locator("em").first.evaluate("word => getSelection().selectAllChildren(word)")
    begun.expect_end()
    assert begun.page.evaluate("getSelection().toString()").strip() == "paragraph"


@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with policy", "without policy"])
def test_hostile_texts_are_texts(
    new_context: NewContext, site: SiteProcess, alice: Person, model: DemoThread, bypass_csp: bool
) -> None:
    context = new_context(storage_state=alice.state, bypass_csp=bypass_csp)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    chat = ChatPage(context.new_page(), site.base_url).open()
    chat.page.add_init_script("window.owned = () => { document.title = 'owned'; };")
    model.script("hostile", Text("\n\n".join(HOSTILE), chunk=11, interval_s=0.001))
    chat.play("hostile")
    chat.expect_end()
    names = chat.answer.locator("*").evaluate_all("all => all.map(one => one.localName)")
    assert not [name for name in set(names) if not ELEMENTS.fullmatch(name)]
    assert not [url for url in fetched if not url.startswith((site.base_url, "ws"))]
    expect(chat.page).not_to_have_title(re.compile("owned"))
    expect(chat.composer).to_be_visible()
    expect(chat.prompts).to_have_count(1)
    expect_the_same_when_loaded_anew(chat)
