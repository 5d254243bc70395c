"""The site as a process: served by Daphne, killed, ended, started with bad settings."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from websockets.exceptions import InvalidStatus

from chat.demo.steps import Text
from chat.demo.thread import DemoThread
from tests.integration.answers import prompt
from tests.integration.shown_page import ShownPage
from tests.site_process import ADMIN_PASSWORD, ROOT, SiteProcess
from tests.visitor import Visitor, frames

EXIT_S = 30.0
RECOVERED_S = 15.0
WORDS = [f"word{number:04d} " for number in range(3_000)]


@pytest.fixture
def visitor(site: SiteProcess) -> Iterator[Visitor]:
    with Visitor(site.base_url) as signed_in:
        signed_in.sign_in("admin", ADMIN_PASSWORD)
        yield signed_in


def test_head_leaves_the_connection_usable(site: SiteProcess, visitor: Visitor) -> None:
    """The answer is larger than what a server writes at once."""
    conversation = visitor.send("tide " * 60_000).split("/")[2]
    connection = http.client.HTTPConnection(site.base_url.removeprefix("http://"))
    cookie = {"Cookie": visitor.cookies}
    path = f"/api/conversations/{conversation}/messages"
    connection.request("HEAD", path, headers=cookie)
    head = connection.getresponse()
    assert head.status == 200 and int(head.headers["Content-Length"]) > 300_000
    assert head.read() == b""
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()


def test_form_is_left_to_django(site: SiteProcess) -> None:
    """Twisted would parse it in the loop, and refuse this one without a word."""
    connection = http.client.HTTPConnection(site.base_url.removeprefix("http://"))
    no_form = {"Content-Type": "multipart/form-data"}
    connection.request("POST", "/accounts/login/", b"{broken", headers=no_form)
    response = connection.getresponse()
    assert response.status == 400 and b"The request was not understood" in response.read()
    connection.close()


@pytest.fixture(scope="module")
def second_site(
    model: DemoThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SiteProcess]:
    settings = {"ANTHROPIC_BASE_URL": model.base_url, "CHAT_DRAIN_S": "1", "CHAT_HEARTBEAT_S": "1"}
    with SiteProcess(tmp_path_factory.mktemp("site"), settings) as running:
        running.kill()
        yield running


@pytest.fixture
def fragile(second_site: SiteProcess) -> Iterator[SiteProcess]:
    """A site of its own, which the test may end."""
    second_site.log.write_text("")
    second_site.start()
    yield second_site
    second_site.kill()


def generation(site: SiteProcess, path: str) -> tuple[str, str, str]:
    """Return status, error code and text of a conversation's newest answer."""
    conversation = path.strip("/").split("/")[1].replace("-", "")  # as SQLite stores it
    query = (
        "SELECT g.status, g.error_code, m.text FROM chat_generation g "
        "JOIN chat_message m ON m.id = g.message_id WHERE g.conversation_id = ? ORDER BY g.id"
    )
    status, error_code, text = site.rows(query, conversation)[-1]
    return status, error_code, text


def watch(visitor: Visitor, path: str, words: int) -> str:
    """Read a conversation's socket until it has shown so many words; return what it showed."""
    page = ShownPage('<div id="messages"></div>')
    with visitor.socket(path) as socket:
        for frame in frames(socket):
            page.apply(frame)
            text = shown_text(page)
            if text.count("word") >= words:
                return text
    return ""


def shown_text(page: ShownPage) -> str:
    ids = page.message_ids
    return page.body(ids[-1]).text.strip() if len(ids) == 2 else ""


def slow(model: DemoThread) -> str:
    model.script("slow-site", Text(WORDS, interval_s=0.01))
    return prompt("slow-site")


# Served


def test_probes(site: SiteProcess) -> None:
    with Visitor(site.base_url) as anybody:
        assert anybody.get("/healthz").text == "ok\n"
        report = anybody.get("/readyz").json()
    assert report == {"database": "ok", "channel_layer": "ok", "cache": "ok"}


def test_static_files(site: SiteProcess) -> None:
    with Visitor(site.base_url) as anybody:
        html = anybody.get("/accounts/login/").text
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
        assert len(files) >= 2
        for file in files:
            response = anybody.get(file)
            assert response.status_code == 200 and response.content, file


def test_prompt_is_answered_on_the_socket(visitor: Visitor, model: DemoThread) -> None:
    model.script("brief-site", Text(WORDS[:20]))
    path = visitor.send(prompt("brief-site"))
    assert watch(visitor, path, 20) == "".join(WORDS[:20]).strip()


@pytest.mark.parametrize(
    "origin", ["http://example.com", "null", "https://127.0.0.1", "http://127.0.0.1:9"]
)
def test_foreign_origin_is_refused(visitor: Visitor, origin: str) -> None:
    path = visitor.send(prompt("empty"))
    with pytest.raises(InvalidStatus) as refusal, visitor.socket(path, origin):
        pass
    assert refusal.value.response.status_code == 403


def test_stranger_is_refused_like_an_unknown_id(visitor: Visitor, site: SiteProcess) -> None:
    path = visitor.send(prompt("empty"))
    statuses = []
    with Visitor(site.base_url) as anybody:
        for place in (path, "/c/00000000-0000-0000-0000-000000000007/", "/elsewhere/"):
            with pytest.raises(InvalidStatus) as refusal, anybody.socket(place):
                pass
            statuses.append(refusal.value.response.status_code)
    assert statuses == [403, 403, 403]


