"""What the states are made of: messages and conversations that are never saved.

Dates, ids and numbers are fixed, so that two pictures of a state are equal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from chat.blocks import BlockView, view_blocks
from chat.content import Block, plain_text
from chat.models import Conversation, Generation, Message
from chat.render import render_blocks, render_open
from chat.transcript import MessageView, block_id
from chat.waits import Question

WAITED_S = 4
TOOK_S = 12.0

TITLE = "Group commit and durability"

Groups = list[tuple[str, list[Conversation]]]
"""Conversations under the names of their days, as chat/sidebar.py returns them."""


@dataclass(frozen=True)
class Step:
    """What a script does to the tags that hold `mark`: `old` becomes `new`, `text` comes behind.

    `count` is the number of tags, 0 for all.
    """

    mark: str
    old: str
    new: str = ""
    text: str = ""
    count: int = 0

    def taken(self, html: str) -> str:
        """Return the page after the step. Raises: ValueError where it is not as expected."""
        tag = rf"<[^<>]*{re.escape(self.mark)}[^<>]*>"
        done, found = re.subn(tag, self._changed, html, count=self.count)
        if not found:
            raise ValueError(f"no tag holds {self.mark!r}")
        return done

    def _changed(self, tag: re.Match[str]) -> str:
        if self.old not in tag[0]:
            raise ValueError(f"{self.old!r} is not in {tag[0]!r}")
        return tag[0].replace(self.old, self.new, 1) + self.text


def unfolded(kind: str) -> Step:
    """Return the step that unfolds the blocks of a kind."""
    return Step(f'class="block block-{kind}', "<details", "<details open")


@dataclass(frozen=True)
class State:
    """One state of the chat page.

    `title` is the conversation's, "" where there is none yet. `context` goes over what every
    state gives the page's template; `steps` are taken, and `instead` stands in the place of the
    messages, as after the work of a script. `language` is the reader's where it is not given.
    """

    views: Sequence[MessageView] = ()
    title: str = TITLE
    context: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    instead: str = ""
    language: str = ""


class _Still(MessageView):
    """An answer that has been awaited for the same time in every picture."""

    @property
    def waited_s(self) -> int:
        return WAITED_S


class _StillBlock(BlockView):
    """A block that has been running for the same time in every picture."""

    @property
    def waited_s(self) -> int:
        return WAITED_S


def text(markdown: str) -> Block:
    return {"type": "text", "text": markdown}


def thinking(thoughts: str) -> Block:
    return {"type": "thinking", "thinking": thoughts}


def prompt(words: str) -> MessageView:
    return MessageView(Message(role=Message.Role.USER, text=words))


def answer(
    *blocks: Block,
    status: str = Generation.Status.COMPLETE,
    stop_reason: str = "",
    error_code: str = "",
) -> MessageView:
    """Return an answer that has ended."""
    message = Message(role=Message.Role.ASSISTANT, text=plain_text(blocks))
    generation = Generation(status=status, stop_reason=stop_reason, error_code=error_code)
    views = view_blocks(blocks, render_blocks(blocks), [TOOK_S] * len(blocks))
    return MessageView(message, generation, [*views.values()], characters=len(message.text))


def running(
    *blocks: Block,
    characters: int = 0,
    retry: Mapping[str, Any] | None = None,
    questions: Sequence[Question] = (),
    tools: Sequence[str] = (),
) -> MessageView:
    """Return an answer that is being written; its last block is open."""
    message = Message(role=Message.Role.ASSISTANT)
    generation = Generation(status=Generation.Status.STREAMING)
    rendered = [*render_blocks(blocks[:-1]), render_open(plain_text(blocks[-1:]))]
    views = [*view_blocks(blocks, rendered, [TOOK_S] * len(blocks[:-1])).values()]
    if views and views[-1].kind != "text":
        views[-1] = _StillBlock(**{**vars(views[-1]), "since": timezone.now()})
    waits: dict[str, Any] = {"retry": retry, "questions": questions, "tools": tools}
    return _Still(message, generation, views, characters=characters, **waits)


def numbered(views: Sequence[MessageView]) -> list[MessageView]:
    """Give messages and generations the ids that a page needs."""
    return [_numbered(view, number) for number, view in enumerate(views, start=1)]


def _numbered(view: MessageView, number: int) -> MessageView:
    view.message.pk = number
    if view.generation:
        view.generation.pk = number
    blocks = [replace(b, element_id=block_id(number, at)) for at, b in enumerate(view.blocks)]
    return replace(view, blocks=blocks)


def conversation(number: int, title: str, *, is_running: bool = False) -> Conversation:
    made = Conversation(pk=UUID(int=number), title=title)
    made.is_running = is_running  # type: ignore[attr-defined]  # as annotated by sidebar.py
    return made


def groups(shown: Conversation | None) -> Groups:
    """Return the list at the left."""
    today = [conversation(2, "Names for a grey cat"), conversation(3, "A letter to the landlord")]
    week = ["Sourdough in a cold kitchen", "A regular expression for dates", "Lisbon in four days"]
    return [
        (gettext("Today"), [shown, *today] if shown else today),
        (gettext("Yesterday"), [conversation(4, "Why the sky is blue, for a child of six")]),
        (gettext("Previous 7 days"), [conversation(5 + n, title) for n, title in enumerate(week)]),
        (month(2026, 10), [conversation(8, "SQL window functions")]),
    ]


def month(year: int, number: int) -> str:
    return date_format(date(year, number, 1), "YEAR_MONTH_FORMAT")
