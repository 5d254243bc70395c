"""The read side of timelines: where the facts of one come from, how a page tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext

from chat.ending import outline, read_answer, record_of
from chat.models import Generation
from chat.plot import Plot, plot
from chat.timeline import Timeline


class Row(NamedTuple):
    """A row of a table: a number or a time, and what it stands for."""

    name: str
    value: str


class Step(NamedTuple):
    """Something that happened, in seconds after the answer was queued."""

    at_s: float
    words: str


def facts_of(generation: Generation) -> dict[str, Any]:
    """Return a timeline as timeline.py makes it, of what still runs as far as it has come."""
    if not generation.is_running and generation.timeline is not None:
        stored: dict[str, Any] = generation.timeline
        return stored
    if generation.is_pruned:
        return Timeline().facts(outline(generation, {}))
    answer = read_answer(generation.pk)
    known = record_of(answer.content) if generation.is_running else {}
    known["first_word_at"] = generation.first_word_at or answer.first_word_at
    return answer.timeline.facts(outline(generation, known))


def timeline_json(generation: Generation) -> dict[str, Any]:
    """Return a timeline for a program."""
    return {
        "generation": generation.pk,
        "conversation": str(generation.conversation_id),
        "message": generation.message_id,
        "created_at": generation.created_at.isoformat(),
        "status": generation.status,
        **facts_of(generation),
    }


def timeline_page(generation: Generation) -> dict[str, Any]:
    """Return what the page of a timeline shows."""
    facts = facts_of(generation)
    end_s = facts["final"]["at_s"] if facts["final"] else _age_s(generation)
    return {
        "conversation": generation.conversation,
        "figures": list(_figures(facts, generation.get_status_display())),
        "steps": [Row(_seconds(step.at_s), step.words) for step in steps(facts)],
        "left_out": facts["left_out"],
        "plot": plot_of(facts, end_s),
        "characters": facts["characters"],
        "end_s": _seconds(end_s),
    }


def plot_of(facts: Mapping[str, Any], end_s: float) -> Plot | None:
    """Draw the characters that had come by when, with a mark where each request begins."""
    return plot(facts["points"], end_s, [request["begun_s"] for request in facts["requests"]])


def steps(facts: Mapping[str, Any]) -> list[Step]:
    """Return what happened, in order."""
    happened = [(at_s, words) for at_s, words in _happened(facts) if at_s is not None]
    return sorted((Step(at_s, words) for at_s, words in happened), key=lambda step: step.at_s)


def _age_s(generation: Generation) -> float:
    return max(0.0, (timezone.now() - generation.created_at).total_seconds())


def _figures(facts: Mapping[str, Any], status: str) -> Iterator[Row]:
    yield Row(gettext("Status"), " · ".join(filter(None, [status, facts["stop_reason"]])))
    yield Row(gettext("Model"), facts["model"])
    if facts["request_id"]:
        yield Row(gettext("Request id"), facts["request_id"])
    if facts["first_word_s"] is not None:
        yield Row(gettext("First word after"), _s(facts["first_word_s"]))
    if facts["longest_gap"]:
        yield Row(
            gettext("Longest silence between two pieces"), _s(facts["longest_gap"]["seconds"])
        )
    if facts["final"]:
        yield Row(gettext("End after"), _s(facts["final"]["at_s"]))
    yield Row(gettext("Characters that came"), _count(facts["characters"]))
    yield Row(gettext("Input tokens"), _count(facts["input_tokens"]))
    yield Row(gettext("Output tokens"), _count(facts["output_tokens"]))


def _happened(facts: Mapping[str, Any]) -> Iterator[tuple[float | None, str]]:
    # Of what happened at the same time, in the order in which it follows from each other.
    yield facts["queued_s"], gettext("Queued")
    yield facts["taken_s"], gettext("Taken by a process of this site")
    for request in facts["requests"]:
        yield from _of_request(request)
    for retry in facts["retries"]:
        words = gettext("The request failed (%(code)s); waiting %(wait)s to make it again")
        yield retry["at_s"], words % {"code": retry["error_code"], "wait": _s(retry["wait_s"])}
    for block in facts["blocks"]:
        name = ", ".join(filter(None, [block["type"], block["name"]]))
        of_block = {"number": block["number"] + 1, "name": name}
        yield block["from_s"], gettext("Block %(number)s begins: %(name)s") % of_block
        yield block["to_s"], gettext("Block %(number)s ends") % of_block
    yield facts["first_word_s"], gettext("First word")
    for result in facts["tool_results"]:
        ended = gettext("A tool failed") if result["is_error"] else gettext("A tool is done")
        yield result["at_s"], ended
    if gap := facts["longest_gap"]:
        yield (
            gap["from_s"],
            gettext("Longest silence begins: %(wait)s") % {"wait": _s(gap["seconds"])},
        )
    for request in facts["requests"]:
        of_request = {"number": request["number"]}
        yield request["ended_s"], gettext("Request %(number)s ends") % of_request
    if final := facts["final"]:
        code = f" ({final['error_code']})" if final["error_code"] else ""
        status = str(Generation.Status(final["status"]).label)
        yield final["at_s"], gettext("End: %(status)s") % {"status": status + code}


def _of_request(request: Mapping[str, Any]) -> Iterator[tuple[float | None, str]]:
    of_request = {name: request[name] for name in ("number", "attempt", "model")}
    begins = gettext("Request %(number)s to Claude, attempt %(attempt)s: %(model)s")
    yield request["begun_s"], begins % of_request
    yield request["first_event_s"], gettext("Request %(number)s is answered") % of_request


def _s(seconds: float) -> str:
    return gettext("%(seconds)s s") % {"seconds": _seconds(seconds)}


def _seconds(seconds: float) -> str:
    return str(number_format(seconds, decimal_pos=2))


def _count(number: int) -> str:
    return str(number_format(number, force_grouping=True))
