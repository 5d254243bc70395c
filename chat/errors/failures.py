"""Why an answer could not be finished; the code is stored with it."""

from __future__ import annotations

from chat.errors.root import ChatError, _


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


class TimeLimit(GenerationError):
    """The time that was given for the answer is over; its status is `stopped`."""

    code = "time_limit"
    text = _("The time for this answer is over. What had arrived is kept. Send again to go on.")
    http_status = 504


class OwnerLost(GenerationError):
    """The process that wrote the answer died."""

    code = "owner_lost"
    text = _("The site was interrupted while Claude wrote. What had arrived is kept. Try again.")


class Shutdown(GenerationError):
    """The process that wrote the answer was asked to end."""

    code = "shutdown"
    text = _("The site was restarted while Claude wrote. What had arrived is kept. Try again.")


class NotTaken(GenerationError):
    """No process had room for the answer in time."""

    code = "not_taken"
    text = _("This site had too much to do to answer you in time. Try again in a minute.")
    http_status = 503


class Internal(GenerationError):
    """A fault of this site."""

    code = "internal"
    text = _("Something went wrong on this site. What had arrived is kept. Try again.")
    http_status = 500


def all_generation_errors() -> dict[str, type[GenerationError]]:
    """Return every error that can be stored with an answer, by its code."""
    return {error.code: error for error in GenerationError.__subclasses__()}


def generation_error(code: str) -> type[GenerationError]:
    """Return the error of a stored code; Internal for one that only another release knows."""
    return all_generation_errors().get(code, Internal)
