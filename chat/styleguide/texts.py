"""What people and Claude say in the style guide, and how long it took. Only text and numbers."""

# Arabic and Hebrew have letters that look like Latin ones; it is no slip of the hand.

from __future__ import annotations

QUESTION = "What is group commit, and when is it worth it?"

FOLLOW_UP = "And how long should the server wait for more transactions before it flushes?"

THOUGHTS = """The question has two parts: what it is, and when it pays.

A flush takes about as long for one transaction as for a hundred. So the gain is the number of \
transactions that wait at the same moment; alone, a client gains nothing.

An example in numbers, then a sketch in code. Keep it short."""

PART = """## Group commit

A database makes a transaction durable by forcing its log to the disk. That takes as long for one \
transaction as for a hundred, so a server lets those that wait share"""

ANSWER = """Group commit makes **many transactions durable with one flush** of the log. It is \
worth it as soon as several of them wait at the same moment; for a single client it changes nothing.

1. Transactions append to the log in memory, and wait.
2. One of them flushes the log for all that are there.
3. Whoever came meanwhile waits for the next flush."""

MAIL = """{
  "subject": "The <b>heating</b>, again",
  "text": "Dear Mr Weber, it has been cold since Monday.",
  "to": "weber@example.org"
}"""

MARKDOWN = """## Group commit in short

A database makes a transaction durable by forcing its log to the disk with `fsync`. That takes \
about as long for one transaction as for a hundred, so a server lets those that wait **share one \
flush**.

| 64 clients | one flush each | group commit |
| --- | ---: | ---: |
| transactions a second | 212 | 9,400 |
| flushes a second | 212 | 205 |
| median latency | 301 ms | 6.1 ms |

The gain is the number of transactions that wait at the same moment: with a rate of $\\lambda$ and \
a flush of $t_f$ seconds it is $g = 1 + \\lambda t_f$.

```python
async def commit_forever(queue: asyncio.Queue[Entry]) -> None:
    \"""Write all that waits in one transaction, then what came meanwhile.\"""
    while True:
        entries = [await queue.get()]
        while not queue.empty():
            entries.append(queue.get_nowait())
        await write(entries)  # one fsync for all of them
```

### When it is worth it

1. Many clients commit **at the same time**.
2. The disk flushes slowly:
   - network storage, 2 to 10 ms
   - a hard disk, 4 to 12 ms
     - less with a write cache that survives a power cut
   - a data centre's SSD, below 0.1 ms
3. Nobody minds a few milliseconds more.

> Durability is what a user was told, not what a disk was given.
>
> > And a quote within the quote.

#### Before you switch it on

- [x] Measure the flushes a second, as with [`pg_test_fsync`](https://www.postgresql.org/docs/)
- [x] Count how many transactions wait
- [ ] ~~Turn `fsync` off~~ Never do that

##### In SQL

```sql
SET commit_delay = 1000;    -- microseconds
SELECT name, setting FROM pg_settings WHERE name LIKE 'commit_%';
```

###### In the shell

```sh
pg_test_fsync --secs-per-test=2 | grep -E 'fsync|fdatasync'
```

The waiting time of a transaction that meets a flush half done is

$$
\\mathbb{E}[W] = \\frac{t_f}{2} +
t_f \\sum_{k=0}^{\\infty} p_k \\left( 1 - e^{-\\lambda t_f} \\right)^k
$$

| system | setting | what it does | default | unit | since version | documentation |
| --- | --- | --- | ---: | --- | ---: | --- |
| PostgreSQL | commit_delay | waits for others before a flush | 0 | microseconds | 6.5 | \
https://www.postgresql.org/docs/ |
| PostgreSQL | commit_siblings | so many others must be active | 5 | transactions | 6.5 | the same |
| MySQL | binlog_group_commit_sync_delay | waits before its log is synced | 0 | microseconds \
| 5.7.5 | https://dev.mysql.com/doc/ |

---

*Figures are made up.* Line one ends here,\\
line two follows."""

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 5

LONG_ADDRESS = f"https://example.org/{'a-part-of-a-long-address/' * 12}?{'key=value&' * 12}"

LONG_WORDS = f"""One word: {LONG_WORD}

One address: {LONG_ADDRESS}

- In a list: {LONG_WORD}

| one cell | {LONG_WORD[:80]} |
| --- | --- |
| a | b |

```text
{LONG_WORD}
```

In the line: `{LONG_WORD}`"""

ARABIC_QUESTION = "ما هي أسرع طريقة لفرز قائمة في Python؟"

ARABIC = """## الفرز في Python

الطريقة الأسرع هي الدالة `sorted()`، فهي مكتوبة بلغة C وتعمل بخوارزمية **Timsort**.

1. قائمة جديدة: `sorted(items)`
2. في المكان نفسه: `items.sort()`

> أفضل كود هو الذي لا تحتاج إلى كتابته.

```python
items = sorted(items, key=len)  # the code stays left to right
```

| الطريقة | الوقت |
| --- | ---: |
| sorted | 12 ms |

English words stand among them: Timsort, 2002."""

HEBREW = "ובעברית: **שלום**, עם `code` באמצע המשפט."

TIMELINE = {
    "queued_s": 0.0,
    "taken_s": 0.012,
    "requests": [
        {
            "number": 1,
            "attempt": attempt,
            "model": "claude-sonnet-5-5",
            "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
            "begun_s": begun_s,
            "first_event_s": first_event_s,
            "ended_s": ended_s,
        }
        for attempt, begun_s, first_event_s, ended_s in ((1, 0.02, None, 0.31), (2, 1.5, 1.9, 12.4))
    ],
    "retries": [{"at_s": 0.31, "error_code": "overloaded", "wait_s": 1.19, "attempt": 2}],
    "first_word_s": 4.2,
    "longest_gap": {"from_s": 7.0, "to_s": 9.6, "seconds": 2.6, "block": 1},
    "blocks": [
        {"number": 0, "type": "thinking", "name": "", "from_s": 1.9, "to_s": 4.1},
        {"number": 1, "type": "text", "name": "", "from_s": 4.15, "to_s": 12.38},
    ],
    "tool_results": [],
    "left_out": 0,
    "model": "claude-sonnet-5-5",
    "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
    "input_tokens": 1_240,
    "output_tokens": 618,
    "stop_reason": "end_turn",
    "final": {"at_s": 12.41, "status": "complete", "error_code": ""},
    "characters": 2_260,
    "points": [
        *([1.9 + n / 10, 18 * n] for n in range(23)),
        *([4.2 + n / 10, 400 + 32 * n] for n in range(29)),
        *([9.6 + n / 10, 1_300 + 34 * n] for n in range(28)),
        [12.38, 2_260],
    ],
}
