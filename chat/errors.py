"""Every error that a person can meet, with its words, its HTTP status and whether Retry can help.

    ChatError
    +-- RequestRefused          what a person asked for can't be done; nothing was lost
    |   +-- PromptEmpty, PromptTooLong, AnswerRunning, KeyReused, NothingToRetry,
    |       NothingToContinue
    +-- GenerationError         an answer could not be finished; `code` is stored with it
        +-- RateLimited, Overloaded, UpstreamError, Unreachable, Stalled, ConnectionLost,
        |   Truncated, BadStream                                     (the way to Claude)
        +-- BadRequest, AuthFailed, BillingFailed, PermissionRefused, ModelNotFound,
        |   TooLarge, ContextTooLong                                 (what was asked of it)
        +-- OwnerLost, Shutdown, Internal                            (this site)

`text` is an English msgid; the doors (views, consumers, fragments) translate it. No error's
text holds a key, a prompt or an answer. Pure: no Django here.
"""

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


class RequestRefused(ChatError):
    """A request of a person that the site can't carry out; what they typed is kept."""


class PromptEmpty(RequestRefused):
    """A prompt without a visible character was sent."""

    code = "prompt_empty"
    text = _("There is nothing to send yet. Write a message first.")
    http_status = 400
    retryable = False


class PromptTooLong(RequestRefused):
    """A prompt is larger than CHAT_PROMPT_MAX_BYTES."""

    code = "prompt_too_long"
    text = _(
        "This message has %(got)s bytes; at most %(limit)s can be sent at once. "
        "Shorten it or send it in parts."
    )
    http_status = 413
    retryable = False

    def __init__(self, got_bytes: int, limit_bytes: int) -> None:
        self.params = {"got": got_bytes, "limit": limit_bytes}
        super().__init__(f"{got_bytes} bytes, limit {limit_bytes} bytes")


class AnswerRunning(RequestRefused):
    """A conversation has an answer that is not final yet."""

    code = "answer_running"
    text = _("An answer is still being written here. Wait for it or stop it, then send again.")
    http_status = 409


class KeyReused(RequestRefused):
    """A form was sent a second time with other words than the first time."""

    code = "key_reused"
    text = _("An earlier form was sent with other words. Yours are kept here: send them again.")
    http_status = 409


class NothingToRetry(RequestRefused):
    """Retry was asked for a message that is not the last answer of its conversation."""

    code = "nothing_to_retry"
    text = _("Only the last answer can be tried again. Reload the page to see the newest one.")
    http_status = 409
    retryable = False


class NothingToContinue(RequestRefused):
    """Continue was asked for what is not a last answer that was cut short."""

    code = "nothing_to_continue"
    text = _("There is nothing to go on with here. Reload the page to see the newest answer.")
    http_status = 409
    retryable = False


class GenerationError(ChatError):
    """An answer could not be finished.

    Args:
        retry_after_s: what the API asked to wait, in seconds; None where it named nothing.
    """

    http_status = 502

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(detail or self.code)
        self.retry_after_s = retry_after_s


class RateLimited(GenerationError):
    """The API answered 429."""

    code = "rate_limited"
    text = _("Claude accepts no more requests from this site for now. Try again later.")
    http_status = 429


class Overloaded(GenerationError):
    """The API answered 529, or sent an overloaded_error."""

    code = "overloaded"
    text = _("Claude is overloaded. Try again in a minute.")
    http_status = 503


class UpstreamError(GenerationError):
    """The API answered 5xx, or sent an error that has no class of its own."""

    code = "upstream_error"
    text = _("Claude's service reported an error. Try again.")


class BadRequest(GenerationError):
    """The API answered 400, 412, 422, 431 or another 4xx without a class of its own."""

    code = "bad_request"
    text = _("Claude's service refused the request as invalid. Start a new chat, or ask an admin.")
    retryable = False


class AuthFailed(GenerationError):
    """The API answered 401, or no credentials could be found."""

    code = "auth"
    text = _("Claude's service refused this site's API key. An admin has to check the key.")
    retryable = False


class BillingFailed(GenerationError):
    """The API answered 402, or a spend limit is reached."""

    code = "billing"
    text = _("This site's account with Claude has no credit left. An admin has to add some.")
    retryable = False


class PermissionRefused(GenerationError):
    """The API answered 403."""

    code = "permission"
    text = _("This site's API key may not use this model. An admin has to check its rights.")
    retryable = False


class ModelNotFound(GenerationError):
    """The API answered 404: no such model, or no such address."""

    code = "not_found"
    text = _("The configured model or address does not exist. An admin has to check the settings.")
    retryable = False


class TooLarge(GenerationError):
    """The API answered 413."""

    code = "too_large"
    text = _("This conversation is too large to send. Start a new chat with what matters.")
    retryable = False


class ContextTooLong(GenerationError):
    """The API answered 400 because the prompt exceeds the model's context window."""

    code = "context_too_long"
    text = _("This conversation is longer than the model can read. Start a new chat.")
    retryable = False


class Unreachable(GenerationError):
    """No connection to the API came about, or it ended before the answer's headers."""

    code = "unreachable"
    text = _("Claude's service can't be reached from this site. Try again.")
    http_status = 503


class Stalled(GenerationError):
    """The API sent nothing for CHAT_READ_TIMEOUT_S."""

    code = "stalled"
    text = _("Claude fell silent. What had arrived is kept. Try again.")
    http_status = 504


class ConnectionLost(GenerationError):
    """The connection to the API broke while the answer was written."""

    code = "connection_lost"
    text = _("The connection to Claude broke. What had arrived is kept. Try again.")


class Truncated(GenerationError):
    """The stream ended in good order, but without message_stop."""

    code = "truncated"
    text = _("Claude's answer ended too early. What had arrived is kept. Try again.")


class BadStream(GenerationError):
    """The stream holds what the protocol does not allow."""

    code = "bad_stream"
    text = _("Claude's answer could not be read. What had arrived is kept. Try again.")


class OwnerLost(GenerationError):
    """The process that wrote the answer died."""

    code = "owner_lost"
    text = _("The site was interrupted while Claude wrote. What had arrived is kept. Try again.")


class Shutdown(GenerationError):
    """The process that wrote the answer was asked to end."""

    code = "shutdown"
    text = _("The site was restarted while Claude wrote. What had arrived is kept. Try again.")


class Internal(GenerationError):
    """A fault of this site."""

    code = "internal"
    text = _("Something went wrong on this site. What had arrived is kept. Try again.")
    http_status = 500


def all_generation_errors() -> dict[str, type[GenerationError]]:
    """Return every error that can be stored with an answer, by its code."""
    return {error.code: error for error in GenerationError.__subclasses__()}
