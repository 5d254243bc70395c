"""The texts of the benchmark, in deltas of at most 12 characters, with places for stamps."""

from __future__ import annotations

import re
from functools import cache
from itertools import cycle, islice
from typing import Literal, get_args

from tests.load.stamps import CHARS, PLACE

Kind = Literal["prose", "markdown"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DELTA_CHARS = 12

_SENTENCE = ("@ a ", "@ly ", "@ed ", "@ I ", "@es ", "@s, ", "@ a ", "@ed ", "@ I ", "@ly ")
_PARAGRAPH = (*_SENTENCE, "@s. ", *_SENTENCE, "@s. ", *_SENTENCE, "@.\n\n")

_MARKDOWN = """\
@ is **@** and `@` of [a list](https://example.org/a), and so on.

- @ly **@** and so on
- @ed `@`, or a @
  - @ a *@* b
- @es, and then I @

## How @ becomes @

| of what | how | how much |
|---|:--|--:|
| @ | and @ | **@** |
| @ | `@` | @ and so on |
| @ly | @ | @ |

```python
def @(first, second):
    @ = [first, second]  # @ly
    return @(first) + 12
```

1. @ is not what @ was
2. @ or **@**

> @ said: @.

"""
_TOKEN = re.compile(f"{PLACE}|[^{PLACE}]")


@cache
def pieces(kind: Kind) -> tuple[str, ...]:
    """Return the deltas of a text that goes round; each has one place for a stamp, or none."""
    return _PARAGRAPH if kind == "prose" else tuple(_cut(_MARKDOWN))


def stamps(kind: Kind, deltas: int) -> int:
    """Return how many stamps there are in so many deltas."""
    return sum(PLACE in piece for piece in islice(cycle(pieces(kind)), deltas))


def _cut(text: str) -> list[str]:
    cut, chars = [""], 0
    for token in _TOKEN.findall(text):
        size = CHARS if token == PLACE else 1
        if chars + size > DELTA_CHARS:
            cut.append("")
            chars = 0
        cut[-1] += token
        chars += size
    return cut
