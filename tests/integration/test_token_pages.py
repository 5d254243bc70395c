"""The page of a person's tokens: made, shown once, revoked; whatever their names are."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from chat import tokens
from chat.models import AccessToken, User
from tests.integration.pages import text_of, to

pytestmark = pytest.mark.django_db

SECRET = re.compile(r"chat_[\w-]{43}")
FORM = {"name": "Nightly report", "scope": "read"}
HOSTILE = '<script>alert("x")</script>'


def made(owner: User, name: str = "Report") -> AccessToken:
    return tokens.create(owner, name, AccessToken.Scope.CHAT).row


def test_page_without_tokens(client: Client) -> None:
    html = text_of(client.get(to("tokens")))
    assert "You have none yet." in html and "<script" not in html
    assert 'aria-current="page">Access tokens' in html


def test_token_is_shown_once(client: Client) -> None:
    response = client.post(to("tokens"), FORM)
    shown = SECRET.findall(text_of(response))
    assert len(shown) == 1 and "no-store" in response.headers["Cache-Control"]
    found = tokens.find(shown[0])
    assert found and (found.name, found.scope) == ("Nightly report", "read")
    later = text_of(client.get(to("tokens")))
    assert "Nightly report" in later and not SECRET.search(later)
    assert found.digest not in later and f"<code>{found.ending}</code>" in later


def test_made_token_opens_the_api(client: Client) -> None:
    secret = SECRET.findall(text_of(client.post(to("tokens"), FORM)))[0]
    api = Client(headers={"Authorization": f"Bearer {secret}"})
    assert api.get("/api/conversations").status_code == 200
    assert api.post("/api/chat", {"message": "Hi"}, "application/json").status_code == 403


@pytest.mark.parametrize(
    "form",
    [{}, {**FORM, "name": " "}, {**FORM, "name": "x" * 81}, {**FORM, "scope": "admin"},
     {**FORM, "name": "a\x00b"}],
)  # fmt: skip
def test_bad_input_makes_none(client: Client, form: dict[str, str]) -> None:
    response = client.post(to("tokens"), form)
    assert response.status_code == 400 and "errorlist" in text_of(response)
    assert not AccessToken.objects.exists()


def test_page_tells_of_use(client: Client, anna: User) -> None:
    token = made(anna)
    assert "Not used yet." in text_of(client.get(to("tokens")))
    AccessToken.objects.update(last_used_at=timezone.now())
    assert "Last used:" in text_of(client.get(to("tokens")))
    assert to("revoke-token", token.pk) in text_of(client.get(to("tokens")))


def test_page_lists_ones_own_alone(client: Client) -> None:
    made(User.objects.create_user("bert"), "Of Bert")
    assert "Of Bert" not in text_of(client.get(to("tokens")))


def test_full_page_refuses_in_words(
    client: Client, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    made(anna)
    response = client.post(to("tokens"), FORM)
    assert response.status_code == 409 and "You have 1 tokens" in text_of(response)
    assert 'value="Nightly report"' in text_of(response)


def test_revoke_asks_first(client: Client, anna: User) -> None:
    token = made(anna)
    assert "“Report”" in text_of(client.get(to("revoke-token", token.pk)))
    assert AccessToken.objects.exists()


def test_revoke(client: Client, anna: User) -> None:
    secret = tokens.create(anna, "Report", AccessToken.Scope.CHAT).secret
    response = client.post(to("revoke-token", AccessToken.objects.get().pk))
    assert response.headers["Location"] == to("tokens")
    assert tokens.find(secret) is None and not AccessToken.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_cannot_revoke(stranger: Client, anna: User, method: str) -> None:
    token = made(anna)
    assert getattr(stranger, method)(to("revoke-token", token.pk)).status_code == 404
    assert AccessToken.objects.exists()


def test_names_are_escaped(client: Client, anna: User) -> None:
    token = made(anna, HOSTILE)
    for path in (to("tokens"), to("revoke-token", token.pk)):
        html = text_of(client.get(path))
        assert HOSTILE not in html and "&lt;script&gt;" in html


@pytest.mark.parametrize("name", ["tokens", "revoke-token"])
def test_forms_need_their_token(anna: User, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    ids = [made(anna).pk] if name == "revoke-token" else []
    assert strict.post(to(name, *ids), FORM).status_code == 403
    assert AccessToken.objects.count() == len(ids)


def test_account_pages_and_sidebar_lead_here(client: Client) -> None:
    for path in ("/", "/accounts/email/", "/accounts/password/change/"):
        assert f'href="{to("tokens")}"' in text_of(client.get(path))


def test_admin_reads_without_the_digest(admin_client: Client, anna: User) -> None:
    token = made(anna)
    listed = text_of(admin_client.get("/admin/chat/accesstoken/"))
    shown = text_of(admin_client.get(f"/admin/chat/accesstoken/{token.pk}/change/"))
    for html in (listed, shown):
        assert "Report" in html and token.ending in html and token.digest not in html
    assert 'name="_save"' not in shown
    assert admin_client.get("/admin/chat/accesstoken/add/").status_code == 403
    assert admin_client.post(f"/admin/chat/accesstoken/{token.pk}/delete/").status_code == 403
    assert AccessToken.objects.exists()
