"""What a program sends: a JSON object, read member by member, each mistake told in a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from chat import errors
from chat.api.door import body_of
from chat.json_values import parse_json

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Return the object that a request's body holds, whatever its content type says.

    Raises:
        BodyTooLarge, InvalidRequest: it holds none.
    """
    try:
        value = parse_json(body_of(request).decode() or "{}")
    except UnicodeDecodeError as error:
        raise errors.InvalidRequest(f"Byte {error.start} of the body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise errors.InvalidRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise errors.InvalidRequest('The body is not an object; send one like {"message": "Hi"}.')
    return value


def natural(name: str, text: str | None) -> int | None:
    """Return a number of an address or a header; None where there is none.

    Raises:
        InvalidRequest: it is no whole number from 0 on.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise errors.InvalidRequest(f"`{name}` has to be a whole number from 0 on.")
    return int(text)


class Members:
    """The members of an object, taken one by one; `check_all_known` refuses what is left.

    Each method returns None where the member is missing or null, and raises InvalidRequest where
    it is of another kind.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._known: list[str] = []

    def text(self, name: str) -> str | None:
        value: str | None = self._of_kind(name, str)
        return value

    def name(self, name: str, *, maximum: int) -> str | None:
        """Return a text of one to `maximum` characters."""
        value = self.text(name)
        if value is not None and not 0 < len(value) <= maximum:
            raise errors.InvalidRequest(
                f"`{name}` has {len(value)} characters; it takes 1 to {maximum}."
            )
        return value

    def boolean(self, name: str) -> bool | None:
        value: bool | None = self._of_kind(name, bool)
        return value

    def integer(self, name: str, *, minimum: int, maximum: int) -> int | None:
        value: int | None = self._of_kind(name, int)
        self._check_range(name, value, minimum, maximum)
        return value

    def number(self, name: str, *, minimum: float, maximum: float) -> float | None:
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise errors.InvalidRequest(f"`{name}` has to be a number.")
        self._check_range(name, value, minimum, maximum)
        return float(value)

    def texts(self, name: str) -> list[str] | None:
        value: list[Any] | None = self._of_kind(name, list)
        if value is not None and not all(isinstance(item, str) for item in value):
            raise errors.InvalidRequest(f"`{name}` has to be a list of texts.")
        return value

    def uuid(self, name: str) -> uuid.UUID | None:
        value = self.text(name)
        try:
            return None if value is None else uuid.UUID(value)
        except ValueError:
            raise errors.InvalidRequest(f"`{name}` has to be a UUID.") from None

    def check_all_known(self) -> None:
        """Raise InvalidRequest where the object has a member that nobody asked for."""
        if unknown := sorted(set(self._values) - set(self._known)):
            names = ", ".join(f"`{name[:40]}`" for name in unknown[:5])
            known = ", ".join(f"`{name}`" for name in self._known)
            raise errors.InvalidRequest(f"{names} is not known here; known are {known}.")

    def _take(self, name: str) -> Any:
        self._known.append(name)
        return self._values.get(name)

    def _of_kind(self, name: str, kind: type) -> Any:
        value = self._take(name)
        # To JavaScript, and to JSON Schema, 5.0 is a whole number.
        if kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or (isinstance(value, kind) and isinstance(value, bool) == (kind is bool)):
            return value
        raise errors.InvalidRequest(f"`{name}` has to be {_NAMES[kind]}.")

    @staticmethod
    def _check_range(name: str, value: float | None, minimum: float, maximum: float) -> None:
        if value is not None and not minimum <= value <= maximum:
            # As it came: a whole number can be larger than any that can be rounded.
            raise errors.InvalidRequest(
                f"`{name}` is {str(value)[:20]}; it has to lie between {minimum:g} and {maximum:g}."
            )
