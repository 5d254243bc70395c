"""The `.env` of a development machine: completed once, and never changed again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from chatsite.development import complete_env_file


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the file goes; the variables that it is about are not set."""
    for name in ("DEBUG", "SECRET_KEY", "SECRET_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / ".env"


def completed(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    complete_env_file(path)
    return path.read_text(encoding="utf-8")


def test_new_file_holds_the_defaults(path: Path) -> None:
    complete_env_file(path)
    values = dotenv_values(path)
    assert sorted(values) == ["DEBUG", "SECRET_KEY"]
    assert values["DEBUG"] == "on"
    assert len(values["SECRET_KEY"] or "") >= 50


def test_new_file_is_for_its_owner_alone(path: Path) -> None:
    complete_env_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_differ(path: Path, tmp_path: Path) -> None:
    complete_env_file(path)
    complete_env_file(tmp_path / "other")
    assert dotenv_values(path)["SECRET_KEY"] != dotenv_values(tmp_path / "other")["SECRET_KEY"]


def test_complete_file_is_left_alone(path: Path) -> None:
    text = "# mine\nSECRET_KEY=k\nDEBUG=off"
    assert completed(path, text) == text


def test_second_time_changes_nothing(path: Path) -> None:
    once = completed(path, "CHAT_DEMO=on\n")
    assert completed(path, once) == once


@pytest.mark.parametrize("old", ["# mine\nCHAT_DEMO=on\n", "# mine\nCHAT_DEMO=on"])
def test_lines_that_stand_there_are_kept(path: Path, old: str) -> None:
    lines = completed(path, old).splitlines()
    assert lines[:2] == ["# mine", "CHAT_DEMO=on"]
    assert len(lines) == 4


def test_mode_of_a_file_that_was_there_is_kept(path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    complete_env_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_variable_without_a_value_is_missing(path: Path) -> None:
    completed(path, "SECRET_KEY=\nDEBUG=on\n")
    assert dotenv_values(path)["SECRET_KEY"]


def test_variable_of_the_environment_is_not_added(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the environment")
    monkeypatch.setenv("DEBUG", "off")
    complete_env_file(path)
    assert not path.exists()


def test_empty_variable_of_the_environment_counts_as_unset(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    text = "SECRET_KEY=k\nDEBUG=on\n"
    assert completed(path, text) == text


def test_secret_of_a_file_is_not_covered_by_another(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    complete_env_file(path)
    assert "SECRET_KEY" not in dotenv_values(path)


def test_environment_is_not_changed(path: Path) -> None:
    before = dict(os.environ)
    complete_env_file(path)
    assert dict(os.environ) == before
