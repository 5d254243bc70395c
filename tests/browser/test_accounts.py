"""Signing in and out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import NewContext, Person, sign_in
from tests.site_process import SiteProcess


@pytest.fixture
def visitor(new_context: NewContext, site: SiteProcess) -> ChatPage:
    """A tab of somebody who is not signed in."""
    return ChatPage(new_context().new_page(), site.base_url)


def test_sign_in_wrong_password_says_so(visitor: ChatPage, alice: Person) -> None:
    sign_in(visitor, alice.name, "not her pass phrase")
    expect(visitor.page.get_by_role("alert")).to_contain_text("not correct")
    expect(visitor.composer).to_have_count(0)


def test_sign_in_right_password_opens_the_chat(visitor: ChatPage, alice: Person) -> None:
    sign_in(visitor, alice.name, alice.password)
    expect(visitor.composer).to_be_focused()


def test_sign_in_leads_back_to_what_was_asked_for(visitor: ChatPage, alice: Person) -> None:
    visitor.page.goto(f"{visitor.base_url}/accounts/email/")
    expect(visitor.page).to_have_url(re.compile(r"/accounts/login/\?next="))
    visitor.page.get_by_label("Username or email").fill(alice.name)
    visitor.page.get_by_label("Password", exact=True).fill(alice.password)
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page).to_have_url(re.compile("/accounts/email/$"))


def test_sign_out_closes_the_chat(visitor: ChatPage, alice: Person) -> None:
    sign_in(visitor, alice.name, alice.password)
    visitor.page.get_by_text(alice.name, exact=True).click()
    visitor.page.get_by_role("button", name="Sign out").click()
    expect(visitor.page).to_have_url(re.compile("/accounts/login/"))
    visitor.open()
    expect(visitor.page).to_have_url(re.compile("/accounts/login/"))
