"""What a page has cost its browser's main thread, in processor time.

What else runs on the machine does not count (Chrome DevTools Protocol, "Performance.enable",
threadTicks).
"""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import Page

_NAMES = {
    "tasks_s": "TaskDuration",
    "script_s": "ScriptDuration",
    "style_s": "RecalcStyleDuration",
    "layout_s": "LayoutDuration",
}


class MainThread:
    """Asks Chromium, which takes the page a tenth of a millisecond."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    @property
    def busy_s(self) -> float:
        """The seconds that all its tasks have taken."""
        return self.used_s()["tasks_s"]

    def used_s(self) -> Mapping[str, float]:
        """Return the seconds that all its tasks have taken, and what of them went where."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        values = {metric["name"]: float(metric["value"]) for metric in metrics}
        return {ours: values[name] for ours, name in _NAMES.items()}
