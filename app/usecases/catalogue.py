"""Import a catalogue: every fault before anything is written, then all of it in one transaction.

Items are found again by their code, so a second run changes nothing. What was sold keeps its name and price:
they are in the sale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from app import posting
from app.catalogue_file import CatalogueItem, RowFault, read_catalogue
from app.context import Changes, Context, Session
from app.domain.rights import Right
from app.intake import readings
from app.usecases.done import Done
from app.usecases.rights import require
from db import till
from db.connection import Connection


@dataclass(frozen=True, slots=True)
class ImportCatalogue:
    """Take the items of a CSV file; with `dry_run` only say what would be done."""

    command_id: bytes
    session: Session
    content: bytes
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done, or would be. With faults nothing was."""

    added: int
    changed: int
    withdrawn: int
    same: int
    faults: tuple[RowFault, ...]


def import_catalogue(ctx: Context, command: ImportCatalogue) -> Done[Imported]:
    """Import a file. Raises Refused(NOT_ALLOWED …) without the right to the catalogue."""
    file = read_catalogue(command.content, ctx.till.currency.exponent)
    if command.dry_run:
        with ctx.read() as conn:
            require(ctx, conn, command.session, Right.CATALOGUE, command_id=command.command_id)
            return Done(_plan(conn, file.items, file.faults)[0])
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_imported(tx.known.doc), again=True)
        require(ctx, tx.conn, command.session, Right.CATALOGUE, command_id=command.command_id)
        found, wanted = _plan(tx.conn, file.items, file.faults)
        if found.faults or not wanted:
            return Done(found)
        for item in wanted:
            known = till.item_by_own_code(tx.conn, item.code)
            row = _row(ctx.ids() if known is None else known.id, item)
            till.replace_item(tx.conn, row, codes=item.barcodes, active=not item.withdrawn)
        tx.record(
            posting.CATALOGUE,
            event_id=ctx.ids(),
            session=command.session,
            business_date=ctx.business_date(),
            doc={
                "added": found.added,
                "changed": found.changed,
                "withdrawn": found.withdrawn,
                "same": found.same,
                "sha256": hashlib.sha256(command.content).hexdigest(),
            },
        )
    return Done(found, Changes(kinds=frozenset({"catalogue"})), warning=ctx.warning())


def _plan(
    conn: Connection, items: Sequence[CatalogueItem], faults: Sequence[RowFault]
) -> tuple[Imported, list[CatalogueItem]]:
    """What a file would do, and the items that differ from what is there."""
    found = list(faults)
    added = changed = withdrawn = same = 0
    wanted: list[CatalogueItem] = []
    in_file = {item.code for item in items}
    for item in items:
        known = till.item_by_own_code(conn, item.code)
        for code in item.barcodes:
            owner = till.owner_of_code(conn, code)
            # A code may move from one item to another when the file has both.
            if owner not in (None, item.code) and owner not in in_file:
                found.append(RowFault(item.line, "barcodes", "taken"))
        if known is None:
            added += 1
            wanted.append(item)
            continue
        stands = (till.codes_of_item(conn, known.id), till.item_is_active(conn, known.id))
        if (_row(known.id, item), stands) == (
            known,
            (tuple(sorted(item.barcodes)), not item.withdrawn),
        ):
            same += 1
            continue
        wanted.append(item)
        if item.withdrawn and stands[1]:
            withdrawn += 1
        else:
            changed += 1
    if found:
        return Imported(0, 0, 0, 0, tuple(found)), []
    return Imported(added, changed, withdrawn, same, ()), wanted


def _row(item_id: bytes, item: CatalogueItem) -> till.ItemRow:
    reading = readings(item.name, limit=1)
    return till.ItemRow(
        item_id,
        item.code,
        item.name,
        item.name_en,
        item.category,
        item.price_minor,
        item.per_quantity,
        item.tax_bp,
        int(item.tax_included),
        reading[0].pinyin if reading else "",
        reading[0].initials if reading else "",
    )


def _imported(doc: dict[str, int]) -> Imported:
    return Imported(doc["added"], doc["changed"], doc["withdrawn"], doc["same"], ())
