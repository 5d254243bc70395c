"""The read side: a conversation's messages as a page shows them, finished or still growing.

Finished answers come from what was folded onto the message; running ones from their log, up to
the last whole word. Nothing here makes markup; templates and fragments.py do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext

from chat import errors, events, statements
from chat.blocks import BlockView, prompt_text, view_blocks
from chat.content import Block, Content, is_text, joined, part_before, plain_text, text_runs
from chat.durations import Durations, all_seconds
from chat.kinds import FINAL
from chat.models import Conversation, Generation, Message, User, path_to
from chat.render import render_blocks, render_open
from chat.sent import Sent
from chat.waits import Question, Waits
from chat.words import split_ready

PAGE_MESSAGES = 30
"""So many messages are shown at once; older ones are loaded as one scrolls."""

_NOTICES: dict[str, str | Promise] = {
    "refusal": gettext_lazy("Claude declined to answer this. Rephrase it, or start a new chat."),
    "max_tokens": gettext_lazy("The answer was cut at the length limit."),
    "model_context_window_exceeded": gettext_lazy(
        "The conversation has reached the model's limit. Start a new chat to go on."
    ),
    "pause_turn": gettext_lazy("Claude paused here."),
    "tool_use": gettext_lazy("Claude asked for a tool that it can't use here."),
}
# What is waited for before a request is made again, by the error that it met.
_BUSY = gettext_lazy("Claude is busy")
_WAIT_REASONS: dict[str, str | Promise] = {
    errors.Unreachable.code: gettext_lazy("Claude can't be reached"),
    errors.UpstreamError.code: gettext_lazy("Claude's service reported an error"),
}


@dataclass(frozen=True)
class MessageView:
    """A message for the template `_message.html`.

    `seq` and `held` say up to where a running answer is shown: all events to `seq`, but for
    the last `held` characters. `characters` counts what is shown of its text. `retry` is the
    data of a `retry` event, while the answer waits for its request to be made again; `questions`
    are calls that wait for a person's word, `tools` the names of those that run.
    """

    message: Message
    generation: Generation | None = None
    blocks: Sequence[BlockView] = field(default_factory=tuple)
    seq: int = 0
    held: int = 0
    characters: int = 0
    retry: Mapping[str, Any] | None = None
    questions: Sequence[Question] = ()
    tools: Sequence[str] = ()

    @property
    def generation_id(self) -> int:
        return self.generation.pk if self.generation else 0

    @property
    def is_running(self) -> bool:
        return self.generation is not None and self.generation.is_running

    @property
    def is_new(self) -> bool:
        """Whether nothing is known of the answer but that it is awaited, since just now."""
        told = self.blocks or self.held or self.characters
        waits = self.retry or self.questions or self.tools
        return self.is_running and not (told or waits or self.waited_s)

    @property
    def waited_s(self) -> int:
        """Return for how long the answer has been awaited, in whole seconds."""
        if self.generation is None:
            return 0
        return int((timezone.now() - self.generation.created_at).total_seconds())

    @property
    def wait_reason(self) -> str:
        """Return why the request has to be made again; it stands at the start of a sentence."""
        code = str(self.retry["error_code"]) if self.retry else ""
        return str(_WAIT_REASONS.get(code, _BUSY))

    @property
    def received(self) -> str:
        """Return "Received 1,234 characters" in the active language."""
        text = ngettext("Received %(n)s character", "Received %(n)s characters", self.characters)
        return text % {"n": number_format(self.characters, force_grouping=True)}

    @property
    def prompt(self) -> str:
        """Return what a person, or a program of theirs, said."""
        blocks = self.message.content
        return self.message.text if all(map(is_text, blocks)) else prompt_text(blocks)

    @property
    def is_refused(self) -> bool:
        return self.generation is not None and self.generation.stop_reason == "refusal"

    @property
    def notice(self) -> str:
        """Return what a person should know of how the answer ended; "" for a plain end."""
        generation = self.generation
        if generation is None or generation.is_running:
            return ""
        if generation.status == Generation.Status.STOPPED:
            return gettext("Stopped.")
        if generation.error_code:
            return gettext(errors.generation_error(generation.error_code).text)
        if generation.stop_reason == "tool_use" and (generation.options or {}).get("body"):
            return ""  # The program that asked has tools of its own.
        if generation.stop_reason in _NOTICES:
            return str(_NOTICES[generation.stop_reason])
        return "" if self.blocks else gettext("Claude had nothing to say to this.")

    @property
    def notice_level(self) -> str:
        if self.generation is None or not self.generation.error_code:
            return "info"
        is_failed = self.generation.status == Generation.Status.FAILED
        return "error" if is_failed else "warning"

    @property
    def can_continue(self) -> bool:
        """Whether Claude can go on with the text; only the last answer can be continued."""
        generation = self.generation
        return bool(generation and generation.is_unfinished and self.message.text.strip())

    @property
    def can_retry(self) -> bool:
        """Whether another try can help; only the last answer can be tried again."""
        generation = self.generation
        if generation is None or generation.is_running:
            return False
        if generation.error_code:
            return errors.generation_error(generation.error_code).retryable
        return generation.status == Generation.Status.STOPPED or not self.blocks


def load_messages(
    conversation: Conversation,
    *,
    before: int | None = None,
    limit: int | None = PAGE_MESSAGES,
) -> tuple[list[MessageView], bool]:
    """Return the newest messages of the active path in order, and whether there are older ones.

    Args:
        before: only messages with a lower id; None for the newest.
    """
    if limit and before is None:
        # As most pages are, however long the conversation is.
        path = statements.end_of_path(conversation.pk, limit + 1)
    else:
        path = [pk for pk in conversation.active_path() if before is None or pk < before]
    shown = path[-limit:] if limit else path
    return view_messages(shown), len(path) > len(shown)


def load_message(user: User, message_id: int) -> MessageView:
    """Return the view of a message that `user` may see.

    Raises:
        Message.DoesNotExist: there is none, or it is somebody else's.
    """
    conversations = Conversation.objects.owned_by(user)
    message = Message.objects.get(pk=message_id, conversation__in=conversations)
    return _view(message, message.generations.order_by("-pk").first())


def load_added(conversation_id: UUID, after: int) -> tuple[list[MessageView], Generation | None]:
    """Return the messages of the active path behind `after`, and the last generation of that one.

    A conversation that a reader shows already is not read anew, however long it is.
    """
    # Generations first, as below.
    found = statements.generations_from(conversation_id, after)
    generations = {generation.message_id: generation for generation in found}
    added = statements.messages_after(conversation_id, after)
    rows = {message.pk: message for message in added}
    parents = {message.pk: message.parent_id for message in added}
    path = path_to(max(rows, default=None), parents)
    return [_view(rows[pk], generations.get(pk)) for pk in path], generations.get(after)


def view_sent(sent: Sent) -> list[MessageView]:
    """Return what a prompt adds that was sent just now: itself, and its answer, of which nothing
    is known yet."""
    generation = sent.generation
    # The request that its log begins with was committed when it was taken (generation.py).
    seq = 1 if generation.owner_id else 0
    return [_view(sent.message, None), MessageView(generation.message, generation, seq=seq)]


def view_again(message_id: int) -> MessageView | None:
    """Return a message as it is now; None where it is gone."""
    newest = statements.newest_generation(message_id)  # first, as below
    rows = statements.message(message_id)
    return _view(rows[0], newest[0] if newest else None) if rows else None


def view_messages(ids: Sequence[int]) -> list[MessageView]:
    """Return views of messages in the order of their ids; those that are gone are left out."""
    # Generations first: an answer that ends in between is then read as running, from its log,
    # and its socket shows the end. The other way round it would be final, and empty.
    answers = Generation.objects.filter(message__in=ids).order_by("pk").defer("timeline")
    generations = {generation.message_id: generation for generation in answers}
    rows = Message.objects.filter(pk__in=ids).order_by("pk")
    return [_view(message, generations.get(message.pk)) for message in rows]


def _view(message: Message, generation: Generation | None) -> MessageView:
    if generation is not None and generation.is_running:
        return _view_running(message, generation)
    views = view_blocks(message.content, message.rendered, message.durations_s or ())
    return MessageView(message, generation, [*views.values()], characters=len(message.text))


def _view_running(message: Message, generation: Generation) -> MessageView:
    content, durations, waits = Content(), Durations(), Waits()
    seq, fed_at = 0, timezone.now()
    for entry in events.read(generation.pk):
        if entry.kind == FINAL:
            break  # It has ended in between: its socket shows the end, and what is still held.
        data = json.loads(entry.data)
        content.feed(entry.kind, data)
        durations.feed(entry.kind, data, entry.at)
        waits.feed(entry.kind, data)
        seq, fed_at = entry.seq, entry.at
    earlier, own = earlier_blocks(message, generation), content.blocks()
    # The last word of what is being written waits for its end.
    held = split_ready(plain_text(own[-1:]))[1] if content.is_open else ""
    blocks = joined(earlier, own)
    seconds = all_seconds(
        message.durations_s or (), durations.seconds(), before=len(earlier), total=len(blocks)
    )
    views = view_blocks(blocks, _rendered_so_far(blocks, len(held)), seconds)
    first = len(blocks) - len(durations.spans)
    for number, span in enumerate(durations.spans, start=first):
        if span and span.is_running:
            views[number] = replace(views[number], since=span.began_at, seconds=None)
    shown = [replace(v, element_id=block_id(generation.pk, number)) for number, v in views.items()]
    characters = len(plain_text(blocks)) - len(held)
    return MessageView(
        message,
        generation,
        shown,
        seq,
        len(held),
        characters,
        # While it waits for its next try, nothing else comes.
        retry=_wait_left(waits.retry, fed_at) if waits.retry else None,
        questions=waits.questions,
        tools=waits.tools,
    )


def _rendered_so_far(blocks: Sequence[Block], held: int) -> list[str]:
    """Return the HTML of a running answer's blocks; a text that comes last may go on.

    Args:
        held: how many characters of it are not shown yet.
    """
    runs = list(text_runs(blocks))
    if not runs or not is_text(blocks[-1]):
        return render_blocks(blocks)
    closed, text = blocks[: runs[-1].start], plain_text(blocks[at] for at in runs[-1])
    return [*render_blocks(closed), render_open(text[: len(text) - held])]


def earlier_blocks(message: Message, generation: Generation) -> list[Block]:
    """Return what earlier generations wrote of the message that a generation goes on with."""
    return part_before(message.content, generation.first_block, generation.first_char)


def _wait_left(retry: Mapping[str, Any], since: datetime) -> dict[str, Any]:
    waited_s = (timezone.now() - since).total_seconds()
    return {**retry, "wait_s": max(0.0, retry["wait_s"] - waited_s)}


def block_id(generation_id: int, number: int) -> str:
    """Return the id of an element on the page: the n-th block of a generation, from 0."""
    return f"block-{generation_id}-{number}"
