"""Thinking, tools, found pages and citations: live, when they are done, and on a fresh page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from chat.demo.search import TIDES, cited, search_call
from chat.demo.steps import Block, Pings, Step, Text, Thinking
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.test_hostile_text import HARMFUL
from tests.hostile_texts import HOSTILE_ADDRESSES, HOSTILE_TITLES

STEPS: list[Step] = [Thinking("Hm. " * 120, interval_s=0.1), search_call("rain"), Pings(30, 0.1)]


def expect_the_same_when_loaded_anew(chat: ChatPage) -> None:
    chat.expect_end()
    live = chat.html()
    chat.page.reload()
    assert live == chat.html()


def test_time_is_counted_while_it_runs(begun: ChatPage, model: DemoThread) -> None:
    model.script("slow-blocks", *STEPS, Text("It rains."))
    begun.play("slow-blocks")
    names = begun.answer.locator(".block-name")
    expect(names.first).to_have_text(re.compile(r"Thinking… [1-9]\d* s"))
    expect(names.nth(1)).to_have_text(re.compile(r"Tool: web_search… [1-9]\d* s"))
    expect(names.first).to_have_text(re.compile(r"Thought for [1-9]\d* s"))
    begun.expect_end()
    expect(names.nth(1)).to_have_text(re.compile(r"Tool: web_search, [1-9]\d* s"))
    expect_the_same_when_loaded_anew(begun)


def test_a_search_shows_its_pages_and_what_it_cites(begun: ChatPage) -> None:
    begun.send("Search the web for tides")
    expect(begun.answer).to_contain_text("The numbers lead to pages")
    begun.expect_end()
    expect(begun.answer.locator("p", has_text="Put briefly")).to_have_count(1)
    number = begun.answer.locator("sup a").first
    expect(number).to_have_text("1")
    expect(number).to_have_attribute("href", TIDES[0])
    expect(begun.answer.locator("ol.citations > li")).to_have_count(3)
    expect_the_same_when_loaded_anew(begun)
    begun.answer.get_by_text("Result: web_search, 3 pages").click()
    page = begun.answer.locator(".block-links a").first
    expect(page).to_be_visible()
    expect(page).to_have_attribute("rel", re.compile("noopener noreferrer"))


def test_a_fold_stays_open_when_numbers_come(begun: ChatPage, model: DemoThread) -> None:
    text = "It rains. " * 40
    model.script("open-fold", search_call("rain"), cited(text, (TIDES, "So it does.")))
    begun.play("open-fold")
    begun.answer.locator("summary").click()
    begun.expect_end()
    expect(begun.answer.locator("sup")).to_have_count(1)
    expect(begun.answer.locator("details")).to_have_attribute("open", "")


def test_a_search_that_fails_says_so(begun: ChatPage) -> None:
    begun.send("Search the web with a broken tool")
    expect(begun.answer).to_contain_text("goes wrong")
    begun.expect_end()
    failed = begun.answer.locator(".block-failed")
    expect(failed).to_have_count(2)
    expect(failed.last).to_contain_text("(too_many_requests)")
    expect(failed.last.locator("svg")).to_be_visible()
    expect_the_same_when_loaded_anew(begun)


def test_hostile_pages_and_citations_are_text(begun: ChatPage, model: DemoThread) -> None:
    pages = [
        {"type": "web_search_result", "url": url, "title": title, "page_age": title}
        for url in [*HOSTILE_ADDRESSES, TIDES[0]]
        for title in HOSTILE_TITLES[:3]
    ]
    result = {"type": "web_search_tool_result", "tool_use_id": "x", "content": pages}
    named = [(TIDES[0], title, None) for title in HOSTILE_TITLES]
    sources = [*named, *((address, "A", None) for address in HOSTILE_ADDRESSES)]
    texts = [cited("Said. ", (source, source[1])) for source in sources]
    model.script("hostile-sources", Block(result), Block({**result, "content": pages[-3:]}), *texts)
    fetched: list[str] = []
    begun.page.on("request", lambda request: fetched.append(request.url))
    begun.play("hostile-sources")
    begun.expect_end()
    expect(begun.answer.locator(HARMFUL)).to_have_count(0)
    links = begun.answer.locator("a").evaluate_all("all => all.map(one => one.href)")
    assert set(links) == {TIDES[0]}
    assert not [url for url in fetched if not url.startswith((begun.base_url, "ws"))]
    expect_the_same_when_loaded_anew(begun)
