"""The OpenAPI 3.1 document of the API, made of operations.py and schemas.py."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings

from chat import errors
from chat.api.operation import (
    EVENT_STREAM,
    IF_NONE_MATCH,
    JSON,
    Operation,
    Parameter,
    Refusal,
)
from chat.api.operations import operations
from chat.api.schemas import OBJECT, SCHEMAS, TEXT, Schema, ref, said

EVERYWHERE: tuple[Refusal, ...] = (errors.NotSignedIn, errors.Unavailable)
"""What every operation may be refused for."""

DESCRIPTION = """\
Sign in with a token of yours, as `Authorization: Bearer <token>`; a token that may only read \
changes nothing. A page of this site may ask with its session.

HEAD is answered wherever GET is. Every error is JSON, `{"error": {"code", "message", \
"retryable"}}`; 405 names in `Allow` what an address takes, and the site's own limits say in \
`Retry-After` when to try again. What is somebody else's is answered as what is not there.

`POST /v1/messages` and `GET /v1/models` are not described here: they speak the Messages API, for \
its SDKs."""


def document() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": settings.SITE_NAME, "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": {
            path_of(route): {method: _described(it) for method, it in by_method.items()}
            for route, by_method in operations().items()
        },
        "components": {
            "schemas": {**SCHEMAS, "Document": said(OBJECT, "An OpenAPI document.")},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": settings.SESSION_COOKIE_NAME,
                },
            },
        },
    }


def path_of(route: str) -> str:
    """Return the path of a route: `c/<uuid:id>` becomes `/c/{id}`."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(operation.status): _answer(operation), **_refusals(operation)},
    }
    if operation.description:
        described["description"] = operation.description
    if operation.parameters:
        described["parameters"] = [_parameter(it) for it in operation.parameters]
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    if operation.is_open:
        described["security"] = []
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _answer(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.is_stream:
        answer["description"] = "Server-sent events"
        answer["content"] = {EVENT_STREAM: {"schema": ref(operation.answer)}}
    elif operation.answer:
        answer["content"] = _content(ref(operation.answer))
    if operation.headers:
        answer["headers"] = {
            name: {"description": sentence, "required": True, "schema": TEXT}
            for name, sentence in operation.headers
        }
    if operation.links:
        answer["links"] = {
            name: {"operationId": name, "parameters": {parameter: expression}}
            for name, parameter, expression in operation.links
        }
    return answer


def _refusals(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[Refusal]] = defaultdict(list)
    for refusal in (*operation.refusals, *(() if operation.is_open else EVERYWHERE)):
        by_status[refusal.http_status].append(refusal)
    refusals = {str(code): _refusal(code, of) for code, of in sorted(by_status.items())}
    if IF_NONE_MATCH in operation.parameters:
        refusals["304"] = {"description": HTTPStatus(304).phrase}
    return refusals


def _refusal(code: int, of: Iterable[Refusal]) -> dict[str, Any]:
    names = ", ".join(f"`{refusal.code}`" for refusal in of)
    refusal: dict[str, Any] = {"description": names, "content": _content(ref("Error"))}
    if code == HTTPStatus.UNAUTHORIZED:
        refusal["headers"] = {"WWW-Authenticate": {"required": True, "schema": TEXT}}
    return refusal


def _content(schema: Schema) -> dict[str, Any]:
    return {JSON: {"schema": schema}}
