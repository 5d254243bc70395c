"""What every request passes that Django has no middleware for."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

FORM = "application/x-www-form-urlencoded"


class RefuseLargeForm(MiddlewareMixin):
    """Answers 413 to a form that Django would refuse with 400, as if it made no sense."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        length = request.headers.get("Content-Length", "")
        is_large = length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if is_large and request.content_type == FORM:
            return render(request, "413.html", status=413)
        return None
