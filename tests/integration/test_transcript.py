"""A running answer as a page shows it that is loaded meanwhile: rows and a log, no worker."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from chat.content import Block, end_of
from chat.events import Entry, insert_entries
from chat.models import Generation, Message
from chat.transcript import MessageView, view_messages

pytestmark = pytest.mark.django_db

TEXT: Block = {"type": "text", "text": ""}
TOOL: Block = {"type": "server_tool_use", "id": "t1", "name": "web_search", "input": {}}
RESULT: Block = {"type": "web_search_tool_result", "tool_use_id": "t1", "content": []}
CITED: Block = {"type": "text", "text": "It rains", "citations": [{"title": "x"}]}


def start(block: Block, index: int = 0) -> tuple[str, dict[str, Any]]:
    return "content_block_start", {"index": index, "content_block": block}


def say(text: str, index: int = 0) -> tuple[str, dict[str, Any]]:
    delta = {"type": "text_delta", "text": text}
    return "content_block_delta", {"index": index, "delta": delta}


def stop(index: int = 0) -> tuple[str, dict[str, Any]]:
    return "content_block_stop", {"index": index}


def add(
    running: Generation, seq: int, event: tuple[str, dict[str, Any]], at: datetime | None = None
) -> None:
    entry = Entry(seq, event[0], json.dumps(event[1]), at or timezone.now())
    with transaction.atomic():
        insert_entries(running.pk, [entry])


def look(running: Generation) -> MessageView:
    (view,) = view_messages([running.message_id])
    return view


def shown(
    running: Generation, *log: tuple[str, dict[str, Any]], earlier: list[Block] | None = None
) -> MessageView:
    """Return how an answer is shown whose log ends here, a second for each event."""
    at = timezone.now() - timedelta(seconds=len(log))
    first_block, first_char = end_of(earlier or [])
    Generation.objects.filter(pk=running.pk).update(first_block=first_block, first_char=first_char)
    Message.objects.filter(pk=running.message_id).update(content=earlier or [], durations_s=[7.0])
    for seq, event in enumerate(log, 1):
        add(running, seq, event, at + timedelta(seconds=seq))
    return look(running)


def test_a_word_waits_for_its_end(running: Generation) -> None:
    view = shown(running, start(TEXT), say("It rai"))
    assert [block.html for block in view.blocks] == ["<p>It</p>"]
    assert (view.seq, view.held, view.characters) == (2, 3, 3)


def test_of_a_word_that_goes_on_only_the_new_part_waits(running: Generation) -> None:
    """What an earlier part ended with is shown already."""
    earlier = [{"type": "text", "text": "twice a d"}]
    view = shown(running, start(TEXT), say("a"), earlier=earlier)
    assert [block.html for block in view.blocks] == ["<p>twice a d</p>"]
    assert (view.held, view.characters) == (1, len("twice a d"))


def test_texts_side_by_side_grow_as_one(running: Generation) -> None:
    view = shown(running, start(TEXT), say("It *ra"), stop(), start(TEXT, 1), say("ins* so", 1))
    assert [block.html for block in view.blocks] == ["<p>It <em>rains</em></p>"]
    assert view.blocks[0].element_id == f"block-{running.pk}-0"


def test_a_text_stays_open_until_something_else_begins(running: Generation) -> None:
    code = start(TEXT), say("```python\ndef f"), stop()
    assert "<span" not in shown(running, *code).blocks[0].html
    add(running, 4, start(TOOL, 1))
    assert "<span" in look(running).blocks[0].html


def test_a_text_that_has_ended_has_its_numbers(running: Generation) -> None:
    view = shown(running, start(CITED), stop(), start(TOOL, 1), start(CITED, 2), say(". ", 2))
    ended, _, growing = view.blocks
    assert '<sup class="citation">1</sup>' in ended.html
    assert growing.html == "<p>It rains.</p>"


def test_a_tool_runs_until_its_result(running: Generation) -> None:
    view = shown(running, start(TOOL), stop())
    assert view.blocks[0].waited_s == 1 and view.blocks[0].took_s is None
    add(running, 3, start(RESULT, 1), timezone.now() + timedelta(seconds=2.5))
    tool = look(running).blocks[0]
    assert tool.since is None and tool.took_s == 4


def test_earlier_parts_keep_their_durations(running: Generation) -> None:
    view = shown(running, start(TEXT), say("So. "), earlier=[TOOL, CITED])
    tool, text = view.blocks
    assert tool.seconds == 7.0 and tool.since is None
    assert text.html == "<p>It rainsSo.</p>"
