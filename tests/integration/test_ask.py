"""`manage.py ask`: real processes with pipes, signals and terminals, without a running site."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from chat.demo.steps import Pings, Status, Text
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.site_process import SiteProcess
from tests.terminal import run, run_on_terminal, running

WORDS = [f"word{number:04d} " for number in range(3_000)]
HOSTILE = "\x1b]0;owned\x07 \x1b[2J red\r caf\u00e9 \u4e2d\u6587\nend"


@pytest.fixture(scope="module")
def place(model: DemoThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcess]:
    """A site that is set up, and does not run."""
    environment = {"ANTHROPIC_BASE_URL": model.base_url}
    with SiteProcess(tmp_path_factory.mktemp("ask"), environment) as site:
        site.kill()
        yield site


def newest(site: SiteProcess) -> dict[str, Any]:
    """Return what is stored of the newest answer."""
    (row,) = site.rows(
        "SELECT g.id, g.status, g.error_code, g.model, m.text, p.text, g.conversation_id "
        "FROM chat_generation g JOIN chat_message m ON m.id = g.message_id "
        "JOIN chat_message p ON p.id = m.parent_id ORDER BY g.id DESC LIMIT 1"
    )
    names = ("id", "status", "error_code", "model", "text", "prompt", "conversation")
    return dict(zip(names, row, strict=True))


def guests(site: SiteProcess) -> int:
    rows = site.rows("SELECT count(*) FROM chat_process WHERE name LIKE ?", "guest %")
    return int(rows[0][0])


def test_pipe_gets_the_text_exactly(place: SiteProcess, model: DemoThread) -> None:
    model.script("hostile", Text(HOSTILE))
    code, out, errors = run(place, "ask", asked := prompt("hostile"))
    assert (code, out, errors) == (0, HOSTILE, "")
    stored = newest(place)
    assert (stored["status"], stored["text"], stored["prompt"]) == ("complete", HOSTILE, asked)
    assert guests(place) == 0


@pytest.mark.long
def test_terminal_is_told_no_control(place: SiteProcess, model: DemoThread) -> None:
    model.script("hostile", Text(HOSTILE))
    code, shown = run_on_terminal(place, "ask", prompt("hostile"))
    assert code == 0 and "caf\u00e9 \u4e2d\u6587" in shown
    # The terminal itself writes CR before each LF.
    assert not [c for c in shown.replace("\r\n", "") if not c.isprintable()]
    assert shown.endswith("end\r\n")


@pytest.mark.long
def test_prompt_comes_from_standard_input(place: SiteProcess) -> None:
    asked = prompt("whole")
    assert run(place, "ask", stdin=f"{asked}\n".encode())[0] == 0
    assert newest(place)["prompt"] == asked


@pytest.mark.long
def test_piped_text_stands_below_the_argument(place: SiteProcess) -> None:
    code, _, _ = run(place, "ask", asked := prompt("whole"), stdin=b"a = 1\n")
    assert code == 0 and newest(place)["prompt"] == f"{asked}\n\na = 1"


@pytest.mark.long
def test_events_are_lines(place: SiteProcess) -> None:
    code, out, _ = run(place, "ask", prompt("whole"), "--events")
    events = [line.split(" ", 1) for line in out.splitlines()]
    assert code == 0 and events[0][0] == "request" and events[-1][0] == "final"
    assert json.loads(events[-1][1]) == {"status": "complete", "error_code": ""}
    (count,) = place.rows(
        "SELECT count(*) FROM chat_event WHERE generation_id = ?", newest(place)["id"]
    )[0]
    assert len(events) == count


@pytest.mark.long
def test_json_is_one_object(place: SiteProcess, model: DemoThread) -> None:
    model.script("object", Text("Short."))
    code, out, _ = run(place, "ask", prompt("object"), "--json", "--model", "claude-other")
    told, stored = json.loads(out), newest(place)
    assert code == 0 and out.count("\n") == 1
    assert (told["text"], told["status"], told["error"]) == ("Short.", "complete", None)
    assert told["generation"] == stored["id"] and told["model"] == stored["model"] == "claude-other"
    assert told["output_tokens"] == told["usage"]["output_tokens"] > 0


def test_conversation_goes_on(place: SiteProcess, model: DemoThread) -> None:
    told = json.loads(run(place, "ask", prompt("whole"), "--json")[1])
    arguments = ("--system", "Be brief.", "--max-tokens", "77")
    code, _, _ = run(
        place, "ask", prompt("whole"), "--conversation", told["conversation"], *arguments
    )
    body = model.requests[-1].body
    assert code == 0 and body and len(body["messages"]) == 3
    assert (body["system"], body["max_tokens"]) == ("Be brief.", 77)


def test_ctrl_c_stops_and_keeps_the_text(place: SiteProcess, model: DemoThread) -> None:
    model.script("long", Text(WORDS, interval_s=0.02))
    with running(place, "ask", prompt("long")) as command:
        command.read_until(b"word0003")
        code, out, errors = command.end(signal.SIGINT)
    stored = newest(place)
    assert (code, errors.strip()) == (130, "Stopped.")
    assert stored["status"] == "stopped" and stored["text"] == out
    assert "".join(WORDS).startswith(out) and len(out) < len("".join(WORDS))
    assert guests(place) == 0


@pytest.mark.long
def test_terminal_that_is_closed_stops_too(place: SiteProcess, model: DemoThread) -> None:
    model.script("long", Text(WORDS, interval_s=0.02))
    with running(place, "ask", prompt("long")) as command:
        command.read_until(b"word0003")
        code, out, _ = command.end(signal.SIGHUP)
    assert code == 129 and (newest(place)["status"], newest(place)["text"]) == ("stopped", out)


@pytest.mark.long
def test_reader_that_goes_stops_the_answer_quietly(place: SiteProcess, model: DemoThread) -> None:
    model.script("long", Text(WORDS, interval_s=0.02))
    with running(place, "ask", prompt("long")) as command:
        command.read_until(b"word0003")
        assert command.close_output() == (128 + signal.SIGPIPE, "")
    assert newest(place)["status"] == "stopped"


@pytest.mark.long
def test_reader_that_goes_in_a_silence_stops_the_answer(
    place: SiteProcess, model: DemoThread
) -> None:
    """Nothing is written that could fail."""
    model.script("silent", Text("Once "), Pings(600, interval_s=0.5))
    with running(place, "ask", prompt("silent")) as command:
        command.read_until(b"Once")
        assert command.close_output() == (128 + signal.SIGPIPE, "")
    assert newest(place)["status"] == "stopped"


@pytest.mark.long
def test_failure_is_told_in_words(place: SiteProcess, model: DemoThread) -> None:
    model.script("refused", Status(401, "authentication_error", "No such key"))
    code, out, errors = run(place, "ask", prompt("refused"))
    assert (code, out) == (1, "") and "An admin has to check the key. (auth, generation" in errors
    assert "Traceback" not in errors and "\x1b" not in errors and errors.count("\n") == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ask", "  "), "There is nothing to send yet."),
        (("ask", "Why?", "--user", "nobody"), "There is no active user 'nobody'."),
        (("ask", "Why?", "--conversation", str(uuid.UUID(int=7))), "admin has no conversation"),
        (("ask", "Why?", "--max-tokens", "0"), "--max-tokens has to lie between 1 and"),
        (("ask", "Why?", "--model", ""), "--model takes 1 to 100 characters."),
    ],
)
def test_refusal_is_told_in_words(
    place: SiteProcess, arguments: tuple[str, ...], sentence: str
) -> None:
    code, out, errors = run(place, *arguments)
    assert (code, out) == (1, "") and sentence in errors and "Traceback" not in errors


@pytest.mark.long
def test_one_of_several_people_has_to_be_named(place: SiteProcess) -> None:
    """The only superuser is meant where nobody is named."""
    place.add_user("berta", "a pass phrase of berta")
    assert run(place, "ask", prompt("whole"))[0] == 0
    told = json.loads(run(place, "ask", prompt("whole"), "--json", "--user", "berta")[1])
    owner = "SELECT u.username FROM chat_user u JOIN chat_conversation c ON c.owner_id = u.id "
    identity = (
        told["conversation"].replace("-", "") if place.database.is_sqlite else told["conversation"]
    )
    assert place.rows(owner + "WHERE c.id = ?", identity) == [("berta",)]
    place.manage(
        "shell",
        "--command",
        "from chat.models import User; User.objects.update(is_superuser=False)",
    )
    code, _, errors = run(place, "ask", "Why?")
    assert code == 1 and "say whose chat it is with --user NAME" in errors
