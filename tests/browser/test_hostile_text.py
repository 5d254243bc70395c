"""What people and models write is text, wherever it is shown."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

PROMPT = (
    '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'
    '<div id="composer" hx-swap-oob="true">gone</div></textarea></div></main>{{ 7 }}'
)
HARMFUL = "script, img, iframe, form, style, input, [hx-get], [hx-swap-oob], [onerror], [style]"


def test_a_hostile_answer_is_text(begun: ChatPage) -> None:
    begun.play("html")
    expect(begun.answer).to_contain_text("<script>document.title")
    begun.expect_end()
    expect(begun.answer.locator(HARMFUL)).to_have_count(0)
    expect(begun.page).not_to_have_title(re.compile("owned"))
    assert begun.answer.locator("[href^='javascript:' i], [href^='data:' i]").count() == 0
    live = begun.html()
    begun.page.reload()
    assert begun.html() == live


def test_a_hostile_prompt_is_text(begun: ChatPage) -> None:
    begun.send(PROMPT)
    expect(begun.prompts.last).to_have_text(PROMPT)
    begun.expect_end()
    assert begun.prompts.last.locator("*").count() == 0
    expect(begun.composer).to_be_visible()
    begun.page.reload()
    expect(begun.prompts.last).to_have_text(PROMPT)
    expect(begun.page).not_to_have_title(re.compile("owned"))


def test_a_hostile_title_is_text(chat: ChatPage) -> None:
    chat.send("<b>bold</b><script>document.title='owned'</script>")
    title = "<b>bold</b><script>document.title='owned'</script>"
    expect(chat.page.get_by_role("heading", level=1)).to_have_text(title)
    current = chat.page.locator(".conversation-item [aria-current]")
    expect(current.locator(".conversation-title")).to_have_text(title)
    chat.expect_end()
    expect(chat.page).to_have_title(re.compile(re.escape(title)))
    expect(current.locator("b, script")).to_have_count(0)


def test_odd_characters_do_no_harm(begun: ChatPage) -> None:
    begun.play("odd-text")
    expect(begun.answer).to_contain_text("NUL \ufffd, surrogate \ufffd")
    begun.expect_end()


def test_a_prompt_comes_back_as_it_was_typed(begun: ChatPage) -> None:
    text = "\n  Indented,\n\n\ttabbed & <spaced>  \n"
    begun.send(text)
    expect(begun.prompts).to_have_count(2)
    assert begun.prompts.last.text_content() == text
    begun.expect_end()
    begun.page.reload()
    assert begun.prompts.last.text_content() == text
