"""`python -m tests.load.bench_page`: what a page costs a browser, beside the budgets for it.

Chromium shows an answer of 20,000 deltas while the model server sends it, then opens a conversation
of 500 messages. Figures of the browser are its own (Chrome DevTools Protocol, "Performance" and
"Network").
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, expect, sync_playwright

import tests.environment  # noqa: F401  (sets the environment)
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARGUMENTS, sign_in
from tests.load.bench_render import mixed, text_of
from tests.site_process import ADMIN_PASSWORD, ROOT, SiteProcess

DELTA_CHARS = 12
DELTAS = int(os.environ.get("DELTAS", "20000"))
WIRE_DELTAS = 1_500
LONG_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask", buffered: true });
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
        playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        ) as browser,
    ):
        context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
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
    text = text_of(mixed, DELTAS * DELTA_CHARS)
    model.script("long", Text(text, chunk=DELTA_CHARS, interval_s=1 / 100))
    session = _measured(chat.page)
    chat.open()
    chat.play("long")
    expect(chat.answer).not_to_be_empty()
    begin = _metrics(session)
    chat.page.evaluate("window.longest = 0")
    expect(chat.send_button).to_be_visible(timeout=DELTAS * 100)
    end = _metrics(session)
    seconds = end["Timestamp"] - begin["Timestamp"]
    busy_ms = (end["TaskDuration"] - begin["TaskDuration"]) * 1000 / seconds
    yield Figure(f"main thread a second, {DELTAS:,} deltas at 100/s", busy_ms, 100, "ms")
    yield Figure("longest task meanwhile", chat.page.evaluate("window.longest"), 50, "ms")


def wire(chat: ChatPage, model: DemoThread) -> Iterator[Figure]:
    """Measure what crosses the websocket for each byte of text at 30 deltas a second."""
    text = text_of(mixed, WIRE_DELTAS * DELTA_CHARS)
    model.script("wire", Text(text, chunk=DELTA_CHARS, interval_s=1 / 30))
    frames: list[int] = []
    session = _measured(chat.page)
    session.on(
        "Network.webSocketFrameReceived",
        lambda event: frames.append(len(event["response"]["payloadData"].encode())),
    )
    chat.open()
    chat.play("wire")
    expect(chat.send_button).to_be_visible(timeout=WIRE_DELTAS * 100)
    yield Figure("bytes on the wire a byte of text", sum(frames) / len(text.encode()), 8, "")


def opening(chat: ChatPage, site: SiteProcess) -> Iterator[Figure]:
    """Measure how long a conversation of 500 messages takes until it can be read."""
    code = "from tests.integration.long_conversation import make; print(make('admin', 500))"
    path = site.manage("shell", "--command", code).strip().splitlines()[-1]
    session = _measured(chat.page)
    chat.page.goto(site.base_url + path)
    expect(chat.answers.last).to_be_visible()
    metrics = _metrics(session)
    yield Figure(
        "opening 500 messages, until they can be read",
        (metrics["FirstMeaningfulPaint"] - metrics["NavigationStart"]) * 1000,
        1000,
        "ms",
    )


def _measured(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("Network.enable")
    page.add_init_script(LONG_TASKS)
    return session


def _metrics(session: CDPSession) -> dict[str, Any]:
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def main() -> None:
    print(f"{'':58}{'measured':>10}{'budget':>8}")
    for figure in sizes():
        print(figure, flush=True)
    with signed_in() as (chat, model, site):
        for measured in (wire(chat, model), streaming(chat, model), opening(chat, site)):
            for figure in measured:
                print(figure, flush=True)


if __name__ == "__main__":
    main()
