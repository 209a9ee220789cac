"""The chain's price list becomes this till's catalogue, whole, from its first business date on.

It is read, and compared with what is there, before the counter has to wait; only what differs is written, in
one transaction. Items that the list lacks are withdrawn: what was sold keeps its name and price in its sale.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, NamedTuple

from app import bases
from app.catalogue_file import CatalogueItem, read_catalogue
from app.context import Context
from app.log import log
from app.price_list import PriceList, price_list_of
from app.protocol.references import NEXT_PRICES, PRICES
from app.protocol.wire import ReferenceRow
from app.queries.catalogue import ABOVE, COMING, FromAbove, coming, item_of, prices_above
from app.sync.unfit import UNREADABLE, tell_unfit
from app.usecases.catalogue import Imported, counts, plan, put, taken
from db import head_office, rows, till
from db.connection import Connection

UNFIT: Final = "prices_unfit"
AT_ONCE: Final = 300
"""A list that changes more items than this waits until no shift is open: a sale would wait for it."""


class _Due(NamedTuple):
    """A list that is taken now, and what it changes here."""

    told: FromAbove
    digest: str
    done: Imported
    wanted: tuple[CatalogueItem, ...]
    planned_at: int
    """The last event of the journal when it was compared."""


class _Blocked(NamedTuple):
    """Why a list can't be taken for now: this item of it has a code that is something else here. listed: the
    codes of all items that it would change."""

    item: CatalogueItem
    listed: frozenset[str]


class Prices:
    """What a till does about the chain's price list, whenever it talks to head office or tries to."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._heads: dict[int, PriceList | None] = {}
        """Lists that were looked into, without their items; None: one that can't be used here."""
        self._large = set[int]()
        self._blocked = dict[int, _Blocked]()
        """Lists with a fault that may be mended here: until it is, they are not read again."""

    def once(self) -> bool:
        """Take the list that is due, if there is one. True: there are other items now."""
        with self._ctx.read() as conn:
            came = [each for key in (PRICES, NEXT_PRICES) if (each := _row(conn, key)) is not None]
            above, selling = prices_above(conn), till.open_shift(conn) is not None
        heads = [(head, row) for row in came if (head := self._head(row)) is not None]
        newer = {
            _told(head, row): row
            for head, row in heads
            if above is None or _order(_told(head, row)) > _order(above)
        }
        today = self._ctx.business_date()
        started = [told for told in newer if told.starts <= today]
        due = max(started, key=_order, default=None)
        took = False
        if due is not None and not (selling and due.version in self._large):
            took = self._take(newer[due], selling=selling)
        left = [told for told in newer if self._may_come(told.version)]
        if took and due is not None:
            left = [told for told in left if _order(told) > _order(due)]
        self._wait_for(max(left, key=_order, default=None))
        return took

    def _head(self, row: ReferenceRow) -> PriceList | None:
        if row.version not in self._heads:
            prices, why = None, UNREADABLE
            try:
                prices = _read(row)
            except ValueError as error:
                log.warning("price list %s: %s", row.version, error)
            if prices is not None and prices.currency != self._ctx.till.currency.code:
                prices, why = None, "currency"
            self._heads[row.version] = None if prices is None else prices._replace(content=b"")
            if prices is None:
                self._does_not_fit(row, why, "")
        return None if self._is_blocked(row.version) else self._heads[row.version]

    def _may_come(self, version: int) -> bool:
        return self._heads[version] is not None and version not in self._blocked

    def _is_blocked(self, version: int) -> bool:
        """Whether the fault for which a list was refused still stands: a question or two."""
        blocked = self._blocked.get(version)
        if blocked is None:
            return False
        with self._ctx.read() as conn:
            if any(True for _ in taken(conn, blocked.item, blocked.listed)):
                return True
        del self._blocked[version]
        return False

    def _take(self, row: ReferenceRow, *, selling: bool) -> bool:
        """Whether the list is taken now. One that changes much waits for the end of the shift."""
        prices = _read(row)
        file = read_catalogue(prices.content, self._ctx.till.currency.exponent)
        with self._ctx.read() as conn:
            planned_at = _top(conn)
            gone = _withdrawn(conn, file.items)
            items = (*file.items, *gone)
            done, wanted = plan(conn, items, file.faults)
        if done.faults:
            first = done.faults[0]
            if file.faults:
                self._heads[row.version] = None
            else:
                item = next(each for each in items if each.line == first.line)
                self._blocked[row.version] = _Blocked(item, frozenset(each.code for each in items))
            self._does_not_fit(row, "faults", f"line {first.line}, {first.column}: {first.code}")
            return False
        if len(wanted) > AT_ONCE and selling:
            self._large.add(row.version)
            return False
        digest = sha256(prices.content).hexdigest()
        told = FromAbove(row.version, prices.starts)
        return self._write(_Due(told, digest, done, tuple(wanted), planned_at))

    def _write(self, due: _Due) -> bool:
        """False: a shift was opened, or the store's own catalogue may have changed, since it was compared."""
        ctx = self._ctx
        with ctx.write(ctx.ids()) as tx:
            if len(due.wanted) > AT_ONCE and till.open_shift(tx.conn) is not None:
                return False
            if prices_above(tx.conn) is None and _top(tx.conn) != due.planned_at:
                return False
            doc = counts(due.done) | {"sha256": due.digest, "approval": None}
            doc |= {"above": due.told.version, "starts": int(due.told.starts)}
            put(ctx, tx, None, due.wanted, doc)
            rows.set_meta(tx.conn, ABOVE, _plain(due.told))
        log.info("price list %s: %s items changed", due.told.version, len(due.wanted))
        return True

    def _wait_for(self, told: FromAbove | None) -> None:
        with self._ctx.read() as conn:
            if coming(conn) == told:
                return
        with self._ctx.write(self._ctx.ids()) as tx:
            rows.set_meta(tx.conn, COMING, "" if told is None else _plain(told))

    def _does_not_fit(self, row: ReferenceRow, why: str, told: str) -> None:
        with self._ctx.write(self._ctx.ids()) as tx:
            tell_unfit(tx, UNFIT, row.version, why, told)


def _top(conn: Connection) -> int:
    head = rows.head(conn)
    return 0 if head is None else head[0]


def _told(prices: PriceList, row: ReferenceRow) -> FromAbove:
    return FromAbove(row.version, prices.starts)


def _order(told: FromAbove) -> tuple[int, int]:
    """The list of the later date is in force; of two of one date the one that was published later."""
    return told.starts, told.version


def _read(row: ReferenceRow) -> PriceList:
    assert row.body is not None
    return price_list_of(row.body)


def _row(conn: Connection, key: str) -> ReferenceRow | None:
    body = head_office.reference_set(conn, key)
    row = None if body is None else bases.REFERENCE.unpack(body)
    return None if row is None or row.body is None else row


def _withdrawn(conn: Connection, items: Sequence[CatalogueItem]) -> list[CatalogueItem]:
    """The items here that a list lacks, as they are then: no more sold, and without the barcodes that it has
    given to others."""
    listed = {item.code for item in items}
    taken = {code for item in items for code in item.barcodes}
    gone = [item_of(conn, row) for row in till.catalogue(conn, "", -1) if row.code not in listed]
    return [
        replace(item, withdrawn=True, barcodes=tuple(c for c in item.barcodes if c not in taken))
        for item in gone
    ]


def _plain(told: FromAbove) -> str:
    return json.dumps([told.version, int(told.starts)])
