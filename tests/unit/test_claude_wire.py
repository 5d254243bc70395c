"""Server-sent events read from bytes: the same as the SDK reads, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anthropic._streaming import SSEDecoder
from hypothesis import given
from hypothesis import strategies as st

from chat.claude.wire import WireEvent, WireReader

PIECES = (
    "event: content_block_delta",
    "event:ping",
    'data: {"a": 1}',
    "data: é😀",
    "data:",
    "data",
    ": a comment",
    "id: 7",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\r\n\r\n",
    "\u2028",
)
streams = st.lists(st.sampled_from(PIECES), max_size=30).map(lambda p: "".join(p).encode())
cuts = st.lists(st.integers(0, 400), max_size=8)


def pieces(stream: bytes, cut_at: list[int]) -> Iterator[bytes]:
    ends = sorted({min(at, len(stream)) for at in cut_at} | {len(stream)})
    for begin, end in zip([0, *ends], ends, strict=False):
        yield stream[begin:end]


def read(stream: bytes, cut_at: list[int]) -> list[WireEvent]:
    reader = WireReader()
    return [event for piece in pieces(stream, cut_at) for event in reader.feed(piece)]


def told(events: list[WireEvent]) -> list[WireEvent]:
    return [event for event in events if event.kind and event.data]


@given(streams)
def test_reads_as_the_sdk_does(stream: bytes) -> None:
    # What no empty line ends is no event; the SDK's own reader holds that back as well.
    sdk = SSEDecoder().iter_bytes(iter([stream]))
    expected = [WireEvent(event.event or "", event.data) for event in sdk]
    assert told(read(stream, [])) == told(expected)


@given(streams, cuts)
def test_cuts_change_nothing(stream: bytes, cut_at: list[int]) -> None:
    assert told(read(stream, cut_at)) == told(read(stream, []))


def test_events_before_a_bad_one_are_read() -> None:
    events = WireReader().feed(b"event: a\ndata: 1\n\nevent: b\ndata: \xff\n\n")
    assert next(events) == WireEvent("a", "1")
    with pytest.raises(UnicodeDecodeError):
        next(events)
