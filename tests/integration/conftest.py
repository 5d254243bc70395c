"""What only the integration tests share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from chat import services
from chat.models import Generation, User
from tests.integration.pages import end


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hash passwords at no cost: the tests make hundreds of accounts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_attempts() -> None:
    """Begin each test without sign-in attempts of an earlier one."""
    cache.clear()


@pytest.fixture(autouse=True)
def language_given_back() -> Iterator[None]:
    """Take from this thread the language of the last request, which stays when that has ended."""
    yield
    translation.deactivate()


@pytest_asyncio.fixture(autouse=True)
async def connections_given_back() -> AsyncIterator[None]:
    """Close the database connection of the thread that ran a test's own asynchronous queries."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna", "anna@example.com", "a pass phrase of anna")


@pytest.fixture
def client(anna: User) -> Client:
    signed_in = Client()
    signed_in.force_login(anna)
    return signed_in


@pytest.fixture
def stranger(db: None) -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("stranger"))
    return signed_in


@pytest.fixture
def running(anna: User) -> Generation:
    """An answer that is awaited."""
    services.send_prompt(anna, None, "Hello there", uuid.uuid4())
    return Generation.objects.select_related("conversation", "message").get()


@pytest.fixture
def ended(running: Generation) -> Generation:
    """An answer that failed, so that it can be tried again."""
    return end(running)
