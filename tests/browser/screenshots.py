"""`python -m tests.browser.screenshots`: pictures of every state of the page, for eyes.

They go to test-results/screenshots; the two of the README go to docs. Where the messages are
taller than the page, a further picture shows all of them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launch
from tests.site_process import ROOT, SiteProcess

FOLDER = ROOT / "test-results" / "screenshots"
SIZES = ((1440, 900), (1024, 768), (390, 844))
SCHEMES = ("light", "dark")
WHOLE_MAX_PX = 8_000

SITE = {
    "DEBUG": "on",
    "SECRET_KEY": "of the pictures alone",
    "CHAT_DEMO": "on",
    "SITE_NAME": "Chat",
}
BELOW = "list => list.scrollHeight - list.clientHeight"
CHAT = "#conversation"


@contextmanager
def opened() -> Iterator[tuple[Browser, str]]:
    """Start a browser and a site; yield the address of the style guide."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SiteProcess(Path(folder), SITE) as site,
        sync_playwright() as playwright,
        launch(playwright) as browser,
    ):
        yield browser, f"{site.base_url}/styleguide/"


def page_of(browser: Browser, width: int, height: int, scheme: str, *, scale: int = 1) -> Page:
    return browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        device_scale_factor=scale,
        reduced_motion="reduce",
        locale="en-US",
    )


def names(browser: Browser, guide: str) -> list[str]:
    page = browser.new_page()
    page.goto(guide)
    found: list[str] = page.locator("main a").evaluate_all(
        "all => all.map(a => a.pathname.split('/').at(-2))"
    )
    page.close()
    return found


def take(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    page.screenshot(path=file)
    size = page.viewport_size
    below = page.locator(CHAT).evaluate(BELOW) if page.locator(CHAT).count() else 0
    if below and size:
        height = min(size["height"] + below, WHOLE_MAX_PX)
        page.set_viewport_size({"width": size["width"], "height": height})
        page.screenshot(path=file.with_stem(f"{file.stem}-whole"))
        page.set_viewport_size(size)


def take_all(browser: Browser, guide: str) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    states = names(browser, guide)
    for scheme in SCHEMES:
        for width, height in SIZES:
            page = page_of(browser, width, height, scheme)
            for name in states:
                take(page, f"{guide}{name}/", FOLDER / f"{name}-{width}-{scheme}.png")
            page.close()
            print(f"{len(states)} states at {width}x{height}, {scheme}", flush=True)


def take_readme(browser: Browser, guide: str) -> None:
    pictures = (
        ("chat.png", page_of(browser, 1440, 900, "light"), "markdown"),
        ("chat-dark.png", page_of(browser, 390, 844, "dark", scale=2), "writing"),
    )
    for file, page, name in pictures:
        page.goto(f"{guide}{name}/")
        page.screenshot(path=ROOT / "docs" / file)
        page.close()


def main() -> None:
    with opened() as (browser, guide):
        take_all(browser, guide)
        take_readme(browser, guide)
    print(f"They are in {FOLDER.relative_to(ROOT)} and docs.")


if __name__ == "__main__":
    main()
