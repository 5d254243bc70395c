"""A running answer on a page: whatever is cut, lost or sent again, the page ends up the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from chat import fragments
from chat.blocks import view_blocks
from chat.content import Block, Content
from chat.durations import Durations
from chat.events import Entry
from chat.models import Generation, Message
from chat.relay.answer import LiveAnswer
from chat.render import render_blocks
from chat.render.tail import MAX_CHARS as MAX_TAIL_CHARS
from chat.transcript import MessageView
from chat.words import clean
from tests.unit.cuttings import cut_texts
from tests.unit.shown_page import Element, ShownPage

# Thousands of texts: to trace them would take longer than all that is traced.
pytestmark = pytest.mark.no_cover

AT = timezone.now()
MAX_FRAME_BYTES = 2**20
BODY_ID = "message-7-body"
TEXT: Block = {"type": "text", "text": ""}
THINKING: Block = {"type": "thinking", "thinking": "", "signature": ""}
TOOL: Block = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
RESULT: Block = {
    "type": "web_search_tool_result",
    "tool_use_id": "t",
    "content": [{"title": "<Rain>"}],
}
FOUND: Block = {
    **RESULT,
    "content": [{"type": "web_search_result", "url": "https://a.example/", "title": "<Rain>"}],
}
FAILED: Block = {**RESULT, "content": {"error_code": "unavailable"}}

Event = tuple[str, dict[str, Any]]


def begin(block: Block, index: int = 0) -> Event:
    return "content_block_start", {"index": index, "content_block": block}


def delta(kind: str, at: int = 0, **members: Any) -> Event:
    return "content_block_delta", {"index": at, "delta": {"type": kind, **members}}


def end(index: int = 0) -> Event:
    return "content_block_stop", {"index": index}


def text_events(pieces: Iterable[str], index: int = 0) -> list[Event]:
    deltas = [delta("text_delta", index, text=piece) for piece in pieces]
    return [begin(TEXT, index), *deltas, end(index)]


def log_of(*events: Event) -> list[Entry]:
    """Number events as the log of a whole answer; `final` comes last."""
    start: Event = ("message_start", {"message": {"id": "m", "model": "claude"}})
    whole = [("request", {"number": 1, "attempt": 1}), start, *events, ("final", {})]
    return [
        Entry(seq, kind, json.dumps(data), AT + timedelta(seconds=seq))
        for seq, (kind, data) in enumerate(whole, 1)
    ]


def view(status: Generation.Status = Generation.Status.STREAMING, **members: Any) -> MessageView:
    message = Message(pk=7, role=Message.Role.ASSISTANT)
    generation = Generation(pk=3, status=status, created_at=AT)
    return MessageView(message, generation, **members)


class Reader:
    """A reader: the page it sees, and the relay's side of it."""

    def __init__(self, log: list[Entry]) -> None:
        self.log = log
        self.page = ShownPage(fragments.message(view()))
        self.answer = LiveAnswer(view())

    def read(self, count: int, *, overdue: bool = False) -> None:
        """Take in the next events of the log, then show what can be shown."""
        for entry in self.log[self.answer.seq : self.answer.seq + count]:
            self.answer.feed(entry)
        for frame in self.answer.frames(overdue=overdue):
            self.page.apply(frame)

    def reconnect(self) -> None:
        """Come back over a new socket, with what the page says that it shows."""
        status = self.page.by_id("status-3").attributes
        self.answer = LiveAnswer(view())
        if not status.get("data-seq"):
            # It has no position to go on from: it gets the message anew.
            self.page = ShownPage(fragments.message(view()))
        elif seq := int(status["data-seq"]):
            self.answer.resume(self.log[:seq], int(status["data-held"]))

    def read_to_the_end(self) -> str:
        self.read(len(self.log))
        return self.end()

    def end(self) -> str:
        """Correct what only the end shows, as the relay does."""
        changes = self.answer.corrections(render_blocks(content_of(self.log).blocks()))
        assert changes is not None
        self.page.apply(fragments.steps_frame(3, changes, 0, 0))
        return self.body()

    def body(self) -> str:
        return self.page.by_id(BODY_ID).outline()


def content_of(log: list[Entry]) -> Content:
    content = Content()
    for entry in log:
        content.feed(entry.kind, json.loads(entry.data))
    return content


def fresh_body(log: list[Entry]) -> str:
    """Return the body of the message as a page that is loaded after the end shows it."""
    durations = Durations()
    for entry in log:
        durations.feed(entry.kind, json.loads(entry.data), entry.at)
    blocks = content_of(log).blocks()
    views = view_blocks(blocks, render_blocks(blocks), durations.seconds())
    ended = view(Generation.Status.COMPLETE, blocks=[*views.values()])
    return ShownPage(fragments.message(ended)).by_id(BODY_ID).outline()


