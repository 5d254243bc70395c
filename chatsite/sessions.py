"""Sessions as Django keeps them in the database, found with SQL that is made once."""

from __future__ import annotations

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from chat.prepared import Prepared

_session = Prepared(lambda key: Session.objects.filter(pk=key), str)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        # Django's own of the same name does the same; without this one, by whatever name, it would.
        for session in _session(self.session_key or ""):
            if session.expire_date > timezone.now():
                return session
        self._session_key = None
        return None
