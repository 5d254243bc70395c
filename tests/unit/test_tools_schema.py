"""A signature as JSON schema, and inputs checked against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from chat.models import User
from chat.tools.schema import description_of, mistake_in, schema_of, user_argument


def book(
    user: User,
    city: str,
    nights: int,
    price: float = 80.0,
    board: Literal["none", "half", "full"] = "half",
    guests: list[str] | None = None,
    *,
    pets: bool = False,
    wishes: dict[str, Any] | None = None,
) -> str:
    """Book a room.

    The first free one is taken.

    Args:
        city: where the hotel
            stands.
        nights: how many.

    Raises:
        ToolError: there is none.
    """
    return f"{user} {city} {nights} {price} {board} {guests} {pets} {wishes}"


def test_schema_of_every_type() -> None:
    assert schema_of(book) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where the hotel stands."},
            "nights": {"type": "integer", "description": "how many."},
            "price": {"type": "number", "default": 80.0},
            "board": {"type": "string", "enum": ["none", "half", "full"], "default": "half"},
            "guests": {"type": "array", "items": {"type": "string"}},
            "pets": {"type": "boolean", "default": False},
            "wishes": {"type": "object"},
        },
        "required": ["city", "nights"],
        "additionalProperties": False,
    }


def test_description_is_the_docstring_without_sections() -> None:
    assert description_of(book) == "Book a room.\n\nThe first free one is taken."


def test_user_argument_is_found_by_its_type() -> None:
    assert user_argument(book) == "user"
    assert user_argument(description_of) == ""


def without_annotation(city) -> str:  # type: ignore[no-untyped-def]
    return str(city)


def with_stars(*cities: str) -> str:
    return str(cities)


def by_position(city: str, /) -> str:
    return city


def of_bytes(city: bytes) -> str:
    return str(city)


def of_two_types(city: str | int) -> str:
    return str(city)


@pytest.mark.parametrize(
    "function", [without_annotation, with_stars, by_position, of_bytes, of_two_types]
)
def test_signature_that_json_has_no_schema_for(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="cit"):
        schema_of(function)


FITTING: dict[str, Any] = {"city": "Oslo", "nights": 2}


@pytest.mark.parametrize(
    "more",
    [{}, {"price": 5}, {"price": 5.5}, {"board": "full"}, {"guests": ["A"]}, {"wishes": {"a": 1}}],
)
def test_input_that_fits(more: dict[str, Any]) -> None:
    assert mistake_in(schema_of(book), {**FITTING, **more}) == ""


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ([], "The input has to be a JSON object."),
        ({"city": "Oslo"}, "The argument `nights` is missing."),
        ({**FITTING, "user": 1}, "There is no argument `user`; there are `city`, `nights`, "),
        ({**FITTING, "nights": "2"}, "`nights` has to be of type integer."),
        ({**FITTING, "nights": True}, "`nights` has to be of type integer."),
        ({**FITTING, "nights": 2.5}, "`nights` has to be of type integer."),
        ({**FITTING, "pets": 1}, "`pets` has to be of type boolean."),
        ({**FITTING, "board": "all"}, "`board` has to be one of `none`, `half`, `full`."),
        ({**FITTING, "guests": ["A", 1]}, "`guests[1]` has to be of type string."),
        ({**FITTING, "price": None}, "`price` has to be of type number."),
    ],
)
def test_input_that_does_not_fit(value: Any, mistake: str) -> None:
    assert mistake_in(schema_of(book), value).startswith(mistake)
