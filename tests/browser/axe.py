"""What axe-core finds on a page: what keeps people from using it, as far as a program can tell."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, Page

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"

_OF_COLORS = ["color-contrast", "link-in-text-block"]
_RUN = """async rules => {
    // Nothing is fetched: the policy would forbid it.
    const options = { preload: false, resultTypes: ["violations"] };
    if (rules) options.runOnly = rules;
    const { violations } = await axe.run(document, options);
    return violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html}`));
}"""


def bring_axe(context: BrowserContext) -> None:
    """Have every page of a context hold axe-core; no policy of the page keeps it out."""
    context.add_init_script(path=AXE)


def violations(page: Page, *, of_colors: bool = False) -> list[str]:
    """Return each violation as "rule: element"; only those that another color scheme may have."""
    found: list[str] = page.evaluate(_RUN, _OF_COLORS if of_colors else None)
    return found
