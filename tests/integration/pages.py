"""What the tests of pages and forms share."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from chat.models import Generation

HTMX: dict[str, Any] = {"HX-Request": "true"}


def end(generation: Generation) -> Generation:
    Generation.objects.filter(pk=generation.pk).update(
        status=Generation.Status.FAILED, error_code="stalled", finished_at=timezone.now()
    )
    return generation


def to(name: str, *ids: Any) -> str:
    return reverse(name, args=ids)


def text_of(response: Any) -> str:
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def field(html: str, name: str) -> str:
    """Return the value of a form's field."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]
