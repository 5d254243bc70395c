"""One walk through the guide, on a machine that runs, with people who use what it makes."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from itertools import groupby

from tests.deployment.guest import Guest
from tests.deployment.guide import read_steps
from tests.deployment.machine import Machine
from tests.faults.people import make_people

UNITS = "5. Start"
FIRST_ANSWER = "7. Check"
WHILE_PEOPLE_CHAT = ("Restart", "Upgrade", "Other servers")
"""Sections that nobody may notice."""
PEOPLE = 16
RESTORE = "Back up and restore"

_PASSWORD = re.compile(r"Its password, shown once: (\S+)")
_begun_at = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _begun_at:5.0f} s  {text}", flush=True)


class Trial:
    def __init__(self, machine: Machine, guest: Guest) -> None:
        self._machine = machine
        self._guest = guest
        self._has_begun = False

    def follow(self, guide: str) -> None:
        """Run all commands of the guide in one shell, and look at the site after each section.

        Raises:
            StepFailed, VisitFailed: what the document promises does not hold.
        """
        steps = read_steps(guide)
        with self._machine.shell() as shell:
            for section, group in groupby(steps, key=lambda step: step.section):
                say(section)
                with self._people(section):
                    for step in group:
                        self._note_password(shell.run(step.commands))
                self._look(section)

    def _people(self, section: str) -> contextlib.AbstractContextManager[None]:
        if section in WHILE_PEOPLE_CHAT:
            return self._guest.staying(lambda result: say(f"  meanwhile {result}"))
        return contextlib.nullcontext()

    def _note_password(self, printed: str) -> None:
        if password := _PASSWORD.search(printed):
            self._guest.password = password[1]

    def _look(self, section: str) -> None:
        """Look whether the site is what it should be by now."""
        if section == UNITS:
            units = "/etc/systemd/system/chat@.service /etc/systemd/system/chat.target"
            self._machine.run(f"systemd-analyze verify {units}")
        if section == FIRST_ANSWER:
            self._has_begun = True
            people = make_people(self, "guest", PEOPLE)
            self._guest.session_keys = [person.session_key for person in people]
            self._path = self._guest.visit("talk")
            self._text = self._guest.visit("read", self._path)
            self._crash()
        elif section == RESTORE:
            text = self._guest.visit("read", self._path)
            assert text == self._text, "the restored text differs"
        elif self._has_begun:
            self._guest.visit("talk")

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command as the guide does."""
        manage = ["runuser", "-u", "chat", "--", ".venv/bin/python", "manage.py", *arguments]
        return self._machine.run(f"cd /opt/chat/current\n{shlex.join(manage)}\n")

    def _crash(self) -> None:
        say("a process crashes")
        with self._guest.staying(lambda result: say(f"  meanwhile {result}")):
            self._machine.run("systemctl kill --signal KILL chat@8002")
