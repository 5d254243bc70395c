"""What probes ask."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from chat import health
from tests.numbers import parse

pytestmark = pytest.mark.django_db


def test_alive() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_ready() -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (
        200,
        {"database": "ok", "channel_layer": "ok", "cache": "ok"},
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_not_stored_and_make_no_session(path: str) -> None:
    response = Client().get(path)
    assert "no-store" in response.headers["Cache-Control"] and not response.cookies


def test_head_is_enough() -> None:
    assert Client().head("/healthz").status_code == 200


def test_missing_migration_is_not_ready() -> None:
    MigrationRecorder.Migration.objects.filter(app="chat").delete()
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "migrations are missing")


def test_full_disk_is_not_ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ROOM_BYTES", 2**80)
    response = Client().get("/readyz")
    # A server of its own has a disk of its own.
    told = (503, "disk is full") if settings.IS_SQLITE else (200, "ok")
    assert (response.status_code, response.json()["database"]) == told


def test_silent_channel_layer_is_told_but_ready(settings: Settings) -> None:
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": ["redis://127.0.0.1:9"]}}}
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["channel_layer"]) == (200, "silent")


def test_probe_inside_the_cluster_speaks_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/readyz").status_code == 200
    assert Client().get("/").status_code == 301


# Numbers for Prometheus

TOKEN = "a token for the numbers"
ELSEWHERE = "192.0.2.7"


@pytest.fixture
def token(settings: Settings) -> str:
    settings.CHAT_METRICS_TOKEN = TOKEN
    return TOKEN


def ask(address: str | None = "127.0.0.1", **headers: str) -> Any:
    """Ask for the numbers; `address` None stands for a Unix socket."""
    extra = {"REMOTE_ADDR": address or ""}
    return Client().get("/metrics", headers=headers, **extra)  # type: ignore[arg-type]


def shown(response: Any) -> str:
    # The form token is another each time.
    return re.sub(r'"x-csrftoken": "\w+"', "", response.content.decode())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_scrape(address: str) -> None:
    response = ask(address)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert parse(response.content.decode())["process_open_fds"] > 0


@pytest.mark.parametrize("address", [ELSEWHERE, "10.0.0.1", "::ffff:192.0.2.7", "nonsense", None])
def test_others_find_nothing(address: str | None) -> None:
    response = ask(address)
    unknown = Client().get("/metricz")
    assert (response.status_code, shown(response)) == (404, shown(unknown))
    assert response.headers == unknown.headers and response.cookies.keys() == unknown.cookies.keys()


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "Via"],
)
def test_what_a_proxy_passes_on_is_not_from_here(header: str) -> None:
    assert ask(**{header: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_token_opens_from_anywhere(token: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {token}"}
    assert ask(ELSEWHERE, **headers).status_code == 200
    assert ask(**headers, **{"X-Forwarded-For": ELSEWHERE}).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic a token for the numbers", TOKEN, "é"]
)
def test_wrong_token_finds_nothing(token: str, value: str) -> None:
    assert ask(ELSEWHERE, Authorization=value).status_code == 404


def test_no_token_is_not_an_empty_one(settings: Settings) -> None:
    settings.CHAT_METRICS_TOKEN = ""
    assert ask(ELSEWHERE, Authorization="Bearer ").status_code == 404


def test_only_reading_is_possible() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/metrics").status_code == 405
    assert strict.head("/metrics").status_code == 200
    assert strict.post("/metrics", headers={"X-Forwarded-For": ELSEWHERE}).status_code == 404


def test_scrape_inside_the_cluster_speaks_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert ask().status_code == 200


def test_numbers_are_not_stored_and_make_no_session() -> None:
    response = ask()
    assert "no-store" in response.headers["Cache-Control"] and not response.cookies
