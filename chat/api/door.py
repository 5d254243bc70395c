"""The one door of the API: who asks, whether they may, and every refusal as JSON.

A person is known by a token of theirs (`Authorization: Bearer ...`), or by the session of the page.
With a session, what changes something has to come from a page of this site: the browser says so
itself (`Origin`; Fetch Metadata, `Sec-Fetch-Site`), so that no form token is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt

from chat import errors, metrics, tokens
from chat.models import AccessToken, User
from chat.origin import is_trusted
from chat.outage import is_outage, tell_outage
from chat.refused import error_members, with_advice
from chat.sockets import SignedIn
from chat.threads import in_request

SAFE_METHODS = frozenset({"GET", "HEAD"})
READ, CHAT = AccessToken.Scope.READ, AccessToken.Scope.CHAT


class Caller(NamedTuple):
    """Who asks, and what that rests on."""

    user: User
    by: SignedIn


View = Callable[..., Any]
"""Takes (request, caller, **parts of the address); a coroutine function, or a plain one."""

AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]

ErrorResponse = Callable[[errors.ChatError], HttpResponseBase]


def api_view(
    *methods: str, error_response: ErrorResponse | None = None
) -> Callable[[View], AsyncView]:
    """Let only those in who may, and answer every refusal as JSON.

    Args:
        methods: those that the address takes. All but GET and HEAD change something.
        error_response: how an error is told; by default as `error_json` does.
    """
    tell = error_response or error_json
    allowed = ", ".join((*methods, "OPTIONS"))

    def decorate(view: View) -> AsyncView:
        is_plain = not asyncio.iscoroutinefunction(view)
        answer = sync_to_async(view) if is_plain else view

        @csrf_exempt
        @login_not_required
        @wraps(view)
        async def wrapped(request: HttpRequest, **parts: Any) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return HttpResponse(status=204, headers={"Allow": allowed})
            try:
                if request.method not in methods:
                    raise errors.MethodRefused
                caller = await in_request(_caller, request)
                response: HttpResponseBase = await answer(request, caller, **parts)
            except Exception as error:
                response = tell(_as_refusal(error))
                if isinstance(error, errors.MethodRefused):
                    response.headers["Allow"] = allowed
            if "Cache-Control" not in response.headers:
                # What one person may read, no proxy keeps for others.
                patch_cache_control(response, private=True, no_cache=True)
            return response

        # What the address takes, for whoever looks through all of them.
        wrapped.methods = methods  # type: ignore[attr-defined]
        return wrapped

    return decorate


def error_json(error: errors.ChatError) -> HttpResponseBase:
    """Return `{"error": {"code", "message", "retryable"}}` under the error's status."""
    response = JsonResponse({"error": error_members(error)}, status=error.http_status)
    return with_advice(response, error)


def of_named_model(error: errors.ChatError) -> errors.ChatError:
    """Return the error for a program that named the model itself.

    That Claude does not have it is then the program's mistake, and not the admin's.
    """
    return errors.ModelUnknown() if isinstance(error, errors.ModelNotFound) else error


def _as_refusal(error: Exception) -> errors.ChatError:
    """Return the error to tell; one that is a mistake of ours goes on as it is."""
    if isinstance(error, errors.RequestRefused):
        metrics.refused(error.code)
        return error
    if isinstance(error, errors.ChatError):
        return error
    if isinstance(error, ObjectDoesNotExist):
        return errors.NotFound()
    if is_outage(error):
        tell_outage(error)
        return errors.Unavailable()
    raise error


def _caller(request: HttpRequest) -> Caller:
    """Return who asks.

    Raises:
        ForeignPage, NotSignedIn, ScopeMissing: they may not.
    """
    is_change = request.method not in SAFE_METHODS
    if secret := _secret(request):
        if (token := tokens.find(secret)) is None:
            raise errors.NotSignedIn
        if is_change and token.scope != CHAT:
            raise errors.ScopeMissing
        return Caller(token.owner, SignedIn.by_token(token))
    user: Any = request.user
    if not user.is_authenticated:
        raise errors.NotSignedIn
    if is_change and not is_from_own_page(request):
        raise errors.ForeignPage
    return Caller(user, SignedIn.by(user, request.session))


def _secret(request: HttpRequest) -> str:
    """Return the token of a request; "" where there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    # As the Messages API took it before version 2026-10-21, and older SDKs still send it.
    return request.headers.get("X-Api-Key", "").strip()


def is_from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site asks."""
    if origin := request.headers.get("Origin"):
        return is_trusted(origin, f"{request.scheme}://{request.get_host()}")
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def body_of(request: HttpRequest) -> bytes:
    """Return the body of a request.

    Raises:
        BodyTooLarge: it is larger than DATA_UPLOAD_MAX_MEMORY_SIZE.
        InvalidRequest: it came as a form with files.
    """
    if request.content_type == "multipart/form-data":
        raise errors.InvalidRequest("The body is a form with files; send a JSON object instead.")
    limit_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    try:
        body = request.body
    except RequestDataTooBig:
        raise errors.BodyTooLarge(limit_bytes) from None
    # One that came in chunks said nothing of its size before.
    if len(body) > limit_bytes:
        raise errors.BodyTooLarge(limit_bytes)
    return body
