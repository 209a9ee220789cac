"""Records that no query looks into, as bytes: canonical MessagePack, the same value the same bytes.

One codec a type, made once. What these bytes hold is typed by app/protocol; a layout that changes gets a
migration like a column.
"""

from __future__ import annotations

from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from app.domain.business_day import BusinessDate
from app.domain.state import MemberState
from app.protocol.accounts import Account
from app.protocol.facts import Returned
from app.protocol.links import Place
from app.protocol.wire import Cell, MemberRow, ReferenceRow

Value = TypeVar("Value")


class MemberRest(NamedTuple):
    """What a member has beside its columns and its reservations."""

    state: MemberState
    accounts: dict[str, Account]
    cells: dict[str, Cell]


def _to_plain(value: Any) -> Any:
    if isinstance(value, BusinessDate):
        return int(value)
    raise NotImplementedError(type(value).__name__)


def _from_plain(wanted: type, value: Any) -> Any:
    if wanted is BusinessDate:
        return BusinessDate(value)
    raise NotImplementedError(wanted.__name__)


class Packing(Generic[Value]):
    """Both ways between one type and its bytes."""

    def __init__(self, wanted: Any) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_to_plain, order="deterministic")
        self._decoder = msgspec.msgpack.Decoder(wanted, dec_hook=_from_plain)

    def pack(self, value: Value) -> bytes:
        """The bytes of a value."""
        return self._encoder.encode(value)

    def unpack(self, body: bytes) -> Value:
        """The value that was packed."""
        value: Value = self._decoder.decode(body)
        return value


MEMBER: Final = Packing[MemberRest](MemberRest)
CELL: Final = Packing[Cell](Cell)
BUCKETS: Final = Packing[tuple[str, ...]](tuple[str, ...])
SEEN: Final = Packing[tuple[tuple[str, int], ...]](tuple[tuple[str, int], ...])
TIMES: Final = Packing[tuple[int, ...]](tuple[int, ...])
LINES: Final = Packing[tuple[tuple[int, int], ...]](tuple[tuple[int, int], ...])
PARTS: Final = Packing[tuple[Returned, ...]](tuple[Returned, ...])
PLACES: Final = Packing[tuple[tuple[bytes, Place], ...]](tuple[tuple[bytes, Place], ...])
FRAME: Final = Packing[tuple[MemberRow, ...]](tuple[MemberRow, ...])
REFERENCES: Final = Packing[tuple[ReferenceRow, ...]](tuple[ReferenceRow, ...])
