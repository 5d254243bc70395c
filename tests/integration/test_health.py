"""What probes ask."""

from __future__ import annotations

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_alive() -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_ready() -> None:
    response = Client().get("/readyz")
    assert (response.status_code, response.json()) == (
        200,
        {"database": "ok", "channel_layer": "ok"},
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


def test_silent_channel_layer_is_told_but_ready(settings: Settings) -> None:
    layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {"hosts": ["redis://127.0.0.1:9"]}}}
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["channel_layer"]) == (200, "silent")


def test_probe_inside_the_cluster_speaks_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/readyz").status_code == 200
    assert Client().get("/").status_code == 301
