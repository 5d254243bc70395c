"""Content blocks from the events of a log, whatever came and however it was cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.content import (
    Block,
    Content,
    end_of,
    joined,
    part_before,
    plain_text,
    text_of,
    text_of_event,
    text_runs,
)
from chat.json_values import clean_json
from tests.unit.cuttings import cut_texts

Event = tuple[str, dict[str, Any]]
TEXT: Block = {"type": "text", "text": ""}
THINKING: Block = {"type": "thinking", "thinking": "", "signature": ""}
TOOL: Block = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
UNPARSABLE = ["{", '{"a": ', "nothing", '{"a": 1} 2', "'", "[1,]", "\ufeff{}"]
UNSTORABLE = ['{"a": NaN}', "[Infinity]", "-Infinity", "1e999", "[" * 900 + "]" * 900, "[" * 99_999]


def begin(block: Block, index: int = 0) -> Event:
    return "content_block_start", {"index": index, "content_block": block}


def delta(kind: str, index: int = 0, **members: Any) -> Event:
    return "content_block_delta", {"index": index, "delta": {"type": kind, **members}}


def end(index: int = 0) -> Event:
    return "content_block_stop", {"index": index}


def message_start(**usage: Any) -> Event:
    return "message_start", {"message": {"id": "m", "model": "claude", "usage": usage}}


def message_delta(usage: dict[str, Any] | None = None, **members: Any) -> Event:
    return "message_delta", {"delta": members, "usage": usage}


def content_of(*events: Event) -> Content:
    content = Content()
    for kind, data in events:
        content.feed(kind, data)
    return content


def tool_block(*partial_json: str, is_stopped: bool = True) -> Block:
    pieces = [delta("input_json_delta", partial_json=piece) for piece in partial_json]
    content = content_of(begin(TOOL), *pieces, *([end()] if is_stopped else []))
    return content.blocks()[0]


def test_text_grows() -> None:
    content = content_of(begin(TEXT), delta("text_delta", text="a"), delta("text_delta", text="b"))
    assert content.blocks() == [{"type": "text", "text": "ab"}]


def test_text_goes_on_from_the_start() -> None:
    content = content_of(begin({"type": "text", "text": "a"}), delta("text_delta", text="b"))
    assert content.blocks() == [{"type": "text", "text": "ab"}]


def test_thinking_grows_with_its_signature() -> None:
    content = content_of(
        begin(THINKING),
        delta("thinking_delta", thinking="so"),
        delta("thinking_delta", thinking=" what"),
        delta("signature_delta", signature="c2ln"),
        end(),
    )
    assert content.blocks() == [{"type": "thinking", "thinking": "so what", "signature": "c2ln"}]


def test_compaction_grows_from_null() -> None:
    content = content_of(
        begin({"type": "compaction", "content": None}),
        delta("compaction_delta", content=None),
        delta("compaction_delta", content="short"),
    )
    assert content.blocks() == [{"type": "compaction", "content": "short"}]


def test_citations_are_listed() -> None:
    content = content_of(
        begin(TEXT), delta("citations_delta", citation={"n": 1}), delta("text_delta", text="a")
    )
    assert content.blocks() == [{"type": "text", "text": "a", "citations": [{"n": 1}]}]


def test_citations_follow_those_of_the_start() -> None:
    block = {"type": "text", "text": "", "citations": [{"n": 1}]}
    content = content_of(begin(block), delta("citations_delta", citation={"n": 2}))
    assert content.blocks()[0]["citations"] == [{"n": 1}, {"n": 2}]


def test_unknown_delta_changes_nothing() -> None:
    content = content_of(begin(TEXT), delta("hologram_delta", hologram="x"), end())
    assert content.blocks() == [TEXT]


def test_unknown_block_is_kept() -> None:
    block = {"type": "hologram", "depth": 3}
    assert content_of(begin(block), end()).blocks() == [block]


def test_delta_of_a_block_that_never_began_is_passed_over() -> None:
    assert content_of(delta("text_delta", text="a"), end()).blocks() == []


@pytest.mark.parametrize("kind", ["ping", "request", "retry", "final", "error", "message_stop"])
def test_other_kinds_say_nothing_of_the_content(kind: str) -> None:
    content = content_of((kind, {}))
    assert (content.blocks(), content.has_begun, content.stop_reason) == ([], False, "")


def test_blocks_as_given_are_not_changed() -> None:
    block = {"type": "text", "text": "a", "citations": [1]}
    content = content_of(
        begin(block), delta("text_delta", text="b"), delta("citations_delta", citation=2)
    )
    content.blocks()
    assert block == {"type": "text", "text": "a", "citations": [1]}


def test_tool_input_is_parsed_at_the_stop() -> None:
    assert tool_block('{"q": ', '"a', 'b"}') == {**TOOL, "input": {"q": "ab"}}


def test_tool_input_before_the_stop_is_text() -> None:
    assert tool_block('{"q": 1', is_stopped=False) == {**TOOL, "partial_json": '{"q": 1'}


def test_tool_input_that_looks_whole_before_the_stop_is_text() -> None:
    assert tool_block('{"q": 1}', is_stopped=False) == {**TOOL, "partial_json": '{"q": 1}'}


@pytest.mark.parametrize("partial_json", UNPARSABLE)
def test_tool_input_that_cannot_be_parsed_is_kept(partial_json: str) -> None:
    assert tool_block(partial_json) == {**TOOL, "partial_json": partial_json}


@pytest.mark.parametrize(
    "partial_json", UNSTORABLE, ids=["nan", "infinity", "minus", "overflow", "deep", "open"]
)
def test_tool_input_that_cannot_be_stored_is_kept(partial_json: str) -> None:
    assert tool_block(partial_json) == {**TOOL, "partial_json": partial_json}


def test_tool_without_input_keeps_the_empty_one() -> None:
    assert tool_block("") == TOOL


def test_tool_input_is_cleaned() -> None:
    assert tool_block(r'{"a\u0000": ["\ud800"]}')["input"] == {"a\ufffd": ["\ufffd"]}


def test_tool_input_whole_at_the_start_is_kept() -> None:
    block = {**TOOL, "input": {"q": 1}}
    assert content_of(begin(block), end()).blocks() == [block]


def test_block_that_was_cut_off_is_kept() -> None:
    content = content_of(begin(TEXT), delta("text_delta", text="half"))
    assert content.blocks() == [{"type": "text", "text": "half"}]
    assert content.is_open


def test_is_open_until_the_stop() -> None:
    content = content_of(begin(TEXT), end())
    assert not content.is_open


def test_nothing_is_open_at_the_beginning() -> None:
    assert not Content().is_open


def test_has_begun_from_the_first_block() -> None:
    assert not content_of(message_start()).has_begun
    assert content_of(message_start(), begin(THINKING)).has_begun


def test_has_begun_counts_for_each_request() -> None:
    content = content_of(message_start(), begin(TEXT), end(), ("request", {"number": 2}))
    assert not content.has_begun and content.stop_reason == ""
    content.feed(*message_start())
    content.feed(*begin(TEXT))
    assert content.has_begun


def test_result_of_a_tool_is_a_block() -> None:
    result = {"tool_use_id": "toolu_1", "name": "add", "content": "3", "is_error": False}
    content = content_of(message_start(), begin(TEXT), end(), ("tool_result", result))
    assert content.blocks()[1] == {"type": "tool_result", **result}
    assert not content.is_open


@pytest.mark.parametrize(
    ("events", "has_word"),
    [
        ([begin(TEXT)], False),
        ([begin({"type": "text", "text": "a"})], True),
        ([begin(TEXT), delta("text_delta", text="")], False),
        ([begin(TEXT), delta("text_delta", text="a")], True),
        ([begin(THINKING), delta("thinking_delta", thinking="a")], False),
        ([begin(TOOL), delta("input_json_delta", partial_json="{")], False),
    ],
)
def test_has_word_from_the_first_text(events: list[Event], has_word: bool) -> None:
    assert content_of(*events).has_word is has_word


def test_blocks_of_two_requests_stand_in_order() -> None:
    first = [message_start(), begin(TEXT), delta("text_delta", text="a"), end()]
    second = [message_start(), begin(TEXT), delta("text_delta", text="b"), end()]
    assert [text_of(block) for block in content_of(*first, *second).blocks()] == ["a", "b"]


def test_second_request_adds_nothing_to_the_first() -> None:
    content = content_of(message_start(), begin(TEXT), message_start())
    content.feed(*delta("text_delta", text="lost"))
    assert content.blocks() == [TEXT]


def test_deltas_find_their_block_by_its_index() -> None:
    content = content_of(begin(TEXT, 0), end(0), begin(TEXT, 1), delta("text_delta", 1, text="b"))
    assert [text_of(block) for block in content.blocks()] == ["", "b"]


def test_model_is_the_one_that_answered() -> None:
    assert content_of(message_start()).model == "claude"


def test_stop_reason_and_details_are_kept() -> None:
    content = content_of(
        message_delta(stop_reason="refusal", stop_details={"category": "bio"}), message_delta()
    )
    assert (content.stop_reason, content.stop_details) == ("refusal", {"category": "bio"})


def test_usage_is_overwritten_not_added() -> None:
    content = content_of(
        message_start(input_tokens=5, output_tokens=1),
        message_delta({"output_tokens": 7}),
        message_delta({"output_tokens": 9, "input_tokens": None}),
    )
    assert content.usage == {"input_tokens": 5, "output_tokens": 9}


def test_usage_may_be_missing() -> None:
    content = content_of(("message_start", {"message": {}}), message_delta(None))
    assert (content.usage, content.tokens("output_tokens")) == ({}, 0)


def test_tokens_are_summed_over_requests() -> None:
    content = content_of(
        message_start(input_tokens=5),
        message_delta({"output_tokens": 7}),
        message_start(input_tokens=50),
        message_delta({"output_tokens": 70}),
    )
    assert (content.tokens("input_tokens"), content.tokens("output_tokens")) == (55, 77)
    assert content.usage == {"input_tokens": 50, "output_tokens": 70}


@given(cut_texts())
def test_any_cutting_gives_the_same_text(pieces: list[str]) -> None:
    cut = content_of(begin(TEXT), *[delta("text_delta", text=piece) for piece in pieces], end())
    whole = content_of(begin(TEXT), delta("text_delta", text="".join(pieces)), end())
    assert cut.blocks() == whole.blocks()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(json_values, st.integers(min_value=1, max_value=7))
def test_any_cutting_gives_the_same_input(value: Any, size: int) -> None:
    text = json.dumps(value)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert tool_block(*pieces)["input"] == clean_json(value)


def test_plain_text_is_the_text_blocks_alone() -> None:
    blocks: list[Block] = [
        THINKING,
        {"type": "text", "text": "a"},
        TOOL,
        {"type": "text", "text": "b"},
    ]
    assert plain_text(blocks) == "ab"


@pytest.mark.parametrize("block", [{}, {"type": "text"}, {"type": "text", "text": None}, TOOL])
def test_text_of_a_block_without_text(block: Block) -> None:
    assert text_of(block) == ""


def text_block(text: str, **members: Any) -> Block:
    return {"type": "text", "text": text, **members}


@pytest.mark.parametrize(
    ("blocks", "runs"),
    [
        ([], []),
        ([TEXT], [range(1)]),
        ([TEXT, TEXT, TEXT], [range(3)]),
        ([TOOL, TOOL], [range(1), range(1, 2)]),
        ([TEXT, TEXT, TOOL, TEXT], [range(2), range(2, 3), range(3, 4)]),
    ],
)
def test_texts_side_by_side_are_one_run(blocks: list[Block], runs: list[range]) -> None:
    assert list(text_runs(blocks)) == runs


def test_a_text_goes_on_in_the_same_block() -> None:
    before = [TOOL, text_block("a")]
    assert end_of(before) == (1, 1)
    assert joined(before, [text_block("b"), TOOL]) == [TOOL, text_block("ab"), TOOL]
    assert part_before(joined(before, [text_block("b")]), *end_of(before)) == before


def test_behind_a_cited_text_a_new_block_begins() -> None:
    before = [text_block("a", citations=[{"n": 1}])]
    assert end_of(before) == (1, 0)
    assert joined(before, [text_block("b")]) == [*before, text_block("b")]
    assert part_before(joined(before, [text_block("b")]), *end_of(before)) == before


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (begin({"type": "text", "text": "Once"}), "Once"),
        (begin(TOOL), ""),
        (delta("text_delta", text="more"), "more"),
        (delta("thinking_delta", thinking="Hm"), ""),
        (("message_start", {"message": {"content": [{"type": "text", "text": "A"}, TOOL]}}), "A"),
        (("message_start", {"message": {}}), ""),
        (message_delta(stop_reason="end_turn"), ""),
        (end(), ""),
        (("tool_result", {"content": "36"}), ""),
    ],
)
def test_text_of_event(event: Event, text: str) -> None:
    assert text_of_event(*event) == text


def test_text_of_all_events_is_that_of_the_content() -> None:
    begun = {"message": {"content": [{"type": "text", "text": "Once "}]}}
    events = [("message_start", begun), begin(TEXT, 1), delta("text_delta", 1, text="more")]
    assert "".join(text_of_event(*event) for event in events) == "Once more"
    assert plain_text(content_of(*events).blocks()) == "Once more"
