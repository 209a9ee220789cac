"""Event bytes: only what a till writes is read as an event."""

from __future__ import annotations

import pytest

from app.protocol.events import NotCanonical, decode, encode


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


def test_a_float_is_not_written() -> None:
    with pytest.raises(NotCanonical):
        encode({"a": [{"b": 1.5}]})
