"""`python -m tests.load.bench_page`: what a page costs a browser, beside the budgets for it.

Chromium shows an answer of 20,000 deltas while the model server sends it, takes keys and a click
meanwhile, and opens a conversation of 500 messages. Times of the main thread are processor time
(main_thread.py); tasks and input are timed by the clock (W3C Long Tasks, Event Timing).
"""

from __future__ import annotations

import gzip
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

import tests.environment  # noqa: F401  (sets the environment)
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.chromium import launch
from tests.browser.conftest import sign_in
from tests.load.bench_render import mixed, text_of
from tests.load.main_thread import MainThread
from tests.site_process import ADMIN_PASSWORD, ROOT, SiteProcess

DELTA_CHARS = 12
DELTAS = int(os.environ.get("DELTAS", "20000"))
WIRE_DELTAS = 1_500
PATIENCE_S = 120.0
SLOWEST = """
window.slowest = { longtask: 0, event: 0 };
for (const type in slowest) {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) slowest[type] = Math.max(slowest[type], entry.duration);
  }).observe({ type, durationThreshold: 16 });
}
document.addEventListener("DOMContentLoaded", () => {
  requestAnimationFrame(() => setTimeout(() => (window.readableMs = performance.now())));
});
"""


@dataclass
class Figure:
    """A measured number beside the most that it may be."""

    what: str
    value: float
    most: float
    unit: str

    def __str__(self) -> str:
        verdict = "holds" if self.value <= self.most else "BROKEN"
        return f"{self.what:58}{self.value:10.1f}{self.most:8.0f} {self.unit:6}{verdict}"


@contextmanager
def signed_in() -> Iterator[tuple[ChatPage, DemoThread, SiteProcess]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        DemoThread() as model,
        sync_playwright() as playwright,
        SiteProcess(Path(folder), {"ANTHROPIC_BASE_URL": model.base_url}) as site,
        launch(playwright) as browser,
    ):
        context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
        context.add_init_script(SLOWEST)
        page = context.new_page()
        chat = ChatPage(page, site.base_url)
        sign_in(chat, "admin", ADMIN_PASSWORD)
        expect(chat.composer).to_be_visible()
        yield chat, model, site


def sizes() -> Iterator[Figure]:
    scripts = [*ROOT.glob("static/chat/*.js"), *ROOT.glob("static/vendor/*.js")]
    yield Figure("script, gzipped", _gzipped(scripts) / 1000, 25, "kB")
    yield Figure("stylesheet, gzipped", _gzipped([ROOT / "static/chat/chat.css"]) / 1000, 10, "kB")


def _gzipped(files: list[Path]) -> int:
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def streaming(chat: ChatPage, model: DemoThread) -> Iterator[Figure]:
    """Measure the main thread while a long answer comes at 100 deltas a second."""
    _begin(chat, model, "long")
    thread = MainThread(chat.page)
    begin, begun_at = thread.busy_s, time.monotonic()
    chat.await_end(DELTAS / 100 + PATIENCE_S)
    seconds = time.monotonic() - begun_at
    busy_ms = (thread.busy_s - begin) * 1000 / seconds
    yield Figure(f"main thread a second, {DELTAS:,} deltas at 100/s", busy_ms, 100, "ms")
    yield Figure("longest task meanwhile", chat.page.evaluate("slowest.longtask"), 50, "ms")


def taking_input(chat: ChatPage, model: DemoThread) -> Iterator[Figure]:
    """Measure how long keys and Stop take until the page shows it, while an answer is written."""
    _begin(chat, model, "interrupted")
    chat.composer.press_sequentially("What I type meanwhile", delay=50)
    yield Figure("a key, until it is shown", chat.page.evaluate("slowest.event"), 100, "ms")
    chat.page.evaluate("slowest.event = 0")
    chat.stop_button.click()
    expect(chat.send_button).to_be_visible()
    yield Figure("Stop, until it is taken", chat.page.evaluate("slowest.event"), 100, "ms")


def _begin(chat: ChatPage, model: DemoThread, name: str) -> None:
    """Have an answer begin that comes at 100 deltas a second."""
    text = text_of(mixed, DELTAS * DELTA_CHARS)
    model.script(name, Text(text, chunk=DELTA_CHARS, interval_s=1 / 100))
    chat.open()
    chat.play("plain")  # A first prompt loads a page.
    expect(chat.send_button).to_be_visible()
    chat.play(name)
    expect(chat.answer.locator("p").first).to_be_visible()
    chat.page.evaluate("slowest.longtask = slowest.event = 0")


def wire(chat: ChatPage, model: DemoThread) -> Iterator[Figure]:
    """Measure what crosses the websocket for each byte of text at 30 deltas a second."""
    text = text_of(mixed, WIRE_DELTAS * DELTA_CHARS)
    model.script("wire", Text(text, chunk=DELTA_CHARS, interval_s=1 / 30))
    frames: list[int] = []
    session = chat.page.context.new_cdp_session(chat.page)
    session.send("Network.enable")
    session.on(
        "Network.webSocketFrameReceived",
        lambda event: frames.append(len(event["response"]["payloadData"].encode())),
    )
    chat.open()
    chat.play("wire")
    expect(chat.send_button).to_be_visible(timeout=WIRE_DELTAS * 100)
    session.detach()
    yield Figure("bytes on the wire a byte of text", sum(frames) / len(text.encode()), 8, "")


def opening(chat: ChatPage, site: SiteProcess) -> Iterator[Figure]:
    """Measure how long a conversation of 500 messages takes until it can be read."""
    code = "from tests.integration.long_conversation import make; print(make('admin', 500))"
    path = site.manage("shell", "--command", code).strip().splitlines()[-1]
    chat.page.goto(site.base_url + path)
    expect(chat.answers.last).to_be_visible()
    readable_ms = chat.page.evaluate("readableMs")
    yield Figure("opening 500 messages, until they can be read", readable_ms, 1000, "ms")


def main() -> None:
    print(f"{'':58}{'measured':>10}{'budget':>8}")
    for figure in sizes():
        print(figure, flush=True)
    with signed_in() as (chat, model, site):
        measured = (
            wire(chat, model),
            streaming(chat, model),
            taking_input(chat, model),
            opening(chat, site),
        )
        for figure in chain(*measured):
            print(figure, flush=True)


if __name__ == "__main__":
    main()
