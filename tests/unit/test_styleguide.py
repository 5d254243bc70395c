"""The style guide: every state, in development alone, without a database."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from chat import errors, fragments, transcript
from chat.styleguide import answers, pages
from chat.styleguide.pieces import Step
from chat.styleguide.views import STATES


@pytest.fixture(autouse=True)
def in_development() -> Iterator[None]:
    with override_settings(DEBUG=True):
        yield


def page(client: Client, name: str) -> str:
    response = client.get(f"/styleguide/{name}/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("name", STATES)
def test_state_is_the_whole_page(client: Client, name: str) -> None:
    html = page(client, name)
    assert 'id="sidebar"' in html and 'id="messages"' in html and 'id="composer"' in html


@pytest.mark.parametrize("name", STATES)
def test_state_is_the_same_each_time(client: Client, name: str) -> None:
    assert page(client, name) == page(client, name)


@pytest.mark.parametrize("name", STATES)
def test_state_runs_no_script(client: Client, name: str) -> None:
    assert "<script" not in page(client, name)


@pytest.mark.parametrize("name", pages.other_pages())
def test_other_page_is_shown(client: Client, name: str) -> None:
    assert "<h1>" in page(client, name)


def test_index_leads_everywhere(client: Client) -> None:
    html = client.get("/styleguide/").content.decode()
    addresses = re.findall(r'href="/styleguide/([\w-]+)/"', html)
    assert addresses == [*STATES, *pages.other_pages()]


def test_index_says_what_each_state_is(client: Client) -> None:
    html = client.get("/styleguide/").content.decode()
    assert ">Waiting for the first word.<" in html
    assert all(made.__doc__ for made in STATES.values())


def test_unknown_state_is_not_found(client: Client) -> None:
    assert client.get("/styleguide/nothing/").status_code == 404


@pytest.mark.parametrize("path", ["/styleguide/", "/styleguide/empty/"])
def test_production_has_none(client: Client, path: str) -> None:
    with override_settings(DEBUG=False):
        assert client.get(path).status_code == 404


def test_every_failure_is_shown(client: Client) -> None:
    html = page(client, "failures")
    missing = [code for code in errors.all_generation_errors() if f"({code})" not in html]
    assert missing == []


def test_every_notice_is_shown() -> None:
    assert set(answers.STOP_REASONS) == set(transcript._NOTICES)


@pytest.mark.parametrize("sentence", [pages.RECONNECTING, pages.TOO_MANY, pages.SIGNED_OUT])
def test_banner_says_what_the_page_would(client: Client, sentence: str) -> None:
    assert f'="{re.sub("[0-9]+", "%s", sentence)}"' in page(client, "empty")


def test_deleted_says_what_the_socket_would(client: Client) -> None:
    notice = pages.deleted().instead
    assert notice in fragments.deleted(uuid.uuid4())
    assert notice in page(client, "deleted") and "bubble" not in page(client, "deleted")


def test_step_changes_the_tag_alone() -> None:
    html = '<p id="a" hidden>hidden</p><p hidden></p>'
    assert Step('id="a"', " hidden", text="!").taken(html) == '<p id="a">!hidden</p><p hidden></p>'


@pytest.mark.parametrize("html", ['<p id="b" hidden>', '<p id="a">'])
def test_step_on_another_page_fails(html: str) -> None:
    with pytest.raises(ValueError, match=r"hidden|id="):
        Step('id="a"', " hidden").taken(html)
