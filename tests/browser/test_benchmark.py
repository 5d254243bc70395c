"""That the benchmark measures what a page shows, with a few deltas: `make bench` does it whole."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from deploy.program import free_port
from tests.load.browser import KIND, TENTHS, show
from tests.load.job import Account
from tests.load.stamps import WRAP_US
from tests.load.texts import stamps
from tests.load.workbench import make, program
from tests.site_process import SiteProcess

DELTAS, PER_S = 100, 100


def test_an_answer_is_measured(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    with (
        program("upstream", tmp_path, port),
        SiteProcess(tmp_path, {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}) as site,
    ):
        [account] = make(site, "accounts", 1)
        shown = show(browser, Account(*account), site.port, DELTAS, PER_S)
    assert shown.is_whole
    assert len(shown.tenths_s) == TENTHS and 0 < sum(shown.tenths_s) < shown.busy_s
    assert 1 < len(shown.delays_us) <= stamps(KIND, DELTAS)
    # A clock that is set wrong would give hours, or what comes before it was sent.
    assert all(0 < delay_us < WRAP_US // 10 for delay_us in shown.delays_us)
