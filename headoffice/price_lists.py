"""The chain's price lists: kept as drafts, then published as reference data that every till of the chain gets.

Of the published ones that has begun last is in force; one more may be to come. Called inside the store's
`reading()` and `writing()`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from app.catalogue_file import CatalogueItem, catalogue_csv, read_catalogue
from app.domain.business_day import BusinessDate
from app.price_list import BODY_BYTES_MOST, CONTENT_BYTES_MOST, PriceList, body_of, price_list_of
from app.protocol.references import NEXT_PRICES, PRICES, REFERENCE_BUCKET
from app.protocol.store import Store
from app.protocol.wire import ReferenceRow
from headoffice.console.staff import Staff

_ALL: Final = """
SELECT list_id, starts, items, substr(body, 1, 0), staff_id, at_ms, published_by, published_ms
FROM price_list WHERE tenant_id = ? AND dist_key = ? ORDER BY at_ms DESC, list_id LIMIT ?
"""
_WHOLE: Final = """
SELECT list_id, starts, items, body, staff_id, at_ms, published_by, published_ms
FROM price_list WHERE tenant_id = ? AND dist_key = ?
"""
_ONE: Final = f"{_WHOLE} AND list_id = ?"
_BEFORE: Final = f"""
{_WHOLE} AND published_ms IS NOT NULL AND starts <= ? ORDER BY starts DESC, published_ms DESC LIMIT 1
"""
_COMING: Final = f"{_WHOLE} AND published_ms IS NOT NULL AND starts > ?"
_PUT: Final = """
INSERT INTO price_list (
    tenant_id, dist_key, list_id, starts, items, body, staff_id, at_ms, published_by, published_ms
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant_id, dist_key, list_id) DO UPDATE SET published_by = excluded.published_by,
    published_ms = excluded.published_ms
"""
_DROP: Final = """
DELETE FROM price_list WHERE tenant_id = ? AND dist_key = ? AND list_id = ? AND published_ms IS NULL
"""


class TooLarge(Exception):
    """Tills could not fetch it: its packed bytes are above BODY_BYTES_MOST."""


class Listed(NamedTuple):
    """A price list. by: who sent it. published_ms: its number for tills; None: a draft."""

    id: bytes
    starts: BusinessDate
    items: int
    body: bytes
    by: bytes
    at_ms: int
    published_by: bytes | None
    published_ms: int | None

    def content(self) -> bytes:
        """Its file."""
        return price_list_of(self.body).content


class Change(NamedTuple):
    """An item that differs between two lists; None: it is not in that one, or withdrawn."""

    code: str
    before: CatalogueItem | None
    after: CatalogueItem | None


class PriceLists:
    """A chain's price lists."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    def all(self, most: int) -> Sequence[Listed]:
        """The newest ones, the last first, without their bodies, which are large."""
        return [_listed(*row) for row in self._staff.rows(_ALL, most)]

    def one(self, wanted: bytes) -> Listed | None:
        rows = self._staff.rows(_ONE, wanted)
        return _listed(*rows[0]) if rows else None

    def before(self, on: BusinessDate) -> Listed | None:
        """The published list that is in force on a date."""
        rows = self._staff.rows(_BEFORE, int(on))
        return _listed(*rows[0]) if rows else None

    def begin(self, draft: Listed) -> None:
        """Keep a draft."""
        self._put(draft)
        self._staff.note(draft.at_ms, draft.by, "prices_begun", detail=draft.starts.iso())

    def drop(self, by: bytes, draft: Listed, now_ms: int) -> None:
        """Forget a draft; nothing where it was published meanwhile, or is gone."""
        if self.one(draft.id) != draft:
            return
        self._staff.run(_DROP, draft.id)
        self._staff.note(now_ms, by, "prices_dropped", detail=draft.starts.iso())

    def publish(
        self, store: Store, by: bytes, draft: Listed, today: BusinessDate, now_ms: int
    ) -> None:
        """Let tills have it with their next poll; they take it on its first business date. One that is to come
        takes the place of the one that was, which is a draft again."""
        if draft.starts > today:
            for row in self._staff.rows(_COMING, int(today)):
                self._put(_listed(*row)._replace(published_by=None, published_ms=None))
        self._put(draft._replace(published_by=by, published_ms=now_ms))
        self._staff.note(now_ms, by, "prices_published", detail=draft.starts.iso())
        coming = store.reference(NEXT_PRICES)
        if coming is not None and coming.body and price_list_of(coming.body).starts <= today:
            store.put_reference(coming._replace(key=PRICES))
        key = PRICES if draft.starts <= today else NEXT_PRICES
        store.put_reference(ReferenceRow(key, REFERENCE_BUCKET, 0, now_ms, draft.body))

    def _put(self, made: Listed) -> None:
        self._staff.run(
            _PUT, made.id, int(made.starts), made.items, made.body, made.by, made.at_ms,
            made.published_by, made.published_ms,
        )  # fmt: skip


def drafted(
    by: bytes, prices: PriceList, items: Sequence[CatalogueItem], exponent: int, now_ms: int
) -> Listed:
    """A draft, its items written anew in the form that tills read. Seconds of work for a large list: not for
    the writer. Raises TooLarge."""
    content = catalogue_csv(items, exponent)
    if len(content) > CONTENT_BYTES_MOST:
        raise TooLarge
    body = body_of(prices._replace(content=content))
    if len(body) > BODY_BYTES_MOST:
        raise TooLarge
    made = secrets.token_bytes(16)
    return Listed(made, prices.starts, len(items), body, by, now_ms, None, None)


def changes(before: bytes | None, after: bytes, exponent: int) -> list[Change]:
    """What differs between the files of two lists, by code; items that are withdrawn in both are left out."""
    old, new = (_selling(content, exponent) for content in (before, after))
    codes = sorted({*old, *new})
    return [
        Change(code, old.get(code), new.get(code))
        for code in codes
        if old.get(code) != new.get(code)
    ]


def _selling(content: bytes | None, exponent: int) -> dict[str, CatalogueItem]:
    items = () if content is None else read_catalogue(content, exponent).items
    return {each.code: replace(each, line=0) for each in items if not each.withdrawn}


def _listed(
    made: bytes, starts: int, items: int, body: bytes, by: bytes, at_ms: int,
    published_by: bytes | None, published_ms: int | None,
) -> Listed:  # fmt: skip
    other = None if published_by is None else bytes(published_by)
    return Listed(
        bytes(made), BusinessDate(starts), items, bytes(body), bytes(by), at_ms, other, published_ms
    )
