"""`manage.py makemessages`: Django's own, told where the words of this site are.

The demo model and the tests speak English, whatever a person reads.
"""

from __future__ import annotations

from django.core.management.base import CommandParser
from django.core.management.commands import makemessages


class Command(makemessages.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            all=True,
            extensions=["html", "py", "txt"],
            ignore_patterns=[
                *("chat/demo", "deploy", "docs", "static", "tests"),
                *("htmlcov", "test-results", "requirements*"),
            ],
            # Numbers of lines would change with every edit.
            add_location="file",
            no_obsolete=True,
        )
