"""The composer: what is typed is never lost, and everything can be done from the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person, sign_in
from tests.site_process import SiteProcess

# Keeps every sentence that a screen reader is given.
LISTEN = """window.heard = [];
new MutationObserver(() => heard.push(document.getElementById("announcer").textContent))
    .observe(document.getElementById("announcer"), {childList: true, characterData: true})"""

FOCUSED = "document.activeElement.id || document.activeElement.className"


@pytest.fixture
def writing(begun: ChatPage, model: DemoThread) -> ChatPage:
    """A conversation with an answer that takes some three seconds."""
    model.script("steady", Text("Steady words. " * 100, interval_s=0.025))
    begun.play("steady")
    expect(begun.answer).to_contain_text("Steady words.")
    return begun


def test_what_is_typed_while_an_answer_runs_is_kept(writing: ChatPage) -> None:
    writing.composer.press_sequentially("My next question")
    writing.composer.press("Enter")
    expect(writing.composer).to_have_value("My next question")
    writing.expect_end()
    expect(writing.composer).to_have_value("My next question")
    expect(writing.composer).to_be_focused()
    writing.composer.press("Enter")
    expect(writing.prompts.last).to_have_text("My next question")


def test_focus_returns_after_a_send(begun: ChatPage) -> None:
    begun.composer.fill("A question")
    begun.send_button.click()
    expect(begun.prompts.last).to_have_text("A question")
    expect(begun.composer).to_be_focused()
    expect(begun.composer).to_be_editable()
    begun.expect_end()
    expect(begun.composer).to_be_focused()


def test_the_composer_grows_to_twelve_lines(begun: ChatPage) -> None:
    def height() -> float:
        box = begun.composer.bounding_box()
        assert box is not None
        return box["height"]

    heights = []
    for lines in (1, 6, 12, 40):
        begun.composer.fill("line\n" * (lines - 1) + "line")
        heights.append(height())
    assert heights[0] < heights[1] < heights[2] == heights[3] < 330


def test_tab_reaches_the_list_the_composer_and_stop(begun: ChatPage, model: DemoThread) -> None:
    model.script("endless", Text("These words go on and on. " * 2000, interval_s=0.02))
    begun.play("endless")
    # With the first words the list says that it is being answered.
    expect(begun.answer).to_contain_text("These words")
    begun.page.locator(".skip-link").focus()
    reached: list[str] = []
    while "stop-button" not in (reached or [""])[-1] and len(reached) < 200:
        begun.page.keyboard.press("Tab")
        reached.append(begun.page.evaluate(FOCUSED))
    assert "new-chat" in reached[0]
    assert "composer-text" in reached
    begun.page.keyboard.press("Enter")
    expect(begun.status).to_contain_text("Stopped.")


def test_focus_goes_to_the_composer_when_stop_goes(writing: ChatPage) -> None:
    writing.stop_button.click()
    expect(writing.status).to_contain_text("Stopped.")
    expect(writing.composer).to_be_focused(timeout=2000)


def test_the_skip_link_leads_to_the_composer(begun: ChatPage) -> None:
    begun.page.locator(".skip-link").focus()
    begun.page.keyboard.press("Enter")
    expect(begun.composer).to_be_focused()


def test_a_screen_reader_hears_the_start_and_the_end(begun: ChatPage, model: DemoThread) -> None:
    model.script("steady", Text("Steady words. " * 100, interval_s=0.01))
    begun.page.evaluate(LISTEN)
    begun.play("steady")
    expect(begun.announcer).to_have_text("Claude is answering.")
    expect(begun.answers.last).to_have_attribute("aria-busy", "true")
    expect(begun.announcer).to_have_text("Claude's answer is complete.")
    begun.expect_end()
    heard = begun.page.evaluate("heard")
    assert heard == ["Claude is answering.", "Claude's answer is complete."]


def test_a_screen_reader_hears_of_a_failure(begun: ChatPage) -> None:
    begun.play("reset-late")
    expect(begun.announcer).to_contain_text("The connection to Claude broke.")


def test_every_control_has_a_name(writing: ChatPage) -> None:
    tree = writing.page.locator("body").aria_snapshot()
    nameless = [line for line in tree.splitlines() if line.strip() in ("- button", "- link")]
    assert nameless == []


def test_a_draft_survives_a_reload(begun: ChatPage) -> None:
    begun.composer.fill("Half a thought\nand more")
    begun.page.reload()
    expect(begun.composer).to_have_value("Half a thought\nand more")


def test_each_conversation_has_a_draft_of_its_own(begun: ChatPage) -> None:
    begun.composer.fill("Of this one")
    address = begun.page.url
    begun.page.get_by_role("link", name="New chat").click()
    expect(begun.page.locator(".empty")).to_be_visible()
    expect(begun.composer).to_have_value("")
    begun.page.goto(address)
    expect(begun.composer).to_have_value("Of this one")


def test_what_was_sent_is_no_draft_any_more(begun: ChatPage) -> None:
    begun.send("A question")
    expect(begun.prompts.last).to_have_text("A question")
    expect(begun.composer).to_have_value("")
    begun.page.reload()
    expect(begun.composer).to_have_value("")


def test_drafts_go_when_one_signs_out(
    new_context: NewContext, site: SiteProcess, bob: Person
) -> None:
    # With a session of its own: that of the fixtures has to last.
    chat = ChatPage(new_context().new_page(), site.base_url)
    sign_in(chat, bob.name, bob.password)
    chat.composer.fill("Nobody else's business")
    chat.page.get_by_text(bob.name, exact=True).click()
    chat.page.get_by_role("button", name="Sign out").click()
    expect(chat.page.get_by_label("Username or email")).to_be_visible()
    assert chat.page.evaluate("Object.keys(localStorage)") == []


def test_keys_are_listed_and_the_list_closes(writing: ChatPage) -> None:
    keys = writing.page.locator("#keys")
    writing.page.locator(".messages").click()
    writing.page.keyboard.press("?")
    expect(keys).to_be_visible()
    writing.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    # The answer goes on: Escape closed the list alone.
    expect(writing.stop_button).to_be_visible()


def test_a_question_mark_can_be_typed(begun: ChatPage) -> None:
    begun.composer.press_sequentially("What?")
    expect(begun.composer).to_have_value("What?")
    expect(begun.page.locator("#keys")).to_be_hidden()


def test_a_chat_is_started_by_keys(begun: ChatPage) -> None:
    begun.composer.press("Control+Shift+O")
    expect(begun.page.locator(".empty")).to_be_visible()
