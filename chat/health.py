"""For whoever runs the site: alive and ready, open to everybody; numbers, for those who may."""

from __future__ import annotations

import asyncio
import logging
import shutil
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from chat import metrics
from chat.models import Process

logger = logging.getLogger(__name__)

LAYER_TIMEOUT_S = 2.0

ROOM_BYTES = 4_000_000
"""A prompt of the usual largest size needs so much: once in the log, once in the file."""


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

    A silent channel layer and a cache that is not shared are reported, not failed: answers do
    not depend on them.
    """
    database = _check_database()
    report = {"database": database, "channel_layer": _check_layer(), "cache": _check_cache()}
    return JsonResponse(report, status=200 if database == "ok" else 503)


@never_cache
@csrf_exempt  # So that a form gets the same answer as everywhere else where nothing is.
@login_not_required
def scrape(request: HttpRequest) -> HttpResponse:
    """Return the numbers for Prometheus; for whoever may not have them, nothing is here."""
    if not (_is_local(request) or _has_token(request)):
        raise Http404
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _is_local(request: HttpRequest) -> bool:
    """Whether a program on this machine asks, for itself.

    A proxy in front is on this machine as well; what it passes on says for whom (RFC 7239, and
    the older headers that it replaces).
    """
    if any(name.startswith(_FORWARDED) for name in request.META):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False  # A Unix socket has no address: a proxy's, as a rule.
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


_FORWARDED = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.CHAT_METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and constant_time_compare(token, wanted)


def _check_database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
        with transaction.atomic():
            # Writes nothing, but needs the right to write.
            Process.objects.filter(pk__isnull=True).update(name="")
    except DatabaseError as error:
        logger.error("not ready: %s", type(error).__name__)
        return "not writable"
    return "ok" if _has_room() else "disk is full"


def _has_room() -> bool:
    """Whether a database of a file can grow. A small write would tell little: it often fits."""
    if connection.vendor != "sqlite":
        return True
    folder = Path(connection.settings_dict["NAME"]).parent
    return shutil.disk_usage(folder).free >= ROOM_BYTES


def _check_layer() -> str:
    try:
        async_to_sync(_ask_layer)()
    except Exception as error:
        logger.warning("the channel layer is silent: %s", type(error).__name__)
        return "silent"
    return "ok"


def _check_cache() -> str:
    # A full Redis still reads and carries rings: only a write shows that it is full.
    cache.set("ready", 1, 1)
    # chatsite/cache.py; any other cache fails by itself.
    return "ok" if getattr(cache, "is_shared", True) else "not shared"


async def _ask_layer() -> None:
    layer = get_channel_layer()
    assert layer is not None  # noqa: S101  (for the types)
    async with asyncio.timeout(LAYER_TIMEOUT_S):
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "ready"})
        await layer.receive(channel)