def visible_text(element: Element) -> str:
    return "".join(c if isinstance(c, str) else visible_text(c) for c in element.children)


def test_first_words_come_with_their_text_and_status() -> None:
    reader = Reader(log_of(*text_events(["Herons wade. ", "They ", "stand."])))
    for entry in reader.log[:4]:
        reader.answer.feed(entry)
    (frame,) = reader.answer.frames(overdue=False)
    assert "Herons wade." in frame and 'data-seq="4"' in frame
    reader.page.apply(frame)
    assert reader.read_to_the_end() == fresh_body(reader.log)


ANSWERS: dict[str, list[Event]] = {
    "text": text_events(["Rain ", "<b>fal", "ls</b>.\n", "\nAga", "in."]),
    "text from the start": [begin({"type": "text", "text": "Rain "}), end()],
    "two texts": [*text_events(["Rain"]), *text_events(["Sun"], 1)],
    "thinking": [
        begin(THINKING),
        delta("thinking_delta", thinking="So <what>"),
        delta("signature_delta", signature="c2ln"),
        end(),
        *text_events(["Rain"], 1),
    ],
    "redacted thinking": [begin({"type": "redacted_thinking", "data": "x"}), end()],
    "tool": [
        begin(TOOL),
        delta("input_json_delta", partial_json='{"q": '),
        delta("input_json_delta", partial_json='"<rain>"}'),
        end(),
    ],
    "tool without input": [begin(TOOL), end()],
    "tool with broken input": [begin(TOOL), delta("input_json_delta", partial_json="{"), end()],
    "tool cut off": [begin(TOOL), delta("input_json_delta", partial_json='{"q": 1')],
    "tool cut off before its stop": [
        begin(TOOL),
        delta("input_json_delta", partial_json='{"q": 1}'),
    ],
    "tool cut off before its input": [begin(TOOL)],
    "server tool": [
        begin({**TOOL, "type": "server_tool_use"}),
        delta("input_json_delta", partial_json='{"q": 1}'),
        end(),
        begin(RESULT, 1),
        end(1),
    ],
    "found pages": [
        begin({**TOOL, "type": "server_tool_use"}),
        end(),
        *text_events(["Rain"], 1),
        begin(FOUND, 2),
        end(2),
        *text_events(["Sun"], 3),
    ],
    "failed tool": [begin(TOOL), end(), begin(FAILED, 1), end(1)],
    "failed before its tool ended": [begin(TOOL), begin(FAILED, 1), end(1), end()],
    "two tools at once": [
        begin(TOOL),
        end(),
        begin({**TOOL, "id": "u"}, 1),
        end(1),
        begin({**FAILED, "tool_use_id": "u"}, 2),
        end(2),
        begin(RESULT, 3),
        end(3),
    ],
    "thinking cut off": [begin(THINKING), delta("thinking_delta", thinking="So")],
    "result without content": [begin({"type": "web_search_tool_result"}), end()],
    "unknown block": [begin({"type": "hologram", "depth": 3}), end()],
    "unknown block with input": [
        begin({"type": "hologram", "input": {}}),
        delta("input_json_delta", partial_json='{"q": 1}'),
        end(),
    ],
    "unknown delta": [begin(TEXT), delta("hologram_delta", hologram="x"), end()],
    "compaction": [
        begin({"type": "compaction", "content": None}),
        delta("compaction_delta", content="short"),
        end(),
    ],
    "citations": [
        begin(TEXT),
        delta("citations_delta", citation={"title": "x"}),
        delta("text_delta", text="Rain"),
        end(),
    ],
    "cited pieces": [
        *text_events(["It rai"]),
        begin({**TEXT, "citations": []}, 1),
        delta("citations_delta", 1, citation={"title": "x", "url": "https://a.example/"}),
        delta("text_delta", 1, text="ns *in"),
        delta("text_delta", 1, text=" Spain*"),
        end(1),
        *text_events([".\n\n- So", "\n- on"], 2),
    ],
    "texts that overlap": [
        begin(TEXT),
        begin(TEXT, 1),
        delta("text_delta", 0, text="a *b"),
        delta("text_delta", 1, text="c* d"),
        end(),
        delta("text_delta", 1, text=" e"),
        end(1),
    ],
    "texts around what overlaps": [
        begin(TEXT),
        delta("text_delta", 0, text="a *b"),
        begin(THINKING, 1),
        delta("text_delta", 0, text="c* d"),
        end(),
        end(1),
        *text_events(["```\ncode"], 2),
    ],
    "link that comes last": text_events(["See [it].\n", "\n[it]: https://a.example/\n"]),
    "delta of no block": [delta("text_delta", text="lost"), end()],
    "cut off": [begin(TEXT), delta("text_delta", text="Rain fal")],
    "two requests": [
        *text_events(["Rain"]),
        ("message_stop", {}),
        ("request", {"number": 2, "attempt": 1}),
        ("message_start", {"message": {"id": "m2"}}),
        *text_events(["Sun"]),
        ("message_stop", {}),
    ],
    "retried": [
        ("retry", {"error_code": "overloaded", "wait_s": 1.0, "attempt": 2, "attempts": 3}),
        ("request", {"number": 1, "attempt": 2}),
        *text_events(["Rain"]),
    ],
    "nothing": [],
}
answers = pytest.mark.parametrize("events", ANSWERS.values(), ids=ANSWERS)


