"""The root of all errors of the chat, and the mark of what is translated."""

from __future__ import annotations

from typing import ClassVar


def gettext_noop(message: str) -> str:
    """Mark a message for translation; the doors look the translation up."""
    return message


_ = gettext_noop


class ChatError(Exception):
    """The root of the tree.

    `code` is stored and shown, `text` is for the person, `http_status` for the doors, and
    `retryable` says whether the same request can succeed later.
    """

    code: ClassVar[str] = "internal"
    text: ClassVar[str] = _("Something went wrong on this site. Try again.")
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = True
