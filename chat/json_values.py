"""JSON of strangers, read so that every database and every other parser takes it too. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from chat.words import clean

MAX_DEPTH = 100
"""JSON that is nested deeper is refused: storing and showing it could exhaust the stack."""

_SHALLOW_CHARS = 200


def parse_json(text: str) -> Any:
    """Return the value of a JSON text, such as every database and JSON parser takes it.

    Texts in it are cleaned (words.clean).

    Raises:
        ValueError: no JSON (RFC 8259), a number that is not finite, or nested too deeply.
        RecursionError: nested far too deeply.
    """
    value = _decode(text)
    # Most are small deltas with nothing to clean and little depth: they are not walked.
    is_plain = len(text) < _SHALLOW_CHARS and "\\u" not in text
    return value if is_plain else clean_json(value)


def write_own(value: Any) -> str:
    """Return a value as JSON on one line, in ASCII."""
    return _OWN_ENCODER.encode(value)


def parse_own(text: str) -> Any:
    """Return the value of a JSON text that this site wrote: no space stands around it."""
    return _OWN_DECODER.raw_decode(text)[0]


def readable_json(value: Any) -> str:
    """Return a JSON value as a person reads it: all of it, in its own order."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def clean_json(value: Any, depth_left: int = MAX_DEPTH) -> Any:
    """Return a JSON value with every text in it cleaned (words.clean).

    Raises:
        ValueError: nested more than MAX_DEPTH deep.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | dict) and depth_left == 0:
        raise ValueError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [clean_json(item, depth_left - 1) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean_json(item, depth_left - 1) for key, item in value.items()}
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number


def _refuse_constant(name: str) -> float:
    # Python's parser takes NaN and Infinity, which are no JSON and break other parsers.
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant)
_OWN_DECODER = json.JSONDecoder()
# json.dumps would make an encoder for each.
_OWN_ENCODER = json.JSONEncoder(separators=(",", ":"))


def _decode(text: str) -> Any:
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:
        end = -1
    # Space around it is rare, and takes as much to look for as a small value to parse.
    return value if end == len(text) else _DECODER.decode(text)
