"""Programs that leave: the answer stops, what had come is kept, Claude's stream is closed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chat.demo.records import RequestRecord
from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.faults.verdicts import Verdicts
from tests.integration.answers import UPSTREAM_CLOSES_S, prompt, prompt_in
from tests.programs.program import Account, Answer, FindAnswer, json_lines, node, run, start

READ_BYTES = 2_000
LIMIT_S = 0.5

Ended = Callable[[str], Answer]


@pytest.fixture(autouse=True)
def scripts(model: DemoThread) -> None:
    model.script("endless", Text("on and on " * 5_000, interval_s=0.01))


@pytest.fixture
def ended(account: Account, stored: FindAnswer) -> Ended:
    """Wait for the end of the answer to a prompt."""

    def wait(text: str) -> Answer:
        events = f"/api/generations/{stored(text).generation_id}/events"
        run(account, curl(account, events))
        return stored(text)

    return wait


def curl(account: Account, path: str, **members: object) -> list[str]:
    header = f"Authorization: Bearer {account.token}"
    body = ["-d", json.dumps(members)] if members else []
    return ["curl", "-sSN", "--fail", f"{account.base_url}{path}", "-H", header, *body]


def record_of(model: DemoThread, text: str) -> RequestRecord:
    """Wait until the model server has the request of a prompt."""

    def found() -> list[RequestRecord]:
        return [r for r in model.requests if r.body and prompt_in(r.body) == text]

    model.wait_until(lambda: bool(found()), timeout_s=30)
    return found()[-1]


def closed_after_s(model: DemoThread, text: str, since: float) -> float:
    """Return how long the stream from Claude stayed open after a time."""
    record = model.wait_closed(record_of(model, text), timeout_s=30)
    assert record.closed_by == "client" and record.closed_at
    return record.closed_at - since


def read_some(process: subprocess.Popen[bytes], size: int) -> str:
    assert process.stdout
    data = b""
    while len(data) < size:
        piece = process.stdout.read(size)
        assert piece, "the stream ended"
        data += piece
    return data.decode()


def kill(process: subprocess.Popen[bytes]) -> float:
    """Kill a program; return when."""
    process.kill()
    killed_at = time.time()
    process.communicate()
    return killed_at


@pytest.mark.alone
def test_curl_is_killed(
    account: Account, model: DemoThread, ended: Ended, verdict: Verdicts
) -> None:
    process = start(account, curl(account, "/api/chat", message=(text := prompt("endless"))))
    read_some(process, READ_BYTES)
    after_s = closed_after_s(model, text, kill(process))
    answer = ended(text)
    assert (answer.status, answer.error_code) == ("stopped", "")
    assert answer.text.startswith("on and on ")
    check(verdict, "curl is killed", after_s)


@pytest.mark.alone
def test_curl_is_killed_before_the_first_word(
    account: Account, model: DemoThread, ended: Ended, verdict: Verdicts
) -> None:
    process = start(account, curl(account, "/api/chat", message=(text := prompt("stall-headers"))))
    record_of(model, text)
    after_s = closed_after_s(model, text, kill(process))
    assert ended(text)[:2] == ("", "stopped")
    check(verdict, "curl is killed before the first word", after_s)


@pytest.mark.alone
def test_fetch_is_aborted(
    account: Account, model: DemoThread, ended: Ended, verdict: Verdicts
) -> None:
    text = prompt("endless")
    written = run(account, node("abort"), PROMPT=text, AFTER_CHARACTERS="200")
    (aborted,) = json_lines(written)
    after_s = closed_after_s(model, text, aborted["abortedAt"])
    answer = ended(text)
    assert aborted["name"] == "AbortError" and len(aborted["text"]) >= 200
    assert answer.text.startswith(aborted["text"])
    assert (answer.status, answer.error_code) == ("stopped", "")
    check(verdict, "fetch is aborted by its AbortController", after_s)


@pytest.mark.alone
def test_sdk_aborts(
    account: Account, model: DemoThread, ended: Ended, packages: Path, verdict: Verdicts
) -> None:
    (aborted,) = json_lines(run(account, node("sdk_abort"), PROMPT=(text := prompt("endless"))))
    after_s = closed_after_s(model, text, aborted["abortedAt"])
    answer = ended(text)
    assert aborted["name"] == "APIUserAbortError" and answer.status == "stopped"
    assert aborted["text"] and answer.text.startswith(aborted["text"])
    check(verdict, "an SDK aborts its stream", after_s)


@pytest.mark.alone
def test_time_limit_of_the_request(
    account: Account, model: DemoThread, ended: Ended, verdict: Verdicts
) -> None:
    members = {"message": (text := prompt("endless")), "max_seconds": LIMIT_S}
    lines = run(account, curl(account, "/api/chat", **members)).split("\n\n")
    answer = ended(text)
    *pieces, error = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert lines[-2:] == ["data: [DONE]", ""] and error["error"]["code"] == "time_limit"
    assert "".join(piece["text"] for piece in pieces) == answer.text != ""
    assert (answer.status, answer.error_code) == ("stopped", "time_limit")
    # The limit counts from when the answer was taken, a moment before its request came.
    after_s = closed_after_s(model, text, record_of(model, text).started_at + LIMIT_S)
    check(verdict, "the time limit of a request is over", max(0.0, after_s))


def test_background_goes_on_after_an_abort(
    account: Account, model: DemoThread, ended: Ended
) -> None:
    model.script("steady", Text(["on "] * 200, interval_s=0.005))
    text = prompt("steady")
    environment = {"PROMPT": text, "AFTER_CHARACTERS": "10", "BACKGROUND": "yes"}
    (aborted,) = json_lines(run(account, node("abort"), **environment))
    assert aborted["name"] == "AbortError"
    answer = ended(text)
    assert (answer.text, answer.status) == ("on " * 200, "complete")


def test_killed_reader_of_events_stops_nothing(
    account: Account, model: DemoThread, stored: FindAnswer, ended: Ended
) -> None:
    model.script("steady", Text(["on "] * 200, interval_s=0.005))
    members = {"message": (text := prompt("steady")), "background": True}
    asking = start(account, curl(account, "/api/chat", **members))
    read_some(asking, 10)
    events = f"/api/generations/{stored(text).generation_id}/events"
    reading = start(account, curl(account, events))
    read_some(reading, READ_BYTES)
    kill(reading), kill(asking)
    assert ended(text)[:2] == ("on " * 200, "complete")


def check(verdict: Verdicts, fault: str, after_s: float) -> None:
    promise = f"the stream from Claude is closed within {UPSTREAM_CLOSES_S:g} s"
    verdict(fault, promise, f"{after_s:.3f} s", holds=after_s < UPSTREAM_CLOSES_S)
