"""Event bytes: only what a till writes is read as an event."""

from __future__ import annotations

import pytest

from app.protocol.events import Event, NotCanonical, decode, encode


def test_what_was_written_is_read_back() -> None:
    event = {"a": [1, -1, 1 << 62, None, True, "午"], "b": {"c": {}}}
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1.5}',
        b'{"a":[{"b":1.0}]}',
        b'{"a":1e3}',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":2}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b"[1]",
        b'{"a":"\xff"}',
        b"",
    ],
)
def test_bytes_that_no_till_writes_are_refused(body: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(body)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_what_is_nested_beyond_all_bounds_is_refused(depth: int) -> None:
    with pytest.raises(NotCanonical):
        decode(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    with pytest.raises(NotCanonical):
        encode({"a": nested})


def test_a_float_is_not_written() -> None:
    with pytest.raises(NotCanonical):
        encode({"a": [{"b": 1.5}]})


def test_an_event_is_the_same_bytes_at_whatever_place() -> None:
    event = Event(
        id=b"i" * 16, command_id=b"c" * 16, device=b"d" * 16, epoch=0, seq=7, kind="sale", at_us=1,
        offset_min=480, business_date=20_000, staff_id=None, shift_id=None, member_id=None,
        programme=None, entries=[], doc={"total": 1},
    )  # fmt: skip
    elsewhere = Event.from_bytes(event.to_bytes(), epoch=1, seq=3)
    assert (elsewhere.epoch, elsewhere.seq) == (1, 3)
    assert elsewhere.to_bytes() == event.to_bytes()
