"""What the commands at a terminal share: options, sentences for failures, the end of an answer."""

from __future__ import annotations

import asyncio
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db import Error

from chat import errors
from chat.outage import is_outage
from chat.refused import words
from chat.terminal.output import Output
from chat.terminal.show import as_json, exit_code, find, notice
from chat.terminal.signals import EarlyEnd
from chat.threads import in_thread

INTERRUPTED_CODE = 130  # as shells tell of Ctrl-C


def add_form_options(parser: ArgumentParser) -> None:
    """Add how the answer is shown."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--events", action="store_true", help="print every event as it comes: its kind and JSON"
    )
    forms.add_argument(
        "--json", action="store_true", help="print one JSON object when the answer has ended"
    )


@contextmanager
def told_in_words(verbosity: int) -> Iterator[None]:
    """End the process with a sentence for what can go wrong, and without lines of the log.

    Args:
        verbosity: from 2 on the log is shown too.
    """
    if verbosity < 2:
        # What an answer ended with is told in words.
        logging.getLogger("chat").setLevel(logging.CRITICAL)
    try:
        yield
    except errors.RequestRefused as error:
        raise CommandError(words(error)) from error
    except Error as error:
        if is_outage(error):
            raise CommandError(words(errors.Unavailable)) from error
        raise CommandError(
            "The database is not ready for this release; run `manage.py setup` first."
        ) from error
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_CODE)


async def copy_beside(
    copying: Coroutine[Any, Any, None],
    beside: Coroutine[Any, Any, object],
    *,
    is_ended_by_it: bool,
) -> None:
    """Copy a log while something else runs; what fails of the two is raised at once.

    Args:
        is_ended_by_it: the end of `beside` is the end of copying too.
    """
    tasks = [
        asyncio.create_task(copying, name="copy"),
        asyncio.create_task(beside, name="early-end"),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[1].done() and not tasks[1].exception() and not is_ended_by_it:
            await asyncio.wait(tasks[:1])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def tell_end(
    generation_id: int, output: Output, early: EarlyEnd, stderr: OutputWrapper, *, is_json: bool
) -> int:
    """Write what comes last, and how the answer ended; return the command's exit code.

    Raises:
        CommandError: the generation was deleted meanwhile.
    """
    generation = await in_thread(find, generation_id)
    output.end_line()
    if generation is None:
        raise CommandError("The conversation was deleted.")
    if generation.is_running:
        sentence, code = f"Generation {generation.pk} goes on.", early.code or 1
    else:
        sentence, code = notice(generation), exit_code(generation, early)
        if is_json:
            output.write(as_json(generation))
    if sentence and not early.is_broken:
        stderr.write(sentence)
    return code
