"""The chat as a person sees it in one tab, and what the model server saw of a prompt."""

from __future__ import annotations

import json
import re
import uuid
from typing import Self

from playwright.sync_api import Locator, Page, expect

from chat.demo.records import RequestRecord
from chat.demo.thread import DemoThread

CONVERSATION = re.compile(r"/c/[0-9a-f-]{36}/$")
_NOTHING_BETWEEN = re.compile(r">\s+<")
_WITHOUT_PARTS = """element => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".part").forEach(part => part.replaceWith(...part.childNodes));
  return copy.innerHTML;
}"""
_LIVE_ONLY = re.compile(r' id="block-[0-9-]+"| class=""')

_PUT = """(field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", {bubbles: true}));
}"""

_ENDED = """(patienceMs) => new Promise((resolve, reject) => {
  const look = () => document.querySelector(".send-button") && resolve();
  document.addEventListener("htmx:oobAfterSwap", look);
  setTimeout(reject, patienceMs, new Error("the answer has not ended"));
  look();
})"""


class ChatPage:
    """One tab with the chat, and names for what stands on it."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.composer = page.get_by_label("Your message")
        self.send_button = page.get_by_role("button", name="Send")
        self.stop_button = page.get_by_role("button", name="Stop")
        self.retry_button = page.get_by_role("button", name="Retry")
        self.prompts = page.locator(".message-user .bubble")
        self.answers = page.locator(".message-assistant")
        self.answer = self.answers.last.locator(".message-body")
        self.status = self.answers.last.locator(".message-status")
        self.announcer = page.locator("#announcer")
        self.offline_banner = page.locator("#offline")

    def open(self) -> Self:
        self.page.goto(self.base_url)
        return self

    def send(self, text: str) -> None:
        # Before its scripts have run, the page takes Enter for a line break.
        self.page.wait_for_load_state()
        self.composer.fill(text)
        self.composer.press("Enter")

    def paste(self, text: str) -> None:
        """Put a long text into the composer; typing it would take the browser minutes."""
        self.composer.evaluate(_PUT, text)

    def play(self, scenario: str, words: str = "") -> str:
        """Send a prompt that plays a scenario; return a word that only this prompt has."""
        mark = f"mark{uuid.uuid4().hex[:12]}"
        self.send(f"/demo {scenario}\n{mark} {words}".rstrip())
        expect(self.prompts.last).to_contain_text(mark)
        # The first prompt loads a page. Cut off before it has its scripts, it would be a page
        # without script, which tells of nothing and never comes back.
        self.page.wait_for_load_state()
        return mark

    def expect_end(self) -> None:
        """Wait until the answer has ended, however it did."""
        expect(self.send_button).to_be_visible()
        expect(self.answers.last).not_to_have_attribute("aria-busy", "true")

    def await_end(self, timeout_s: float) -> None:
        """Wait for the end of an answer that is written, as `expect_end` does.

        The page is not asked again and again, which would cost it more than what is measured.
        """
        self.page.evaluate(_ENDED, timeout_s * 1000)

    def another_tab(self) -> ChatPage:
        """Open the same address in another tab of the same browser."""
        page = self.page.context.new_page()
        page.goto(self.page.url)
        return ChatPage(page, self.base_url)

    def html(self) -> str:
        """Return the messages and the composer's buttons, without what only a live page has."""
        parts = (self.page.locator("#messages"), self.page.locator("#composer-actions"))
        return "".join(map(_html, parts))


def _html(element: Locator) -> str:
    text = _LIVE_ONLY.sub("", element.evaluate(_WITHOUT_PARTS))
    return _NOTHING_BETWEEN.sub("><", text).strip()


def calls(model: DemoThread, mark: str) -> list[RequestRecord]:
    """Return the requests whose last message holds this mark."""
    return [r for r in model.requests if r.body and mark in json.dumps(r.body["messages"][-1])]
