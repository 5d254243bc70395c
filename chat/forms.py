"""What comes in by forms, checked and cleaned; what the rules of the chat say, services check."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from chat.models import TITLE_MAX_CHARS, AccessToken
from chat.words import clean, with_unix_newlines


def posted_prompt(posted: Mapping[str, str]) -> tuple[str, uuid.UUID]:
    """Return the prompt that was sent, and the key that its browser made for it.

    The text, or that of an example's button, is kept exactly as it was typed, but for newlines and
    what can't be stored. Nothing in it can be invalid, so that none of Django's forms is needed:
    emptiness and size are checked by the service, which has the words for them.
    """
    return _kept(posted, "text") or _kept(posted, "example"), _key(posted.get("key", ""))


def _kept(posted: Mapping[str, str], name: str) -> str:
    return clean(with_unix_newlines(posted.get(name, "")))


def _key(text: str) -> uuid.UUID:
    """Return a key; a form without one, or with a broken one, is only not idempotent."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        label=_("Name"),
        help_text=_("What it is for, so that you know it again."),
        widget=forms.TextInput({"autocomplete": "off", "dir": "auto"}),
    )
    scope = forms.ChoiceField(
        choices=AccessToken.Scope.choices, label=_("It may"), initial=AccessToken.Scope.CHAT
    )


class TitleForm(forms.Form):
    title = forms.CharField(
        max_length=TITLE_MAX_CHARS, label=_("Title"), widget=forms.TextInput({"dir": "auto"})
    )
