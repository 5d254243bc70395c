"""Rows that the benchmark begins with, made by a site's own code: call it in `manage.py shell`."""

from __future__ import annotations

import json

from django.db import transaction

from chat import tokens
from chat.models import AccessToken, Conversation, User
from tests.integration import long_conversation
from tests.load.job import Account
from tests.sessions import begin_session

MESSAGES = 2


def print_accounts(count: int) -> None:
    """Make accounts with a session, a token and a short conversation; print them as JSON."""
    with transaction.atomic():
        accounts = [_account(f"reader-{number}", MESSAGES) for number in range(count)]
    print("made", json.dumps(accounts))


def print_long_conversation(messages: int) -> None:
    """Make an account with one conversation of so many messages; print it as JSON."""
    print("made", json.dumps(_account(f"writer-{messages}", messages)))


def print_long_list(conversations: int) -> None:
    """Make an account with so many conversations; print it as JSON, with the path of the list."""
    account = _account(f"collector-{conversations}", MESSAGES)
    owner = User.objects.get(username=f"collector-{conversations}")
    Conversation.objects.bulk_create(
        [Conversation(owner=owner, title="Herons") for _ in range(conversations - 1)],
        batch_size=500,
    )
    print("made", json.dumps(account._replace(path="/")))


def _account(name: str, messages: int) -> Account:
    user = User.objects.create_user(name)
    token = tokens.create(user, "bench", AccessToken.Scope.CHAT).secret
    return Account(begin_session(user), token, long_conversation.make(name, messages))