@answers
def test_page_at_the_end_is_a_fresh_page(events: list[Event]) -> None:
    log = log_of(*events)
    assert Reader(log).read_to_the_end() == fresh_body(log)


@answers
@pytest.mark.parametrize("overdue", [False, True], ids=["soon", "overdue"])
def test_page_fed_event_by_event_is_a_fresh_page(events: list[Event], overdue: bool) -> None:
    reader = Reader(log_of(*events))
    for _ in reader.log:
        reader.read(1, overdue=overdue)
    assert reader.end() == fresh_body(reader.log)


@answers
def test_page_of_a_reader_that_comes_back_at_any_event_is_a_fresh_page(
    events: list[Event],
) -> None:
    log = log_of(*events)
    whole = Reader(log).read_to_the_end()
    for count in range(len(log)):
        reader = Reader(log)
        reader.read(count)
        reader.reconnect()
        assert reader.read_to_the_end() == whole, f"cut after event {count}"


@answers
def test_page_of_a_reader_that_comes_back_at_every_event_is_a_fresh_page(
    events: list[Event],
) -> None:
    reader = Reader(log_of(*events))
    whole = Reader(reader.log).read_to_the_end()
    for _ in reader.log:
        reader.read(1, overdue=True)
        reader.reconnect()
    assert reader.read_to_the_end() == whole


@given(cut_texts())
def test_any_cutting_gives_a_fresh_page(pieces: list[str]) -> None:
    reader = Reader(log_of(*text_events(pieces)))
    for _ in reader.log:
        reader.read(1)
    assert reader.end() == fresh_body(log_of(*text_events(["".join(pieces)])))


steps = st.lists(
    st.tuples(st.integers(min_value=0, max_value=3), st.booleans(), st.booleans()), max_size=12
)


@given(cut_texts(), steps)
def test_any_cut_of_the_socket_gives_a_fresh_page(
    pieces: list[str], cuts: list[tuple[int, bool, bool]]
) -> None:
    reader = Reader(log_of(*text_events(pieces), begin(THINKING, 1), *text_events(["x"], 2)))
    for count, overdue, is_cut in cuts:
        reader.read(count, overdue=overdue)
        if is_cut:
            reader.reconnect()
    assert reader.read_to_the_end() == fresh_body(reader.log)


@given(cut_texts())
def test_what_is_shown_is_how_the_text_begins(pieces: list[str]) -> None:
    reader = Reader(log_of(*text_events(pieces)))
    whole = re.sub(r"\s", "", clean("".join(pieces)))
    for _ in reader.log:
        reader.read(1)
        body = visible_text(reader.page.by_id(BODY_ID))
        assert whole.startswith(re.sub(r"\s", "", body))


@given(cut_texts())
def test_characters_are_counted_once(pieces: list[str]) -> None:
    reader = Reader(log_of(*text_events(pieces)))
    for _ in reader.log:
        reader.read(1, overdue=True)
        reader.reconnect()
    reader.read_to_the_end()
    assert reader.answer.characters == len("".join(pieces))


def test_word_is_held_until_its_end() -> None:
    reader = Reader(log_of(*text_events(["Rain fal", "ls."])))
    reader.read(4)
    assert visible_text(reader.page.by_id(BODY_ID)).strip() == "Rain"
    assert reader.answer.held == len("fal")


def test_word_is_shown_when_it_is_overdue() -> None:
    reader = Reader(log_of(*text_events(["Rain fal", "ls."])))
    reader.read(4)
    reader.read(0, overdue=True)
    assert visible_text(reader.page.by_id(BODY_ID)).strip() == "Rain fal"
    assert reader.answer.held == 0


