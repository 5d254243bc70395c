"""Scripts of a page that use the API as who is signed in, and pages of others that may not."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.problems import Problems
from tests.integration.answers import prompt
from tests.programs.api_document import example
from tests.site_process import SiteProcess

CHAT = """
async ([address, message, stopAfter]) => {
  const controller = new AbortController();
  const decoder = new TextDecoder();
  let text = "";
  try {
    const response = await fetch(address, {
      method: "POST",
      body: JSON.stringify({ message }),
      signal: controller.signal,
    });
    if (!response.ok) return [response.status, (await response.json()).error.code];
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ["done", text];
      for (const line of decoder.decode(value).split("\\n")) {
        if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
        text += JSON.parse(line.slice(6)).text;
      }
      if (stopAfter && text.length >= stopAfter) controller.abort();
    }
  } catch (error) {
    return [error.name, text];
  }
}
"""
FOREIGN = """
([address, message]) => fetch(address, {
  method: "POST",
  mode: "no-cors",
  credentials: "include",
  body: JSON.stringify({ message }),
})
"""
STORY = "".join(f"{n}: Zoë ate a 🍎 — 日本語.\n\n" for n in range(60))


def written_by(page: Page, code: str) -> list[str]:
    """Run a script of a page to its end; return what it wrote to the console."""
    script = f"async () => {{ const console = {{ log: (text) => written.push(text) }};\n{code}}}"
    whole = f"async () => {{ const written = []; await ({script})(); return written; }}"
    written: list[str] = page.evaluate(whole)
    return written


def answer_to(site: SiteProcess, text: str) -> tuple[Any, ...]:
    """Return text and status of the answer to a prompt."""
    query = (
        "SELECT answer.text, g.status FROM chat_message prompt "
        "JOIN chat_message answer ON answer.parent_id = prompt.id "
        "JOIN chat_generation g ON g.message_id = answer.id WHERE prompt.text = ?"
    )
    (row,) = site.rows(query, text)
    return row


@pytest.mark.parametrize(
    ("name", "question"),
    [("browser", "What is an egret?"), ("browser-events", "What is a hamerkop?")],
)
def test_example_of_the_document(
    chat: ChatPage, site: SiteProcess, name: str, question: str
) -> None:
    written = written_by(chat.page, example(name).code)
    assert "".join(written) == answer_to(site, question)[0] != ""


def test_page_asks_without_a_content_type(
    chat: ChatPage, site: SiteProcess, model: DemoThread
) -> None:
    model.script("story", Text(STORY, chunk=17, interval_s=0.002))
    text = prompt("story")
    assert chat.page.evaluate(CHAT, ["/api/chat", text, 0]) == ["done", STORY]
    assert answer_to(site, text) == (STORY, "complete")


def test_page_aborts(chat: ChatPage, site: SiteProcess, model: DemoThread) -> None:
    model.script("endless", Text("on and on " * 5_000, interval_s=0.01))
    text = prompt("endless")
    name, shown = chat.page.evaluate(CHAT, ["/api/chat", text, 100])
    assert name == "AbortError" and len(shown) >= 100
    chat.page.goto(f"{site.base_url}/")
    chat.page.get_by_role("link", name="/demo endless").first.click()
    expect(chat.page.get_by_text("Stopped.")).to_be_visible()
    kept, status = answer_to(site, text)
    assert status == "stopped" and kept.startswith(shown)


def test_what_a_script_asks_is_on_the_page(chat: ChatPage, site: SiteProcess) -> None:
    text = prompt("max-tokens")
    assert chat.page.evaluate(CHAT, ["/api/chat", text, 0])[0] == "done"
    chat.page.reload()
    chat.page.get_by_role("link", name="/demo max-tokens").first.click()
    expect(chat.prompts.last).to_contain_text(text.splitlines()[1])


def test_foreign_page_may_not(
    chat: ChatPage, site: SiteProcess, model: DemoThread, problems: Problems
) -> None:
    """A page of another port: the browser sends the same cookies along, and whose page it is."""
    problems.expect("401", "403")
    chat.page.goto(model.base_url)
    address, text = f"{site.base_url}/api/chat", prompt("empty")
    with chat.page.expect_response(address) as response:
        chat.page.evaluate(FOREIGN, [address, text])
    # Without the cookies it would be 401.
    assert response.value.status == 403
    query = "SELECT count(*) FROM chat_message WHERE text = ?"
    assert site.rows(query, text) == [(0,)]
