"""Who a session is of, found with SQL that is made once; the rest is Django's and allauth's."""

from __future__ import annotations

from allauth.account import auth_backends
from django.contrib.auth import backends

from chat.models import User
from chat.prepared import Prepared

_user = Prepared(lambda pk: User.objects.filter(pk=pk), int)


class _Found(backends.ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        for user in _user(user_id):
            return user if self.user_can_authenticate(user) else None
        return None


class ByName(_Found):
    """Signs in by name alone, as commands and the admin do."""


class ByNameOrEmail(_Found, auth_backends.AuthenticationBackend):
    """Signs in by name or email."""
