"""`/api/schema`: the OpenAPI document; `/api/`: the same, to be read. Both are for everybody."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from chat.api.conditional import json_answer
from chat.api.openapi import document


@login_not_required
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Return the document."""
    return json_answer(request, document())


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the document; it is in English alone, as its codes are."""
    described = document()
    context = {
        "description": [_prose(it) for it in described["info"]["description"].split("\n\n")],
        "operations": [
            _operation(path, method, it)
            for path, by_method in described["paths"].items()
            for method, it in by_method.items()
        ],
        "schemas": [
            {"name": name, "description": _prose(it["description"]), "members": _members(it)}
            for name, it in described["components"]["schemas"].items()
        ],
    }
    return render(request, "chat/api.html", context)


def _operation(path: str, method: str, described: dict[str, Any]) -> dict[str, Any]:
    body = described.get("requestBody")
    return {
        "name": described["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": described["summary"],
        "description": _prose(described.get("description", "")),
        "parameters": [
            {
                "name": it["name"],
                "place": it["in"],
                "kind": kind_of(it["schema"]),
                "description": _prose(it["description"]),
            }
            for it in described.get("parameters", ())
        ],
        "members": _members(body["content"]["application/json"]["schema"]) if body else [],
        "responses": [
            {
                "status": status,
                "description": _prose(it["description"]),
                "schema": _schema_name(it),
            }
            for status, it in described["responses"].items()
        ],
    }


def _members(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "kind": kind_of(it),
            "is_required": name in required,
            "description": _prose(it.get("description", "")),
        }
        for name, it in schema.get("properties", {}).items()
    ]


def _prose(text: str) -> SafeString:
    """Return words of the document as HTML: what stands between backticks is code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in parts)
    )


def _schema_name(response: dict[str, Any]) -> str:
    for content in response.get("content", {}).values():
        return _name(content["schema"])
    return ""


def kind_of(schema: dict[str, Any]) -> str:
    """Return in a few words what a schema takes."""
    if name := _name(schema):
        return name
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    kinds = schema.get("type", "anything")
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    if "items" in schema:
        words += f" of {kind_of(schema['items'])}"
    if "enum" in schema:
        words += ": " + ", ".join(str(value) for value in schema["enum"])
    if "format" in schema:
        words += f" ({schema['format']})"
    bounds = [f"{schema[end]:,}" for end in ("minimum", "maximum") if end in schema]
    if len(bounds) == 2:
        words += f" ({bounds[0]} to {bounds[1]})"
    return words


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
