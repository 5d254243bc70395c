"""What a person asked for and can't have: nothing was lost, what they typed is kept."""

from __future__ import annotations

from chat.errors.root import ChatError, _


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


class SignedOut(RequestRefused):
    """A page of somebody who is not signed in any more asked for something."""

    code = "signed_out"
    text = _("You are signed out. Copy what you have typed, then reload the page.")
    http_status = 403
    retryable = False


class LimitReached(RequestRefused):
    """As much is going on as a limit allows.

    Args:
        limit: what is allowed, in the unit of the sentence.
        retry_after_s: when to try again, in whole seconds.
    """

    http_status = 429

    def __init__(self, limit: int, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        self.params = {"limit": limit, "wait_s": retry_after_s}
        super().__init__(f"limit {limit}, try again in {retry_after_s} s")


class TooManySends(LimitReached):
    """A person sent CHAT_SENDS_PER_MINUTE prompts within the last minute."""

    code = "too_many_sends"
    text = _(
        "This site takes at most %(limit)s messages a minute from one person. "
        "Try again in %(wait_s)s s."
    )


class TooManyRunning(LimitReached):
    """A person has CHAT_RUNNING_PER_USER answers that are not final."""

    code = "too_many_running"
    text = _(
        "Your other chats are still being answered; at most %(limit)s answers can be written "
        "for you at once. Stop one, or try again in %(wait_s)s s."
    )


class SiteBusy(LimitReached):
    """Every process of the site writes CHAT_RUNNING_PER_PROCESS answers."""

    code = "site_busy"
    text = _("This site is answering as many people as it can. Try again in %(wait_s)s s.")
