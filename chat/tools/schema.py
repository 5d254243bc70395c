"""A function's signature as JSON schema, and an input checked against it.

Annotations give the types, defaults what may be missing, the docstring's `Args:` what each
argument means (as `chat/` writes them). An argument of type User is not Claude's to give.
Nothing in here asks the database.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from chat.models import User

Schema = dict[str, Any]

_TYPES: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_ARGS = re.compile(r"^\s*Args:\s*$", re.MULTILINE)
_SECTION_END = re.compile(r"^\S", re.MULTILINE)
_ARGUMENT = re.compile(r"^    (\w+): (.+(?:\n     +.+)*)", re.MULTILINE)


def description_of(function: Callable[..., Any]) -> str:
    """Return a docstring without its sections."""
    before = re.split(r"^(?:Args|Raises):\s*$", _docstring(function), flags=re.MULTILINE)[0]
    return before.strip()


def schema_of(function: Callable[..., Any]) -> Schema:
    """Return the schema of a function's input.

    Raises:
        TypeError: an argument has no annotation, or one that JSON has no type for.
    """
    hints, meanings = get_type_hints(function), _meanings(function)
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if hints.get(name) is User:
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"`{parameter}` can't be given by name")
        properties[name] = _property(name, hints.get(name), parameter.default)
        if name in meanings:
            properties[name]["description"] = meanings[name]
        if parameter.default is parameter.empty:
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def user_argument(function: Callable[..., Any]) -> str:
    """Return the name of the argument that takes the calling user; "" where there is none."""
    hints = get_type_hints(function)
    return next((name for name, kind in hints.items() if kind is User and name != "return"), "")


def mistake_in(schema: Schema, value: Any) -> str:
    """Return what is wrong with an input, as a sentence; "" where it fits."""
    if not isinstance(value, dict):
        return "The input has to be a JSON object."
    known: Mapping[str, Schema] = schema.get("properties", {})
    if unknown := sorted(set(value) - set(known)):
        return f"There is no argument {_quoted(unknown)}; there are {_quoted(known)}."
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        return f"The argument {_quoted(missing)} is missing."
    mistakes = (_mistake(name, known[name], item) for name, item in value.items())
    return next((mistake for mistake in mistakes if mistake), "")


def _mistake(name: str, schema: Schema, value: Any) -> str:
    kind = schema.get("type", "")
    # In Python true is a number; in JSON it is none.
    is_fit = isinstance(value, _PYTHON.get(kind, (object,)))
    if not is_fit or (isinstance(value, bool) and kind in ("integer", "number")):
        return f"`{name}` has to be of type {kind}."
    if "enum" in schema and value not in schema["enum"]:
        return f"`{name}` has to be one of {_quoted(schema['enum'])}."
    if kind == "array":
        mistakes = (_mistake(f"{name}[{at}]", schema["items"], v) for at, v in enumerate(value))
        return next((mistake for mistake in mistakes if mistake), "")
    return ""


def _property(name: str, hint: Any, default: Any) -> Schema:
    schema = _schema(name, hint)
    if default is not inspect.Parameter.empty and default is not None:
        schema["default"] = default
    return schema


def _schema(name: str, hint: Any) -> Schema:
    origin, args = get_origin(hint), get_args(hint)
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if hint is dict or origin is dict:
        return {"type": "object"}
    if origin is list and args:
        return {"type": "array", "items": _schema(name, args[0])}
    if origin is Literal and all(isinstance(choice, str) for choice in args):
        return {"type": "string", "enum": list(args)}
    if origin in (Union, types.UnionType):
        # That it may be None says that it may be missing.
        given = [kind for kind in args if kind is not type(None)]
        if len(given) == 1:
            return _schema(name, given[0])
    raise TypeError(f"`{name}` has no type that JSON has; it is annotated as {hint!r}")


def _meanings(function: Callable[..., Any]) -> dict[str, str]:
    _, *sections = _ARGS.split(_docstring(function), maxsplit=1)
    if not sections:
        return {}
    section = _SECTION_END.split(sections[0], maxsplit=1)[0]
    return {m[1]: " ".join(m[2].split()) for m in _ARGUMENT.finditer(section)}


def _docstring(function: Callable[..., Any]) -> str:
    return inspect.getdoc(function) or ""


def _quoted(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
