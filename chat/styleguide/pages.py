"""The states of what stands around the answers, and the pages that are not the chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message as FlashMessage
from django.utils.html import format_html
from django.utils.translation import gettext

from chat import errors
from chat.details import timeline_page
from chat.forms import TitleForm, TokenForm
from chat.models import AccessToken, Generation
from chat.refused import words
from chat.styleguide import texts
from chat.styleguide.pieces import TITLE, State, Step, answer, conversation, month, prompt, text

KEY = UUID(int=0)

RECONNECTING = "Reconnecting in 3 s. What you type is kept."
TOO_MANY = (
    "Too many pages of this site are open, so that this one is not kept up to date. "
    "Close some; trying again in 17 s."
)
SIGNED_OUT = errors.SignedOut.text

_TITLES = (
    "What to ask the landlord before signing the contract for the flat",
    "Translate a recipe",
    "为什么天空是蓝色的",
    "كيف أتعلم البرمجة",
    texts.LONG_WORD[:80],
    "👩‍👩‍👧‍👦 A family trip",
)


def empty() -> State:
    """A new conversation."""
    return State(title="")


def no_conversations() -> State:
    """The first visit."""
    return State(title="", context={"groups": []})


def conversation_list() -> State:
    """A long list: long titles, answers that are being written, more of it further down."""
    listed = [
        conversation(n, _TITLES[n % len(_TITLES)], is_running=n in (2, 3, 9)) for n in range(1, 31)
    ]
    days = [
        (gettext("Today"), listed[:4]),
        (gettext("Yesterday"), listed[4:9]),
        (gettext("Previous 7 days"), listed[9:16]),
        (month(2026, 10), listed[16:24]),
        (month(2026, 9), listed[24:]),
    ]
    return _talk(context={"groups": days, "next_skip": 30})


def drawer() -> State:
    """The list of conversations on a phone."""
    return _talk(Step('id="sidebar-toggle"', "<input", "<input checked"))


def conversation_menu() -> State:
    """The menu of a conversation (on a phone: in the drawer)."""
    open_menu = Step('class="menu"', "<details", "<details open", count=1)
    return _talk(open_menu, Step('id="sidebar-toggle"', "<input", "<input checked"))


def account_menu() -> State:
    """The menu of the account (on a phone: in the drawer)."""
    open_menu = Step('class="menu menu-up"', "<details", "<details open")
    return _talk(open_menu, Step('id="sidebar-toggle"', "<input", "<input checked"))


def offline() -> State:
    """The connection is lost."""
    return _talk(_banner(RECONNECTING))


def too_many_pages() -> State:
    """Too many pages are open."""
    return _talk(_banner(TOO_MANY))


def signed_out() -> State:
    """Signed out in another tab."""
    return _talk(_banner(SIGNED_OUT))


def demo() -> State:
    """The demo model answers."""
    return _talk(context={"is_demo": True})


def site_message() -> State:
    """The site says something once, as after a new password."""
    flashed = [
        FlashMessage(constants.SUCCESS, "Password successfully changed."),
        FlashMessage(constants.ERROR, "The address could not be verified."),
    ]
    return _talk(context={"messages": flashed})


def prompt_refused() -> State:
    """A prompt that is too long; it is kept."""
    error = errors.PromptTooLong(got_bytes=2_400_000, limit_bytes=2_000_000)
    long_prompt = "A line of a long text, which somebody pasted.\n" * 40
    return _talk(context={"prompt": long_prompt, "prompt_error": words(error)})


def limit_reached() -> State:
    """Too many prompts in a minute; the prompt is kept."""
    error = errors.TooManySends(limit=20, retry_after_s=34)
    return _talk(context={"prompt": texts.FOLLOW_UP, "prompt_error": words(error)})


def older_messages() -> State:
    """A long conversation: older messages can be loaded, newer ones stand further down."""
    pairs = [(prompt(texts.QUESTION), answer(text(texts.ANSWER))) for _ in range(6)]
    views = [view for pair in pairs for view in pair]
    return State(views, context={"has_older": True}, steps=[Step('id="jump"', " hidden")])


def deleted() -> State:
    """The conversation was deleted in another tab."""
    sentence = gettext("This conversation was deleted.")
    return _talk(instead=format_html('<p class="notice notice-warning">{}</p>', sentence))


def mirrored() -> State:
    """The page of a language that is written from right to left; its words are not translated."""
    return _talk(language="ar")


def _talk(*steps: Step, **changes: Any) -> State:
    return State([prompt(texts.QUESTION), answer(text(texts.ANSWER))], steps=steps, **changes)


def _banner(sentence: str) -> Step:
    return Step('id="offline"', " hidden", text=sentence)


STATES: tuple[Callable[[], State], ...] = (
    *(empty, no_conversations, conversation_list, drawer, conversation_menu, account_menu),
    *(offline, too_many_pages, signed_out, demo, site_message),
    *(prompt_refused, limit_reached, older_messages, deleted, mirrored),
)


def other_pages() -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """Return the pages that are not the chat: template and context, by their address."""
    unsaved = gettext(
        "This site can't save anything at the moment. What you typed is kept: "
        "try again in half a minute."
    )
    kept = {"sentence": unsaved, "action": "/", "prompt": texts.FOLLOW_UP, "key": KEY}
    unread = gettext("This site can't show what is saved at the moment. Nothing is lost.")
    shown = {"conversation": conversation(1, TITLE)}
    return {
        **{f"error-{code}": (f"{code}.html", {}) for code in (400, 403, 404, 413, 500)},
        "error-403-form": ("403_csrf.html", {}),
        "error-429": ("429.html", {"retry_after_s": 34}),
        "error-429-sign-in": ("429.html", {}),
        "error-503": ("503.html", {"sentence": unread, "address": "/"}),
        "error-503-prompt": ("503.html", kept),
        "refused-request": ("chat/refused.html", {"sentence": words(errors.NothingToRetry())}),
        **_token_pages(),
        "rename": ("chat/rename.html", {**shown, "form": TitleForm(initial={"title": TITLE})}),
        "delete": ("chat/delete.html", shown),
        "timeline": ("chat/timeline.html", timeline_page(_timed())),
    }


def _token_pages() -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    made = datetime(2026, 5, 3, 10, tzinfo=UTC)
    names = ("Nightly report", "كيف أتعلم البرمجة", texts.LONG_WORD[:80])
    tokens = [
        AccessToken(
            pk=number,
            name=name,
            scope=AccessToken.Scope.READ if number == 2 else AccessToken.Scope.CHAT,
            ending="c3Rv",
            created_at=made,
            last_used_at=made if number == 1 else None,
        )
        for number, name in enumerate(names, start=1)
    ]
    page = {"tokens": tokens, "form": TokenForm()}
    secret = "chat_" + "heron" * 8 + "c3R"  # As long as a real one.
    wrong = TokenForm({"name": "", "scope": "read"})
    full = words(errors.TooManyTokens(50))
    return {
        "tokens": ("account/tokens.html", page),
        "tokens-none": ("account/tokens.html", {**page, "tokens": []}),
        "tokens-made": ("account/tokens.html", {**page, "made": tokens[0], "secret": secret}),
        "tokens-wrong": ("account/tokens.html", {**page, "form": wrong}),
        "tokens-full": ("account/tokens.html", {**page, "problem": full}),
        "token-revoke": ("account/token_revoke.html", {"token": tokens[0]}),
    }


def _timed() -> Generation:
    """Return an answer that thought, failed once, and fell silent in the middle."""
    timed = Generation(status=Generation.Status.COMPLETE, timeline=texts.TIMELINE)
    timed.conversation = conversation(1, TITLE)
    return timed
