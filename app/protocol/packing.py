"""Values as canonical MessagePack and back, for stores that keep a record whole: one value, one form.

A value typed by this package and by app.domain, and nothing else. Made once a type.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from app.domain.business_day import BusinessDate

Value = TypeVar("Value")


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
