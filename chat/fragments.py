"""Changes become fragments: HTML that htmx swaps into the page out of band.

Pieces that come once are rendered from the templates that a page uses too. Every fragment is one
top-level element, or several, each with `hx-swap-oob`; text is escaped here, except what
chat/render/ made.

Words come up to 30 times a second, and a swap costs a browser milliseconds. So a frame that only
makes texts grow is no HTML but JSON, `[generation_id, seq, held, step, ...]`, and the page's script
takes its steps by itself (static/chat/steps.js).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from chat.blocks import BlockView
from chat.models import Conversation, Generation, Message
from chat.render import Change
from chat.stencils import ID, NUMBER, NUMBER_2, NUMBER_3, TEXT, filled, stencil
from chat.transcript import MessageView

MESSAGE_MAX_CHARS = 250_000
"""Of HTML; with four bytes a character it stays within a frame of 1 MiB."""

EVERYTHING = -1

# Python's JSON encoder takes longer to begin than to encode a step.
_quoted = json.encoder.encode_basestring
_NULL = "null"
_DROPS = {"add": 0, "drop": 1, "reset": EVERYTHING}


class Step(NamedTuple):
    """Takes the last child of an element away (`drops` 1), or EVERYTHING, and adds markup there.

    The element lies `depth` last children below the one with the id. The markup is trusted: it is
    what chat/render/ made, or escaped text.
    """

    element_id: str
    depth: int
    drops: int
    markup: str


class NewText(NamedTuple):
    """A text that begins, and the message that it stands in."""

    message_id: int
    element_id: str


def text_step(element_id: str, change: Change) -> Step:
    """Make one step of a text that grows."""
    return Step(element_id, change.depth, _DROPS[change.kind], change.markup)


def append_text(element_id: str, text: str) -> Step:
    """Append plain text to a folded block, whose content is its last child."""
    return Step(element_id, 1, 0, escape(text))


def replace_text(element_id: str, text: str) -> Step:
    """Replace the plain text of a folded block."""
    return Step(element_id, 1, EVERYTHING, escape(text))


def more_progress(view: MessageView) -> Step:
    """Say how much has come, where the page says something of it already."""
    return Step(f"status-{view.generation_id}", 1, EVERYTHING, escape(view.received))


def steps_frame(
    generation_id: int, steps: Iterable[Step], seq: int | None, held: int | None
) -> str:
    """Return the frame that takes steps.

    Args:
        seq, held: the position that it leads to; None where it leads to none that could be gone
            on from.
    """
    parts = [f"[{generation_id},{_NULL if seq is None else seq},{_NULL if held is None else held}"]
    for element_id, depth, drops, markup in steps:
        parts.append(f"[{_quoted(element_id)},{depth},{drops},{_quoted(markup)}]")
    return f"{','.join(parts)}]"


def block_name(element_id: str, view: BlockView) -> SafeString:
    """Say anew what a folded block is, and how long it took."""
    name = _render("_block_name.html", block=view)
    return format_html('<i hx-swap-oob="innerHTML:#{} .block-name">{}</i>', element_id, name)


def add_text(text: NewText, markup: str) -> SafeString:
    """Begin a text of a running answer, with its first words."""
    values = {NUMBER: text.message_id, ID: text.element_id, TEXT: SafeString(markup)}
    return filled(_new_text(), values)


@stencil
def _new_text() -> str:
    return add_block(NUMBER, str(ID), BlockView("text", html=TEXT))


def add_block(message_id: int, element_id: str, view: BlockView) -> SafeString:
    """Add a block to a running answer."""
    block = _render("_block.html", block=view, element_id=element_id)
    return format_html('<i hx-swap-oob="beforeend:#message-{}-body">{}</i>', message_id, block)


def progress(view: MessageView) -> SafeString:
    """Say how much has come; the page reads its position from this element."""
    return format_html(
        '<div class="message-status" id="status-{}" hx-swap-oob="true" data-running '
        'data-generation="{}" data-seq="{}" data-held="{}"><span class="progress">{}</span></div>',
        view.generation_id,
        view.generation_id,
        view.seq,
        view.held,
        view.received,
    )


def unplaced(view: MessageView) -> SafeString:
    """Take the page's position away: where it is cut now, it gets the message whole."""
    return format_html(
        '<div class="message-status" id="status-{}" hx-swap-oob="true" data-running></div>',
        view.generation_id,
    )


