"""Typed reading of the process environment, for settings.py alone.

Every reader returns a value of its type or raises ImproperlyConfigured with the variable's
name, what it was, and what it may be. Secrets can come from a file: NAME_FILE names it.
An empty variable counts as unset.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

_ON = ("1", "on", "true", "yes")
_OFF = ("0", "off", "false", "no")


def read_file(path: Path) -> None:
    """Take from a `.env` file what the environment does not name, even as empty."""
    for name, value in dotenv_values(path).items():
        os.environ.setdefault(name, value or "")


def text(name: str, default: str = "", *, choices: Sequence[str] = ()) -> str:
    value = os.environ.get(name, "") or default
    if choices and value not in choices:
        raise _bad(name, value, f"one of {', '.join(choices)}")
    return value


def secret(name: str) -> str:
    """Return the variable, or the content of the file that NAME_FILE points to."""
    path = os.environ.get(f"{name}_FILE", "")
    if os.environ.get(name) or not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(f"{name}_FILE", path, "a readable text file") from error


def boolean(name: str, default: bool) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in _ON + _OFF:
        raise _bad(name, value, "on or off")
    return value in _ON


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not minimum <= int(value) <= maximum:
        raise _bad(name, value, f"a whole number from {minimum} to {maximum}")
    return int(value)


def seconds(name: str, default: float, *, minimum: float, maximum: float) -> float:
    value = text(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not minimum <= number <= maximum:
        raise _bad(name, value, f"a number of seconds from {minimum:g} to {maximum:g}")
    return number


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """Return the items of a comma-separated list."""
    return [word.strip() for word in text(name, ",".join(default)).split(",") if word.strip()]


def dotted_names(name: str, default: Sequence[str]) -> list[str]:
    """Return the items of a comma-separated list of names such as `package.module.function`."""
    items = words(name, default)
    if bad := [item for item in items if not all(map(str.isidentifier, item.split(".")))]:
        raise _bad(name, bad[0], "a list of names such as package.module.function, or none")
    return items


def url(name: str, default: str = "", *, schemes: Sequence[str]) -> str:
    value = text(name, default)
    # sqlite:///file has no host, so that only the scheme can be demanded of it.
    scheme, separator, _ = value.partition("://")
    if value and (scheme not in schemes or not separator or not _is_url(value)):
        # It may hold a password: no more of it is shown than its scheme.
        shown = f"{scheme}://…" if separator else "…"
        raise _bad(name, shown, f"an address that begins with {' or '.join(schemes)}://")
    return value


def folder(name: str) -> str:
    """Return the path of a folder that can be written, "" where none is named.

    An empty variable is taken away: a library that reads it too would take it for a path.
    """
    path = text(name)
    if not path:
        os.environ.pop(name, None)
    elif not (os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)):
        raise _bad(name, path, "a folder that can be written")
    return path


def passwords(*addresses: str) -> list[str]:
    """Return the passwords that addresses hold, as they stand there and as they are meant."""
    found = [urlsplit(address).password or "" for address in addresses]
    return [text for password in found for text in {password, unquote(password)} if text]


def _is_url(value: str) -> bool:
    try:
        urlsplit(value)
    except ValueError:
        return False
    return True


def _bad(name: str, value: str, allowed: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}; it may be {allowed}.")
