"""What only the integration tests share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio
from anthropic import Anthropic
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from chat import services
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.worker import Worker
from tests.conftest import make_runtime, working
from tests.integration.own_tools import Gate, own_toolset
from tests.integration.pages import end
from tests.integration.program import token_of
from tests.site_process import SiteProcess


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


@pytest.fixture(scope="module")
def token(site: SiteProcess) -> str:
    return token_of(site, f"program-{uuid.uuid4()}")


@pytest.fixture(scope="module")
def claude(site: SiteProcess, token: str) -> Iterator[Anthropic]:
    """The SDK, pointed at the site."""
    with Anthropic(base_url=site.base_url, api_key=token, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def upstream(model: DemoThread) -> Iterator[Anthropic]:
    """The SDK, pointed at the model server."""
    with Anthropic(base_url=model.base_url, api_key="any", max_retries=0) as client:
        yield client


@pytest_asyncio.fixture
async def gate() -> Gate:
    """What the tools of the tests wait for and keep (own_tools.py)."""
    return Gate()


@pytest_asyncio.fixture
async def tool_worker(
    transactional_db: None, model: DemoThread, gate: Gate
) -> AsyncIterator[Worker]:
    """A worker whose answers may call the tools of the tests."""
    async with working(replace(make_runtime(model), toolset=own_toolset(gate))) as begun:
        yield begun
