"""Reading the environment: what is set, what is not, and what a bad value makes it say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatsite import environment as env

NAME = "CHAT_OF_THIS_TEST"
Set = Callable[[str], None]


@pytest.fixture
def set_variable(monkeypatch: pytest.MonkeyPatch) -> Set:
    return lambda value: monkeypatch.setenv(NAME, value)


def refusal(read: Callable[[], Any]) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        read()
    return str(error.value)


def integer() -> int:
    return env.integer(NAME, 5, minimum=1, maximum=10)


def seconds() -> float:
    return env.seconds(NAME, 1.5, minimum=0.5, maximum=600)


def url() -> str:
    return env.url(NAME, "redis://here", schemes=["redis", "rediss"])


@pytest.mark.parametrize("unset", [None, ""])
@pytest.mark.parametrize(
    ("read", "default"),
    [
        (lambda: env.text(NAME, "some"), "some"),
        (lambda: env.text(NAME), ""),
        (lambda: env.secret(NAME), ""),
        (lambda: env.boolean(NAME, True), True),
        (lambda: env.boolean(NAME, False), False),
        (integer, 5),
        (seconds, 1.5),
        (lambda: env.words(NAME), []),
        (lambda: env.words(NAME, ["a", "b"]), ["a", "b"]),
        (url, "redis://here"),
        (lambda: env.folder(NAME), ""),
    ],
    ids=[
        "text",
        "text-empty",
        "secret",
        "boolean-on",
        "boolean-off",
        "integer",
        "seconds",
        "words-empty",
        "words",
        "url",
        "folder",
    ],
)
def test_unset_gives_the_default(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], default: Any, unset: str | None
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if unset is not None:
        monkeypatch.setenv(NAME, unset)
    assert read() == default


def test_text_good(set_variable: Set) -> None:
    set_variable(" as it is ")
    assert env.text(NAME, "some") == " as it is "


def test_text_one_of_its_choices(set_variable: Set) -> None:
    set_variable("off")
    assert env.text(NAME, "on", choices=["on", "off"]) == "off"


def test_text_none_of_its_choices(set_variable: Set) -> None:
    set_variable("perhaps")
    words = refusal(lambda: env.text(NAME, "on", choices=["on", "off"]))
    assert words == f"{NAME} is 'perhaps'; it may be one of on, off."


@pytest.mark.parametrize("value", ["1", "on", "true", "yes", "ON", "True"])
def test_boolean_on(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert env.boolean(NAME, False) is True


@pytest.mark.parametrize("value", ["0", "off", "false", "no", "OFF", "False"])
def test_boolean_off(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert env.boolean(NAME, True) is False


@pytest.mark.parametrize("value", ["maybe", "2", "onn", " "])
def test_boolean_bad(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert refusal(lambda: env.boolean(NAME, True)) == f"{NAME} is {value!r}; it may be on or off."


@pytest.mark.parametrize("value", ["1", "7", "10"])
def test_integer_good(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert integer() == int(value)


@pytest.mark.parametrize("value", ["0", "11", "-1", "1.5", "ten", "1_0", "٣", "1e1"])
def test_integer_bad(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert refusal(integer) == f"{NAME} is {value!r}; it may be a whole number from 1 to 10."


@pytest.mark.parametrize("value", ["0.5", "7", "1e2", "600"])
def test_seconds_good(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert seconds() == float(value)


@pytest.mark.parametrize("value", ["0.49", "601", "-1", "nan", "inf", "soon", "5 s"])
def test_seconds_bad(set_variable: Set, value: str) -> None:
    set_variable(value)
    allowed = "a number of seconds from 0.5 to 600"
    assert refusal(seconds) == f"{NAME} is {value!r}; it may be {allowed}."


def test_words_are_stripped(set_variable: Set) -> None:
    set_variable(" a.example , b.example,, ")
    assert env.words(NAME) == ["a.example", "b.example"]


@pytest.mark.parametrize("value", ["redis://u:pw@here:1/0", "rediss://here"])
def test_url_good(set_variable: Set, value: str) -> None:
    set_variable(value)
    assert url() == value


def test_url_without_a_host(set_variable: Set) -> None:
    set_variable("sqlite:///db.sqlite3")
    assert env.url(NAME, schemes=["sqlite"]) == "sqlite:///db.sqlite3"


def test_url_bad(set_variable: Set) -> None:
    set_variable("http://here")
    allowed = "an address that begins with redis or rediss://"
    assert refusal(url) == f"{NAME} is 'http://…'; it may be {allowed}."


@pytest.mark.parametrize(
    "value",
    [
        "http://user:hunter2@here",
        "user:hunter2@here",
        "//user:hunter2@here",
        ":hunter2@here",
        "hunter2",
        "hunter2:6379",
        "http://user:hunter2@[here",
    ],
)
def test_url_bad_shows_no_password(set_variable: Set, value: str) -> None:
    set_variable(value)
    words = refusal(url)
    assert NAME in words
    assert "hunter2" not in words


def test_secret_from_the_variable(set_variable: Set) -> None:
    set_variable("hunter2")
    assert env.secret(NAME) == "hunter2"


def test_secret_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n", encoding="utf-8")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    assert env.secret(NAME) == "hunter2"


def test_secret_of_the_variable_goes_first(
    monkeypatch: pytest.MonkeyPatch, set_variable: Set
) -> None:
    set_variable("hunter2")
    monkeypatch.setenv(f"{NAME}_FILE", "/no/such/file")
    assert env.secret(NAME) == "hunter2"


def test_secret_from_a_file_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = str(tmp_path / "none")
    monkeypatch.setenv(f"{NAME}_FILE", path)
    allowed = "a readable text file"
    assert refusal(lambda: env.secret(NAME)) == f"{NAME}_FILE is {path!r}; it may be {allowed}."


def test_secret_from_a_file_that_is_no_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"\xffhunter2")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    words = refusal(lambda: env.secret(NAME))
    assert f"{NAME}_FILE" in words
    assert "hunter2" not in words


def env_file(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def test_read_file_sets_what_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Set and unset first, so that the variable is gone after the test.
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)
    env.read_file(env_file(tmp_path, f"{NAME}='from the file' # why\n"))
    assert env.text(NAME) == "from the file"


def test_read_file_leaves_what_is_set(set_variable: Set, tmp_path: Path) -> None:
    set_variable("from outside")
    env.read_file(env_file(tmp_path, f"{NAME}=inside\n"))
    assert env.text(NAME) == "from outside"


def test_read_file_counts_empty_as_unset(set_variable: Set, tmp_path: Path) -> None:
    set_variable("")
    env.read_file(env_file(tmp_path, f"{NAME}=\n"))
    assert env.text(NAME, "default") == "default"


def test_read_file_that_is_not_there(tmp_path: Path) -> None:
    env.read_file(tmp_path / ".env")


def test_read_file_leaves_what_is_set_to_nothing(set_variable: Set, tmp_path: Path) -> None:
    set_variable("")
    env.read_file(env_file(tmp_path, f"{NAME}=inside\n"))
    assert env.text(NAME, "default") == "default"


def test_folder_good(set_variable: Set, tmp_path: Path) -> None:
    set_variable(str(tmp_path))
    assert env.folder(NAME) == str(tmp_path)


@pytest.mark.parametrize("path", ["/nowhere/at/all", __file__])
def test_folder_bad(set_variable: Set, path: str) -> None:
    set_variable(path)
    assert refusal(lambda: env.folder(NAME)).startswith(f"{NAME} is {path!r}; it may be a folder")


def test_folder_that_is_empty_is_taken_away(set_variable: Set) -> None:
    set_variable("")
    env.folder(NAME)
    assert NAME not in os.environ


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", set()),
        ("sqlite:///db.sqlite3", set()),
        ("redis://host:6379/0", set()),
        ("redis://:hunter2@host:6379/0", {"hunter2"}),
        ("postgres://chat:p%40ss@host/name", {"p%40ss", "p@ss"}),
    ],
)
def test_passwords_of_addresses(address: str, found: set[str]) -> None:
    assert set(env.passwords(address, "")) == found


def test_dotted_names(set_variable: Set) -> None:
    assert env.dotted_names(NAME, ["a.b"]) == ["a.b"]
    set_variable("package.module.function, none")
    assert env.dotted_names(NAME, []) == ["package.module.function", "none"]


@pytest.mark.parametrize("value", ["a.b c", "a..b", "a.b()", "/a/b.py", "a-b.c"])
def test_dotted_names_that_are_none(set_variable: Set, value: str) -> None:
    set_variable(f"a.b,{value}")
    assert refusal(lambda: env.dotted_names(NAME, [])).startswith(f"{NAME} is {value!r}; ")
