"""The bodies of the short answers, some for each topic. Only text."""

# Chinese text has full-width punctuation; it is no slip of the hand.
# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chat.demo.markdown import unwrap, verses
from chat.demo.topics_exact import CODE, MATHS, TABLE

POEM = (
    """### Small Hours

The cursor blinks, the kettle sings,
the night is full of little things:
a moth that reads beside the lamp,
a letter waiting for its stamp,

a word that will not come to mind,
the one that it has left behind,
the clock, the cat, the window pane,
the patient grammar of the rain.

And somewhere, line by line by line,
a text arrives, and it is fine
to watch it come and let it stay,
or press on *Stop* and walk away.

---

*Three stanzas, four beats a line, and couplets all the way.* 🌙""",
    """### Four haiku for the seasons

> Meltwater whispers.
> Under the last of the snow
> a crocus has news.

> Noon on the terrace:
> even the bees take their time
> over the clover.

> Wind in the chestnuts.
> The postman and the leaves
> arrive together.

> 雪落无声处
> Snow where no sound is;
> one lamp is awake.

Each has **three lines**, as it should; the syllables are, let us say, *approximate*. ❄️""",
)

LIST = (
    """### A plan in four steps

1. **Decide what "done" looks like.** One sentence is enough.
2. **Cut it into pieces** that fit into an afternoon:
   - the piece that is most likely to go wrong comes first;
   - the piece that everyone will see comes second.
3. **Do one piece at a time**, and finish it.
4. **Look back** for five minutes and change one thing.

### Checklist

- [x] Ask a question
- [x] Watch the answer arrive
- [ ] Press *Stop* in the middle of a long one
- [ ] Edit the question and ask again
- [ ] Connect Claude

> Plans are worthless, but planning is everything. *(attributed to Eisenhower)*

Good luck! 🍀""",
    """### For a weekend away

- **Documents**
  - passport or card
  - tickets, on paper as well
- **Clothes** for two days and one surprise
  1. something warm
  2. something dry
  3. something you would be photographed in
- **Small things**
  - charger 🔌
  - a book that is not too good to leave behind
  - earplugs

### Before you leave

- [x] Window closed
- [x] Plants watered 🪴
- [ ] Stove off (you will check twice anyway)

*Rule of thumb:* pack, wait for an hour, then take out a third. It works for lists as well.""",
)

CHINESE = (
    """### 中文示例

文字不靠空格分词，所以它应当**一个字一个字**地流动，而不是等一整行才出现。

| 中文 | 拼音 | English |
| :--- | :--- | :--- |
| 你好 | nǐ hǎo | hello |
| 谢谢 | xièxie | thank you |
| 明天见 | míngtiān jiàn | see you tomorrow |
| 慢慢来 | mànman lái | take your time |

1. 标点是全角的：，。！？《》
2. 中英混排也要好看，例如 Python、HTML 和 WebSocket。
3. 日语：こんにちは、元気ですか。韩语：안녕하세요.

> 千里之行，始于足下。
> *A journey of a thousand miles begins with a single step.*

`print("你好，世界")` 在任何语言里都是一个好的开始。🐼""",
)

GENERAL = (
    """What I can do is show how an answer looks here:

### Some things to try

1. Ask for *a long story* and press **Stop** while it is written.
2. Ask for some Python code and copy it with one click:

   ```python
   for planet in ("Mercury", "Venus", "Earth"):
       print(f"Hello, {planet}!")
   ```

3. Ask for a table, a poem, a list or some maths, such as $e^{i\\pi} + 1 = 0$.
4. Ask me to *search the web for tides*, and see how sources look.
5. Write `/demo` to see faults and oddities that I can act out.

> Everything you see is saved, so you may close this page in the middle and come back.

To hear from Claude, set `ANTHROPIC_API_KEY` and start the site again. 👋""",
    """Here is a sample of what Claude's answers may contain.

**Text** can be *emphasised*, ~~struck out~~ or shown as `code`, and there are
[links](https://docs.claude.com/) that open in a new tab.

| Ask for | And you get |
| :--- | :--- |
| code | a block with highlighting and a copy button |
| a comparison | a table like this one |
| maths | formulas such as $a^2 + b^2 = c^2$ |
| a long story | time to try **Stop** |

- [x] Streams word by word
- [x] Survives a reload
- [ ] Knows anything (that is what Claude is for)

> *Tip:* write `/demo` and I will list the faults that I can act out.

With an `ANTHROPIC_API_KEY` in the environment the same page talks to Claude. ✨""",
    """A real model would think about that now. I can at least answer in style:

### First, the short version

It depends, but **probably yes**.

### Then, the longer one

1. Most questions have a part that one can look up and a part that one has to decide.
2. The first part gets easier every year; *the second does not*.
3. So it helps to write down what you would do with each answer before you ask.

> If both answers lead to the same next step, take the step. 👣

```text
question -> answer -> next step
    ^                     |
    +---------------------+
```

Try *a long story*, *a table*, *some maths* or *Python code* for more, or `/demo` for trouble made
to order. Claude answers here as soon as `ANTHROPIC_API_KEY` is set.""",
)

CHINESE_OPENING = (
    "你写的是：“{quote}” 先说明一下：我是这个聊天页面自带的演示模型 (demo model)，不是 Claude，"
    "所以下面的内容只是样例。"
)

BODIES: Mapping[str, Sequence[str]] = {
    "code": [unwrap(text) for text in CODE],
    "table": [unwrap(text) for text in TABLE],
    "maths": [unwrap(text) for text in MATHS],
    "poem": [verses(text) for text in POEM],
    "list": [unwrap(text) for text in LIST],
    "chinese": [unwrap(text) for text in CHINESE],
    "general": [unwrap(text) for text in GENERAL],
}
