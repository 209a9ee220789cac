"""Bodies from the network: unpacked within bounds, and read as messages whose values a store can hold (R11).

What a till of ours never sends is refused here, whole, before anything is done.
"""

from __future__ import annotations

from typing import Final

import zstandard

from app.protocol.card_leases import BLOCKS_MOST, CardsRequest, is_block
from app.protocol.endpoints import BODY_BYTES_MOST
from app.protocol.few_digits import FEW
from app.protocol.shop_staff import STAFF_MOST, StaffRequest, WorksHere
from app.protocol.wire import (
    EVENT_BYTES_MOST,
    EVENTS_MOST,
    ID_BYTES,
    LOOKED_UP,
    HoldRequest,
    LookRequest,
    NotAMessage,
    RebaseRequest,
    Request,
    SaleRequest,
    SnapshotRequest,
    SyncRequest,
    is_name,
    keepable,
    request_of,
)

_WINDOW_MOST: Final = 8 * 1024 * 1024
_VALUE_MOST: Final = 64 * 1024
_NONCE_MOST: Final = 64
_ANCHORS_MOST: Final = 4_000
_COUNT_MOST: Final = 10_000
_PACKED_FROM: Final = 512
_LEVEL: Final = 3
_APP_MOST: Final = 40


class TooBig(Exception):
    """The body is larger than any that a till sends."""


def unpacked(body: bytes, most: int = BODY_BYTES_MOST) -> bytes:
    """What a zstd frame holds, at most `most` bytes, whatever it promises. Raises TooBig or NotAMessage."""
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MOST).stream_reader(body)
    try:
        plain = reader.read(most + 1)
    except zstandard.ZstdError as error:
        raise NotAMessage("not zstd") from error
    if len(plain) > most:
        raise TooBig
    return plain


def packed(body: bytes) -> bytes | None:
    """The body as a zstd frame; None where that doesn't help."""
    if len(body) < _PACKED_FROM:
        return None
    frame = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    return frame if len(frame) < len(body) else None


def read(body: bytes) -> Request:
    """The till's message in a body. Raises NotAMessage or TooBig."""
    request = request_of(body)
    if isinstance(request, SyncRequest):
        sizes = [len(event) for event in request.events]
        if len(sizes) > EVENTS_MOST or (len(sizes) > 1 and sum(sizes) > EVENT_BYTES_MOST):
            raise TooBig
    if not _storable(request):
        raise NotAMessage("a value that no till writes")
    return request


def _storable(request: Request) -> bool:
    if not (_is_id(request.rid) and _is_id(request.device)):
        return False
    if isinstance(request, SyncRequest):
        return _sync(request)
    if isinstance(request, HoldRequest):
        ids = [request.hold, *(each for each in (request.member, request.sale) if each is not None)]
        ids += [request.instead] if request.instead else []
        return (
            all(map(_is_id, ids)) and is_name(request.asset) and len(request.lines) <= _COUNT_MOST
        )
    if isinstance(request, SaleRequest):
        return is_name(request.receipt)
    if isinstance(request, LookRequest):
        return request.field in LOOKED_UP | FEW and is_name(request.value)
    if isinstance(request, StaffRequest):
        return len(request.people) <= STAFF_MOST and all(map(_works_here, request.people))
    if isinstance(request, CardsRequest):
        return len(request.blocks) <= BLOCKS_MOST and all(map(is_block, request.blocks))
    if isinstance(request, RebaseRequest):
        return 0 < len(request.nonce) <= _NONCE_MOST and len(request.anchors) <= _ANCHORS_MOST
    return _snapshot(request)


def _sync(request: SyncRequest) -> bool:
    return (
        all(
            _is_id(cell.member) and _is_id(cell.device) and is_name(cell.field)
            and (cell.value is None or _is_value(cell.value))
            for cell in request.cells
        )
        and all(map(is_name, request.cursors))
        and len(request.cursors) <= _COUNT_MOST
        and len(request.digests) <= _COUNT_MOST
        and len(request.app) <= _APP_MOST
        and keepable(request.app)
        and request.schema >= 0
    )  # fmt: skip


def _works_here(each: WorksHere) -> bool:
    texts = (each.initials, each.name, each.role)
    return _is_id(each.id) and all(map(is_name, texts))


def _snapshot(request: SnapshotRequest) -> bool:
    return is_name(request.bucket) and request.snapshot >= 0 and request.most > 0


def _is_id(value: bytes) -> bool:
    return len(value) == ID_BYTES


def _is_value(value: str) -> bool:
    return len(value) <= _VALUE_MOST and keepable(value)
