"""What every request passes that Django has no middleware for."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin


class RefuseLargeForm(MiddlewareMixin):
    """Answers 413 to a form that Django would refuse with 400, as if it made no sense."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        try:
            # Parsed once and kept; what comes behind this middleware reads it anyway.
            _ = request.POST
        except RequestDataTooBig:
            return render(request, "413.html", status=413)
        return None
