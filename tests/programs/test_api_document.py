"""Every example of docs/api.md, run as it stands in the document."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.programs.api_document import FILE, SHOWN_ONLY, Example, example, examples
from tests.programs.conftest import PASSWORD
from tests.programs.npm_packages import find_node
from tests.programs.program import NODE_PROGRAMS, Account, Answer, FindAnswer, run
from tests.site_process import SiteProcess
from tests.visitor import Visitor

IN_BROWSER = {"browser", "browser-events"}
"""Those that are scripts of a page (tests/browser/test_programs.py)."""

PLAIN = {
    "curl": "What is a heron?",
    "python": "What is a stork?",
    "node": "What is an ibis?",
    "retry": "What is a bittern?",
    "python-sdk": "What is a shoebill?",
    "sdk": "What is a flamingo?",
}
OTHERS = {"conversation", "stop", "hook", "events", "rename", "sdk-tools"}


def spoken(stream: str) -> str:
    """Return the text of a stream, or of what is text already."""
    if not stream.startswith("data: "):
        return stream
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return "".join(json.loads(line)["text"] for line in lines)


def command(example: Example, folder: Path, packages: Path) -> list[str]:
    """Write an example into a file; return the command that runs it."""
    match example.language:
        case "sh":
            return ["bash", "-euc", example.code]
        case "python":
            file = folder / "example.py"
            file.write_text(example.code)
            return [sys.executable, "-W", "error", str(file)]
        case "js":
            file = folder / "example.mjs"
            file.write_text(example.code)
            (folder / "node_modules").symlink_to(packages)
            return [find_node(), str(file)]
    raise AssertionError(f"nobody knows how to run {example.language}")


def ran(name: str, account: Account, folder: Path, packages: Path) -> str:
    return run(account, command(example(name), folder, packages))


def test_every_example_is_run() -> None:
    blocks = [e for e in examples(FILE.read_text()) if e.language != SHOWN_ONLY]
    assert sorted(e.name for e in blocks) == sorted({*IN_BROWSER, *PLAIN, *OTHERS})


def test_examples_of_a_text() -> None:
    markdown = "a\n<!-- run: one -->\n```sh\nx\ny\n```\n\n```text\nno\n```\n"
    assert examples(markdown) == [Example("one", "sh", "x\ny\n"), Example("", "text", "no\n")]


@pytest.mark.parametrize("name", PLAIN)
def test_example_writes_the_answer(
    account: Account, stored: FindAnswer, tmp_path: Path, packages: Path, name: str
) -> None:
    written = ran(name, account, tmp_path, packages)
    answer = stored(PLAIN[name])
    assert spoken(written) == answer.text != ""
    assert answer.status == "complete"


def test_conversation_goes_on(
    account: Account, stored: FindAnswer, site: SiteProcess, tmp_path: Path, packages: Path
) -> None:
    written = ran("conversation", account, tmp_path, packages)
    assert spoken(written) == stored("And how large is it?").text
    query = "SELECT count(DISTINCT conversation_id) FROM chat_message WHERE text IN (?, ?)"
    assert site.rows(query, "What is a crane?", "And how large is it?") == [(1,)]


def test_stop(account: Account, stored: FindAnswer, tmp_path: Path, packages: Path) -> None:
    told = json.loads(ran("stop", account, tmp_path, packages))
    answer = stored(answer_to := "/demo slow-words\nTell me of herons.")
    assert told["id"] == answer.generation_id
    run(account, ["curl", "-sS", *events(account, answer)])
    assert stored(answer_to).status == "stopped"


def test_events(account: Account, stored: FindAnswer, tmp_path: Path, packages: Path) -> None:
    lines = ran("events", account, tmp_path, packages)
    assert lines.startswith("request \nmessage_start \n") and lines.endswith("final \ncomplete\n")
    text = "".join(re.findall(r"^content_block_delta ([^\0]*?)\n(?=[a-z_]+ )", lines, re.MULTILINE))
    assert text and text in stored("What is a spoonbill?").text + "\n"


def test_rename(account: Account, tmp_path: Path, packages: Path) -> None:
    renamed, listed = ran("rename", account, tmp_path, packages).split("}{", 1)
    assert '"Of herons"' in renamed and '"role":"user"' in listed


def test_sdk_tools(account: Account, tmp_path: Path, packages: Path) -> None:
    written = ran("sdk-tools", account, tmp_path, packages)
    assert re.fullmatch(r"tool: get_weather\ninput: \{ location: .+ \}\n", written)


# The hook


@pytest.fixture(scope="module")
def cookie(site: SiteProcess, account: Account) -> Iterator[str]:
    with Visitor(site.base_url) as visitor:
        visitor.sign_in("programmer", PASSWORD)
        yield "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())


def use_hook(
    account: Account, folder: Path, packages: Path, cookie: str, *prompts: str, stop_after: str = ""
) -> list[dict[str, Any]]:
    """Run the hook in a page that sends prompts one after the other; return its states."""
    _, file = command(example("hook"), folder, packages)
    driver = folder / "hook_driver.mjs"
    driver.write_bytes((NODE_PROGRAMS / "hook_driver.mjs").read_bytes())
    environment = {"COOKIE": cookie, "HOOK": file, "PROMPTS": json.dumps(prompts)}
    written = run(account, [find_node(), str(driver)], **environment, STOP_AFTER=stop_after)
    states: list[dict[str, Any]] = json.loads(written)
    return states


def test_hook_shows_answers_as_they_are_written(
    account: Account, model: DemoThread, tmp_path: Path, packages: Path, cookie: str
) -> None:
    model.script("hook", Text(["Herons ", "stand ", "and wait 🐟."], interval_s=0.05))
    prompts = [prompt("hook"), prompt("hook")]
    states = use_hook(account, tmp_path, packages, cookie, *prompts)
    answer = "Herons stand and wait 🐟."
    assert states[0] == {"messages": [], "isLoading": False, "streamingContent": ""}
    assert states[-1] == {
        "messages": [prompts[0], answer, prompts[1], answer],
        "isLoading": False,
        "streamingContent": "",
    }
    shown = [state["streamingContent"] for state in states if state["isLoading"]]
    # The end comes right behind the last words; React may show both at once.
    assert {"Herons ", "Herons stand "} <= set(shown)
    assert all(answer.startswith(content) for content in shown)


def test_hook_stops(
    account: Account,
    model: DemoThread,
    stored: FindAnswer,
    tmp_path: Path,
    packages: Path,
    cookie: str,
) -> None:
    model.script("endless", Text("on and on " * 5_000, interval_s=0.01))
    text = prompt("endless")
    *_, last = use_hook(account, tmp_path, packages, cookie, text, stop_after="100")
    messages = last["messages"]
    assert messages[0] == text and len(messages[1]) >= 100
    assert not last["isLoading"]
    run(account, ["curl", "-sS", *events(account, stored(text))])
    assert stored(text).status == "stopped"
    assert stored(text).text.startswith(messages[1])


def events(account: Account, answer: Answer) -> list[str]:
    header = f"Authorization: Bearer {account.token}"
    return [f"{account.base_url}/api/generations/{answer.generation_id}/events", "-H", header]
