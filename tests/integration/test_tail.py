"""`manage.py tail`, and `ask` beside a running site: several processes on one database."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.site_process import ADMIN_PASSWORD, SiteProcess
from tests.terminal import Running, run, running
from tests.visitor import Visitor

WORDS = [f"word{number:04d} " for number in range(3_000)]
SEEN_S = 30.0


@pytest.fixture(scope="module")
def own_site(model: DemoThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site that is killed and started while commands run beside it."""
    environment = {"ANTHROPIC_BASE_URL": model.base_url, "CHAT_HEARTBEAT_S": "0.2"}
    with SiteProcess(tmp_path_factory.mktemp("tail"), environment) as site:
        yield site


@pytest.fixture
def visitor(own_site: SiteProcess) -> Iterator[Visitor]:
    with Visitor(own_site.base_url) as signed_in:
        signed_in.sign_in("admin", ADMIN_PASSWORD)
        yield signed_in


@pytest.fixture
def asking(own_site: SiteProcess, model: DemoThread) -> Iterator[Running]:
    """A long answer that `ask` writes."""
    model.script("long", Text(WORDS, interval_s=0.2))
    with running(own_site, "ask", prompt("long")) as command:
        command.read_until(b"word0000")
        yield command


def newest(site: SiteProcess) -> tuple[int, str]:
    """Return id and status of the newest generation."""
    query = "SELECT id, status FROM chat_generation ORDER BY id DESC LIMIT 1"
    ((generation_id, status),) = site.rows(query)
    return generation_id, status


def status_of(site: SiteProcess, generation_id: int) -> str:
    query = "SELECT status FROM chat_generation WHERE id = ?"
    return str(site.rows(query, generation_id)[0][0])


def wait_for_heartbeats(site: SiteProcess, count: int = 3) -> None:
    """Wait until the site has looked after its generations some times more."""
    query = "SELECT heartbeat_at FROM chat_process WHERE name NOT LIKE ? ORDER BY 1 DESC"
    seen, give_up_at = {site.rows(query, "guest %")[0]}, time.monotonic() + SEEN_S
    while len(seen) <= count:
        assert time.monotonic() < give_up_at
        # A database in another process tells nobody that it has changed.
        time.sleep(0.05)
        seen.add(site.rows(query, "guest %")[0])


@pytest.mark.long
def test_site_and_command_write_beside_each_other(
    own_site: SiteProcess, visitor: Visitor, model: DemoThread
) -> None:
    model.script("long", Text(WORDS, interval_s=0.2))
    path = visitor.send(prompt("long"))
    sites_own, _ = newest(own_site)
    code, out, _ = run(own_site, "ask", prompt("whole"), "--json")
    wait_for_heartbeats(own_site)
    assert code == 0 and json.loads(out)["status"] == "complete"
    assert status_of(own_site, sites_own) == "streaming"
    visitor.get(path)
    visitor.post(f"/g/{sites_own}/stop/")


@pytest.mark.long
def test_site_that_starts_leaves_the_command_alone(own_site: SiteProcess, asking: Running) -> None:
    own_site.kill()
    own_site.start()
    wait_for_heartbeats(own_site)
    generation_id, status = newest(own_site)
    assert status == "streaming"
    code, out, errors = asking.end(signal.SIGINT)
    assert (code, errors.strip()) == (130, "Stopped.") and "".join(WORDS).startswith(out)
    assert status_of(own_site, generation_id) == "stopped"


@pytest.mark.long
def test_page_stops_the_command(own_site: SiteProcess, visitor: Visitor, asking: Running) -> None:
    generation_id, _ = newest(own_site)
    visitor.post(f"/g/{generation_id}/stop/")
    code, _, errors = asking.end()
    assert (code, errors.strip()) == (1, "Stopped.")


@pytest.mark.long
def test_command_that_was_killed_is_ended_by_the_site(
    own_site: SiteProcess, asking: Running
) -> None:
    generation_id, _ = newest(own_site)
    asking.end(signal.SIGKILL)
    give_up_at = time.monotonic() + SEEN_S
    while (status := status_of(own_site, generation_id)) == "streaming":
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    assert status == "interrupted"


@pytest.mark.long
def test_tail_follows_and_leaves(own_site: SiteProcess, asking: Running) -> None:
    generation_id, _ = newest(own_site)
    with running(own_site, "tail", str(generation_id)) as tail:
        tail.read_until(b"word0003")
        code, out, errors = tail.end(signal.SIGINT)
    assert code == 130 and out.startswith("word0000 ") and "goes on" in errors
    assert status_of(own_site, generation_id) == "streaming"
    with running(own_site, "tail", str(generation_id), "--events") as tail:
        tail.read_until(b"message_start ")
        _, whole, _ = asking.end(signal.SIGINT)
        code, out, errors = tail.end()
    assert (code, errors.strip()) == (1, "Stopped.")
    assert out.splitlines()[-1] == 'final {"status": "stopped", "error_code": ""}'
    assert whole.startswith("word0000 ")


def test_tail_prints_what_has_ended(own_site: SiteProcess, model: DemoThread) -> None:
    model.script("brief", Text("caf\u00e9"))
    told = json.loads(run(own_site, "ask", prompt("brief"), "--json")[1])
    number = str(told["generation"])
    assert run(own_site, "tail", number) == (0, "caf\u00e9", "")
    assert json.loads(run(own_site, "tail", number, "--json")[1]) == told
    events = run(own_site, "tail", number, "--events")[1].splitlines()
    behind = run(own_site, "tail", number, "--events", "--after", "3")[1].splitlines()
    assert behind == events[3:] and events[-1].startswith("final ")


@pytest.mark.long
def test_tail_of_an_old_answer_is_its_text(own_site: SiteProcess, model: DemoThread) -> None:
    model.script("brief", Text("caf\u00e9"))
    told = json.loads(run(own_site, "ask", prompt("brief"), "--json")[1])
    number = str(told["generation"])
    own_site.manage(
        "shell",
        "--command",
        "from django.utils import timezone; from chat import events; events.prune(timezone.now())",
    )
    assert run(own_site, "tail", number) == (0, "caf\u00e9", "")
    code, out, errors = run(own_site, "tail", number, "--events")
    assert (code, out) == (1, "") and "not kept any more" in errors


@pytest.mark.long
@pytest.mark.parametrize("number", ["999999", "99999999999999999999"])
def test_tail_of_nothing_is_told_in_words(own_site: SiteProcess, number: str) -> None:
    code, out, errors = run(own_site, "tail", number)
    assert (code, out) == (1, "") and f"There is no generation {number}." in errors
