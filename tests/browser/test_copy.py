"""Copying: the code of a block, and an answer as the Markdown that it was written in."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage

CODE = 'if a < b:\n    print("ä & b")\n'
ANSWER = f"Some **code**:\n\n```python\n{CODE}```\n\nThat is all."


@pytest.fixture
def answered(chat: ChatPage, model: DemoThread) -> ChatPage:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    model.script("code", Text(ANSWER, chunk=7))
    chat.play("code")
    chat.expect_end()
    return chat


def copied(chat: ChatPage) -> str:
    text: str = chat.page.evaluate("navigator.clipboard.readText()")
    return text


def test_code_is_copied(answered: ChatPage) -> None:
    answered.page.get_by_role("button", name="Copy the code").click()
    expect(answered.announcer).to_have_text("Copied.")
    assert copied(answered) == CODE


def test_answer_is_copied_as_markdown(answered: ChatPage) -> None:
    answered.page.get_by_role("link", name="Copy the answer").click()
    expect(answered.announcer).to_have_text("Copied.")
    assert copied(answered) == ANSWER


def test_code_of_a_loaded_page_is_copied_by_keyboard(answered: ChatPage) -> None:
    answered.page.reload()
    answered.page.get_by_role("button", name="Copy the code").press("Enter")
    expect(answered.announcer).to_have_text("Copied.")
    assert copied(answered) == CODE
