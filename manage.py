#!/usr/bin/env python3
"""Run a management command; a bad setting ends it with one sentence instead of a traceback."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.configured or settings.DEBUG  # noqa: B018  (reading one reads them all)
    except ImproperlyConfigured as error:
        sys.exit(f"This site can't start: {error}")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        # Ctrl-C while a command is still being loaded; those that run for longer see to it.
        sys.exit(130)


if __name__ == "__main__":
    main()
