"""What comes in by forms, checked and cleaned; what the rules of the chat say, services check."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chat.models import TITLE_MAX_CHARS, AccessToken
from chat.words import clean, with_unix_newlines


class PromptField(forms.CharField):
    """A text kept exactly as it was typed, but for newlines and what can't be stored."""

    def __init__(self, **kwargs: Any) -> None:
        # Emptiness and size are checked by the service, which has the words for them.
        super().__init__(strip=False, required=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return clean(with_unix_newlines("" if value is None else str(value)))

    def run_validators(self, value: Any) -> None:
        """Accept what `clean` made; Django would refuse a NUL that is not there any more."""


class PromptForm(forms.Form):
    """A prompt with the key that its browser made for it."""

    text = PromptField()
    # The value of an example's button, for a form that was sent by one.
    example = PromptField()
    # A form without a key, or with a broken one, still sends: it is only not idempotent.
    key = PromptField()

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["text"] = self.cleaned_data["text"] or self.cleaned_data["example"]
        return self.cleaned_data

    def clean_key(self) -> uuid.UUID:
        try:
            return uuid.UUID(self.cleaned_data["key"])
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
