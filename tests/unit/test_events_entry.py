"""Which deltas become one event, and that its JSON says what came."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from chat.events.entry import DELTA, Entry, Pending
from tests.unit.cuttings import cut_texts

AT = datetime(2026, 1, 2, tzinfo=UTC)
MEMBERS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def data_of(kind: str, text: str, index: int = 0) -> dict[str, Any]:
    member = MEMBERS.get(kind, "signature")
    return {"type": DELTA, "index": index, "delta": {"type": kind, member: text}}


def pending(kind: str = "text_delta", text: str = "a", index: int = 0) -> Pending:
    return Pending(DELTA, data_of(kind, text, index), AT)


@pytest.mark.parametrize("kind", MEMBERS)
def test_join_of_one_block_and_type(kind: str) -> None:
    event = pending(kind, "a")
    assert event.join(DELTA, data_of(kind, "b"))
    assert json.loads(event.entry(1).data) == data_of(kind, "ab")


@pytest.mark.parametrize("kind", [*MEMBERS, "signature_delta"])
@pytest.mark.parametrize("other", [*MEMBERS, "signature_delta", "hologram_delta"])
def test_join_never_across_types(kind: str, other: str) -> None:
    is_joined = pending(kind).join(DELTA, data_of(other, "b"))
    assert is_joined is (kind == other and kind in MEMBERS)


@pytest.mark.parametrize("kind", MEMBERS)
def test_join_never_across_blocks(kind: str) -> None:
    assert not pending(kind).join(DELTA, data_of(kind, "b", index=1))


@pytest.mark.parametrize("kind", ["content_block_stop", "message_start", "ping", "final"])
def test_join_of_no_other_kind(kind: str) -> None:
    assert not pending().join(kind, {"index": 0})
    assert not Pending(kind, {"index": 0}, AT).join(DELTA, data_of("text_delta", "b"))


def test_join_refused_changes_nothing() -> None:
    event = pending()
    event.join(DELTA, data_of("text_delta", "b", index=1))
    assert json.loads(event.entry(1).data) == data_of("text_delta", "a")


def test_join_does_not_change_what_was_given() -> None:
    given_data = data_of("text_delta", "a")
    event = Pending(DELTA, given_data, AT)
    event.join(DELTA, data_of("text_delta", "b"))
    event.entry(1)
    assert given_data == data_of("text_delta", "a")


def test_newest_chars_is_the_length_of_the_last_text() -> None:
    event = pending(text="abc")
    assert event.newest_chars == 3
    event.join(DELTA, data_of("text_delta", "d"))
    assert event.newest_chars == 1


def test_newest_chars_of_another_event_is_none() -> None:
    assert Pending("message_stop", {}, AT).newest_chars == 0


def test_delta_without_a_type_stays_alone() -> None:
    event = Pending(DELTA, {"index": 0, "delta": {}}, AT)
    assert not event.join(DELTA, {"index": 0, "delta": {}})


def test_entry_keeps_number_kind_and_time() -> None:
    assert Pending("final", {"status": "complete"}, AT).entry(7) == Entry(
        7, "final", '{"status":"complete"}', AT
    )


def test_entry_keeps_other_members() -> None:
    data = {**data_of("text_delta", "a"), "new": 1}
    event = Pending(DELTA, data, AT)
    event.join(DELTA, data_of("text_delta", "b"))
    assert json.loads(event.entry(1).data)["new"] == 1


@pytest.mark.parametrize("text", ['"\\', "\n\u2028", "👍", "</script>", "\ufffd", "\x7f", ""])
def test_entry_holds_the_text_exactly(text: str) -> None:
    assert json.loads(pending(text=text).entry(1).data)["delta"]["text"] == text


@given(cut_texts())
def test_joined_text_is_the_whole(pieces: list[str]) -> None:
    event = pending(text=pieces[0])
    assert all(event.join(DELTA, data_of("text_delta", piece)) for piece in pieces[1:])
    assert json.loads(event.entry(1).data)["delta"]["text"] == "".join(pieces)
