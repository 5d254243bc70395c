"""Decides whether the demo model calls a tool, and makes up an input for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What in a prompt asks for a tool of which kind; the kind is looked up in the tool's name and
# description.
_HINTS = {
    "weather": r"\b(weather|forecast|temperature|rain(ing)?|sunny|snow(ing)?)\b|天气",
    "time": r"\b(what time|time is it|current time|the time|today's date|what day|the date)\b|几点",
    "calc": r"\b(calculat\w*|compute|how much is|sum of|multipl\w*)\b"
    # No date, and no number with hyphens in it.
    r"|(?<![\w-])\d[\d.]*\s*[-+*/\u00d7^]\s*\d[\d.]*(?![\w-])|计算",
    "search": r"\b(search|look up|find out|latest news)\b|搜索",
}
_KINDS = {
    "weather": r"weather|forecast",
    "time": r"time|clock|date",
    "calc": r"calc|math|arithmetic|eval|comput",
    "search": r"search|fetch|browse|lookup|web",
}
_EXPRESSION = re.compile(
    r"[-(]*\d[\d\s.,+\-*/\u00d7^()%]*[+\-*/\u00d7^%][\d\s.,+\-*/\u00d7^()%]*\d\)*"
)
_PLACE = re.compile(r"\b(?:in|at|for|of)\s+((?:[A-Z][\w'-]+)(?:\s+[A-Z][\w'-]+)*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LONGEST_QUERY_CHARACTERS = 80
_READ_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    input: Mapping[str, Any]


def choose_tool(tools: Sequence[Mapping[str, Any]], prompt: str) -> ToolCall | None:
    """Return the call that the prompt hints at, or None where it hints at no tool."""
    prompt = prompt[:_READ_CHARACTERS]
    for kind, hint in _HINTS.items():
        if re.search(hint, prompt, re.IGNORECASE):
            for tool in tools:
                if re.search(_KINDS[kind], _described(tool), re.IGNORECASE):
                    return call_of(tool, prompt)
    for tool in tools:
        if str(tool["name"]).lower() in prompt.lower():
            return call_of(tool, prompt)
    if tools and re.search(r"\btools?\b", prompt, re.IGNORECASE):
        return call_of(tools[0], prompt)
    return None


def call_of(tool: Mapping[str, Any], prompt: str) -> ToolCall:
    """Return a call whose input fits the tool's schema as far as the schema is plain."""
    value = _value("", tool["input_schema"], prompt)
    return ToolCall(str(tool["name"]), value if isinstance(value, Mapping) else {})


def _described(tool: Mapping[str, Any]) -> str:
    return f"{tool['name']} {tool.get('description', '')}"


def _value(name: str, schema: Any, prompt: str) -> Any:
    if not isinstance(schema, Mapping):
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return _enumerated(schema["enum"], prompt)
    match _type(schema):
        case "object":
            return _object(schema, prompt)
        case "array":
            return [_value(name, schema.get("items"), prompt)]
        case "integer" | "number" as kind:
            return _number(schema, prompt, whole=kind == "integer")
        case "boolean":
            return True
        case "string":
            return _string(name.lower(), prompt)
        case _:
            return None


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    # JSON schema allows a list of types, such as ["string", "null"].
    return str(kind if isinstance(kind, str) else kind[0])


def _object(schema: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    names = schema.get("required") or list(properties)[:3]
    return {name: _value(name, properties.get(name, {}), prompt) for name in names}


def _enumerated(choices: Sequence[Any], prompt: str) -> Any:
    words = prompt.lower()
    return next((choice for choice in choices if str(choice).lower() in words), choices[0])


def _number(schema: Mapping[str, Any], prompt: str, *, whole: bool) -> float:
    found = _NUMBER.search(prompt)
    number = float(found[0]) if found else float(schema.get("minimum", 1))
    number = max(number, float(schema.get("minimum", number)))
    number = min(number, float(schema.get("maximum", number)))
    return int(number) if whole else number


def _string(name: str, prompt: str) -> str:
    if re.search(r"city|location|place|where", name):
        place = _PLACE.search(prompt)
        return place[1] if place else "Paris"
    if re.search(r"expr|formula|calc|equation", name):
        expression = _EXPRESSION.search(prompt)
        return expression[0].strip() if expression else "6 * 7"
    if re.search(r"zone|tz", name):
        zone = re.search(r"\b[A-Z]\w+/[A-Z]\w+\b", prompt)
        return zone[0] if zone else "UTC"
    if re.search(r"url|link", name):
        link = re.search(r"https?://[^\s)>\]]+", prompt)
        return link[0] if link else "https://example.com/"
    if "date" in name:
        return "2026-01-01"
    return " ".join(prompt.split())[:_LONGEST_QUERY_CHARACTERS]
