"""System checks: combinations of settings that would only fail later."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from chat.tools import load

TAG = "chat"
"""Names these checks; asgi.py runs them too, because servers run none."""


@register(TAG)
def check_model_is_configured(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A site without a way to Claude must not start and fail at the first prompt."""
    if settings.ANTHROPIC_API_KEY or settings.ANTHROPIC_BASE_URL or settings.CHAT_DEMO:
        return []
    return [
        Error(
            "Neither ANTHROPIC_API_KEY nor ANTHROPIC_BASE_URL is set.",
            hint="Set one of them, or CHAT_DEMO=on for the offline model.",
            id="chat.E001",
        )
    ]


@register(TAG)
def check_demo_is_not_mixed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """CHAT_DEMO=on beside a key would silently answer with the demo."""
    if not settings.CHAT_DEMO or not (settings.ANTHROPIC_API_KEY or settings.ANTHROPIC_BASE_URL):
        return []
    return [
        Error(
            "CHAT_DEMO is on although ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL is set.",
            hint="Set CHAT_DEMO=auto to talk to Claude.",
            id="chat.E002",
        )
    ]


@register(TAG)
def check_tools(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A tool that can't be loaded would only fail with the first answer."""
    try:
        load(settings.CHAT_TOOLS)
    except ImproperlyConfigured as error:
        hint = "Name functions by their dotted paths, or none (docs/tools.md)."
        return [Error(str(error), hint=hint, id="chat.E003")]
    return []
