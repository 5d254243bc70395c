"""The states of an answer, from the prompt that is on its way to every way in which it can end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.template.loader import render_to_string

from chat import errors
from chat.content import Block
from chat.models import Generation
from chat.styleguide import texts
from chat.styleguide.pieces import (
    State,
    Step,
    answer,
    numbered,
    prompt,
    running,
    text,
    thinking,
    unfolded,
)
from chat.transcript import MessageView
from chat.waits import Question

INTERRUPTIONS = (errors.OwnerLost.code, errors.Shutdown.code)
"""What ends an answer without a failure of its own."""

STOP_REASONS = ("max_tokens", "model_context_window_exceeded", "pause_turn", "tool_use", "refusal")
"""Those of which the page tells (Messages API, "Stopping reasons")."""

_SEARCH: Block = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "group commit latency"},
}
_FOUND: Block = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "title": title,
            "url": f"https://{host}/group-commit",
            "page_age": "3 weeks ago",
            "encrypted_content": "",
        }
        for title, host in (
            ("Group commit, explained", "example.org"),
            ("What a flush costs", "docs.example.com"),
        )
    ],
}
_NOT_FOUND: Block = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
}

_CALCULATED: tuple[Block, ...] = (
    {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "calculator",
        "input": {"expression": "0.017 * 410"},
    },
    {"type": "tool_use", "id": "toolu_2", "name": "calculator", "input": {"expression": "1 / 0"}},
    {"type": "tool_result", "tool_use_id": "toolu_1", "name": "calculator", "content": "6.97"},
    {
        "type": "tool_result",
        "tool_use_id": "toolu_2",
        "name": "calculator",
        "content": "This divides by zero.",
        "is_error": True,
    },
)


def sending() -> State:
    """A prompt is on its way."""
    return State(
        [prompt(texts.QUESTION), answer(text(texts.ANSWER))],
        context={"prompt": texts.FOLLOW_UP},
        steps=[
            Step('id="composer"', "<form", '<form aria-busy="true"'),
            Step('id="composer-text"', "<textarea", "<textarea readonly"),
        ],
    )


def waiting() -> State:
    """Waiting for the first word."""
    return _asked(running())


def thinking_running() -> State:
    """Claude thinks; the fold is closed."""
    return _asked(running(thinking(texts.THOUGHTS)))


def thinking_unfolded() -> State:
    """Claude thinks, and somebody reads it."""
    return _asked(running(thinking(texts.THOUGHTS)), unfolded("thinking"))


def thinking_done() -> State:
    """Claude has thought, and answered."""
    return _asked(answer(thinking(texts.THOUGHTS), text(texts.ANSWER)))


def writing() -> State:
    """Words come; a caret stands behind the last one."""
    return _asked(running(thinking(texts.THOUGHTS), text(texts.PART), characters=1_234))


def tool_running() -> State:
    """The input of a tool comes; somebody looks at it."""
    call = {**_SEARCH, "partial_json": '{"query": "group com'}
    return _asked(running(text("I will look that up."), call, characters=20), unfolded("tool"))


def tool_done() -> State:
    """A tool has given its result; both folds are open."""
    return _asked(_looked_up(_FOUND), unfolded("tool"), unfolded("links"))


def tool_folded() -> State:
    """The same as one finds it: folded."""
    return _asked(_looked_up(_FOUND))


def tool_error() -> State:
    """A tool has failed."""
    return _asked(_looked_up(_NOT_FOUND), unfolded("result"))


def own_tool_done() -> State:
    """Tools of this site have answered, one of them with a failure; all folds are open."""
    shown = answer(*_CALCULATED, text(texts.ANSWER))
    return _asked(shown, unfolded("tool"), unfolded("result"))


def own_tool_running() -> State:
    """A tool of this site runs."""
    return _asked(running(text("Let me see."), _CALCULATED[0], characters=11, tools=["calculator"]))


def approval_wanted() -> State:
    """A tool that changes something waits for the person's word."""
    question = Question("toolu_1", "send_mail", texts.MAIL)
    call: Block = {"type": "tool_use", "id": "toolu_1", "name": "send_mail", "input": {}}
    shown = running(text("I can send that."), call, characters=16, questions=[question])
    return _asked(shown)


