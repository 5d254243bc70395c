"""Every error that a person can meet, with its words, its HTTP status and whether Retry can help.

    ChatError
    +-- RequestRefused          what a person asked for can't be done; nothing was lost
    |   +-- PromptEmpty, PromptTooLong, AnswerRunning, KeyReused, NothingToRetry,
    |   |   NothingToContinue, SignedOut
    |   +-- LimitReached        it can be done later; says when
    |       +-- TooManySends, TooManyRunning, SiteBusy
    +-- GenerationError         an answer could not be finished; `code` is stored with it
        +-- RateLimited, Overloaded, UpstreamError, Unreachable, Stalled, ConnectionLost,
        |   Truncated, BadStream                                     (the way to Claude)
        +-- BadRequest, AuthFailed, BillingFailed, PermissionRefused, ModelNotFound,
        |   TooLarge, ContextTooLong                                 (what was asked of it)
        +-- OwnerLost, Shutdown, NotTaken, Internal                       (this site)

`text` is an English msgid; the doors (views, consumers, fragments) translate it. No error's
text holds a key, a prompt or an answer. Pure: no Django here.
"""

from __future__ import annotations

from chat.errors.failures import (
    AuthFailed,
    BadRequest,
    BadStream,
    BillingFailed,
    ConnectionLost,
    ContextTooLong,
    GenerationError,
    Internal,
    ModelNotFound,
    NotTaken,
    Overloaded,
    OwnerLost,
    PermissionRefused,
    RateLimited,
    Shutdown,
    Stalled,
    TooLarge,
    Truncated,
    Unreachable,
    UpstreamError,
    all_generation_errors,
)
from chat.errors.refusals import (
    AnswerRunning,
    KeyReused,
    LimitReached,
    NothingToContinue,
    NothingToRetry,
    PromptEmpty,
    PromptTooLong,
    RequestRefused,
    SignedOut,
    SiteBusy,
    TooManyRunning,
    TooManySends,
)
from chat.errors.root import ChatError, gettext_noop

__all__ = [
    "AnswerRunning",
    "AuthFailed",
    "BadRequest",
    "BadStream",
    "BillingFailed",
    "ChatError",
    "ConnectionLost",
    "ContextTooLong",
    "GenerationError",
    "Internal",
    "KeyReused",
    "LimitReached",
    "ModelNotFound",
    "NotTaken",
    "NothingToContinue",
    "NothingToRetry",
    "Overloaded",
    "OwnerLost",
    "PermissionRefused",
    "PromptEmpty",
    "PromptTooLong",
    "RateLimited",
    "RequestRefused",
    "Shutdown",
    "SignedOut",
    "SiteBusy",
    "Stalled",
    "TooLarge",
    "TooManyRunning",
    "TooManySends",
    "Truncated",
    "Unreachable",
    "UpstreamError",
    "all_generation_errors",
    "gettext_noop",
]
