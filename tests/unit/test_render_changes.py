"""The steps from one page to another."""

from __future__ import annotations

import pytest
from hypothesis import given

from chat.render import Change, in_parts, render
from chat.render.changes import difference
from tests.unit.markdown_texts import noise
from tests.unit.rendered_page import RenderedPage

# Thousands of texts: to trace them would take longer than all that is traced.
pytestmark = pytest.mark.no_cover


def page_of(*changes: Change) -> str:
    page = RenderedPage()
    for change in changes:
        page.apply(change)
    return page.html


@pytest.mark.parametrize(
    ("old", "new", "steps"),
    [
        ("<p>a</p>", "<p>a</p>", []),
        ("", "<p>a</p>", [Change("add", 0, "<p>a</p>")]),
        ("<p>a</p>", "<p>ab</p>", [Change("add", 1, "b")]),
        ("<p>a</p>", "<p>a<em>b</em></p>", [Change("add", 1, "<em>b</em>")]),
        ("<p>a</p>", "<h1>a</h1>", [Change("drop", 0), Change("add", 0, "<h1>a</h1>")]),
        ("<p>a</p>", "<p>a</p><hr>", [Change("add", 0, "<hr>")]),
        ("<p>a</p>", "<p>ab</p><hr>", [Change("add", 1, "b"), Change("add", 0, "<hr>")]),
        ("<p>a</p><hr>", "<p>a</p>", [Change("drop", 0)]),
        (
            "<ul><li><p>a</p></li></ul>",
            "<ul><li><p>a</p></li><li><p>b</p></li></ul>",
            [Change("add", 1, "<li><p>b</p></li>")],
        ),
    ],
)
def test_difference(old: str, new: str, steps: list[Change]) -> None:
    assert difference(old, new) == steps


def test_what_is_open_before_stays() -> None:
    old, new = "<li><p>b</p></li></ul><p>c</p>", "<li><p>b</p></li><li></li></ul>"
    assert difference(old, new, ["ul"]) == [Change("drop", 0), Change("add", 1, "<li></li>")]


def test_rows_change_whole() -> None:
    table = '<div class="table"><table><thead></thead><tbody>{}</tbody></table></div>'
    old, new = table.format("<tr><td>a</td></tr>"), table.format("<tr><td>b</td></tr>")
    assert difference(old, new) == [Change("drop", 3), Change("add", 3, "<tr><td>b</td></tr>")]


def test_a_table_without_rows_changes_whole() -> None:
    old = "<div><table><thead></thead></table></div>"
    new = "<div><table><thead></thead><tbody></tbody></table></div>"
    table = "<table><thead></thead><tbody></tbody></table>"
    assert difference(old, new) == [Change("drop", 1), Change("add", 1, table)]


@given(noise, noise)
def test_the_steps_make_the_new_of_the_old(old: str, new: str) -> None:
    before, after = render(old), render(new)
    assert page_of(Change("add", 0, before), *difference(before, after)) == after


@given(noise.map(lambda text: text * 20))
def test_parts_do_the_same(text: str) -> None:
    change = Change("add", 0, render(text))
    assert page_of(*in_parts(change, 500)) == change.markup


def test_parts_are_short() -> None:
    change = Change("reset", 0, render("```python\n" + "x = 1\n" * 200 + "```\n\n" + "a " * 900))
    parts = in_parts(change, 500)
    assert page_of(*parts) == change.markup
    assert max(len(part.markup) for part in parts) <= 500


def test_parts_end_with_a_word() -> None:
    change = Change("add", 0, "herons &amp; cranes " * 100)
    assert all(part.markup.endswith(" ") for part in in_parts(change, 500))