def other_blocks() -> State:
    """Thinking that is kept secret, and a block of a kind that this site does not know."""
    secret: Block = {"type": "redacted_thinking", "data": "RXhhbXBsZQ=="}
    unknown: Block = {"type": "hologram", "depth": 3}
    shown = answer(secret, unknown, text(texts.ANSWER))
    return _asked(shown, unfolded("redacted"), unfolded("unknown"))


def stopped() -> State:
    """Stopped in the middle."""
    return _asked(answer(text(texts.PART), status=Generation.Status.STOPPED))


def stopped_at_once() -> State:
    """Stopped before the first word."""
    return _asked(answer(status=Generation.Status.STOPPED))


def interrupted() -> State:
    """The site was restarted while Claude wrote."""
    return _asked(_ended_by(errors.Shutdown.code, text(texts.PART)))


def failed_early() -> State:
    """Failed before the first word."""
    return _asked(_ended_by(errors.Overloaded.code))


def failed_late() -> State:
    """Failed in the middle."""
    return _asked(_ended_by(errors.ConnectionLost.code, text(texts.PART)))


def failures() -> State:
    """Every error that can end an answer."""
    return State([prompt(texts.QUESTION), *map(_ended_by, errors.all_generation_errors())])


def retrying() -> State:
    """Claude is busy; the request will be made again."""
    return _asked(running(retry=_wait(errors.Overloaded)))


def retrying_unreachable() -> State:
    """Claude can't be reached; the request will be made again."""
    return _asked(running(retry=_wait(errors.Unreachable)))


def refused() -> State:
    """Claude declined in the middle; what it had written is folded away."""
    return _asked(answer(text(texts.PART), stop_reason="refusal"))


def cut() -> State:
    """Cut at the token limit."""
    return _asked(answer(text(texts.PART), stop_reason="max_tokens"))


def notices() -> State:
    """Every end without an error that the page tells of."""
    with_words = [answer(text("Some words."), stop_reason=reason) for reason in STOP_REASONS]
    without = [answer(stop_reason=reason) for reason in ("refusal", "end_turn")]
    return State([prompt(texts.QUESTION), *with_words, *without])


def loading() -> State:
    """An answer that is too large for the page's socket is fetched."""
    (view,) = numbered([answer()])
    later = render_to_string("chat/_message_later.html", {"view": view})
    return State([prompt(texts.QUESTION)], instead=later)


def markdown() -> State:
    """Markdown with everything."""
    return _asked(answer(text(texts.MARKDOWN)))


def long_words() -> State:
    """Words and addresses without an end."""
    title = texts.LONG_WORD[:80]
    return State([prompt(texts.LONG_WORD), answer(text(texts.LONG_WORDS))], title)


def right_to_left() -> State:
    """Arabic and Hebrew on a page of another direction."""
    arabic = [prompt(texts.ARABIC_QUESTION), answer(text(texts.ARABIC))]
    hebrew = [prompt(texts.HEBREW), answer(text(texts.HEBREW))]
    return State([*arabic, *hebrew], texts.ARABIC_QUESTION)


def _asked(view: MessageView, *steps: Step) -> State:
    return State([prompt(texts.QUESTION), view], steps=steps)


def _looked_up(result: Block) -> MessageView:
    return answer(text("I will look that up."), _SEARCH, result, text(texts.ANSWER))


def _ended_by(error_code: str, *blocks: Block) -> MessageView:
    is_interrupted = error_code in INTERRUPTIONS
    status = Generation.Status.INTERRUPTED if is_interrupted else Generation.Status.FAILED
    return answer(*blocks, status=status, error_code=error_code)


def _wait(error: type[errors.GenerationError]) -> dict[str, Any]:
    return {"error_code": error.code, "wait_s": 4.0, "attempt": 2, "attempts": 3}


STATES: tuple[Callable[[], State], ...] = (
    *(sending, waiting, thinking_running, thinking_unfolded, thinking_done, writing),
    *(tool_running, tool_done, tool_folded, tool_error, other_blocks),
    *(own_tool_running, own_tool_done, approval_wanted),
    *(stopped, stopped_at_once, interrupted, failed_early, failed_late, failures),
    *(retrying, retrying_unreachable, refused, cut, notices, loading),
    *(markdown, long_words, right_to_left),
)
