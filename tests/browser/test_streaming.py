"""The answer appears as it is written: whole words, nothing twice, progress in figures."""

from __future__ import annotations

import re

import regex
from playwright.sync_api import expect

from chat.demo.steps import Block, Start, Step, Text, Wait
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.faults.speech import Speech

WORDS = "Every word of this answer arrives in small pieces, and is shown when it is whole. "
PACED = Text(WORDS * 6, chunk=3, interval_s=0.012)
CHINESE = "学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？" * 4
EMOJI = "👨‍👩‍👧‍👦 🇨🇭 👋🏽 🏳️‍🌈 5️⃣ e\u0301 नमस्ते " * 2


def word_by_word(text: str, size: int) -> list[Step]:
    """Return steps that send each word in deltas of `size` characters, all of them at once.

    A machine that is busy does not hold a word up, after which the first part would be shown.
    """
    steps: list[Step] = []
    for word in regex.findall(r"\S+\s+", text):
        pieces = [word[at : at + size] for at in range(0, len(word), size)]
        steps += [Text(pieces, interval_s=0), Wait(0.04)]
    return steps


def growing_states(chat: ChatPage) -> list[str]:
    """Return the texts that an answer goes through while it grows, up to the last one.

    Of a conversation that has begun: the first prompt loads a page, which may take longer.
    """
    states: list[str] = []
    expect(chat.answer).not_to_be_empty()
    while chat.stop_button.count():
        text = chat.answer.inner_text()
        if text not in states:
            states.append(text)
    chat.expect_end()
    return [*states, chat.answer.inner_text()]


def test_words_appear_before_the_answer_is_done(begun: ChatPage, model: DemoThread) -> None:
    model.script("paced", PACED)
    begun.play("paced")
    *partial, final = growing_states(begun)
    assert final == (WORDS * 6).strip()
    assert len(partial) >= 5
    assert all(final.startswith(text) for text in partial)


def test_words_appear_whole(begun: ChatPage, model: DemoThread) -> None:
    model.script("whole-words", *word_by_word(WORDS * 3, size=3))
    begun.play("whole-words")
    *partial, final = growing_states(begun)
    assert len(partial) >= 5
    cut = [text for text in partial if not (final + " ")[len(text)].isspace()]
    assert cut == []


def test_text_without_spaces_flows(begun: ChatPage, model: DemoThread) -> None:
    model.script("flow", Text(CHINESE, chunk=2, interval_s=0.02))
    begun.play("flow")
    *partial, final = growing_states(begun)
    assert final == CHINESE
    assert len(partial) >= 5


def test_emoji_are_never_cut(begun: ChatPage, model: DemoThread) -> None:
    model.script("smile", *word_by_word(EMOJI * 4, size=1))
    begun.play("smile")
    *partial, final = growing_states(begun)
    assert final == (EMOJI * 4).strip() and len(partial) >= 5
    graphemes = regex.findall(r"\X", final)
    ends = {len("".join(graphemes[:n])) for n in range(len(graphemes) + 1)}
    assert all(final.startswith(text) and len(text) in ends for text in partial)


def test_waiting_counts_seconds(begun: ChatPage, model: DemoThread) -> None:
    model.script("silent", Start(), Wait(600))
    begun.play("silent")
    expect(begun.status).to_contain_text("Waiting for the first word, 1 s")
    expect(begun.status).to_contain_text("Waiting for the first word, 2 s")
    begun.stop_button.click()
    begun.expect_end()


def test_progress_counts_characters(begun: ChatPage, model: DemoThread) -> None:
    model.script("long-paced", Text(WORDS * 20, chunk=12, interval_s=0.01))
    begun.play("long-paced")
    expect(begun.status).to_have_text(re.compile(r"^\s*Received [1-9]\d{0,2} characters\s*$"))
    expect(begun.status).to_have_text(re.compile(r"^\s*Received 1,\d{3} characters\s*$"))
    begun.expect_end()
    expect(begun.status).not_to_contain_text("characters")


def test_thinking_is_folded_and_can_be_read(chat: ChatPage, model: DemoThread) -> None:
    thoughts = Speech()
    deltas = ({"type": "thinking_delta", "thinking": word} for word in thoughts)
    start = {"type": "thinking", "thinking": "", "signature": ""}
    model.script("ponder", Block(start, deltas, interval_s=0.02), Text("Yes."))
    chat.play("ponder")
    chat.answers.get_by_text("Thinking…").click()
    expect(chat.answers.locator(".block-content")).to_contain_text("word0001")
    thoughts.end_after(1)
    expect(chat.answers.locator(".block-text")).to_have_text("Yes.")
    expect(chat.answers.locator(".block-name")).to_have_text(re.compile(r"Thought for \d+ s"))
    expect(chat.answers.locator("details.block")).to_have_attribute("open", "")


def test_the_live_page_equals_a_fresh_one(begun: ChatPage) -> None:
    begun.play("server-tools")
    expect(begun.answer).to_contain_text("the Sun")
    begun.expect_end()
    live = begun.html()
    begun.page.reload()
    assert live == begun.html()


def test_the_view_follows_the_newest_line(chat: ChatPage, model: DemoThread) -> None:
    model.script("tall", Text("A line of its own.\n\n" * 80, interval_s=0.005))
    chat.play("tall")
    chat.expect_end()
    expect(chat.answer.locator("p").last).to_be_in_viewport()
    expect(chat.prompts.first).not_to_be_in_viewport()


def test_reading_higher_up_is_not_disturbed(chat: ChatPage, model: DemoThread) -> None:
    model.script("tall-slow", Text("A line of its own.\n\n" * 120, interval_s=0.01))
    chat.play("tall-slow")
    jump = chat.page.get_by_role("button", name="Jump to the newest message")
    expect(chat.prompts.first).not_to_be_in_viewport()
    chat.answer.hover()
    chat.page.mouse.wheel(0, -300)
    expect(jump).to_be_visible()
    top = chat.page.locator("#conversation").evaluate("list => list.scrollTop")
    chat.expect_end()
    assert chat.page.locator("#conversation").evaluate("list => list.scrollTop") == top
    jump.click()
    expect(chat.answer.locator("p").last).to_be_in_viewport()
    expect(jump).to_be_hidden()
