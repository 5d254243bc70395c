"""The OpenAPI document: the same routes as the URL configuration; and its page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from chat.api.openapi import document, path_of

READ = {"get"}
PAGE = "api/"  # the document as a page, which describes no answer for programs
FOR_PROGRAMS = "api/"  # below v1/ is the Messages API, which others describe


def routes() -> dict[str, set[str]]:
    """Return the methods of every route for programs, HEAD aside."""
    found = {}
    for pattern in get_resolver("chat.urls").url_patterns:
        route = str(pattern.pattern)
        if route.startswith(FOR_PROGRAMS) and route != PAGE:
            methods = {name.lower() for name in getattr(pattern.callback, "methods", ("GET",))}
            found[path_of(route)] = methods - {"head"}
    return found


def refs(value: Any) -> set[str]:
    """Return every `$ref` below a value."""
    if isinstance(value, list):
        return set().union(*map(refs, value))
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*map(refs, value.values()))


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [it for by_method in described["paths"].values() for it in by_method.values()]


def test_document_names_every_route_and_no_other() -> None:
    described = {path: set(by_method) for path, by_method in document()["paths"].items()}
    assert described == routes()


def test_every_read_takes_head_too() -> None:
    for pattern in get_resolver("chat.urls").url_patterns:
        methods = getattr(pattern.callback, "methods", ())
        assert ("GET" in methods) == ("HEAD" in methods), pattern


def test_every_part_of_a_path_is_described() -> None:
    for path, by_method in document()["paths"].items():
        for it in by_method.values():
            parameters = it.get("parameters", ())
            named = {p["name"] for p in parameters if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


def test_every_reference_leads_somewhere() -> None:
    described = document()
    schemas = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert refs(described) <= schemas


def test_every_operation_has_a_name_of_its_own_and_links_to_others() -> None:
    named = [it["operationId"] for it in operations(document())]
    assert len(set(named)) == len(named)
    for it in operations(document()):
        for response in it["responses"].values():
            linked = {link["operationId"] for link in response.get("links", {}).values()}
            assert linked <= set(named)


def test_every_refusal_is_described_as_json() -> None:
    for it in operations(document()):
        for status, response in it["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}


@pytest.mark.django_db
def test_schema_is_for_everybody() -> None:
    response = Client().get("/api/schema")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == document()
    again = Client().get("/api/schema", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


class Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.scripts = 0
        self.navigations: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.scripts += tag == "script"
        if tag == "nav":
            self.navigations.append(found.get("aria-label"))
        if tag == "a":
            self.targets.add(found["href"] or "")


@pytest.mark.django_db
def test_page_shows_every_operation_and_schema() -> None:
    page = Links(Client().get("/api/").content.decode())
    described = document()
    named = {it["operationId"] for it in operations(described)}
    assert named | set(described["components"]["schemas"]) <= page.ids
    assert {target[1:] for target in page.targets if target.startswith("#")} <= page.ids
    assert page.scripts == 0
    assert page.navigations and all(page.navigations)


@pytest.mark.django_db
def test_page_is_escaped() -> None:
    html = Client().get("/api/").content.decode()
    assert "&quot;text&quot;:&quot;...&quot;" in html and "<token>" not in html
