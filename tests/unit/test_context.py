"""Which turns go to Claude: alternating, the last one the user's, nothing that was refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.content import Block
from chat.context import (
    Turn,
    messages_as_sent,
    messages_for_claude,
    messages_with_answer,
    messages_with_results,
)


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def user(*words: str) -> Turn:
    return Turn("user", [text(word) for word in words])


def answer(*words: str, stop_reason: str = "end_turn") -> Turn:
    return Turn("assistant", [text(word) for word in words], stop_reason)


def sent(*turns: Turn) -> list[tuple[str, list[str]]]:
    return [
        (message["role"], [block["text"] for block in message["content"]])
        for message in messages_for_claude(turns)
    ]


def test_prompt_alone() -> None:
    assert messages_for_claude([user("Hi")]) == [{"role": "user", "content": [text("Hi")]}]


def test_nothing_gives_nothing() -> None:
    assert messages_for_claude([]) == []


def test_turns_alternate() -> None:
    turns = [user("a"), answer("b"), user("c")]
    assert sent(*turns) == [("user", ["a"]), ("assistant", ["b"]), ("user", ["c"])]


def test_turns_of_one_role_are_merged() -> None:
    assert sent(user("a"), user("b")) == [("user", ["a", "b"])]


def test_empty_answer_is_left_out() -> None:
    assert sent(user("a"), answer(), user("b")) == [("user", ["a", "b"])]


@pytest.mark.parametrize("space", ["", " ", "\n\t ", "\u3000"])
def test_white_space_alone_is_left_out(space: str) -> None:
    assert sent(user("a"), answer(space), user("b", space)) == [("user", ["a", "b"])]


def test_text_keeps_its_white_space() -> None:
    assert sent(user("  a\n")) == [("user", ["  a\n"])]


def test_last_turn_is_the_users() -> None:
    assert sent(user("a"), answer("b")) == [("user", ["a"])]


def test_refused_exchange_is_left_out() -> None:
    turns = [user("bad"), answer("half", stop_reason="refusal"), user("good")]
    assert sent(*turns) == [("user", ["good"])]


def test_refused_exchange_in_the_middle_is_left_out() -> None:
    refused = [user("bad"), answer(stop_reason="refusal")]
    turns = [user("a"), answer("b"), *refused, user("c")]
    assert sent(*turns) == [("user", ["a"]), ("assistant", ["b"]), ("user", ["c"])]


def test_refused_exchange_at_the_end_leaves_what_was_before() -> None:
    turns = [user("a"), answer("b"), user("bad"), answer("half", stop_reason="refusal")]
    assert sent(*turns) == [("user", ["a"])]


@pytest.mark.parametrize("stop_reason", ["max_tokens", "pause_turn", ""])
def test_answer_that_was_cut_is_sent(stop_reason: str) -> None:
    turns = [user("a"), answer("half", stop_reason=stop_reason), user("go on")]
    assert ("assistant", ["half"]) in sent(*turns)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        {"type": "web_search_tool_result", "content": []},
        {"type": "hologram", "text": "x"},
    ],
)
def test_other_blocks_are_left_out(block: Block) -> None:
    turns = [user("a"), Turn("assistant", [block, text("b")]), user("c")]
    assert sent(*turns)[1] == ("assistant", ["b"])


def test_answer_of_other_blocks_alone_is_left_out() -> None:
    turns = [user("a"), Turn("assistant", [{"type": "thinking", "thinking": "hm"}]), user("c")]
    assert sent(*turns) == [("user", ["a", "c"])]


def test_citations_are_not_sent_back() -> None:
    block = {**text("b"), "citations": [{"n": 1}]}
    messages = messages_for_claude([user("a"), Turn("assistant", [block]), user("c")])
    assert messages[1]["content"] == [text("b")]


def test_turns_as_given_are_not_changed() -> None:
    turns = [user("a"), user("b")]
    messages_for_claude(turns)
    assert turns == [user("a"), user("b")]


turns_of_all_kinds = st.lists(
    st.builds(
        lambda role, words, reason: Turn(role, [text(word) for word in words], reason),
        st.sampled_from(["user", "assistant"]),
        st.lists(st.sampled_from(["a", "b", " ", ""]), max_size=2),
        st.sampled_from(["", "end_turn", "refusal"]),
    ),
    max_size=8,
)


@given(turns_of_all_kinds)
def test_any_turns_alternate_and_end_with_the_user(turns: list[Turn]) -> None:
    messages: list[dict[str, Any]] = messages_for_claude(turns)
    roles = [message["role"] for message in messages]
    assert roles[-1:] in ([], ["user"])
    assert all(one != next_ for one, next_ in pairwise(roles))


@given(turns_of_all_kinds)
def test_any_turns_send_no_empty_text(turns: list[Turn]) -> None:
    contents = [message["content"] for message in messages_for_claude(turns)]
    assert all(contents)
    assert all(block["text"].strip() for content in contents for block in content)


def test_blocks_of_a_program_are_sent_as_they_are() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "find", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "Here"}
    signed = {"type": "thinking", "thinking": "", "signature": "x"}
    turns = [user("a"), Turn("assistant", [signed, call]), Turn("user", [result, text("b")])]
    assert messages_as_sent(turns) == [
        {"role": "user", "content": [text("a")]},
        {"role": "assistant", "content": [signed, call]},
        {"role": "user", "content": [result, text("b")]},
    ]


def test_system_message_of_a_program_is_sent_as_one() -> None:
    stored = Turn("user", [{"type": "system", "content": [text("Be brief.")]}])
    assert messages_as_sent([user("a"), stored])[1:] == [
        {"role": "system", "content": [text("Be brief.")]}
    ]


def test_blocks_that_were_cut_are_not_sent() -> None:
    cut = {"type": "tool_use", "id": "t1", "name": "find", "input": {}, "partial_json": '{"a'}
    thought = {"type": "thinking", "thinking": "Hm", "signature": ""}
    turns = [user("a"), Turn("assistant", [thought, text("b"), cut]), Turn("assistant", [cut])]
    assert messages_as_sent(turns)[1:] == [{"role": "assistant", "content": [text("b")]}]


THOUGHT: Block = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
CALL: Block = {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}
ASKED: list[Block] = [{"role": "user", "content": [{"type": "text", "text": "1 + 2?"}]}]


def test_answer_goes_back_as_it_came() -> None:
    secret = {"type": "redacted_thinking", "data": "c2VjcmV0"}
    messages = messages_with_answer(ASKED, [THOUGHT, secret, CALL])
    assert messages == [*ASKED, {"role": "assistant", "content": [THOUGHT, secret, CALL]}]


def test_answer_that_pauses_twice_is_one_turn() -> None:
    once = messages_with_answer(ASKED, [THOUGHT])
    assert messages_with_answer(once, [CALL])[1:] == [
        {"role": "assistant", "content": [THOUGHT, CALL]}
    ]
    assert once[1:] == [{"role": "assistant", "content": [THOUGHT]}]


def test_answer_goes_back_without_texts_that_the_api_refuses() -> None:
    said: list[Block] = [{"type": "text", "text": " \n"}, {"type": "text", "text": "So."}, CALL]
    assert messages_with_answer(ASKED, said)[1]["content"] == said[1:]


@pytest.mark.parametrize(
    "broken", [{**CALL, "input": {}, "partial_json": '{"a":'}, {**CALL, "input": [1]}]
)
def test_input_that_is_no_object_goes_back_empty(broken: Block) -> None:
    assert messages_with_answer(ASKED, [broken])[1]["content"] == [{**CALL, "input": {}}]


def test_results_are_a_turn_of_the_user() -> None:
    result = {"tool_use_id": "t1", "name": "add", "content": "3", "is_error": False}
    assert messages_with_results(ASKED, [CALL], [result])[2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "3", "is_error": False}
        ],
    }


def test_calls_and_results_of_earlier_answers_are_left_out() -> None:
    result: Block = {"type": "tool_result", "tool_use_id": "t1", "name": "add", "content": "3"}
    answer = Turn("assistant", [THOUGHT, CALL, result, {"type": "text", "text": "Three."}])
    prompts = [Turn("user", ASKED[0]["content"]), answer, Turn("user", ASKED[0]["content"])]
    sent = messages_for_claude(prompts)
    assert sent[1] == {"role": "assistant", "content": [{"type": "text", "text": "Three."}]}


def test_answer_of_several_requests_is_text_to_a_program() -> None:
    result: Block = {"type": "tool_result", "tool_use_id": "t1", "name": "add", "content": "3"}
    answered = Turn("assistant", [THOUGHT, CALL, result, text("Three.")])
    assert messages_as_sent([user("a"), answered])[1:] == [
        {"role": "assistant", "content": [text("Three.")]}
    ]
