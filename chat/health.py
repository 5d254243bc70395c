"""For whoever runs the site: alive, ready. Both are open to everybody and tell no secrets."""

from __future__ import annotations

import asyncio
import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.models import Process

logger = logging.getLogger(__name__)

LAYER_TIMEOUT_S = 2.0


@never_cache
@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process does."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether prompts can be taken: 503 where the database can't be written.

    A silent channel layer is reported, not failed: answers do not depend on it.
    """
    database = _check_database()
    report = {"database": database, "channel_layer": _check_layer()}
    return JsonResponse(report, status=200 if database == "ok" else 503)


def _check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
        with transaction.atomic():
            # Writes nothing, but needs the right and the room to write.
            Process.objects.filter(pk__isnull=True).update(name="")
    except DatabaseError as error:
        logger.error("not ready: %s", type(error).__name__)
        return "not writable"
    return "ok"


def _check_layer() -> str:
    try:
        async_to_sync(_ask_layer)()
    except Exception as error:
        logger.warning("the channel layer is silent: %s", type(error).__name__)
        return "silent"
    return "ok"


async def _ask_layer() -> None:
    layer = get_channel_layer()
    assert layer is not None  # noqa: S101  (for the types)
    async with asyncio.timeout(LAYER_TIMEOUT_S):
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "ready"})
        await layer.receive(channel)