def add_messages(views: Iterable[MessageView]) -> SafeString:
    """Add messages at the end of the list."""
    items = format_html_join("", "{}", ((_message_or_link(view),) for view in views))
    return format_html('<ol hx-swap-oob="beforeend:#messages">{}</ol>', items)


def message(view: MessageView) -> SafeString:
    """Render a whole message, to be put in the place of what is shown of it."""
    return _render("_message.html", view=view, is_swapped=True)


def message_or_link(view: MessageView) -> SafeString:
    """Render an ended message; the page loads by itself what is too large for a frame."""
    return _message_or_link(view, is_swapped=True)


def remove(element_id: str) -> SafeString:
    return format_html('<i id="{}" hx-swap-oob="delete"></i>', element_id)


def status(view: MessageView) -> SafeString:
    """Render what an answer waits for, or how it ended."""
    return _render("_status.html", view=view, is_status_swapped=True)


def composer_actions(generation_id: int | None) -> SafeString:
    """Offer Stop while an answer is written, Send otherwise."""
    html = _composer_actions(is_running=generation_id is not None)
    return filled(html, {NUMBER: generation_id})


@stencil
def _composer_actions(*, is_running: bool) -> str:
    running_id = NUMBER if is_running else None
    return _render("_composer_actions.html", running_id=running_id, is_swapped=True)


def sidebar_item(conversation: Conversation, *, is_running: bool) -> SafeString:
    html = _sidebar_item(is_running=is_running)
    return filled(html, {ID: conversation.pk, TEXT: conversation.title})


@stencil
def _sidebar_item(*, is_running: bool) -> str:
    conversation = Conversation(pk=ID, title=TEXT)
    conversation.is_running = is_running  # type: ignore[attr-defined]  # as annotated by the view
    context = {"conversation": conversation, "current": conversation, "is_swapped": True}
    return _render("_conversation.html", **context)


def title(conversation: Conversation) -> SafeString:
    title = conversation.title
    return format_html('<span id="chat-title" hx-swap-oob="true">{}</span>', title)


def announcement(text: str) -> SafeString:
    """Have a screen reader say a sentence."""
    return format_html('<i hx-swap-oob="innerHTML:#announcer">{}</i>', text)


def ending(view: MessageView) -> str:
    """Return the sentence that tells a screen reader how an answer ended."""
    return view.notice or gettext("Claude's answer is complete.")


def deleted(conversation_id: UUID) -> str:
    """Say, in the place of its messages, that a conversation is gone."""
    sentence = gettext("This conversation was deleted.")
    notice = format_html('<p class="notice notice-warning">{}</p>', sentence)
    return "".join(
        [
            format_html('<div hx-swap-oob="innerHTML:#messages">{}</div>', notice),
            composer_actions(None),
            remove(f"conversation-{conversation_id}"),
            announcement(sentence),
        ]
    )


def _message_or_link(view: MessageView, **context: Any) -> SafeString:
    html = "" if context else _as_sent(view)
    html = html or _render("_message.html", view=view, **context)
    if len(html) <= MESSAGE_MAX_CHARS:
        return SafeString(html)
    return _render("_message_later.html", view=view, **context)


def _as_sent(view: MessageView) -> str:
    """Return a prompt, or an answer of which nothing is known yet; "" for any other message."""
    message_id = view.message.pk
    if view.message.role == Message.Role.USER:
        return filled(_prompt(), {NUMBER: message_id, TEXT: view.prompt})
    if not view.is_new:
        return ""
    values = {NUMBER: message_id, NUMBER_2: view.generation_id, NUMBER_3: view.seq}
    return filled(_new_answer(), values)


@stencil
def _prompt() -> str:
    message = Message(pk=NUMBER, role=Message.Role.USER, text=TEXT)
    return _render("_message.html", view=MessageView(message))


@stencil
def _new_answer() -> str:
    message = Message(pk=NUMBER, role=Message.Role.ASSISTANT)
    generation = Generation(pk=NUMBER_2, created_at=timezone.now())
    return _render("_message.html", view=MessageView(message, generation, seq=NUMBER_3))


def _render(template: str, **context: Any) -> SafeString:
    return render_to_string(f"chat/{template}", context)
