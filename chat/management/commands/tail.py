"""`manage.py tail`: an answer that another process writes, or wrote, read from its log."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat import errors
from chat.models import Generation
from chat.terminal import command, show
from chat.terminal.output import Output
from chat.terminal.signals import EarlyEnd
from chat.threads import in_thread
from chatsite.guest import rings


class Command(BaseCommand):
    help = "Follow an answer to its end, or print one that has ended. Ctrl-C leaves it running."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("generation", type=int, help="its number")
        parser.add_argument(
            "--after", metavar="SEQ", type=int, default=0, help="only events behind this number"
        )
        command.add_form_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        output = Output(sys.stdout)
        with command.told_in_words(options["verbosity"]):
            code = asyncio.run(self._follow(output, options))
        sys.exit(code)

    async def _follow(self, output: Output, options: dict[str, Any]) -> int:
        generation = await in_thread(_get, options["generation"])
        with EarlyEnd(output) as early:
            if not generation.is_pruned:
                await _copy(generation, output, early, options)
            elif options["events"] or options["after"]:
                raise errors.EventsGone
            elif not options["json"]:
                await asyncio.to_thread(output.write, generation.message.text)
        return await command.tell_end(
            generation.pk, output, early, self.stderr, is_json=options["json"]
        )


async def _copy(
    generation: Generation, output: Output, early: EarlyEnd, options: dict[str, Any]
) -> None:
    """Copy the log, until its end or an early one."""
    async with rings():
        form, after = show.form_of(options), options["after"]
        copying = show.copy(generation.pk, form, output, early, after=after)
        await command.copy_beside(copying, early.wait(), is_ended_by_it=True)


def _get(generation_id: int) -> Generation:
    generation = show.find(generation_id) if 0 <= generation_id < 2**63 else None
    if generation is None:
        raise CommandError(f"There is no generation {generation_id}.")
    return generation
