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


class InvalidRequest(RequestRefused):
    """A program's request holds what can't be read.

    Args:
        problem: what was wrong and what to send instead, as an English sentence.
    """

    code = "invalid_request"
    text = "%(problem)s"
    http_status = 400
    retryable = False

    def __init__(self, problem: str) -> None:
        self.params = {"problem": problem}
        super().__init__(problem)


class NotSignedIn(RequestRefused):
    """A program's request names nobody, or a token that is not known here."""

    code = "not_signed_in"
    text = _(
        "Sign in on this site, or send a token of yours as `Authorization: Bearer <token>`. "
        "Tokens are made on the page of your account."
    )
    http_status = 401
    retryable = False


class ForeignPage(RequestRefused):
    """A request that changes something came with a session, but not from a page of this site."""

    code = "foreign_page"
    text = _("A page of another site asked for this. Send it from this site, or with a token.")
    http_status = 403
    retryable = False


class ScopeMissing(RequestRefused):
    """A token that may only read was used to change something."""

    code = "scope_missing"
    text = _("This token may only read. Ask with one that may chat as well.")
    http_status = 403
    retryable = False


class NotFound(RequestRefused):
    """What a program asks for is not there, or somebody else's."""

    code = "not_there"
    text = _("There is nothing of yours at this address. Check its number or its name.")
    http_status = 404
    retryable = False


class ModelUnknown(RequestRefused):
    """A program named a model that Claude does not have."""

    code = "model_unknown"
    text = _("Claude has no model of this name. Ask for another one, or name none.")
    http_status = 404
    retryable = False


class MethodRefused(RequestRefused):
    """An address was asked by a method that it does not take."""

    code = "method_refused"
    text = _("This address does not take this method. Send one of those that `Allow` names.")
    http_status = 405
    retryable = False


class ChangedMeanwhile(RequestRefused):
    """A program's change names, by `If-Match`, a state that is not there any more."""

    code = "changed_meanwhile"
    text = _("This was changed since you have read it. Ask for it again, then send your change.")
    http_status = 412
    retryable = False


class AlreadyDecided(RequestRefused):
    """A call of a tool was allowed or declined before, or is not waited for any more."""

    code = "already_decided"
    text = _(
        "This was decided already, or its time is over. Reload the page to see what came of it."
    )
    http_status = 409
    retryable = False


class BodyTooLarge(RequestRefused):
    """The body of a program's request is larger than any that the site takes."""

    code = "body_too_large"
    text = _("This request is larger than the %(limit)s bytes that are taken. Send less at once.")
    http_status = 413
    retryable = False

    def __init__(self, limit_bytes: int) -> None:
        self.params = {"limit": limit_bytes}
        super().__init__(f"limit {limit_bytes} bytes")


class EventsGone(RequestRefused):
    """The log of an old answer has been deleted; its text is kept."""

    code = "events_gone"
    text = _("The events of this answer are not kept any more. Ask for its message instead.")
    http_status = 410
    retryable = False


class Stopped(RequestRefused):
    """An answer that a program reads was stopped by somebody."""

    code = "stopped"
    text = _("The answer was stopped. What had arrived is kept. Send again for another one.")
    http_status = 409


class StreamEnded(RequestRefused):
    """A program's stream ended before the answer that it reads."""

    code = "stream_ended"
    text = _("This stream ended before the answer did. Ask for the answer's events to read on.")
    http_status = 503


class TooManyTokens(RequestRefused):
    """A person has as many tokens as one may have."""

    code = "too_many_tokens"
    text = _("You have %(limit)s tokens, and that is all one can have. Revoke one, then try again.")
    http_status = 409
    retryable = False

    def __init__(self, limit: int) -> None:
        self.params = {"limit": limit}
        super().__init__(f"limit {limit}")


class Unavailable(RequestRefused):
    """The database is away, locked or full."""

    code = "unavailable"
    text = _("This site can't read or save anything at the moment. Try again in half a minute.")
    http_status = 503
    retry_after_s = 30


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


class TooManyStreams(LimitReached):
    """As many streams and pages are open as CHAT_SOCKETS_PER_USER or _PER_PROCESS allow."""

    code = "too_many_streams"
    text = _("Too many streams and pages are open. Close some, or try again in %(wait_s)s s.")


class SiteBusy(LimitReached):
    """Every process of the site writes CHAT_RUNNING_PER_PROCESS answers."""

    code = "site_busy"
    text = _("This site is answering as many people as it can. Try again in %(wait_s)s s.")
