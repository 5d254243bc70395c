"""Blocks of a running answer: what they say of themselves, and how texts side by side are one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chat import fragments
from chat.blocks import view_blocks
from chat.content import Block, end_of, joined, plain_text
from chat.durations import Durations, all_seconds
from chat.events import Entry
from chat.models import Generation, Message
from chat.relay.answer import LiveAnswer
from chat.render import render_blocks
from chat.transcript import MessageView
from tests.unit.shown_page import ShownPage
from tests.unit.test_relay_answer import (
    ANSWERS,
    AT,
    BODY_ID,
    THINKING,
    TOOL,
    Event,
    Reader,
    begin,
    content_of,
    end,
    log_of,
    text_events,
    view,
    visible_text,
)


@pytest.mark.parametrize(
    ("answer", "running", "events", "ended"),
    [
        ("thinking", r"Thinking… \d+ s", 2, "Thought for 3 s"),
        # A tool runs until its result.
        ("failed tool", r"Tool: look… \d+ s", 1, "Tool: look, failed after 2 s"),
    ],
)
def test_a_block_says_how_long_it_takes(answer: str, running: str, events: int, ended: str) -> None:
    reader = Reader(log_of(*ANSWERS[answer]))
    reader.read(4)
    assert re.search(running, visible_text(reader.page.by_id("block-3-0")))
    reader.read(events)
    assert ended in visible_text(reader.page.by_id("block-3-0"))


def test_a_sentence_in_three_blocks_is_one_paragraph() -> None:
    reader = Reader(log_of(*ANSWERS["cited pieces"]))
    reader.read(len(reader.log))
    text = reader.page.by_id("block-3-0")
    assert [element.tag for element in text.elements] == ["p", "ul"]
    assert visible_text(text.elements[0]) == "It rains in Spain."


def test_only_a_text_that_cites_changes_at_the_end() -> None:
    cited = {"type": "text", "text": "Rain", "citations": [{"title": "x"}]}
    reader = Reader(log_of(*text_events(["Sun"]), begin(TOOL, 1), end(1), begin(cited, 2), end(2)))
    reader.read(len(reader.log))
    changes = reader.answer.corrections(render_blocks(content_of(reader.log).blocks()))
    assert changes is not None and [change.element_id for change in changes] == ["block-3-2"]


def test_a_message_that_is_another_one_is_shown_whole() -> None:
    reader = Reader(log_of(*text_events(["Rain"])))
    reader.read(len(reader.log))
    assert reader.answer.corrections([]) is None


EARLIER: list[Block] = [
    {"type": "text", "text": "Rain "},
    TOOL,
    {"type": "text", "text": "falls *in", "citations": [{"title": "x"}]},
    {"type": "text", "text": " Spa"},
]
FURTHER = {
    "text": text_events(["in*.", " So"]),
    "something else": [begin(THINKING), end(), *text_events(["Sun"], 1)],
    "nothing": [],
}
DURATIONS_S = [None, 2.0, None, None]


def continued(earlier: list[Block]) -> MessageView:
    """Return the view of an answer that is gone on with."""
    first_block, first_char = end_of(earlier)
    message = Message(pk=7, role="assistant", content=earlier, durations_s=DURATIONS_S)
    generation = Generation(
        pk=3, status="streaming", created_at=AT, first_block=first_block, first_char=first_char
    )
    return MessageView(message, generation)


def views_at_the_end(blocks: list[Block], before: int, log: list[Entry]) -> list[Any]:
    durations = Durations()
    for entry in log:
        durations.feed(entry.kind, json.loads(entry.data), entry.at)
    own = durations.seconds()
    seconds = all_seconds(DURATIONS_S, own, before=before, total=len(blocks))
    return [*view_blocks(blocks, render_blocks(blocks), seconds).values()]


@pytest.mark.parametrize("events", FURTHER.values(), ids=FURTHER)
@pytest.mark.parametrize("earlier", [EARLIER, EARLIER[:3], EARLIER[:2], []], ids=len)
def test_what_earlier_parts_wrote_is_gone_on_with(
    earlier: list[Block], events: list[Event]
) -> None:
    log = log_of(*events)
    blocks = joined(earlier, content_of(log).blocks())
    page, answer = ShownPage(fragments.message(continued(earlier))), LiveAnswer(continued(earlier))
    answer.show_earlier()
    for entry in log:
        answer.feed(entry)
    corrections = answer.corrections(render_blocks(blocks)) or []
    for frame in [*answer.frames(overdue=False), fragments.steps_frame(3, corrections, 0, 0)]:
        page.apply(frame)
    ended = view(Generation.Status.COMPLETE, blocks=views_at_the_end(blocks, len(earlier), log))
    fresh = ShownPage(fragments.message(ended))
    assert page.by_id(BODY_ID).outline() == fresh.by_id(BODY_ID).outline()
    assert answer.characters == len(plain_text(blocks))
