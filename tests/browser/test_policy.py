"""No page does what the Content-Security-Policy forbids.

The states of the chat page, the error pages and the ways to sign in are visited in
test_accessibility.py, where a violation fails the test too.
"""

from __future__ import annotations

from tests.browser.chat_page import ChatPage
from tests.browser.problems import Problems

PATHS = (
    *("admin/", "admin/chat/conversation/", "admin/chat/user/", "admin/chat/user/add/"),
    *("admin/account/emailaddress/", "admin/auth/group/add/", "admin/password_change/"),
    *("accounts/email/", "accounts/password/change/", "accounts/logout/", "styleguide/"),
)


def test_a_violation_is_noticed(chat: ChatPage, problems: Problems) -> None:
    problems.expect("Content Security Policy")
    with chat.page.expect_console_message():
        chat.page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert len(problems.violations) == 1


def test_no_page_violates_the_policy(own_chat: ChatPage, problems: Problems) -> None:
    own_chat.play("max-tokens")
    own_chat.expect_end()
    of_this = own_chat.page.url.rstrip("/").split("/")[-1]
    own = (f"c/{of_this}/rename/", f"c/{of_this}/delete/")
    for path in (*PATHS, f"admin/chat/conversation/{of_this}/change/", *own):
        response = own_chat.page.goto(f"{own_chat.base_url}/{path}")
        assert response is not None and response.status == 200
    assert problems.violations == []
