"""Change the catalogue, by a file or one item: every fault first, then all of it in one transaction.

Items are found again by their code, so a second run changes nothing. What was sold keeps its name and price:
they are in the sale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from app import posting
from app.approvals import Fact
from app.catalogue_file import CatalogueItem, RowFault, read_catalogue, read_item
from app.code_ranges import kinds_of
from app.context import Changes, Context, Session, Tx
from app.domain.errors import Refusal, Refused
from app.domain.rights import Right
from app.intake import readings
from app.queries.catalogue import item_of, prices_above
from app.queries.readers import require_look
from app.usecases.done import Done
from app.usecases.rights import require
from db import till
from db.connection import Connection
from db.engine import Reader


@dataclass(frozen=True, slots=True)
class ImportCatalogue:
    """Take the items of a CSV file; with `dry_run` only say what would be done."""

    command_id: bytes
    session: Session
    content: bytes
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class SaveItem:
    """Add an item (`new`) or change the one of its code, from texts by column as a file has them."""

    command_id: bytes
    session: Session
    texts: Mapping[str, str]
    new: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done, or would be. With faults nothing was."""

    added: int
    changed: int
    withdrawn: int
    same: int
    faults: tuple[RowFault, ...]


def import_catalogue(ctx: Context, command: ImportCatalogue) -> Done[Imported]:
    """Import a file. Raises Refused(NOT_ALLOWED …) without the right to the catalogue, and
    PRICES_FROM_ABOVE; a dry run needs only the right of looking at it."""
    file = read_catalogue(command.content, ctx.till.currency.exponent)
    if command.dry_run:
        with ctx.read(Reader.REPORT) as conn:
            require_look(conn, command.session, Right.CATALOGUE)
            return Done(plan(conn, file.items, file.faults)[0])
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_imported(tx.known.doc), again=True)
        digest = hashlib.sha256(command.content).hexdigest()
        which: tuple[Fact, ...] = (("act", "import"), ("items", len(file.items)), ("bound", digest))
        approval = _may_change(ctx, tx.conn, command.command_id, command.session, which)
        found, wanted = plan(tx.conn, file.items, file.faults)
        if found.faults or not wanted:
            return Done(found)
        put(
            ctx,
            tx,
            command.session,
            wanted,
            counts(found) | {"sha256": digest, "approval": approval},
        )
    return Done(found, Changes(kinds=frozenset({"catalogue"})), warning=ctx.warning())


def save_item(ctx: Context, command: SaveItem) -> Done[Imported]:
    """Save one item; its faults are of line 0. The event has the item before and after.

    Raises Refused: NOT_ALLOWED, APPROVAL_NEEDED, ITEM_UNKNOWN (not `new`, and there is none),
    PRICES_FROM_ABOVE.
    """
    read = read_item(command.texts, ctx.till.currency.exponent)
    (item,) = read.items
    with ctx.write(command.command_id) as tx:
        if tx.known is not None:
            return Done(_imported(tx.known.doc), again=True)
        which = (("act", "item"), ("item", item.code), ("bound", repr(item)))
        approval = _may_change(ctx, tx.conn, command.command_id, command.session, which)
        known = till.item_by_own_code(tx.conn, item.code)
        if command.new and known is not None:
            return Done(Imported(0, 0, 0, 0, (*read.faults, RowFault(0, "code", "taken"))))
        if not command.new and known is None:
            raise Refused(Refusal.ITEM_UNKNOWN, {"code": item.code})
        before = _facts(item_of(tx.conn, known)) if known is not None else None
        found, wanted = plan(tx.conn, read.items, read.faults)
        if found.faults or not wanted:
            return Done(found)
        facts = {"approval": approval, "was": before, "item": _facts(item)}
        put(ctx, tx, command.session, wanted, counts(found) | facts)
    return Done(found, Changes(kinds=frozenset({"catalogue"})), warning=ctx.warning())


def _may_change(
    ctx: Context, conn: Connection, command_id: bytes, session: Session, which: tuple[Fact, ...]
) -> dict[str, Any] | None:
    if prices_above(conn) is not None:
        raise Refused(Refusal.PRICES_FROM_ABOVE)
    return require(ctx, conn, session, Right.CATALOGUE, command_id=command_id, facts=which)


def put(
    ctx: Context,
    tx: Tx,
    session: Session | None,
    wanted: Sequence[CatalogueItem],
    doc: dict[str, Any],
) -> None:
    """Write the items and the event that says so."""
    for item in wanted:
        known = till.item_by_own_code(tx.conn, item.code)
        row = _row(ctx.ids() if known is None else known.id, item)
        till.replace_item(tx.conn, row, codes=item.barcodes, active=not item.withdrawn)
    tx.record(
        posting.CATALOGUE,
        event_id=ctx.ids(),
        session=session,
        business_date=ctx.business_date(),
        doc=doc,
    )


def counts(found: Imported) -> dict[str, Any]:
    """What was done, as its event has it."""
    return {
        "added": found.added,
        "changed": found.changed,
        "withdrawn": found.withdrawn,
        "same": found.same,
    }


def _facts(item: CatalogueItem) -> dict[str, Any]:
    """An item as its event has it."""
    facts = asdict(item) | {"barcodes": sorted(item.barcodes)}
    del facts["line"]
    return facts


def plan(
    conn: Connection, items: Sequence[CatalogueItem], faults: Sequence[RowFault]
) -> tuple[Imported, list[CatalogueItem]]:
    """What a file would do, and the items that differ from what is there. Reads a few rows an item."""
    found = list(faults)
    added = changed = withdrawn = same = 0
    wanted: list[CatalogueItem] = []
    in_file = {item.code for item in items}
    for item in items:
        found += taken(conn, item, in_file)
        known = till.item_by_own_code(conn, item.code)
        if known is None:
            added += 1
            wanted.append(item)
            continue
        stands = item_of(conn, known)
        if replace(item, line=0, barcodes=tuple(sorted(item.barcodes))) == stands:
            same += 1
            continue
        wanted.append(item)
        if item.withdrawn and not stands.withdrawn:
            withdrawn += 1
        else:
            changed += 1
    if found:
        return Imported(0, 0, 0, 0, tuple(found)), []
    return Imported(added, changed, withdrawn, same, ()), wanted


def taken(conn: Connection, item: CatalogueItem, in_file: Set[str]) -> Iterator[RowFault]:
    """Codes of an item that lead to one which the file doesn't have; one that it has gives its code away."""
    for column, codes in (("code", (item.code,)), ("barcodes", item.barcodes)):
        for code in codes:
            by_barcode = till.owner_of_code(conn, code)
            by_code = till.item_by_own_code(conn, code)
            owners = {by_barcode, by_code.code if by_code else None} - {None, item.code}
            if not owners <= in_file:
                yield RowFault(item.line, column, "taken")
                continue
            # What an item has already is left to it, so that it can still be changed or withdrawn.
            own = item.code in (by_barcode, by_code.code if by_code else None)
            if not own and kinds_of(conn, code) - {"item"}:
                yield RowFault(item.line, column, "overlaps")


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


def _imported(doc: dict[str, Any]) -> Imported:
    return Imported(doc["added"], doc["changed"], doc["withdrawn"], doc["same"], ())
