"""Reads of the catalogue: the list with search, as its screen shows it and as a file takes it out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.catalogue_file import CatalogueItem
from app.context import Context, Session
from app.domain.business_day import BusinessDate
from app.domain.rights import Right
from app.queries.readers import require_look
from db import rows, till
from db.connection import Connection

ITEMS_SHOWN: Final = 300


ABOVE: Final = "prices_above"
COMING: Final = "prices_coming"
"""Facts of this store: which of the chain's price lists it has, and which one is to be taken."""


class FromAbove(NamedTuple):
    """A price list of the chain: its number (when it was published, in ms), its first business date."""

    version: int
    starts: BusinessDate


@dataclass(frozen=True, slots=True)
class CatalogueList:
    """The items that a search found, ITEMS_SHOWN at most; `count` is how many there are without a search.

    above   the chain's list that these are of; None: they are the store's own to change
    coming  the chain's list that follows: later, or once no shift is open
    """

    items: tuple[CatalogueItem, ...]
    count: int
    above: FromAbove | None = None
    coming: FromAbove | None = None


def catalogue(ctx: Context, session: Session, text: str) -> CatalogueList:
    """Items by name, pinyin, initials, code or barcode, withdrawn ones last. Raises Refused(NOT_ALLOWED)."""
    with ctx.read() as conn:
        require_look(conn, session, Right.CATALOGUE)
        found = till.catalogue(conn, text.strip(), ITEMS_SHOWN)
        items = tuple(item_of(conn, row) for row in found)
        return CatalogueList(items, till.item_count(conn), prices_above(conn), coming(conn))


def prices_above(conn: Connection) -> FromAbove | None:
    """The chain's price list that this till has taken."""
    return _kept(rows.meta(conn, ABOVE))


def coming(conn: Connection) -> FromAbove | None:
    """The chain's price list that waits."""
    return _kept(rows.meta(conn, COMING))


def _kept(text: str | None) -> FromAbove | None:
    if not text:
        return None
    version, starts = json.loads(text)
    return FromAbove(version, BusinessDate(starts))


def whole_catalogue(conn: Connection) -> tuple[CatalogueItem, ...]:
    """Every item, withdrawn ones last."""
    return tuple(item_of(conn, row) for row in till.catalogue(conn, "", -1))


def item_of(conn: Connection, row: till.ItemRow) -> CatalogueItem:
    """An item as a file would have it, its barcodes sorted."""
    return CatalogueItem(
        0,
        row.code,
        row.name,
        row.name_en,
        row.category,
        row.price_minor,
        row.per_quantity,
        row.tax_bp,
        bool(row.tax_included),
        till.codes_of_item(conn, row.id),
        not till.item_is_active(conn, row.id),
    )
