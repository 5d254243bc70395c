"""The body of a program's request: a JSON object, and each mistake in a sentence."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from chat import errors
from chat.api.body import Members, json_object, natural

KEY = "8c1c1ae4-7b1c-4c5e-9f57-0c5f8d0a6b11"


def request(body: bytes | str, content_type: str = "application/json") -> HttpRequest:
    return RequestFactory().generic("POST", "/api/chat", body, content_type)


def problem(call: Callable[[], Any]) -> str:
    with pytest.raises(errors.InvalidRequest) as refusal:
        call()
    return str(refusal.value)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded"]
)
def test_object_is_read_whatever_the_content_type_says(kind: str) -> None:
    assert json_object(request('{"message": "Hi"}', kind)) == {"message": "Hi"}


def test_no_body_is_an_empty_object() -> None:
    assert json_object(request("")) == {}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\xff", "Byte 0 of the body is not UTF-8."),
        (b'{"a": \xc3}', "Byte 6 of the body is not UTF-8."),
        ("{", "The body is not JSON: "),
        ("message=Hi", "The body is not JSON: "),
        ('{"a": NaN}', "The body is not JSON: NaN is no JSON number."),
        ('{"a": 1e999}', "The body is not JSON: 1e999 is not finite."),
        ("[" * 200 + "]" * 200, "The body is not JSON: nested more than 100 deep."),
        ("[" * 100_000, "The body is not JSON: "),
        ("[]", "The body is not an object"),
        ('"Hi"', "The body is not an object"),
        ("null", "The body is not an object"),
        ('{"a": ' + "9" * 5_000 + "}", "The body is not JSON: "),
    ],
)
def test_other_bodies_are_refused(body: bytes | str, sentence: str) -> None:
    assert problem(lambda: json_object(request(body))).startswith(sentence)


@given(st.binary(max_size=50))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        result: Any = json_object(request(body))
    except errors.InvalidRequest as error:
        result = str(error)
    assert isinstance(result, dict) or result.endswith(".")


def test_form_with_files_is_refused() -> None:
    sent = RequestFactory().post("/api/chat", {"message": "Hi"})
    assert "send a JSON object instead" in problem(lambda: json_object(sent))


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=20)
@pytest.mark.parametrize("says_its_size", [True, False])
def test_large_body_is_refused(says_its_size: bool) -> None:
    sent = request('{"message": "far too long"}')
    if not says_its_size:
        del sent.META["CONTENT_LENGTH"]
    with pytest.raises(errors.BodyTooLarge):
        json_object(sent)


def test_texts_are_cleaned() -> None:
    assert json_object(request('{"message": "a\\u0000b\\ud800"}')) == {"message": "a\ufffdb\ufffd"}


@pytest.mark.parametrize(("text", "number"), [(None, None), ("", None), ("0", 0), ("007", 7)])
def test_natural(text: str | None, number: int | None) -> None:
    assert natural("after", text) == number


@pytest.mark.parametrize("text", ["-1", "1.0", "x", " 1", "٣", "9" * 19, "9" * 5_000])
def test_natural_refuses_everything_else(text: str) -> None:
    sentence = "`after` has to be a whole number from 0 on."
    assert problem(lambda: natural("after", text)) == sentence


READERS: dict[str, Callable[[Members], Any]] = {
    "text": lambda m: m.text("it"),
    "name": lambda m: m.name("it", maximum=5),
    "boolean": lambda m: m.boolean("it"),
    "integer": lambda m: m.integer("it", minimum=1, maximum=9),
    "number": lambda m: m.number("it", minimum=0.5, maximum=9),
    "texts": lambda m: m.texts("it"),
    "uuid": lambda m: m.uuid("it"),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("values", [{}, {"it": None}])
def test_missing_member_is_none(read: Callable[[Members], Any], values: dict[str, Any]) -> None:
    assert read(Members(values)) is None


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        ("text", "", ""),
        ("name", "abcde", "abcde"),
        ("boolean", False, False),
        ("integer", 9, 9),
        ("integer", 5.0, 5),
        ("number", 0.5, 0.5),
        ("number", 9, 9.0),
        ("texts", [], []),
        ("texts", ["a", "b"], ["a", "b"]),
        ("uuid", KEY, uuid.UUID(KEY)),
    ],
)
def test_member_is_read(kind: str, value: Any, result: Any) -> None:
    found = READERS[kind](Members({"it": value}))
    assert found == result and type(found) is type(result)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("text", 7, "`it` has to be a text."),
        ("name", "", "`it` has 0 characters; it takes 1 to 5."),
        ("name", "abcdef", "`it` has 6 characters; it takes 1 to 5."),
        ("boolean", 1, "`it` has to be true or false."),
        ("integer", True, "`it` has to be a whole number."),
        ("integer", 1.5, "`it` has to be a whole number."),
        ("integer", "1", "`it` has to be a whole number."),
        ("integer", 0, "`it` is 0; it has to lie between 1 and 9."),
        ("integer", 10**400, "`it` is 10000000000000000000; it has to lie between 1 and 9."),
        ("number", True, "`it` has to be a number."),
        ("number", "1", "`it` has to be a number."),
        ("number", 0.4, "`it` is 0.4; it has to lie between 0.5 and 9."),
        ("number", 10**400, "`it` is 10000000000000000000; it has to lie between 0.5 and 9."),
        ("texts", "a", "`it` has to be a list."),
        ("texts", ["a", 1], "`it` has to be a list of texts."),
        ("uuid", "no", "`it` has to be a UUID."),
        ("uuid", 7, "`it` has to be a text."),
    ],
)
def test_member_of_another_kind_is_refused(kind: str, value: Any, sentence: str) -> None:
    assert problem(lambda: READERS[kind](Members({"it": value}))) == sentence


def test_unknown_members_are_named_with_those_that_are_known() -> None:
    members = Members({"text": "Hi", "temperature": 1, "x" * 100: 2})
    members.text("text"), members.integer("max_tokens", minimum=1, maximum=9)
    sentence = f"`temperature`, `{'x' * 40}` is not known here; known are `text`, `max_tokens`."
    assert problem(members.check_all_known) == sentence


def test_known_members_pass() -> None:
    members = Members(json.loads('{"text": "Hi"}'))
    members.text("text")
    members.check_all_known()


def test_many_unknown_members_are_named_in_part() -> None:
    named = problem(Members({str(n): n for n in range(1_000)}).check_all_known)
    assert len(named) < 100
