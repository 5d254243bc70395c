"""What the tests of programs share: an account with a token, and what is stored of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.verdicts import Verdicts
from tests.integration.program import token_of
from tests.programs import npm_packages
from tests.programs.program import Account, Answer, FindAnswer
from tests.site_process import SiteProcess

PASSWORD = "a pass phrase of a programmer"


def new_account(site: SiteProcess) -> Account:
    return Account(site.base_url, token_of(site, "programmer", password=PASSWORD))


@pytest.fixture(scope="session")
def account(site: SiteProcess) -> Account:
    return new_account(site)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of npm packages."""
    return npm_packages.install()


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Verdicts:
    """Takes what was measured, for the table that the run prints at its end."""
    return Verdicts(request.node, "programs")


@pytest.fixture
def stored(site: SiteProcess) -> FindAnswer:
    """Find the answer to a prompt."""

    def find(prompt: str) -> Answer:
        query = (
            "SELECT answer.text, g.status, g.error_code, g.id FROM chat_message prompt "
            "JOIN chat_message answer ON answer.parent_id = prompt.id "
            "JOIN chat_generation g ON g.message_id = answer.id WHERE prompt.text = ?"
        )
        (row,) = site.rows(query, prompt)
        return Answer(*row)

    return find
