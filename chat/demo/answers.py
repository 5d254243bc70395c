"""What the demo model says. The same prompt always gets the same answer. Pure.

Every answer says near its start that it comes from the demo model and not from Claude.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from random import Random

from chat.demo.markdown import code_block, escape, shorten
from chat.demo.story import long_story, short_story
from chat.demo.topics import BODIES, CHINESE_OPENING

# The first pattern that is found decides.
_TOPICS = {
    "story": r"\b(story|stories|tale|novel|fairy ?tale|long|essay|geschichte)\b|故事",
    "poem": r"\b(poems?|poetry|haikus?|verses?|rhymes?|sonnet|limerick|lyrics)\b|诗",
    "table": r"\b(tables?|compare|comparison|versus|vs|columns?|spreadsheet|tabelle)\b|表格",
    "code": r"\b(code|coding|python|functions?|scripts?|program(ming)?|regex|sql|javascript|"
    r"typescript|rust|html|css|bug|debug|algorithm|django)\b|代码",
    "maths": r"\b(maths?|mathematics|equations?|integrals?|derivatives?|formulas?|theorem|proofs?|"
    r"prove|calculate|solve|algebra|geometry)\b|\d\s*[-+*/^=\u00d7]\s*\d|数学",
    "list": r"\b(lists?|steps?|plan|checklist|to-?do|ideas|tips|pack(ing)?|recipe|agenda|"
    r"schedule|trip|itinerary)\b|清单",
    "chinese": r"\b(translat\w+|chinese|mandarin|japanese|korean)\b|[\u3040-\u30ff\u4e00-\u9fff]",
}
_SHORT = r"\b(short|brief|quick|tiny)\b"
_GREETING = r"^\W*(hi|hello|hey|hej|salut|hallo|good (morning|evening|day))\b.{0,20}$"
_HAN = re.compile(r"[\u4e00-\u9fff]")
_QUOTE_CHARACTERS = 90
_RESULT_CHARACTERS = 800
# A prompt may be a megabyte; its first words say enough.
_READ_CHARACTERS = 2_000

_OPENINGS = (
    "You wrote “{quote}”, and before anything else: I am the demo model built into this chat, "
    "not Claude, so please enjoy the form and do not trust the content.",
    "“{quote}” is a fine thing to ask Claude. I am not Claude, though, only the offline demo "
    "model that ships with this chat, so this is a sample of an answer rather than a real one.",
    "Your prompt, “{quote}”, reached the demo model of this chat and not Claude. It picks a "
    "prepared text by the words that it finds, and this is the one.",
)
_GREETINGS = (
    "Hello! 👋 You wrote “{quote}” and I am glad you did. I am the demo model of this chat, not "
    "Claude, so I know nothing, but I can show you around.",
    "Hi there! “{quote}” reached me safely. I should say at once that I am a demo model and "
    "not Claude.",
)


def answer(prompt: str, earlier: Sequence[str] = ()) -> str:
    """Return the Markdown answer to a prompt, given the prompts before it, oldest first."""
    chance = Random(_number(prompt))
    parts = [_opening(prompt, chance)]
    if earlier:
        parts.append(_memory(earlier))
    parts.append(_body(prompt, chance))
    return "\n\n".join(parts)


def topic(prompt: str) -> str:
    """Return which kind of answer the words of the prompt ask for."""
    start = prompt[:_READ_CHARACTERS]
    for name, pattern in _TOPICS.items():
        if re.search(pattern, start, re.IGNORECASE):
            return name
    return "general"


def thinking(prompt: str) -> str:
    """Return what the model claims to think before it answers."""
    kind = topic(prompt)
    quote = shorten(prompt, _QUOTE_CHARACTERS) or "nothing"
    return (
        f"The prompt says “{quote}”, which sounds like a request for the topic “{kind}”.\n\n"
        "I am the demo model, so there is no knowledge to search. I can pick one of the prepared "
        f"texts for “{kind}”, quote the prompt so that it is plain what I answer, and say "
        "that I am not Claude.\n\nThat should do. Let me write it."
    )


def before_tool(tool: str) -> str:
    return f"I am only the demo model, but I can call a tool. Let me ask `{_name(tool)}`."


def after_tool(tool: str, result: str, *, is_error: bool) -> str:
    """Return an answer that shows what the tool gave back."""
    shown = result.strip()[:_RESULT_CHARACTERS] or "(nothing)"
    said = "failed and said" if is_error else "answered"
    close = (
        "I would try again with other input, if I were Claude and not the demo model."
        if is_error
        else "Claude would now draw a conclusion; the demo model just passes it on. 🔧"
    )
    return f"The tool `{_name(tool)}` {said}:\n\n{code_block(shown)}\n\n{close}"


def continuation() -> str:
    """Return what to say when asked to go on with an answer that is not known."""
    return (
        "\n\nThis is the demo model going on where it left off. What stood here before was cut "
        "short, so here is an ending for it: all is well, nothing was lost, and the page kept "
        "every word that had arrived."
    )


def _body(prompt: str, chance: Random) -> str:
    kind = topic(prompt)
    if kind == "story":
        is_short = re.search(_SHORT, prompt[:_READ_CHARACTERS], re.IGNORECASE)
        return short_story(chance) if is_short else long_story(chance)
    return chance.choice(BODIES[kind])


def _opening(prompt: str, chance: Random) -> str:
    quote = escape(shorten(prompt, _QUOTE_CHARACTERS)) or "…"
    start = prompt[:_READ_CHARACTERS]
    if len(_HAN.findall(start)) * 3 > len(start):
        return CHINESE_OPENING.format(quote=quote)
    openings = _GREETINGS if re.search(_GREETING, start, re.IGNORECASE) else _OPENINGS
    return chance.choice(openings).format(quote=quote)


def _memory(earlier: Sequence[str]) -> str:
    quote = escape(shorten(earlier[-1], _QUOTE_CHARACTERS))
    if len(earlier) == 1:
        return f"*I remember that you asked one thing before this: “{quote}”*"
    return f"*I remember that you asked {len(earlier)} things before this; the last was “{quote}”*"


def _name(tool: str) -> str:
    return tool.replace("`", "")


def _number(prompt: str) -> int:
    digest = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big")
