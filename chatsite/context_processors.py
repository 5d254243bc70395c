"""What every template may name: the site, and whether people can sign up."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str | bool]:
    return {"site_name": settings.SITE_NAME, "signup_is_open": settings.CHAT_SIGNUP_OPEN}
