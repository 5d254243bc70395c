"""`manage.py setup`: make the database ready and, on the first run, an admin's account."""

from __future__ import annotations

import os
import secrets
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from chat.models import User


class Command(BaseCommand):
    help = "Apply migrations; where nobody has an account, make `admin` and show the password."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if User.objects.exists():
            return
        password = os.environ.get("CHAT_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        User.objects.create_superuser("admin", "", password)
        if os.environ.get("CHAT_ADMIN_PASSWORD"):
            self.stdout.write("Made the account admin with the password CHAT_ADMIN_PASSWORD.")
        else:
            self.stdout.write(f"Made the account admin. Its password, shown once: {password}")
