"""The bodies of the short answers about exact things: code, tables, maths. Only text."""

from __future__ import annotations

CODE = (
    """Here is a small function with its test in mind:

```python
from collections import Counter


def most_common_words(text: str, count: int = 3) -> list[tuple[str, int]]:
    \"\"\"Return the most frequent words with their numbers.\"\"\"
    words = (word.strip(".,;:!?").lower() for word in text.split())
    return Counter(word for word in words if word).most_common(count)


print(most_common_words("the cat and the dog and the bird"))
# [('the', 3), ('and', 2), ('cat', 1)]
```

### Why it looks like this

1. **`Counter` does the counting**, so there is no dictionary to update by hand.
2. The generator expressions keep only one word in memory at a time.
3. `count` has a default, so the common case stays short.

Run it with `python words.py`. The running time is $O(n)$ in the number of words.""",
    """A short, complete example:

```python
def primes(limit: int) -> list[int]:
    \"\"\"Return the primes below `limit` (the sieve of Eratosthenes).\"\"\"
    is_prime = [True] * limit
    for n in range(2, int(limit**0.5) + 1):
        if is_prime[n]:
            is_prime[n * n :: n] = [False] * len(range(n * n, limit, n))
    return [n for n in range(2, limit) if is_prime[n]]
```

A few notes on it:

- It starts at `n * n`, because smaller multiples are crossed out already.
- The slice assignment is much faster than an inner loop.
- For `primes(30)` it gives `[2, 3, 5, 7, 11, 13, 17, 19, 23, 29]`.

From a shell:

```bash
python -c "from primes import primes; print(len(primes(1_000_000)))"
```

The cost is $O(n \\log \\log n)$, which for most purposes means *fast enough*. 🚀""",
    """One way to do it, with the error handling that such scripts often lack:

```python
import csv
from pathlib import Path


def total(path: Path, column: str) -> float:
    \"\"\"Add up one column of a CSV file.\"\"\"
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if column not in (rows.fieldnames or []):
            raise KeyError(f"no column {column!r} in {path}")
        return sum(float(row[column]) for row in rows)
```

> **Worth knowing:** `newline=""` matters. Without it, line breaks inside quoted cells are changed.

| Input | Result |
| --- | ---: |
| three rows of `1.5` | `4.5` |
| no rows | `0` |
| a missing column | `KeyError` |

The [csv documentation](https://docs.python.org/3/library/csv.html) has more.""",
)

TABLE = (
    """### A comparison

| Fruit | Season | Keeps for | Price per kg | Best as |
| :--- | :---: | ---: | ---: | :--- |
| 🍎 Apple | autumn | 90 days | 3.20 | pie |
| 🍐 Pear | autumn | 10 days | 3.90 | with cheese |
| 🍓 Strawberry | early summer | 2 days | 8.50 | they are |
| 🍋 Lemon | winter | 30 days | 2.80 | lemonade |
| 🥝 Kiwi 猕猴桃 | winter | 20 days | 4.10 | breakfast |

What one can read off it:

- **Apples** win if you shop seldom.
- **Strawberries** cost the most and wait the least.
- ~~Pears are boring~~ Pears are underrated.

The columns are aligned left, centred and right; on a narrow screen the table scrolls sideways.""",
    """### Three ways to travel 500 km

| | Train | Car | Plane |
| :--- | ---: | ---: | ---: |
| Door to door | 4 h 10 min | 5 h 30 min | 4 h 45 min |
| Cost for one | 60 | 85 | 120 |
| CO₂ in kg | 7 | 85 | 110 |
| Can you read? | **yes** | no | sometimes |
| Legroom | good | good | `null` |

**In short:** the train is the slowest to *look up* and the quickest to *arrive*.

1. Alone and in no hurry: the train.
2. Four people with skis: the car.
3. An island: the plane, or a very good swimmer. 🏊

> All of these numbers were made up for this demo.""",
)

MATHS = (
    r"""### Step by step

A quadratic equation $ax^2 + bx + c = 0$ with $a \neq 0$ has the solutions

$$x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

Take $x^2 - 5x + 6 = 0$ as an example:

1. The discriminant is $b^2 - 4ac = 25 - 24 = 1$.
2. Its root is $1$, so $x = \frac{5 \pm 1}{2}$.
3. That gives $x_1 = 3$ and $x_2 = 2$.

**Check:** $3 \cdot 2 = 6$ and $3 + 2 = 5$, as they should be. ✅

| Discriminant | Real solutions |
| :---: | :---: |
| $> 0$ | 2 |
| $= 0$ | 1 |
| $< 0$ | none |""",
    r"""### A sum and why it holds

The first $n$ numbers add up to

$$\sum_{k=1}^{n} k = \frac{n(n+1)}{2}$$

Write them once forwards and once backwards, and add the two rows: each of the $n$ columns gives
$n + 1$, which is twice the sum. So for $n = 100$ it is $5050$, as young Gauss is said to have
noticed.

The same idea, in a limit, leads to an integral:

$$\int_0^1 x \, dx = \frac{1}{2}$$

- [x] true for $n = 1$
- [x] true for $n + 1$ if it is true for $n$
- [ ] proved to your aunt

```python
assert sum(range(1, 101)) == 100 * 101 // 2
```""",
)
