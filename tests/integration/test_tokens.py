"""Access tokens: made, found by their digest, counted, and used no more once they are gone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat import errors, tokens
from chat.models import AccessToken, User
from tests.integration.test_services import at_once

pytestmark = pytest.mark.django_db

READ, CHAT = AccessToken.Scope.READ, AccessToken.Scope.CHAT


def test_token_is_known_by_its_prefix_and_ending(anna: User) -> None:
    made = tokens.create(anna, "Report", CHAT)
    assert re.fullmatch(r"chat_[\w-]{43}", made.secret)
    assert made.secret.endswith(made.row.ending) and len(made.row.ending) == 4


def test_secret_is_not_stored(anna: User) -> None:
    made = tokens.create(anna, "Report", CHAT)
    stored = AccessToken.objects.values_list().get()
    assert made.secret not in str(stored) and len(made.row.digest) == 64


def test_secrets_differ(anna: User) -> None:
    assert len({tokens.create(anna, "Report", CHAT).secret for _ in range(20)}) == 20


def test_find(anna: User) -> None:
    made = tokens.create(anna, "Report", READ)
    found = tokens.find(made.secret)
    assert found == made.row and found.owner == anna and found.scope == READ


@pytest.mark.parametrize("secret", ["", "chat_", "chat_" + "x" * 43, "\x00", "鷺" * 1_000])
def test_find_unknown(anna: User, secret: str) -> None:
    tokens.create(anna, "Report", CHAT)
    assert tokens.find(secret) is None


def test_find_is_exact(anna: User) -> None:
    secret = tokens.create(anna, "Report", CHAT).secret
    for other in (secret[:-1], secret + "x", f" {secret}", secret.swapcase()):
        assert tokens.find(other) is None


def test_find_of_a_closed_account(anna: User) -> None:
    secret = tokens.create(anna, "Report", CHAT).secret
    User.objects.update(is_active=False)
    assert tokens.find(secret) is None


def test_find_revoked(anna: User) -> None:
    made = tokens.create(anna, "Report", CHAT)
    made.row.delete()
    assert tokens.find(made.secret) is None


def test_use_is_noted(anna: User) -> None:
    made = tokens.create(anna, "Report", CHAT)
    assert made.row.last_used_at is None
    tokens.find(made.secret)
    made.row.refresh_from_db()
    assert made.row.last_used_at is not None


def test_use_is_noted_once_a_minute(anna: User) -> None:
    made = tokens.create(anna, "Report", CHAT)
    now = timezone.now()
    for seconds, is_noted in ((30, False), (61, True)):
        before = now - timedelta(seconds=seconds)
        AccessToken.objects.update(last_used_at=before)
        tokens.find(made.secret)
        assert (AccessToken.objects.get().last_used_at != before) == is_noted


def test_reading_writes_nothing(
    anna: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    secret = tokens.create(anna, "Report", CHAT).secret
    tokens.find(secret)
    with django_assert_num_queries(1):
        assert tokens.find(secret)


def test_of_a_person_newest_first(anna: User) -> None:
    first, second = (tokens.create(anna, name, CHAT).row for name in ("1", "2"))
    tokens.create(User.objects.create_user("bert"), "3", CHAT)
    assert list(tokens.of(anna)) == [second, first]


def fill(owner: User, room: int) -> None:
    AccessToken.objects.bulk_create(
        AccessToken(owner=owner, name="x", digest=f"{n}", ending="x", scope=CHAT)
        for n in range(tokens.MAX_TOKENS - room)
    )


def test_as_many_as_a_person_may_have(anna: User) -> None:
    fill(anna, room=1)
    tokens.create(anna, "The last", CHAT)
    with pytest.raises(errors.TooManyTokens):
        tokens.create(anna, "One more", CHAT)
    tokens.create(User.objects.create_user("bert"), "Another's", CHAT)
    assert anna.access_tokens.count() == tokens.MAX_TOKENS


def test_as_many_as_a_person_may_have_at_once(alice: User) -> None:
    fill(alice, room=2)
    results = at_once(*[lambda: tokens.create(alice, "One more", CHAT)] * 6)
    assert sum(isinstance(result, tokens.NewToken) for result in results) == 2
    assert alice.access_tokens.count() == tokens.MAX_TOKENS
