"""What the log of an answer says of times, told event by event, in memory that has a bound. Pure.

    Timeline.feed (each event in order) -> facts (with what the row says) -> Generation.timeline

Times are seconds from when the answer was queued. A piece of text that comes in several at the
same moment changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chat.content import begun_blocks, text_of
from chat.kinds import OWN_KINDS, REQUEST, RETRY, TOOL_RESULT

MAX_POINTS = 100
MAX_LISTED = 200
"""So many requests, retries, blocks and results are listed of one answer; others are counted."""

MAX_NAME_CHARS = 100
FIRST_SLOT_S = 0.01

# The member of a delta that is text, by its type (Messages API, "Streaming").
_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}

_OF_RETRY = ("error_code", "wait_s", "attempt")


def seconds_from(start: datetime, at: datetime | None) -> float | None:
    """Return how long after `start` something was, in seconds; a clock can be set back."""
    return None if at is None else round(max(0.0, (at - start).total_seconds()), 3)


class Outline(NamedTuple):
    """What the row of a generation says by itself, under the names of its fields."""

    created_at: datetime
    started_at: datetime | None
    first_word_at: datetime | None
    finished_at: datetime | None
    status: str
    error_code: str
    stop_reason: str
    model: str
    request_id: str
    input_tokens: int
    output_tokens: int

    def seconds(self, at: datetime | None) -> float | None:
        """Return how long after its queueing something was."""
        return seconds_from(self.created_at, at)


@dataclass
class _Request:
    number: int
    attempt: int
    model: str
    begun_at: datetime
    request_id: str = ""
    first_event_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class _Block:
    kind: str
    name: str
    from_at: datetime
    to_at: datetime | None = None


class _Gap(NamedTuple):
    from_at: datetime
    to_at: datetime
    block: int


class _Curve:
    """How many characters had come by when: the last number of each slot of time.

    The slots grow as there are more of them, so that points are few whatever comes.
    """

    def __init__(self) -> None:
        self.characters = 0
        self.began_at: datetime | None = None
        self._slot_s = FIRST_SLOT_S
        # In arrays, because each answer that is written keeps them: slots, seconds, characters.
        self._slots, self._times_s, self._counts = array("q"), array("d"), array("q")

    def add(self, characters: int, at: datetime) -> None:
        """Take in what came, never before what came last."""
        if not characters:
            return
        self.began_at = self.began_at or at
        self.characters += characters
        self._note((at - self.began_at).total_seconds(), self.characters)
        while len(self._slots) >= MAX_POINTS:
            self._slot_s *= 2
            points = [*zip(self._times_s, self._counts, strict=True)]
            self._slots, self._times_s, self._counts = array("q"), array("d"), array("q")
            for point in points:
                self._note(*point)

    def points(self) -> list[tuple[datetime, int]]:
        """Return the points in order, from none at all on."""
        if self.began_at is None:
            return []
        points = zip(self._times_s, self._counts, strict=True)
        began_at = self.began_at
        return [(began_at, 0), *((began_at + timedelta(seconds=s), count) for s, count in points)]

    def _note(self, time_s: float, count: int) -> None:
        slot = int(time_s / self._slot_s)
        if self._slots and self._slots[-1] == slot:
            self._times_s[-1], self._counts[-1] = time_s, count
            return
        self._slots.append(slot)
        self._times_s.append(time_s)
        self._counts.append(count)


class Timeline:
    """Times one answer, fed with the events of its log in order."""

    def __init__(self) -> None:
        self._requests: list[_Request] = []
        self._retries: list[tuple[datetime, Mapping[str, Any]]] = []
        self._results: list[tuple[datetime, Mapping[str, Any]]] = []
        self._blocks: list[_Block] = []
        self._of_request: dict[int, int] = {}
        self._block_count = 0
        self._left_out = 0
        self._curve = _Curve()
        self._delta_at: datetime | None = None
        self._longest = timedelta(0)
        self._gap: _Gap | None = None
        self._now: datetime | None = None

    def feed(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Take in one event; kinds that say nothing of times are passed over."""
        if self._now and at < self._now:
            at = self._now
        self._now = at
        if kind == "content_block_delta":
            # First, because nearly all of a log's events are deltas.
            self._feed_delta(data, at)
        elif kind == REQUEST:
            self._end_request(at)
            request = _Request(data["number"], data["attempt"], _name(data["model"]), at)
            self._list(self._requests, request)
        elif kind == RETRY:
            self._end_request(at)
            self._list(self._retries, (at, {name: data[name] for name in _OF_RETRY}))
        elif kind == TOOL_RESULT:
            self._list(self._results, (at, _of_result(data)))
        elif kind not in OWN_KINDS:
            self._feed_api(kind, data, at)

    def opened(self, request_id: str) -> None:
        """Note the id under which the API answers the last request."""
        if self._requests:
            self._requests[-1].request_id = _name(request_id)

    def facts(self, row: Outline) -> dict[str, Any]:
        """Return all of it, as it is stored and shown; of what still runs, so far."""
        return {
            "queued_s": 0.0,
            "taken_s": row.seconds(row.started_at),
            "requests": [_request_facts(request, row) for request in self._requests],
            "retries": [{"at_s": row.seconds(at), **data} for at, data in self._retries],
            "first_word_s": row.seconds(row.first_word_at),
            "longest_gap": _gap_facts(self._gap, row),
            "blocks": [_block_facts(n, block, row) for n, block in enumerate(self._blocks)],
            "tool_results": [{"at_s": row.seconds(at), **data} for at, data in self._results],
            "left_out": self._left_out,
            "model": row.model,
            "request_id": row.request_id,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "stop_reason": row.stop_reason,
            "final": _final_facts(row),
            "characters": self._curve.characters,
            "points": [[row.seconds(at), characters] for at, characters in self._curve.points()],
        }

    def _feed_api(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        if self._requests and self._requests[-1].first_event_at is None:
            self._requests[-1].first_event_at = at
        if kind == "content_block_start":
            self._of_request[data["index"]] = self._block_count
            self._start_block(data["content_block"], at)
        elif kind == "content_block_stop":
            self._stop_block(self._of_request.get(data["index"], -1), at)
        elif kind == "message_start":
            self._of_request = {}
            for block in begun_blocks(data["message"]):
                self._start_block(block, at)
                self._stop_block(self._block_count - 1, at)
        elif kind in ("message_stop", "error"):
            self._end_request(at)

    def _feed_delta(self, data: Mapping[str, Any], at: datetime) -> None:
        delta = data["delta"]
        text = delta.get(_TEXTS.get(str(delta.get("type")), ""))
        self._curve.add(len(text) if isinstance(text, str) else 0, at)
        if self._delta_at and at - self._delta_at > self._longest:
            self._longest = at - self._delta_at
            self._gap = _Gap(self._delta_at, at, self._of_request.get(data["index"], 0))
        self._delta_at = at

    def _start_block(self, block: Mapping[str, Any], at: datetime) -> None:
        self._block_count += 1
        kind, name = _name(block.get("type")), _name(block.get("name"))
        self._list(self._blocks, _Block(kind, name, at))
        self._curve.add(len(text_of(dict(block))), at)

    def _stop_block(self, number: int, at: datetime) -> None:
        if 0 <= number < len(self._blocks) and self._blocks[number].to_at is None:
            self._blocks[number].to_at = at

    def _end_request(self, at: datetime) -> None:
        if self._requests and self._requests[-1].ended_at is None:
            self._requests[-1].ended_at = at

    def _list(self, listed: list[Any], item: Any) -> None:
        if len(listed) < MAX_LISTED:
            listed.append(item)
        else:
            self._left_out += 1


def _request_facts(request: _Request, row: Outline) -> dict[str, Any]:
    return {
        "number": request.number,
        "attempt": request.attempt,
        "model": request.model,
        "request_id": request.request_id,
        "begun_s": row.seconds(request.begun_at),
        "first_event_s": row.seconds(request.first_event_at),
        "ended_s": row.seconds(request.ended_at or row.finished_at),
    }


def _block_facts(number: int, block: _Block, row: Outline) -> dict[str, Any]:
    return {
        "number": number,
        "type": block.kind,
        "name": block.name,
        "from_s": row.seconds(block.from_at),
        "to_s": row.seconds(block.to_at),
    }


def _gap_facts(gap: _Gap | None, row: Outline) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {
        "from_s": row.seconds(gap.from_at),
        "to_s": row.seconds(gap.to_at),
        "seconds": round((gap.to_at - gap.from_at).total_seconds(), 3),
        "block": gap.block,
    }


def _final_facts(row: Outline) -> dict[str, Any] | None:
    if row.finished_at is None:
        return None
    ended_s = row.seconds(row.finished_at)
    return {"at_s": ended_s, "status": row.status, "error_code": row.error_code}


def _of_result(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tool_use_id": _name(data.get("tool_use_id")),
        "is_error": data.get("is_error") is True,
    }


def _name(value: Any) -> str:
    return value[:MAX_NAME_CHARS] if isinstance(value, str) else ""
