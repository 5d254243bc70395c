"""Chromium, wherever it is installed."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumIsMissing(Exception):
    """None was found."""

    def __str__(self) -> str:
        return (
            "Chromium is missing: install it with `apt-get install chromium` or "
            "`playwright install chromium`, or name it in the variable CHROMIUM."
        )


def launch(playwright: Playwright) -> Browser:
    """Start Chromium. Raises: ChromiumIsMissing."""
    named, of_playwright = os.environ.get("CHROMIUM"), playwright.chromium.executable_path
    names = (named, "chromium", "chromium-browser", "google-chrome", of_playwright)
    for path in (shutil.which(name) for name in names if name):
        if path:
            return playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    raise ChromiumIsMissing
