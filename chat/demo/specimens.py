"""The scripted streams that are valid but unusual: what an application must take in its stride."""

# Chinese text has full-width punctuation; it is no slip of the hand.
# ruff: noqa: RUF001

from __future__ import annotations

from chat.demo.search import CITED, TIDES, cited, failed_search, found, search_call
from chat.demo.steps import (
    Answer,
    Block,
    Delta,
    Event,
    Finish,
    Raw,
    Refuse,
    Rounds,
    Scenario,
    SplitText,
    Text,
    Thinking,
    ToolUse,
)

_PARTIAL = "These words come first and may be read at leisure. "
_FAST_DELTAS = 5_000
_BIG_CHARACTERS = 1_000_000
_PARAGRAPH_WORDS = 120

_EMOJI = (
    "A family 👨‍👩‍👧‍👦, a flag 🇨🇭, a waving hand 👋🏽, a rainbow flag 🏳️‍🌈, a key-cap 5️⃣, "
    "e\u0301 with a combining accent, z\u0351\u036b\u0343 with three, Hindi नमस्ते, "
    "Thai สวัสดี, Korean 안녕하세요.\n\n"
) * 3
_CHINESE = (
    "## 演示回答\n\n这是演示模型，不是 Claude。中文没有空格，所以文字应当平稳地流动，"
    "而不是等到一个“单词”结束才出现。\n\n- 第一：标点符号，例如“引号”和《书名号》。\n"
    "- 第二：数字与字母混排，例如 3 个 token、GPT 和 Python。\n\n> 学而时习之，不亦说乎？\n"
)
_HTML = """Hostile markup that must stay harmless:

<script>document.title = "owned"</script>
<img src=x onerror="document.title='owned'">
<div id="messages" hx-swap-oob="true">replaced</div>
<div hx-get="/accounts/logout/" hx-trigger="load">loads by itself</div>
<form action="https://example.com/"><input name="password"></form>
<style>body { display: none }</style>
<iframe src="https://example.com/"></iframe>

[a link](javascript:alert(1)) and [another](data:text/html,<script>alert(1)</script>)
![an image](https://example.com/track.png?secret=1)

```html
<script>alert("as code, it may be seen")</script>
```

&lt;b&gt;entities&lt;/b&gt; and a </div></section></main> that closes too much.
"""


def _words(characters: int) -> str:
    """Return that many characters of numbered words in paragraphs, eight characters a word."""
    words = (
        f"w{n:06d}" + ("\n\n" if n % _PARAGRAPH_WORDS == 0 else " ")
        for n in range(1, characters // 8 + 2)
    )
    return "".join(words)[:characters]


_CITED_TEXT = cited(
    "The tides follow the Moon and, less strongly, the Sun.",
    (TIDES, "Tides are caused by the Moon and the Sun."),
)

BLOCKS = {
    "thinking": Scenario(
        "A thinking block, then text",
        Thinking("First I look at the question, then at what is asked, then I answer. " * 4),
        Text("After some thought: it depends, but mostly yes."),
    ),
    "redacted-thinking": Scenario(
        "A thinking block that can't be read, then text",
        Block({"type": "redacted_thinking", "data": "RGVtbzogbm90aGluZyB0byBzZWUgaGVyZS4="}),
        Text("I thought about this where you can't see it."),
    ),
    "tool-use": Scenario(
        "A call of the first tool", Text("Let me look that up. "), ToolUse(), Finish("tool_use")
    ),
    "tool-loop": Scenario("Calls of a tool without end", Rounds([ToolUse(), Finish("tool_use")])),
    "server-tools": Scenario(
        "A web search by the API, with citations",
        Text("I will search for that."),
        search_call("tides"),
        found(),
        _CITED_TEXT,
    ),
    "citations": Scenario(
        "Sentences that cite, in many blocks", search_call("tides"), found(), *CITED
    ),
    "search-error": Scenario(
        "A web search that fails",
        Text("I will search for that."),
        search_call("tides"),
        failed_search(),
        Text("The search failed, so this is all I can say."),
    ),
    "pause-turn": Scenario(
        "A long turn that the API pauses and the application resumes",
        Rounds(
            [Text("I will search for that."), search_call("tides"), Finish("pause_turn")],
            [found(), _CITED_TEXT],
        ),
    ),
    "unknown-events": Scenario(
        "Events, deltas and blocks of the future between known ones",
        Event("weather_report", {"sky": "clear"}),
        Text("Known before. "),
        Delta({"type": "sparkle_delta", "sparkle": "*"}),
        Raw(b": a comment\n\n"),
        Event("content_block_shrug", {"index": 0}),
        Block(
            {"type": "hologram", "depth": 3},
            [{"type": "hologram_delta", "beam": "???"}],
        ),
        Text("Known after."),
    ),
}

ENDINGS = {
    "refusal": Scenario("A refusal in the middle", Text(_PARTIAL * 2), Refuse()),
    "refusal-early": Scenario("A refusal before any content", Refuse(category="cyber")),
    "max-tokens": Scenario(
        "An answer cut at the token limit", Text(_PARTIAL * 2), Finish("max_tokens")
    ),
    "context-window": Scenario(
        "An answer cut at the end of the context window",
        Text(_PARTIAL * 2),
        Finish("model_context_window_exceeded"),
    ),
    "empty": Scenario("An answer without any content", Finish("end_turn")),
    "whole": Scenario("The normal answer", Answer()),
}

TEXTS = {
    "cut-utf8": Scenario(
        "A character split over two TCP writes",
        Text("Before the cut: "),
        SplitText("日本語 and 👍"),
        Text(" and after it."),
    ),
    "big-delta": Scenario("One delta of 1 MB", Text(_words(_BIG_CHARACTERS), chunk=0)),
    "fast": Scenario(
        "5,000 deltas at 1,000 a second",
        Text(_words(_FAST_DELTAS * 12), chunk=12, interval_s=0.001),
    ),
    "emoji": Scenario(
        "Emoji and accents split over deltas", Text(_EMOJI, chunk=1, interval_s=0.002)
    ),
    "chinese": Scenario("Text without spaces", Text(_CHINESE, chunk=2)),
    "html": Scenario("Hostile HTML", Text(_HTML)),
    "odd-text": Scenario(
        "NUL, a lone surrogate and other odd characters",
        Text(["NUL \0, surrogate \ud83d", ", bell \a, CR \r\n, override \u202etxet\u202c."]),
    ),
}
