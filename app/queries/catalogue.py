"""Reads of the catalogue: the list with search, as its screen shows it and as a file takes it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.catalogue_file import CatalogueItem
from app.context import Context, Session
from app.domain.rights import Right
from app.queries.readers import require_look
from db import till
from db.connection import Connection

ITEMS_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class CatalogueList:
    """The items that a search found, ITEMS_SHOWN at most; `count` is how many there are without a search."""

    items: tuple[CatalogueItem, ...]
    count: int


def catalogue(ctx: Context, session: Session, text: str) -> CatalogueList:
    """Items by name, pinyin, initials, code or barcode, withdrawn ones last. Raises Refused(NOT_ALLOWED)."""
    with ctx.read() as conn:
        require_look(conn, session, Right.CATALOGUE)
        found = till.catalogue(conn, text.strip(), ITEMS_SHOWN)
        return CatalogueList(tuple(item_of(conn, row) for row in found), till.item_count(conn))


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
