"""What the demo model answers to a request: thinking, text, a tool call, the stop reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat.demo import answers
from chat.demo.pace import token_count
from chat.demo.request import Request, Turn, asks_to_go_on, without_command
from chat.demo.tool_input import ToolCall, choose_tool


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    thinking: str | None = None
    shows_thinking: bool = False
    tool: ToolCall | None = None
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None


def reply_to(request: Request) -> Reply:
    """Return the normal answer, cut where `stop_sequences` or `max_tokens` say."""
    tool = None if request.tool_results else _tool_call(request)
    if tool is not None:
        reply = Reply(answers.before_tool(tool.name), tool=tool, stop_reason="tool_use")
    else:
        reply = Reply(_text(request))
    if request.thinks:
        thinking = answers.thinking(without_command(request.prompt))
        reply = replace(reply, thinking=thinking, shows_thinking=request.shows_thinking)
    return _cut_at_limit(_cut_at_sequence(reply, request), request)


def _tool_call(request: Request) -> ToolCall | None:
    if (request.body.get("tool_choice") or {}).get("type") == "none":
        return None
    return choose_tool(request.tools, without_command(request.prompt))


def _text(request: Request) -> str:
    if request.tool_results:
        results = request.tool_results
        told = (answers.after_tool(r.tool, r.text, is_error=r.is_error) for r in results)
        return "\n\n".join(told)
    if asks_to_go_on(request.prompt):
        return _continued(request.turns)
    prompts = [without_command(prompt) for prompt in request.prompts]
    earlier = [prompt for prompt in prompts[:-1] if prompt and not asks_to_go_on(prompt)]
    # A scenario without words of its own is quoted by its command.
    return answers.answer(prompts[-1] or request.prompt, earlier)


def _continued(turns: Sequence[Turn]) -> str:
    """Return what the interrupted answer would have said next, where that can be known."""
    turns, written = turns[:-1], ""
    while turns and (turns[-1].role == "assistant" or asks_to_go_on(turns[-1].text)):
        if turns[-1].role == "assistant":
            written = turns[-1].text + written
        turns = turns[:-1]
    prompts = [without_command(turn.text) for turn in turns if turn.role == "user"]
    prompts = [prompt for prompt in prompts if prompt and not asks_to_go_on(prompt)]
    if prompts:
        whole = answers.answer(prompts[-1], prompts[:-1])
        # An application may have trimmed the partial text.
        if whole.startswith(written) and len(whole) > len(written):
            return whole[len(written) :]
    return answers.continuation()


def _cut_at_sequence(reply: Reply, request: Request) -> Reply:
    for sequence in request.body.get("stop_sequences") or []:
        before, found, _ = reply.text.partition(sequence)
        if found:
            return replace(
                reply, text=before, tool=None, stop_reason="stop_sequence", stop_sequence=sequence
            )
    return reply


def _cut_at_limit(reply: Reply, request: Request) -> Reply:
    """Cut what is longer than `max_tokens`; thinking counts, as it does in the API."""
    left = request.max_tokens - token_count(reply.thinking or "")
    if left >= token_count(reply.text):
        return reply
    text = _first_tokens(reply.text, left)
    return replace(reply, text=text, tool=None, stop_reason="max_tokens", stop_sequence=None)


def _first_tokens(text: str, tokens: float) -> str:
    used = 0.0
    for at, character in enumerate(text):
        used += token_count(character)
        if used > tokens:
            return text[:at]
    return text