def test_words_come_as_steps_without_markup_around_them() -> None:
    reader = Reader(log_of(*text_events(["Plain words, ", "more & more ", "and a last one"])))
    reader.read(4)
    for entry in reader.log[4:6]:
        reader.answer.feed(entry)
    (frame,) = reader.answer.frames(overdue=False)
    assert json.loads(frame) == [3, 6, 3, ["block-3-0", 1, 0, " more &amp; more and a last"]]


def test_what_costs_too_much_is_not_gone_on_from() -> None:
    # That it is shown as plain text depends on the pieces: as one it would have been a heading.
    words = "Some *words* and more. " * (MAX_TAIL_CHARS // 20)
    pieces = [words[at : at + 2_000] for at in range(0, len(words), 2_000)]
    texts = ["First.\n\n", *pieces, "\n---\n", "\nThen *come* more.\n\n", "And more."]
    reader = Reader(log_of(*text_events(texts)))
    for _ in range(len(reader.log) - 3):
        reader.read(1)
    assert reader.page.by_id("status-3").attributes["data-seq"] == ""
    reader.reconnect()
    assert reader.read_to_the_end() == fresh_body(reader.log)


def test_nothing_new_makes_no_frame() -> None:
    answer = LiveAnswer(view())
    assert answer.frames(overdue=True) == []


def test_held_words_alone_make_no_frame() -> None:
    reader = Reader(log_of(*text_events(["Ra", "in"])))
    reader.read(4)
    reader.answer.feed(reader.log[4])
    assert reader.answer.frames(overdue=False) == []


def test_resume_shows_nothing_again() -> None:
    log = log_of(*text_events(["Rain falls"]))
    answer = LiveAnswer(view())
    answer.resume(log[:4], len("falls"))
    assert answer.frames(overdue=False) == []
    assert (answer.seq, answer.held, answer.characters) == (4, 5, 5)


def test_status_says_the_position() -> None:
    reader = Reader(log_of(*text_events(["Rain fal"])))
    reader.read(4)
    status = reader.page.by_id("status-3").attributes
    assert (status["data-generation"], status["data-seq"], status["data-held"]) == ("3", "4", "3")


def test_status_counts_what_is_shown() -> None:
    reader = Reader(log_of(*text_events(["Rain fal"])))
    reader.read(4)
    assert "Received 5 characters" in visible_text(reader.page.by_id("status-3"))


def test_retry_is_announced_with_its_wait() -> None:
    reader = Reader(log_of(*ANSWERS["retried"]))
    reader.read(3)
    status = visible_text(reader.page.by_id("status-3"))
    assert "trying again in 1 s, 2 of 3" in " ".join(status.split())


@pytest.mark.parametrize("block", [TEXT, THINKING], ids=["text", "thinking"])
def test_markup_of_a_model_changes_nothing_of_the_page(block: Block) -> None:
    attack = '</p></div><i id="composer" hx-swap-oob="delete"></i><script>alert(1)</script> '
    kind = block["type"]
    piece = ("content_block_delta", {"index": 0, "delta": {"type": f"{kind}_delta", kind: attack}})
    reader = Reader(log_of(begin(block), piece, end()))
    reader.read_to_the_end()
    assert reader.page.root.find("id", "composer") is None
    assert "<script>" in visible_text(reader.page.by_id(BODY_ID))


LARGE = {
    "quotes": '"' * 1_000_000,
    "apostrophes": "'" * 1_000_000,
    "less-than": "<" * 1_000_000,
    "paragraphs": '"\n\n' * 20_000,
    "emoji": "👍" * 250_000,
    "words": "rain " * 200_000,
}
GROWING: dict[str, tuple[Block, str, str]] = {
    "text": (TEXT, "text_delta", "text"),
    "thinking": (THINKING, "thinking_delta", "thinking"),
    "tool": (TOOL, "input_json_delta", "partial_json"),
}


@pytest.mark.parametrize(("block", "kind", "member"), GROWING.values(), ids=GROWING)
@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_frames_of_a_large_delta_are_small(block: Block, kind: str, member: str, text: str) -> None:
    piece = ("content_block_delta", {"index": 0, "delta": {"type": kind, member: text}})
    answer = LiveAnswer(view())
    for entry in log_of(begin(block), piece):
        answer.feed(entry)
    frames = answer.frames(overdue=True)
    assert max(len(frame.encode()) for frame in frames) <= MAX_FRAME_BYTES


def test_reader_that_comes_back_between_two_frames_gets_nothing_twice() -> None:
    log = log_of(*text_events(["rain " * 80_000]))
    sending = LiveAnswer(view())
    for entry in log[:4]:
        sending.feed(entry)
    reader = Reader(log)
    reader.page.apply(sending.frames(overdue=True)[0])
    reader.reconnect()
    assert reader.read_to_the_end() == fresh_body(log)
