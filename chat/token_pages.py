"""The page of a person's access tokens: made, shown once, listed, revoked. Needs no script."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chat import errors, metrics, tokens
from chat.forms import TokenForm
from chat.models import AccessToken, User
from chat.refused import words


@never_cache
@require_http_methods(["GET", "POST"])
def tokens_page(request: HttpRequest) -> HttpResponse:
    """List the tokens, or make one and show it, which nothing can do later."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, form, status=400 if form.is_bound else 200)
    scope = AccessToken.Scope(form.cleaned_data["scope"])
    try:
        made = tokens.create(_user(request), form.cleaned_data["name"], scope)
    except errors.TooManyTokens as error:
        metrics.refused(error.code)
        return _page(request, form, status=error.http_status, problem=words(error))
    return _page(request, TokenForm(), made=made.row, secret=made.secret)


@never_cache
@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Ask whether a token shall go, or revoke it: what it has open ends."""
    token = get_object_or_404(tokens.of(_user(request)), pk=token_id)
    if request.method == "POST":
        token.delete()
        return redirect("tokens")
    return render(request, "account/token_revoke.html", {"token": token})


def _page(request: HttpRequest, form: TokenForm, status: int = 200, **more: Any) -> HttpResponse:
    context = {"tokens": tokens.of(_user(request)), "form": form, **more}
    return render(request, "account/tokens.html", context, status=status)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
