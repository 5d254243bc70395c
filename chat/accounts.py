"""What is ours in the accounts: who may sign up. django-allauth does the rest."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Lets people sign up only where CHAT_SIGNUP is open."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.CHAT_SIGNUP_OPEN)
