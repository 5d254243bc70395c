"""One reader's view of one conversation: new messages, the running answer, the end of it.

    follow_conversation -> _catch_up (state.py) -> _follow_answer (log) -> again

The database says what there is; a ring only says when to look.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from chat import fragments
from chat.events import Bell, look_interval_s, read, recall
from chat.models import Conversation, User
from chat.relay.answer import LiveAnswer
from chat.relay.block import FRAME_MAX_CHARS
from chat.relay.pace import LONG_CHARS, noted, paced, take_in
from chat.relay.position import Position
from chat.relay.state import State, read_state, sent_just_now
from chat.services import conversation_topic
from chat.threads import in_thread
from chat.transcript import MessageView, view_again


async def follow_conversation(
    user: User, conversation_id: UUID, position: Position
) -> AsyncGenerator[str, None]:
    """Yield frames until the conversation is deleted; `position` is kept up to date."""
    title: str | None = None
    with Bell(conversation_topic(conversation_id)) as bell:
        while True:
            bell.clear()
            found = await _look(user, conversation_id, position, title)
            if found is None:
                yield fragments.deleted(conversation_id)
                return
            conversation, running, frames = found
            title = conversation.title
            if running:
                async for frame in _follow_answer(conversation, running, position, frames):
                    yield frame
                continue
            for frame in frames:
                yield frame
            await bell.wait(look_interval_s(is_alone=settings.IS_SQLITE))


async def _look(
    user: User, conversation_id: UUID, position: Position, title: str | None
) -> tuple[Conversation, MessageView | None, list[str]] | None:
    """Return the conversation, its running answer, and the frames before that one's; None where
    it was deleted. All else that was read is forgotten: an answer may take an hour."""
    state = sent_just_now(conversation_id, position, title) or await in_thread(
        read_state, user, conversation_id, position
    )
    if state is None:
        return None
    caught_up = _catch_up(state, position, title)
    return state.conversation, state.running, [caught_up] if caught_up else []


def _catch_up(state: State, position: Position, title: str | None) -> str:
    """Return one frame with what the rows have and the reader does not, and note that it has.

    Args:
        title: what the reader was last told; None where it was told nothing yet.
    """
    changes: list[str] = [fragments.remove(f"message-{pk}") for pk in state.replaced]
    if state.added:
        changes.append(fragments.add_messages(_emptied(view) for view in state.added))
        position.message_id = state.added[-1].message.pk
    changes += [fragments.message_or_link(view) for view in state.changed]
    if state.running is None or state.running.generation_id != position.generation_id:
        position.let_go()
    for view in (*state.added, *state.changed):
        position.shown_id = max(position.shown_id, view.generation_id)
    if title != state.conversation.title:
        changes.append(fragments.title(state.conversation))
    if title not in (None, state.conversation.title):
        is_running = state.running is not None
        changes.append(fragments.sidebar_item(state.conversation, is_running=is_running))
    for view in state.added:
        if view.generation and view.is_running and not _is_large(view):
            position.take_up(view.generation.pk, view.seq, view.held)
            changes += _begin(state.conversation, view.generation.pk)
        elif _is_large(view):
            changes.append(fragments.unplaced(view))
    return "".join(changes)


def _is_large(view: MessageView) -> bool:
    return view.is_running and view.characters > FRAME_MAX_CHARS


def _emptied(view: MessageView) -> MessageView:
    """Return a running answer without a text too large for a frame; that follows in pieces."""
    return replace(view, blocks=(), seq=0, held=0) if _is_large(view) else view


def _begin(conversation: Conversation, generation_id: int) -> list[str]:
    return [
        fragments.composer_actions(generation_id),
        fragments.sidebar_item(conversation, is_running=True),
        fragments.announcement(gettext("Claude is answering.")),
    ]


async def _follow_answer(
    conversation: Conversation, view: MessageView, position: Position, frames: list[str]
) -> AsyncGenerator[str, None]:
    """Yield frames from the reader's position in a running answer to its end.

    To take up a long answer takes its time. All of it passes before the first frame, so that who
    takes frames for a moment alone (chat/fallbacks.py) gets more than `frames`, which come first.
    """
    assert view.generation is not None  # noqa: S101  (for the types)
    generation_id = view.generation.pk
    is_large = False
    if position.generation_id != generation_id or position.message_id != view.message.pk:
        # It is not shown as running, or more stands below it already: it comes whole, and goes on.
        if position.generation_id == generation_id:
            position.let_go()
        again = await in_thread(view_again, view.message.pk)
        if again:
            generation_id = again.generation_id  # It may be gone on with by now.
        position.shown_id = max(position.shown_id, generation_id)
        if again and again.is_running:
            is_large, view = _is_large(again), _emptied(again)
            position.take_up(generation_id, view.seq, view.held)
            # Where its text is still to come, there is no position that could be gone on from.
            place = [fragments.unplaced(view)] if is_large else []
            begin = _begin(conversation, generation_id)
            frames.append("".join([fragments.message(view), *place, *begin]))
        else:
            # It ended just now, or while the reader was away, before what stands below it began.
            # Of what was deleted the next look tells.
            ended = [_ended(conversation, again)] if again else []
            is_last = position.message_id == view.message.pk
            for frame in noted(frames + ended if is_last else ended + frames, position):
                yield frame
            return
    answer = LiveAnswer(view)
    if is_large:
        await in_thread(answer.show_earlier)
        frames += await take_in(answer, [], overdue=False)
    if position.seq:
        await _resume(answer, generation_id, position)
    for frame in noted(frames, position):
        yield frame
    frames.clear()
    async for frame in paced(answer, generation_id, position):
        yield frame
    for frame in noted(await in_thread(_end, conversation, answer), position):
        yield frame
    position.shown_id = max(position.shown_id, generation_id)
    position.let_go()


def _ended(conversation: Conversation, view: MessageView, *, is_whole: bool = True) -> str:
    """Show an answer that has ended, whole or its status alone, and what that leaves to do."""
    return "".join(
        [
            fragments.message_or_link(view) if is_whole else fragments.status(view),
            fragments.composer_actions(None),
            fragments.sidebar_item(conversation, is_running=False),
        ]
    )


async def _resume(answer: LiveAnswer, generation_id: int, position: Position) -> None:
    """Take in what the reader shows; of an answer that has just begun, memory has it."""
    shown = recall(generation_id, position.seq) or []
    # What earlier ones wrote of it is parsed too.
    chars = answer.characters + sum(len(entry.data) for entry in shown)
    if shown and chars < LONG_CHARS:
        answer.resume(shown, position.held)
    else:
        await in_thread(_read_again, answer, generation_id, position)


def _read_again(answer: LiveAnswer, generation_id: int, position: Position) -> None:
    answer.resume(read(generation_id, 0, position.seq), position.held)


def _end(conversation: Conversation, answer: LiveAnswer) -> list[str]:
    """Return the frames that end a running answer on the page; [] where it was deleted."""
    running = answer.view()
    view = view_again(running.message.pk)
    if view is None or view.generation_id != running.generation_id:
        return []  # Deleted, or gone on with already, which the next look shows.
    # What a text shows may depend on its end, such as the numbers of what it cites, or a link whose
    # address stands there. A refused answer is folded away, so that its whole body changes.
    steps = None if view.is_refused else answer.corrections(view.message.rendered)
    frame = fragments.steps_frame(answer.generation_id, steps or [], answer.seq, answer.held)
    is_whole = steps is None or len(frame) > fragments.MESSAGE_MAX_CHARS
    ended = _ended(conversation, view, is_whole=is_whole)
    ending = ended + fragments.announcement(fragments.ending(view))
    return [ending] if is_whole or not steps else [frame, ending]
