"""What is asked of an answer, as it is kept."""

from __future__ import annotations

import json

import pytest

from chat.options import Options, without_messages

ALL = Options(
    model="claude-haiku-5-5",
    system="",
    max_tokens=7,
    tools=("calculator", "weather"),
    max_seconds=1.5,
    body={"messages": [], "model": "x"},
    headers={"anthropic-beta": "b"},
)


def test_nothing_is_kept_of_nothing() -> None:
    assert Options().to_json() is None


@pytest.mark.parametrize("data", [None, {}])
def test_nothing_is_read_of_nothing(data: dict[str, object] | None) -> None:
    assert Options.from_json(data) == Options()


@pytest.mark.parametrize("options", [ALL, Options(), Options(tools=()), Options(system="Be brief")])
def test_options_survive_json(options: Options) -> None:
    assert Options.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_only_what_was_asked_for_is_kept() -> None:
    assert Options(max_tokens=7).to_json() == {"max_tokens": 7}


def test_no_tools_differ_from_the_settings_tools() -> None:
    assert Options(tools=()).to_json() == {"tools": ()}


def test_what_another_release_kept_is_passed_over() -> None:
    assert Options.from_json({"model": "x", "of_tomorrow": 1}) == Options(model="x")


def test_messages_are_left_out() -> None:
    left = without_messages({"model": "x", "body": {"max_tokens": 7, "messages": [1]}})
    assert left == {"model": "x", "body": {"max_tokens": 7}}


@pytest.mark.parametrize("options", [None, {"model": "m"}])
def test_nothing_to_leave_out(options: dict[str, str] | None) -> None:
    assert without_messages(options) == options
