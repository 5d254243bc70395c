"""English and German: each request in the language that its browser asks for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from chat.models import Conversation, Generation, User
from tests.integration.pages import HTMX, text_of, to
from tests.po_files import GERMAN, ROOT, Entry, read_po

IN_GERMAN: dict[str, Any] = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
WITHOUT_GETTEXT = "GNU gettext is missing: install it with `apt-get install gettext`."


@pytest.fixture
def admin(db: None) -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("admin"))
    return signed_in


def language_of(response: Any) -> str:
    found = re.search(r'<html lang="([^"]+)" dir="ltr"', text_of(response))
    assert found and response.headers["Content-Language"] == found[1]
    return found[1]


@pytest.mark.parametrize(
    ("asked", "language", "words"),
    [("", "en", "New chat"), ("de", "de", "Neuer Chat"), ("fr,it", "en", "New chat")],
)
def test_page_is_in_the_language_of_the_browser(
    client: Client, asked: str, language: str, words: str
) -> None:
    response = client.get("/", headers={"Accept-Language": asked})
    assert language_of(response) == language and words in text_of(response)
    assert "Accept-Language" in response.headers["Vary"]


def test_conversation_is_in_german(client: Client, ended: Generation) -> None:
    html = text_of(client.get(to("conversation", ended.conversation_id), headers=IN_GERMAN))
    for words in ("Heute", "Claude ist verstummt.", "Neu versuchen", "Ihre Nachricht"):
        assert words in html


def test_refusal_is_in_german(client: Client, running: Generation) -> None:
    address = to("retry", running.message_id)
    response = client.post(address, headers={**HTMX, **IN_GERMAN})
    assert response.status_code == 409
    assert "Hier wird noch eine Antwort geschrieben." in text_of(response)


@pytest.mark.django_db
def test_error_page_is_in_german(client: Client) -> None:
    response = client.get("/nowhere/", headers=IN_GERMAN)
    assert response.status_code == 404 and language_of(response) == "de"
    assert "Seite nicht gefunden" in text_of(response)


@pytest.mark.django_db
def test_account_pages_are_in_german() -> None:
    form = {"login": "nobody", "password": "wrong"}
    html = text_of(Client().post("/accounts/login/", form, headers=IN_GERMAN))
    for words in ("Anmelden", "Anmeldename oder E-Mail", "Passwort sind leider falsch"):
        assert words in html


def test_mail_is_in_german(anna: User, mailoutbox: list[EmailMessage]) -> None:
    Client().post("/accounts/password/reset/", {"email": anna.email}, headers=IN_GERMAN)
    (mail,) = mailoutbox
    assert mail.subject == "E-Mail zum Zurücksetzen des Passworts"
    assert "Sie erhalten diese E-Mail, weil Sie" in mail.body
    assert "Danke, dass Sie" in mail.body


def test_admin_is_in_german(admin: Client, ended: Generation) -> None:
    Generation.objects.update(input_tokens=1_234)
    address = to("admin:chat_conversation_changelist")
    html = text_of(admin.get(address, headers=IN_GERMAN))
    for words in ("Unterhaltungen", "Besitzer", "Geändert am", "Tokens ein / aus", "1.234 / 0"):
        assert words in html, words
    page = to("admin:chat_conversation_change", Conversation.objects.get().pk)
    assert "erstellt am:" in text_of(admin.get(page, headers=IN_GERMAN)).lower()


# The words that the code has


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """The entries of a .po file that was written anew, in a copy of the code."""
    if shutil.which("xgettext") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(WITHOUT_GETTEXT, pytrace=False)
        pytest.skip(WITHOUT_GETTEXT)
    copy = tmp_path_factory.mktemp("code")
    for folder in ("chat", "chatsite", "templates"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy(ROOT / "manage.py", copy)
    subprocess.run([sys.executable, "manage.py", "makemessages"], cwd=copy, check=True)
    return read_po(copy / GERMAN.relative_to(ROOT))


def messages(entries: list[Entry]) -> set[tuple[str, ...]]:
    return {entry.originals for entry in entries}


def test_no_message_of_the_code_is_missing(extracted: list[Entry]) -> None:
    """`make messages` adds what is missing, to be translated."""
    assert messages(extracted) - messages(read_po(GERMAN)) == set()


def test_no_message_is_out_of_use(extracted: list[Entry]) -> None:
    """`make messages` takes away what is not used any more."""
    assert messages(read_po(GERMAN)) - messages(extracted) == set()


def test_extraction_finds_all_kinds(extracted: list[Entry]) -> None:
    found = {place for entry in extracted for place in entry.places.split()}
    for place in ("chat/errors/refusals.py", "chat/models.py", "templates/chat/page.html"):
        assert place in found
    assert not any(place.startswith(("chat/demo", "tests")) for place in found)
