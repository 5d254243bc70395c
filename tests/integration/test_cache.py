"""The shared cache while Redis is away, full or held up: it neither fails nor forgets."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from chat.models import User
from chatsite import cache as shared_cache
from tests.integration.redis_server import RedisServer

PASSWORD = "a pass phrase of anna"


def fill(server: RedisServer) -> None:
    """Leave the server no room: it reads, and refuses to write."""
    with redis.Redis(port=server.port) as client:
        client.config_set("maxmemory", "1")


def give_room(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as client:
        client.config_set("maxmemory", "0")


# How Redis fails, and how it works again.
FAULTS: dict[str, tuple[Callable[[RedisServer], None], Callable[[RedisServer], None]]] = {
    "away": (RedisServer.kill, RedisServer.start),
    "held": (RedisServer.hold, RedisServer.go_on),
    "full": (fill, give_room),
}


@pytest.fixture
def server(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisServer]:
    """A Redis of the test's own, which the site's cache is in."""
    monkeypatch.setattr(shared_cache, "PROBE_S", 0.1)
    monkeypatch.setattr(shared_cache, "_probe_at", None)
    shared_cache._local.clear()
    with RedisServer(tmp_path) as started:
        backend = "chatsite.cache.SharedCache"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": started.url}}
        yield started


def wait_until_shared() -> None:
    """Return when the cache works with Redis again; only asking it makes it look."""
    give_up_at = time.monotonic() + 10
    while shared_cache._probe_at is not None and time.monotonic() < give_up_at:
        cache.get("anything")
        time.sleep(0.02)
    assert shared_cache._probe_at is None


def test_kept_in_redis(server: RedisServer) -> None:
    cache.set("name", [1, 2], 60)
    with redis.Redis(port=server.port) as client:
        assert client.keys() == [b":1:name"]
    assert cache.get("name") == [1, 2]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_works_without_redis(server: RedisServer, fault: str) -> None:
    begin, _ = FAULTS[fault]
    begin(server)
    cache.set("a", 1, 60)
    assert cache.get("a") == 1 and cache.has_key("a") and not cache.add("a", 2, 60)
    assert cache.add("b", 2, 60) and cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert cache.incr("a") == 2 and cache.touch("a", 60) and not cache.touch("c", 60)
    cache.set_many({"d": 4, "e": 5}, 60)
    assert cache.delete("d") and not cache.delete("d")
    cache.delete_many(["a", "b"])
    assert cache.get_many(["a", "b", "d", "e"]) == {"e": 5}
    cache.clear()
    assert cache.get("e", "gone") == "gone"


@pytest.mark.parametrize("fault", FAULTS)
def test_shared_again_when_redis_is_back(server: RedisServer, fault: str) -> None:
    begin, end = FAULTS[fault]
    begin(server)
    cache.set("before", 1, 60)
    end(server)
    wait_until_shared()
    cache.set("after", 2, 60)
    with redis.Redis(port=server.port) as client:
        assert client.exists(":1:after")


def test_a_server_that_hangs_is_waited_for_once(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "PROBE_S", 60)
    server.hold()
    began_at = time.monotonic()
    for number in range(1_000):
        cache.set(f"name{number}", number, 60)
    assert time.monotonic() - began_at < 10 * shared_cache.TIMEOUT_S


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_readyz_tells_of_it_and_stays_ready(server: RedisServer, fault: str) -> None:
    begin, end = FAULTS[fault]
    begin(server)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["cache"]) == (200, "not shared")
    end(server)
    wait_until_shared()
    assert Client().get("/readyz").json()["cache"] == "ok"


def test_told_once_and_not_with_an_address(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chatsite.cache")
    server.kill()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: cache.set(f"name{n}", n, 60), range(40)))
    assert caplog.messages == [
        "the shared cache fails (ConnectionError); this process keeps its own"
    ]
    server.start()
    wait_until_shared()
    assert caplog.messages[1:] == ["the shared cache works again"]


def sign_in(password: str) -> Client:
    client = Client()
    response = client.post("/accounts/login/", {"login": "anna", "password": password})
    assert response.status_code in (200, 302, 429)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_sign_in_without_redis(server: RedisServer, anna: User, fault: str) -> None:
    begin, _ = FAULTS[fault]
    begin(server)
    assert sign_in(PASSWORD).get("/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_attempts_are_limited_without_redis(server: RedisServer, anna: User, fault: str) -> None:
    begin, _ = FAULTS[fault]
    begin(server)
    for _ in range(6):
        sign_in("wrong")
    assert sign_in(PASSWORD).get("/").status_code == 302


@pytest.mark.django_db
def test_attempts_are_limited_while_redis_fills_up(server: RedisServer, anna: User) -> None:
    """What was counted before it was full is still there to read, and must not be trusted."""
    sign_in("wrong")
    fill(server)
    for _ in range(6):
        sign_in("wrong")
    assert sign_in(PASSWORD).get("/").status_code == 302
