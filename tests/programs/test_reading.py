"""Programs that read an answer as it is written, whatever the network makes of it."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from chat.demo.steps import Attempts, Status, Text, Thinking
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.programs.program import Account, FindAnswer, json_lines, node, run
from tests.proxy import Proxy
from tests.site_process import SiteProcess

STORY = "".join(f'{n}: Zoë ate a 🍎 — 日本語, "quoted" \\ and 👩\u200d👧.\n\n' for n in range(60))
LARGE = "".join(f"{n:05d} ä 🚀 of a long answer.\n" for n in range(30_000))


@pytest.fixture(autouse=True)
def scripts(model: DemoThread) -> None:
    model.script("story", Thinking("Hm."), Text(STORY, chunk=17, interval_s=0.001))
    model.script("large", Text(LARGE, chunk=5_000, interval_s=0.0))


@pytest.fixture
def network(site: SiteProcess) -> Iterator[Proxy]:
    with Proxy(site.port) as opened:
        yield opened


@pytest.mark.long
@pytest.mark.parametrize("content_type", ["application/json", ""])
def test_each_chunk_can_be_split_by_itself(
    account: Account, stored: FindAnswer, content_type: str
) -> None:
    text = prompt("story")
    written = run(account, node("fetch_stream"), PROMPT=text, CONTENT_TYPE=content_type)
    assert written == STORY == stored(text).text


@pytest.mark.long
def test_bytes_one_by_one(account: Account, network: Proxy, model: DemoThread) -> None:
    network.crumble(lambda: 1)
    model.script("short", Text(STORY[:150], chunk=9))
    command = node("careful_stream")
    assert run(account.at(network.base_url), command, PROMPT=prompt("short")) == STORY[:150]


@pytest.mark.long
def test_pieces_of_any_size(account: Account, network: Proxy) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    network.crumble(lambda: chance.randrange(1, 60))
    written = run(account.at(network.base_url), node("careful_stream"), PROMPT=prompt("story"))
    assert written == STORY


@pytest.mark.long
def test_large_answer(account: Account, stored: FindAnswer) -> None:
    text = prompt("large")
    assert run(account, node("careful_stream"), PROMPT=text) == LARGE == stored(text).text


@pytest.mark.long
def test_progress_by_characters(account: Account) -> None:
    lines = run(account, node("progress"), PROMPT=prompt("story")).splitlines()
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == sorted(set(numbers)) and len(numbers) > 5
    # JavaScript counts UTF-16 code units.
    assert numbers[-1] == len(STORY.encode("utf-16-le")) // 2


@pytest.mark.long
def test_whole_words(account: Account) -> None:
    shown = json_lines(run(account, node("words"), PROMPT=prompt("story")))
    assert "".join(shown) == STORY
    assert all(piece.endswith(" ") for piece in shown[:-1]) and len(shown) > 5


@pytest.mark.long
@pytest.mark.parametrize("at_most", [0, 7])
def test_handler_for_every_event(
    account: Account, stored: FindAnswer, model: DemoThread, at_most: int
) -> None:
    refusal = [Status(529, "overloaded_error", "No", {"retry-after": "0"})]
    model.script("eventful", Attempts(refusal, [Thinking("Hm."), Text(STORY, chunk=40)]))
    text = prompt("eventful")
    run(account, node("careful_stream"), PROMPT=text)
    answer = stored(text)
    environment = {"GENERATION": str(answer.generation_id), "AT_MOST": str(at_most)}
    (followed,) = json_lines(run(account, node("events"), **environment))
    assert followed["text"] == STORY
    model_id = "claude-sonnet-5-5"
    assert followed["seen"] == [
        f"request 1 to {model_id}",
        "retry: overloaded",
        f"request 1 to {model_id}",
        "message assistant",
        "block 0 thinking",
        "end of block 0",
        "block 1 text",
        "end of block 1",
        "stop reason end_turn",
        "end of message",
        "complete",
    ]
    assert (followed["connections"] > 1) == bool(at_most)


@pytest.mark.long
def test_same_key_is_one_message(account: Account, site: SiteProcess) -> None:
    text = prompt("story")
    body = json.dumps({"message": text, "key": str(uuid.uuid4())})
    header = f"Authorization: Bearer {account.token}"
    command = ["curl", "-sS", f"{account.base_url}/api/chat", "-H", header, "-d", body]
    first, second = (run(account, command) for _ in range(2))
    assert spoken(first) == spoken(second) == STORY
    ((count,),) = site.rows("SELECT count(*) FROM chat_message WHERE text = ?", text)
    assert count == 1


def spoken(stream: str) -> str:
    lines = (line.removeprefix("data: ") for line in stream.splitlines() if line)
    data: Iterator[dict[str, Any]] = (json.loads(line) for line in lines if line != "[DONE]")
    return "".join(piece["text"] for piece in data)
