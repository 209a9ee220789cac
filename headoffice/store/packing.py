"""Records that no query looks into, as bytes: canonical MessagePack, the same value the same bytes.

One codec a type, made once. What these bytes hold is typed by app/protocol; a layout that changes gets a
migration like a column.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import msgspec
import zstandard

from app.domain.state import MemberState
from app.protocol.accounts import Account
from app.protocol.facts import Returned
from app.protocol.links import Place
from app.protocol.packing import Packing
from app.protocol.store import Visit
from app.protocol.wire import Cell, ReferenceRow


class MemberRest(NamedTuple):
    """What a member has beside its columns and its reservations."""

    state: MemberState
    accounts: dict[str, Account]
    cells: dict[str, Cell]
    merged: tuple[bytes, ...] = ()
    visited: tuple[Visit, ...] = ()


MEMBER: Final = Packing[MemberRest](MemberRest)
CELL: Final = Packing[Cell](Cell)
BUCKETS: Final = Packing[tuple[str, ...]](tuple[str, ...])
SEEN: Final = Packing[tuple[tuple[str, int], ...]](tuple[tuple[str, int], ...])
TIMES: Final = Packing[tuple[int, ...]](tuple[int, ...])
LINES: Final = Packing[tuple[tuple[int, int], ...]](tuple[tuple[int, int], ...])
PARTS: Final = Packing[tuple[Returned, ...]](tuple[Returned, ...])
PLACES: Final = Packing[tuple[tuple[bytes, Place], ...]](tuple[tuple[bytes, Place], ...])
FRAME: Final = Packing[tuple[msgspec.Raw, ...]](tuple[msgspec.Raw, ...])
"""Rows as `wire.pack_row` made them, one behind the other: nobody at head office looks into a frame."""
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
"""So compressed bytes begin, and no frame does, which is an array."""
_FRAME_MOST: Final = 64 * 1024 * 1024


class _Threads(threading.local):
    """A compressor has tables of its own, which take a fifth of the time of a frame to make."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)


_of_thread: Final = _Threads()


def kept_frame(frame: bytes) -> bytes:
    """A frame as it lies in the store: the fifth of the bytes, which are written three times over."""
    return _of_thread.compressor.compress(frame)


def frame_kept(body: bytes) -> bytes:
    """The frame that was kept; older stores keep it as it is."""
    if not body.startswith(_ZSTD):
        return body
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=_FRAME_MOST)


REFERENCES: Final = Packing[tuple[ReferenceRow, ...]](tuple[ReferenceRow, ...])
