"""What a person sees: an answer in Chromium, from the prompt until its last word is shown.

Each figure is the median of all rounds. Times of the main thread are processor time, from the
prompt to the end of the answer. A word is shown when the frame that paints it is done; the page's
clock is taken to be behind that of the stamps by as much as it takes to ask for it, so that a word
seems later than it was, if anything.
"""

from __future__ import annotations

import itertools
import re
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chat_page import ChatPage
from tests.browser.chromium import launch
from tests.load import stamps, texts
from tests.load.figures import Figure
from tests.load.job import Account
from tests.load.main_thread import MainThread
from tests.load.plan import Plan
from tests.load.quantiles import ms, summary
from tests.load.size import Size
from tests.load.wire import HOST
from tests.load.workbench import Workbench

KIND: texts.Kind = "markdown"
TENTHS = 10
PATIENCE_S = 60.0
CLOCK_LOOKS = 5

# Notes when the page's socket is open, the last stamp of whatever changes, and when it was painted.
_WATCH = """(() => {
  const { promise: linked, resolve: link } = Promise.withResolvers();
  const { promise: began, resolve: begin } = Promise.withResolvers();
  window.seen = { linked, began, words: [] };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("open", link);
    }
  };
  const text = ({ target, addedNodes }) =>
    target.data ?? Array.from(addedNodes, (node) => node.textContent).join("");
  new MutationObserver((records) => {
    const word = records.map(text).join(" ").match(/q[a-p]{8}/g)?.at(-1);
    if (!word) return;
    begin();
    requestAnimationFrame(() => setTimeout(() => seen.words.push([word, performance.now()])));
  }).observe(document, { subtree: true, childList: true, characterData: true });
})()"""
_AWAIT = """([name, patienceMs]) => Promise.race([
  seen[name],
  new Promise((_, reject) => setTimeout(reject, patienceMs, new Error(`not ${name} in time`))),
])"""


@dataclass(frozen=True)
class Shown:
    """One answer as it was shown.

    Args:
        busy_s: what the main thread spent on it, from the prompt to the end.
        tenths_s: the same in each tenth of the time in which it was written.
        used_s: what went where.
        delays_us: of the last word of each batch that was shown, in order.
        is_whole: whether every word is on the page.
    """

    busy_s: float
    tenths_s: list[float]
    used_s: dict[str, float]
    delays_us: list[int]
    is_whole: bool

    @property
    def growth(self) -> float:
        return self.tenths_s[-1] / self.tenths_s[0]


def browser(bench: Workbench, size: Size) -> Iterator[Figure]:
    """Measure an answer at the pace of a model, and a long one at four times that."""
    with (
        bench.begin("daphne") as site,
        sync_playwright() as playwright,
        closing(launch(playwright)) as chromium,
    ):
        for deltas, per_s, busy_s in ((size.page_deltas, 100, 2), (size.long_page_deltas, 400, 5)):
            answers = [
                show(chromium, account, site.ports[0], deltas, per_s)
                for account in site.take(size.rounds)
            ]
            yield from _figures(answers, f"{deltas:,} deltas at {per_s}/s", busy_s)


def _figures(answers: list[Shown], what: str, most_s: float) -> Iterator[Figure]:
    """Yield the medians of all rounds."""
    busy_s = statistics.median(answer.busy_s for answer in answers)
    growth = statistics.median(answer.growth for answer in answers)
    last_us = [answer.delays_us[-1] for answer in answers]
    last_tenth_s = statistics.median(answer.tenths_s[-1] for answer in answers)
    details = {
        "busy_s": [answer.busy_s for answer in answers],
        "used_s": [answer.used_s for answer in answers],
        "tenths_s": [answer.tenths_s for answer in answers],
        "batches": [len(answer.delays_us) for answer in answers],
    }
    delays = {
        "last_ms": summary(last_us),
        "delay_ms": [summary(answer.delays_us) for answer in answers],
    }
    incomplete = sum(not answer.is_whole for answer in answers)
    name = "browser"
    yield Figure(name, f"Chromium, {what}: main thread", busy_s, "s", most_s, details=details)
    yield Figure(name, "  the same, last tenth to first", last_tenth_s, "s", 1.5, growth)
    yield Figure(name, "  last word shown after", ms(last_us, 50), "ms", 100, details=delays)
    yield Figure(name, "  answers that did not come whole", incomplete, "", 0)


def show(chromium: Browser, account: Account, port: int, deltas: int, per_s: int) -> Shown:
    """Have an answer written on an account's page, in a browser without any other page."""
    plan = Plan(KIND, deltas, per_s, uuid.uuid4().hex)
    url = f"http://{HOST}:{port}"
    with closing(
        chromium.new_context(base_url=url, viewport={"width": 1440, "height": 900})
    ) as context:
        context.add_cookies([{"name": "sessionid", "value": account.session_key, "url": url}])
        context.add_init_script(_WATCH)
        page = context.new_page()
        page.goto(account.path)
        # A page without a socket is loaded anew for its prompt.
        _await(page, "linked")
        thread = MainThread(page)
        before = thread.used_s()
        marks_s = _send(page, plan, thread)
        after = thread.used_s()
        used_s = {name: after[name] - before[name] for name in after}
        delays_us, is_whole = _delays_us(page, deltas)
    tenths_s = [later - earlier for earlier, later in itertools.pairwise(marks_s)]
    return Shown(used_s["tasks_s"], tenths_s, used_s, delays_us, is_whole)


def _send(page: Page, plan: Plan, thread: MainThread) -> list[float]:
    """Send a prompt and wait for the end; return what was used at the tenths of its time."""
    chat = ChatPage(page, "")
    chat.send(plan.prompt)
    _await(page, "began")
    began_at, tenth_s = time.monotonic(), plan.deltas / plan.per_s / TENTHS
    marks_s = [thread.busy_s]
    for number in range(1, TENTHS + 1):
        left_s = began_at + number * tenth_s - time.monotonic()
        page.wait_for_timeout(max(0.0, left_s) * 1000)
        marks_s.append(thread.busy_s)
    chat.await_end(PATIENCE_S)
    return marks_s


def _await(page: Page, name: Literal["linked", "began"]) -> None:
    page.evaluate(_AWAIT, [name, PATIENCE_S * 1000])


def _delays_us(page: Page, deltas: int) -> tuple[list[int], bool]:
    """Return how late the batches were shown, and whether all words are there."""
    behind_us = min(_clock_us(page) for _ in range(CLOCK_LOOKS))
    delays_us: list[int] = []
    newest = ""
    for stamp, shown_ms in page.evaluate("seen.words"):
        at_us = stamps.read(stamp[1:].encode())
        if not newest or stamps.is_newer(at_us, stamps.read(newest[1:].encode())):
            newest = stamp
            delays_us.append(stamps.since_us(at_us, int(shown_ms * 1000) + behind_us))
    text = page.locator(".message-assistant").last.locator(".message-body").text_content() or ""
    words = re.findall(stamps.STAMP.pattern.decode(), text)
    return delays_us, len(words) == texts.stamps(KIND, deltas) and newest[1:] == words[-1]


def _clock_us(page: Page) -> int:
    """Return how far the page's clock is behind that of the stamps, or a little more."""
    page_us = int(page.evaluate("performance.now()") * 1000)
    return stamps.now_us() - page_us
