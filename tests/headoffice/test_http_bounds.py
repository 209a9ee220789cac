"""The bounds that hold whoever asks: of a message's values, of a frame's memory, of how often."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import zstandard

from app.domain.business_day import BusinessDate
from app.protocol import wire
from app.protocol.links import Place
from app.protocol.wire import (
    START,
    Cell,
    HoldRequest,
    RebaseAnchor,
    RebaseRequest,
    SnapshotRequest,
    SyncRequest,
)
from headoffice import messages
from headoffice.limiting import TokenBuckets, is_local
from headoffice.messages import TooBig

ANNA = b"anna" * 4
ANCHOR = RebaseAnchor(1, 1, 1, b"c" * 32)


def poll(**values: Any) -> SyncRequest:
    """A poll with these values."""
    nothing = SyncRequest(b"r" * 16, b"d" * 16, 1, Place(1, 0, b"c" * 32), 0, (), (), {})
    return msgspec.structs.replace(nothing, **values)


HOLDING = HoldRequest(b"r" * 16, b"d" * 16, 1, 1, b"h" * 16, ANNA, "points", 1, BusinessDate(1))
HALF = b"e" * (wire.EVENT_BYTES_MOST // 2)


@pytest.mark.parametrize(
    ("most", "beyond"),
    [
        (poll(events=(HALF, HALF)), poll(events=(HALF, HALF + b"e"))),
        (poll(events=(b"{}",) * 500), poll(events=(b"{}",) * 501)),
        (poll(events=(HALF * 3,)), poll(events=(HALF * 3, b"{}"))),
        (
            poll(cells=(Cell(ANNA, "n" * 200, "v" * 65_536, 1, ANNA),)),
            poll(cells=(Cell(ANNA, "name", "v" * 65_537, 1, ANNA),)),
        ),
        (
            poll(cursors={f"b{number}": START for number in range(10_000)}),
            poll(cursors={f"b{number}": START for number in range(10_001)}),
        ),
        (
            poll(digests={f"b{number}": 1 for number in range(10_000)}),
            poll(digests={f"b{number}": 1 for number in range(10_001)}),
        ),
        (poll(cursors={"b" * 200: START}), poll(cursors={"b" * 201: START})),
        (
            msgspec.structs.replace(HOLDING, lines=((0, 1),) * 10_000),
            msgspec.structs.replace(HOLDING, lines=((0, 1),) * 10_001),
        ),
        (HOLDING, msgspec.structs.replace(HOLDING, sale=b"short")),
        (
            RebaseRequest(b"r" * 16, b"d" * 16, 1, b"n" * 64, (ANCHOR,) * 4_000),
            RebaseRequest(b"r" * 16, b"d" * 16, 1, b"n" * 64, (ANCHOR,) * 4_001),
        ),
        (
            RebaseRequest(b"r" * 16, b"d" * 16, 1, b"n", ()),
            RebaseRequest(b"r" * 16, b"d" * 16, 1, b"", ()),
        ),
        (
            SnapshotRequest(b"r" * 16, b"d" * 16, 1, "b" * 200, 0, 0),
            SnapshotRequest(b"r" * 16, b"d" * 16, 1, "b\0", 0, 0),
        ),
        (
            SnapshotRequest(b"r" * 16, b"d" * 16, 1, "b", 0, 0, 1),
            SnapshotRequest(b"r" * 16, b"d" * 16, 1, "b", 0, 0, 0),
        ),
    ],
)
def test_each_bound_of_a_message_holds(most: wire.Request, beyond: wire.Request) -> None:
    assert messages.read(wire.to_bytes(most)) == most
    with pytest.raises((TooBig, wire.NotAMessage)):
        messages.read(wire.to_bytes(beyond))


def test_a_frame_that_wants_a_lot_of_memory_is_not_unpacked() -> None:
    for window_log, taken in ((23, True), (24, False)):
        wide = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=False)
        packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
        frame = packer.compress(b"a poll") + packer.flush()
        if taken:
            assert messages.unpacked(frame) == b"a poll"
        else:
            with pytest.raises(wire.NotAMessage):
                messages.unpacked(frame)


def test_this_machine_is_local_in_each_way_to_write_it() -> None:
    assert all(map(is_local, ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_local, ("", "testclient", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1")))


def test_an_address_has_so_many_tries_at_once_and_then_so_many_a_second() -> None:
    tries = TokenBuckets(per_s=0.1, burst=3, keys_most=2)
    assert [tries.wait_s("a", 100) for _ in range(4)] == [0, 0, 0, 11]
    assert [tries.wait_s("a", 110) for _ in range(2)] == [0, 11]
    assert [tries.wait_s("b", 110), tries.wait_s("c", 110)] == [0, 0]
    assert tries.wait_s("a", 111) == 0, "who was quiet for longest was forgotten"
