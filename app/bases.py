"""Members as head office has them, as bytes and back, and the fold that begins with one (architecture.md 1.4).

A till without a head office has no base: every fold begins with the first entry of the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlcipher3.dbapi2 import Connection

from app.domain.state import EMPTY, MemberState
from app.protocol.packing import Packing
from app.protocol.till_store import Base, Control
from app.protocol.wire import Cell, MemberRow, ReferenceRow
from db import head_office

CONTROL: Final = Packing[Control](Control)
ROW: Final = Packing[MemberRow](MemberRow)
CELL: Final = Packing[Cell](Cell)
REFERENCE: Final = Packing[ReferenceRow](ReferenceRow)


def base_of(row: head_office.BaseRow) -> Base:
    """The record in a row."""
    return Base(ROW.unpack(row.body), row.incl, row.generation)


def row_of(base: Base) -> head_office.BaseRow:
    """The row of a record."""
    row = base.row
    return head_office.BaseRow(row.member, base.incl, base.generation, row.alias, ROW.pack(row))


def started(conn: Connection, member_id: bytes) -> tuple[MemberState, int]:
    """What a member's fold begins with, and the last own event that is in it: (EMPTY, 0) without a base."""
    row = head_office.base(conn, member_id)
    return (EMPTY, 0) if row is None else (ROW.unpack(row.body).state, row.incl)


def all_started(
    conn: Connection, members: Sequence[bytes]
) -> Mapping[bytes, tuple[MemberState, int]]:
    """The same for those of these members who have a base."""
    found: Iterable[head_office.BaseRow] = head_office.bases_of(conn, members)
    return {row.member_id: (ROW.unpack(row.body).state, row.incl) for row in found}