def test_log_holds_no_words(visitor: Visitor, site: SiteProcess, model: DemoThread) -> None:
    secret = "unmistakable-secret-words"
    model.script("secret-site", Text(f"I repeat: {secret}. ", interval_s=0))
    watch_all = visitor.send(f"{prompt('secret-site')} {secret}")
    visitor.get(watch_all)
    visitor.send(f"{prompt('garbage')} {secret}")
    visitor.get("/nowhere/")
    cookie = visitor.http.cookies["sessionid"]
    log = site.log.read_text()
    assert secret not in log and cookie not in log and ADMIN_PASSWORD not in log
    assert "Traceback" not in log


# Killed, ended


def test_killed_in_the_middle_of_an_answer(fragile: SiteProcess, model: DemoThread) -> None:
    with Visitor(fragile.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        path = visitor.send(slow(model))
        shown = watch(visitor, path, 50)
        fragile.kill()
        fragile.start()
        status, error_code, text = wait_for_end(fragile, path)
        assert (status, error_code) == ("interrupted", "owner_lost")
        assert text.startswith(shown) and "".join(WORDS).startswith(text)
        html = visitor.get(path).text
        assert "The site was interrupted" in html and "retry-button" in html
        visitor.send(prompt("empty"), f"{path}send/")


def test_ended_in_the_middle_of_an_answer(fragile: SiteProcess, model: DemoThread) -> None:
    with Visitor(fragile.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        path = visitor.send(slow(model))
        shown = watch(visitor, path, 50)
        processes = fragile.rows("SELECT count(*) FROM chat_process")[0][0]
        began = time.monotonic()
        assert fragile.terminate() == 0
        assert time.monotonic() - began < EXIT_S
        status, error_code, text = generation(fragile, path)
        assert (status, error_code) == ("interrupted", "shutdown")
        assert text.startswith(shown)
        assert fragile.rows("SELECT count(*) FROM chat_process")[0][0] == processes - 1
        assert "Traceback" not in fragile.log.read_text()


def test_short_answers_finish_before_the_end(fragile: SiteProcess, model: DemoThread) -> None:
    model.script("short-site", Text(WORDS[:60], interval_s=0.01))
    with Visitor(fragile.base_url) as visitor:
        visitor.sign_in("admin", ADMIN_PASSWORD)
        path = visitor.send(prompt("short-site"))
        watch(visitor, path, 5)
        assert fragile.terminate() == 0
        assert generation(fragile, path) == ("complete", "", "".join(WORDS[:60]))


def test_end_without_work(fragile: SiteProcess) -> None:
    began = time.monotonic()
    assert fragile.terminate() == 0
    assert time.monotonic() - began < 5


def wait_for_end(site: SiteProcess, path: str) -> tuple[str, str, str]:
    give_up_at = time.monotonic() + RECOVERED_S
    while (found := generation(site, path))[0] in ("queued", "streaming"):
        assert time.monotonic() < give_up_at, found
        # A database in another process tells nobody that it has changed.
        time.sleep(0.05)
    return found


# Settings and commands


def manage(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a management command with settings of its own."""
    database = f"sqlite:///{tmp_path / 'commands.sqlite3'}"
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHAT_MAX_TOKENS", "abc"),
        ("CHAT_MAX_TOKENS", "0"),
        ("CHAT_READ_TIMEOUT_S", "nan"),
        ("CHAT_DRAIN_S", "-1"),
        ("CHAT_SIGNUP", "perhaps"),
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "mysql://user:pass-word@host/name"),
        ("REDIS_URL", "http://host"),
        ("ANTHROPIC_BASE_URL", "localhost:8000"),
        ("ANTHROPIC_API_KEY_FILE", "/nowhere/at/all"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("CHAT_METRICS_TOKEN_FILE", "/nowhere/at/all"),
        ("PROMETHEUS_MULTIPROC_DIR", "/nowhere/at/all"),
    ],
)
def test_bad_setting_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    done = manage(tmp_path, "check", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr.strip().splitlines()[-1]
    assert "pass-word" not in done.stderr


PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": "k" * 60 + "1aB!",
    "ANTHROPIC_BASE_URL": "",
    "ANTHROPIC_API_KEY": "",
}


@pytest.mark.skipif(
    any(dotenv_values(ROOT / ".env").get(name) for name in PRODUCTION if "ANTHROPIC" in name),
    reason="the .env file of this machine names a model",
)
@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["check", "--deploy"]])
def test_missing_key_stops_the_start_in_production(tmp_path: Path, command: list[str]) -> None:
    done = manage(tmp_path, *command, **PRODUCTION)
    assert done.returncode != 0 and "ANTHROPIC_API_KEY" in done.stderr


def test_production_settings_are_sound(tmp_path: Path) -> None:
    settings = {**PRODUCTION, "ANTHROPIC_API_KEY": "a key"}
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **settings)
    assert done.returncode == 0, done.stderr


def test_setup_shows_the_password_once(tmp_path: Path) -> None:
    first = manage(tmp_path, "setup", CHAT_ADMIN_PASSWORD="")
    second = manage(tmp_path, "setup", CHAT_ADMIN_PASSWORD="")
    assert re.search(r"password, shown once: \S{16}", first.stdout)
    assert (second.returncode, second.stdout) == (0, "")


def test_setup_never_shows_a_password_that_was_given(tmp_path: Path) -> None:
    done = manage(tmp_path, "setup", CHAT_ADMIN_PASSWORD="given pass phrase")
    assert "given pass phrase" not in done.stdout + done.stderr


def test_no_migration_is_missing(tmp_path: Path) -> None:
    assert manage(tmp_path, "makemigrations", "--check", "--dry-run").returncode == 0
