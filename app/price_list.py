"""A chain's price list as head office hands it to its tills: from when on, in what money, the items as a file.

One set for all stores, numbered by when it was published, in ms, so that a head office that was brought back
never uses a number again. Whoever has it has all of it: items that it lacks are
withdrawn (app/sync/prices.py).
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

import zstandard

from app.domain.business_day import BusinessDate

BODY_BYTES_MOST: Final = 384 * 1024
"""Two of them, the one in force and the next, fit into one answer to a till (app/protocol/endpoints.py)."""
CONTENT_BYTES_MOST: Final = 16 * 1024 * 1024
_LEVEL: Final = 19


class PriceList(NamedTuple):
    """starts: its first business date. currency: ISO 4217. content: a file as app.catalogue_file writes it."""

    starts: BusinessDate
    currency: str
    content: bytes


def body_of(prices: PriceList) -> bytes:
    """The bytes that tills fetch. The same list gives the same bytes. May be above BODY_BYTES_MOST."""
    head = json.dumps({"v": 1, "starts": int(prices.starts), "currency": prices.currency})
    return head.encode() + b"\n" + zstandard.ZstdCompressor(level=_LEVEL).compress(prices.content)


def price_list_of(body: bytes) -> PriceList:
    """The list in such bytes. Raises ValueError on what this version can't read."""
    head, _, packed = body.partition(b"\n")
    plain = json.loads(head)
    if not isinstance(plain, dict) or plain.get("v") != 1:
        raise ValueError("a layout that is not known here")
    starts, currency = plain.get("starts"), plain.get("currency")
    if type(starts) is not int or not isinstance(currency, str):
        raise ValueError("no date, or no currency")
    reader = zstandard.ZstdDecompressor().stream_reader(packed)
    try:
        content = reader.read(CONTENT_BYTES_MOST + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(content) > CONTENT_BYTES_MOST:
        raise ValueError("larger than any list")
    return PriceList(BusinessDate(starts), currency, content)
