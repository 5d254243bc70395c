from __future__ import annotations

import pytest

from chat.demo.answers import after_tool, answer, thinking, topic
from chat.demo.markdown import code_block, escape, shorten, unwrap, verses
from chat.demo.pace import token_count

PROMPTS = {
    "story": "Tell me a long story",
    "poem": "Write a poem about rain",
    "table": "Compare trains and planes",
    "code": "Write a Python function",
    "maths": "Solve x + 1 = 3",
    "list": "What are the steps to plan a trip?",
    "chinese": "请介绍一下你自己",
    "general": "Why is the sky blue?",
}


@pytest.mark.parametrize(("kind", "prompt"), PROMPTS.items())
def test_topic_by_keyword(kind: str, prompt: str) -> None:
    assert topic(prompt) == kind


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("table", "Vergleiche drei Arten, in Python eine Liste zu sortieren, als Tabelle"),
        ("story", "Erzähle mir eine lange Geschichte von einem Leuchtturmwärter"),
    ],
)
def test_topic_of_the_german_examples(kind: str, prompt: str) -> None:
    assert topic(prompt) == kind


@pytest.mark.parametrize("prompt", PROMPTS.values())
def test_answer_is_deterministic(prompt: str) -> None:
    assert answer(prompt, ["before"]) == answer(prompt, ["before"])


def test_answer_differs_by_prompt() -> None:
    assert len({answer(prompt) for prompt in PROMPTS.values()}) == len(PROMPTS)


def test_answer_varies_within_topic() -> None:
    bodies = {answer(f"Why is number {n} odd?").split("\n\n", 1)[1] for n in range(40)}
    assert len(bodies) == 3


@pytest.mark.parametrize("prompt", [*PROMPTS.values(), "Hello!", "/"])
def test_answer_says_it_is_the_demo_near_the_start(prompt: str) -> None:
    start = answer(prompt)[:400].lower()
    assert "demo model" in start and "claude" in start


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("kind", sorted(set(PROMPTS) - {"story"}))
def test_answer_length(kind: str, number: int) -> None:
    assert 300 <= len(answer(PROMPTS[kind] + " " * number + "?")) <= 1500


def test_answer_long_story_takes_half_a_minute() -> None:
    story = answer(PROMPTS["story"])
    assert len(story) >= 6000
    assert token_count(story) / 60 >= 30


def test_answer_short_story_is_short() -> None:
    assert len(answer("Tell me a short story")) < 1500


def test_answer_quotes_the_prompt_escaped() -> None:
    assert r"“\# \<b\> \*x\* \`y\` \$z\$ \| q”" in answer("# <b> *x* `y` $z$ | q")


def test_answer_mentions_earlier_prompts() -> None:
    text = answer("And now?", ["first *thing*", "second"])
    assert "asked 2 things before this; the last was “second”" in text


def test_answer_survives_lone_surrogate() -> None:
    assert answer("a \ud83d b")


def test_escape_keeps_one_line() -> None:
    assert escape("a\n\n# b\0\tc\u202e") == r"a \# b c"


def test_unwrap_joins_paragraphs_only() -> None:
    text = "a\nb\n\n- c\n  d\n- e\n\n```\nf\ng\n```\nh"
    assert unwrap(text) == "a b\n\n- c d\n- e\n\n```\nf\ng\n```\nh"


def test_verses_keep_their_lines() -> None:
    assert verses("a\nb\n\nc") == "a  \nb\n\nc"


def test_shorten_cuts_at_a_word() -> None:
    assert shorten("one two three four", 11) == "one two…"


def test_shorten_cuts_text_without_spaces() -> None:
    assert shorten("字" * 50, 10) == "字" * 10 + "…"


def test_code_block_cannot_be_closed_by_its_text() -> None:
    assert code_block("```\n````") == "`````\n```\n````\n`````"


def test_after_tool_shows_the_result() -> None:
    text = after_tool("clock", '{"time": "12:00"}', is_error=False)
    assert "`clock` answered" in text and '{"time": "12:00"}' in text


def test_after_tool_shows_the_error() -> None:
    assert "failed" in after_tool("clock", "no battery", is_error=True)


def test_thinking_quotes_the_prompt() -> None:
    assert "Why?" in thinking("Why?")
