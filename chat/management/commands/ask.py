"""`manage.py ask`: a prompt in, Claude's answer out as it is written; saved like any chat.

The answer is written by this process, beside those of the site (chatsite/guest.py).
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from argparse import ArgumentParser
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chat import services
from chat.checks import TAG
from chat.models import Conversation, Generation, User
from chat.options import MAX_MODEL_CHARS, Options
from chat.terminal import command, show
from chat.terminal.output import Output
from chat.terminal.prompt import needs_typing, read_prompt
from chat.terminal.signals import EarlyEnd
from chat.threads import in_thread
from chat.words import clean
from chatsite.guest import guest


class Command(BaseCommand):
    help = "Ask Claude; the answer appears as it is written, and is saved. Ctrl-C stops it."
    requires_system_checks = [TAG]  # noqa: RUF012  (as Django declares it)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "prompt", nargs="?", help="what to ask; from standard input where it is missing or -"
        )
        parser.add_argument("--user", metavar="NAME", help="whose conversation it is")
        parser.add_argument(
            "--conversation", metavar="UUID", type=uuid.UUID, help="by default a new one"
        )
        parser.add_argument("--model", help="by default CHAT_MODEL")
        parser.add_argument("--system", help="by default CHAT_SYSTEM_PROMPT")
        parser.add_argument("--max-tokens", type=int, help="by default CHAT_MAX_TOKENS")
        command.add_form_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        output = Output(sys.stdout)
        with command.told_in_words(options["verbosity"]):
            user, asked = _user(options["user"]), _options(options)
            if needs_typing(options["prompt"], sys.stdin):
                self.stderr.write("Type the prompt, then Ctrl-D.")
            prompt = read_prompt(options["prompt"], sys.stdin)
            send = partial(_send, user, options["conversation"], prompt, asked)
            code = asyncio.run(self._answer(user, send, output, options))
        sys.exit(code)

    async def _answer(
        self, user: User, send: partial[Generation], output: Output, options: dict[str, Any]
    ) -> int:
        async with guest():
            with EarlyEnd(output) as early:
                generation = await in_thread(send)
                await command.copy_beside(
                    show.copy(generation.pk, show.form_of(options), output, early),
                    _stop_when_asked(user, generation.pk, early),
                    is_ended_by_it=False,
                )
        return await command.tell_end(
            generation.pk, output, early, self.stderr, is_json=options["json"]
        )


async def _stop_when_asked(user: User, generation_id: int, early: EarlyEnd) -> None:
    await early.wait()
    with suppress(Generation.DoesNotExist):  # Deleted: the log ends, and the end is told of.
        await in_thread(services.stop, user, generation_id)


def _user(name: str | None) -> User:
    """Return whose conversation it shall be.

    Raises:
        CommandError: there is no such user, or nobody says which one.
    """
    users = User.objects.filter(is_active=True)
    if name is not None:
        if user := users.filter(username=clean(name)).first():
            return user
        raise CommandError(f"There is no active user {name!r}.")
    some = list(users[:2])
    if not some:
        raise CommandError("Nobody has an account here yet; run `manage.py setup` first.")
    admins = some if len(some) == 1 else list(users.filter(is_superuser=True)[:2])
    if len(admins) == 1:
        return admins[0]
    raise CommandError("Several people have accounts here; say whose chat it is with --user NAME.")


def _options(options: dict[str, Any]) -> Options:
    model, max_tokens = options["model"], options["max_tokens"]
    if model is not None and not 0 < len(model) <= MAX_MODEL_CHARS:
        raise CommandError(f"--model takes 1 to {MAX_MODEL_CHARS} characters.")
    if max_tokens is not None and not 1 <= max_tokens <= settings.CHAT_MAX_TOKENS:
        raise CommandError(f"--max-tokens has to lie between 1 and {settings.CHAT_MAX_TOKENS}.")
    system = options["system"]
    return Options(
        model=clean(model or ""),
        system=None if system is None else clean(system),
        max_tokens=max_tokens,
    )


def _send(user: User, conversation_id: uuid.UUID | None, text: str, options: Options) -> Generation:
    try:
        sent = services.send_prompt(user, conversation_id, text, uuid.uuid4(), options)
    except Conversation.DoesNotExist:
        raise CommandError(f"{user} has no conversation {conversation_id}.") from None
    return sent.generation
