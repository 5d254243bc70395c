"""Programs that try again: after what the site asks to wait, and else after a growing time."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from chat.demo.steps import Attempts, Status, Text
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.programs.conftest import new_account
from tests.programs.program import Account, json_lines, node, run, start
from tests.site_process import SiteProcess
from tests.visitor import TIMEOUT_S

ROOM_AFTER_S = 10


@pytest.fixture(scope="module")
def narrow_account(
    model: DemoThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    """An account of a site that answers each person once at a time."""
    settings = {"ANTHROPIC_BASE_URL": model.base_url, "CHAT_RUNNING_PER_USER": "1"}
    with SiteProcess(tmp_path_factory.mktemp("site"), settings) as running:
        yield new_account(running)


@pytest.mark.long
def test_what_fails_upstream_is_tried_again(account: Account, model: DemoThread) -> None:
    """The site itself asks Claude three times before it gives up."""
    refusal = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("busy-for-long", Attempts(*[refusal] * 3, [Text("At last")]))
    tried, answered = json_lines(run(account, node("retry"), PROMPT=prompt("busy-for-long")))
    assert tried == {"status": 503, "code": "overloaded", "asked": 0, "wait": 200}
    assert answered == {"answer": "At last"}


@pytest.mark.long
def test_what_cannot_help_is_not_tried_again(account: Account, model: DemoThread) -> None:
    model.script("no-key", Status(401, "authentication_error", "No"))
    before = len(model.requests)
    with pytest.raises(AssertionError, match="API key"):
        run(account, node("retry"), PROMPT=prompt("no-key"))
    assert len(model.requests) == before + 1


@pytest.mark.long
def test_retry_after_is_honoured(narrow_account: Account, model: DemoThread) -> None:
    model.script("endless", Text("on and on " * 5_000, interval_s=0.01))
    model.script("soon", Text("Here"))
    with httpx2.Client(
        base_url=narrow_account.base_url,
        headers={"Authorization": f"Bearer {narrow_account.token}"},
        timeout=TIMEOUT_S,
    ) as client:
        body = {"message": prompt("endless")}
        with client.stream("POST", "/api/chat", json=body) as running:
            assert running.status_code == 200
            trying = start(narrow_account, node("retry"), PROMPT=prompt("soon"))
            assert trying.stdout
            tried = json.loads(trying.stdout.readline())
        written, _ = trying.communicate(timeout=TIMEOUT_S)
    assert tried == {
        "status": 429,
        "code": "too_many_running",
        "asked": ROOM_AFTER_S * 1000,
        "wait": ROOM_AFTER_S * 1000,
    }
    assert json.loads(written) == {"answer": "Here"}
