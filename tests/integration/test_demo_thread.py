from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from anthropic import Anthropic, RateLimitError
from anthropic.types import MessageParam

from chat.demo.pace import Pace
from chat.demo.steps import Answer, Attempts, Status, Text
from chat.demo.thread import DemoThread

MODEL = "claude-haiku-5-5"


@pytest.fixture
def demo() -> Iterator[DemoThread]:
    with DemoThread(pace=Pace(0.0, 1_000_000.0)) as thread:
        yield thread


@pytest.fixture
def client(demo: DemoThread) -> Iterator[Anthropic]:
    with Anthropic(base_url=demo.base_url, api_key="demo", max_retries=0) as sdk:
        yield sdk


def prompt(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


def test_script(demo: DemoThread, client: Anthropic) -> None:
    demo.script("mine", Text("Scripted."))
    message = client.messages.create(model=MODEL, max_tokens=99, messages=prompt("/demo mine"))
    assert message.content[0].text == "Scripted."


def test_script_by_attempt(demo: DemoThread, client: Anthropic) -> None:
    demo.script("mine", Attempts([Status(429, "rate_limit_error", "Wait")], [Answer()]))
    messages = prompt("/demo mine\nunique 1")
    with pytest.raises(RateLimitError):
        client.messages.create(model=MODEL, max_tokens=900, messages=messages)
    answer = client.messages.create(model=MODEL, max_tokens=900, messages=messages)
    assert answer.stop_reason == "end_turn"
    assert [record.attempt for record in demo.requests] == [0, 1]


def test_wait_closed(demo: DemoThread, client: Anthropic) -> None:
    with client.messages.stream(
        model=MODEL, max_tokens=99, messages=prompt("/demo stall")
    ) as stream:
        next(iter(stream))
        (record,) = demo.wait_requests(1)
    assert demo.wait_closed(record, timeout_s=1.0).closed_by == "client"


def test_wait_until_times_out(demo: DemoThread) -> None:
    with pytest.raises(TimeoutError):
        demo.wait_until(lambda: False, timeout_s=0.01)


def test_stop_twice() -> None:
    thread = DemoThread()
    thread.start()
    thread.stop()
    thread.stop()


def test_taken_port_is_an_error(demo: DemoThread) -> None:
    with pytest.raises(OSError, match="in use"):
        DemoThread(port=int(demo.base_url.rsplit(":", 1)[1])).start()


def test_command_line(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    command = [sys.executable, "-m", "chat.demo", "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().removeprefix("listening on ").strip()
        with Anthropic(base_url=base_url, api_key="demo") as sdk:
            sdk.messages.create(model=MODEL, max_tokens=9, messages=prompt("/demo empty"))
        process.terminate()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert process.returncode == 0
    assert [line["event"] for line in lines] == ["request", "closed"]
