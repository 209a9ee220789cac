"""One transaction's unit of work: what it has read of its tenant, and what it will write, table by table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from app.domain.entries import Entry
from app.protocol.links import Link
from app.protocol.pull import row_of
from app.protocol.store import (
    CellRecord,
    Device,
    GrantRow,
    Hold,
    Member,
    SaleReturn,
    StoredEvent,
    Tenant,
)
from app.protocol.wire import ReferenceRow, pack_row
from headoffice.store import row_records as records
from headoffice.store import statements as sql
from headoffice.store.known import Appended, Groups, Known
from headoffice.store.row_records import Feed, Row
from headoffice.store.rows import Rows
from headoffice.store.statements import Query

Record = TypeVar("Record")
SentKey = tuple[bytes, str, bytes, int]


class Unit:
    """Records of every kind, each asked of the database once; `write` at the end, `clear` after it."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._wires: dict[bytes, tuple[Member, bytes]] = {}
        self.tenants: Known[bytes, Tenant] = self._known(sql.THE_TENANT, Tenant._make)
        self.devices: Known[bytes, Device] = self._known(sql.DEVICES, records.device_of)
        self.unreported: Groups[int, bytes] = Groups(
            lambda keys: [(key, row[0]) for key in keys for row in rows.ask(sql.UNREPORTED, key)]
        )
        self.links: Known[tuple[bytes, int, int], Link] = self._known(sql.LINKS, records.link_of)
        self.events: Known[bytes, StoredEvent] = self._known(sql.EVENTS, StoredEvent._make)
        self.members: Known[bytes, Member] = Known(
            lambda keys: [
                (each.id, each) for each in self.whole(rows.find(sql.MEMBERS, _one(keys)))
            ]
        )
        self.ledger: Appended[bytes, Entry] = self._appended(sql.ENTRIES, records.entry_of)
        self.reserved: Groups[bytes, bytes] = Groups(
            lambda keys: [(key, row[0]) for key in keys for row in rows.ask(sql.RESERVED_FOR, key)]
        )
        self.holds: Known[bytes, Hold] = self._known(sql.HOLDS, records.hold_of)
        self.device_holds = self._groups(sql.OPEN_HOLDS, 1, self.holds, records.hold_of)
        self.line_holds = self._groups(sql.OPEN_LINE_HOLDS, 8, self.holds, records.hold_of)
        self.grants: Known[bytes, GrantRow] = self._known(sql.GRANTS, GrantRow._make)
        self.device_grants = self._groups(sql.OPEN_GRANTS, 1, self.grants, GrantRow._make)
        self.returns: Appended[bytes, SaleReturn] = self._appended(sql.RETURNS, records.return_of)
        self.cells: Appended[bytes, CellRecord] = self._appended(sql.CELLS, records.cell_of)
        self.sent_cells: Known[SentKey, CellRecord] = self._known(
            sql.SENT_CELLS, records.cell_of, itemgetter(0, 2, 5, 4)
        )
        self.references: Known[str, ReferenceRow] = self._known(sql.REFERENCES, ReferenceRow._make)
        self.feeds: Known[str, Feed] = self._known(sql.FEEDS, lambda row: Feed(*row[1:]))

    def all_devices(self) -> list[Device]:
        """Every device, by id."""
        found = {row[0]: records.device_of(row) for row in self.rows.ask(sql.ALL_DEVICES)}
        found.update(self.devices.changed())
        return [device for _, device in sorted(found.items())]

    def whole(self, found: Sequence[Row]) -> list[Member]:
        """Members of their rows, in the same order."""
        if not found:
            return []
        reservations: dict[bytes, list[Row]] = {}
        for row in self.rows.find(sql.RESERVATIONS, [row[:1] for row in found]):
            reservations.setdefault(row[0], []).append(row)
        return [records.member_of(row, reservations.get(row[0], [])) for row in found]

    def wire(self, member: Member) -> bytes:
        """The member as tills see it, packed: for the pages of this transaction, and for its row."""
        known = self._wires.get(member.id)
        if known is None or known[0] is not member:
            known = self._wires[member.id] = (member, pack_row(row_of(member)))
        return known[1]

    def clear(self) -> None:
        """The transaction is over."""
        self._wires.clear()
        for each in vars(self).values():
            if isinstance(each, Known | Groups | Appended):
                each.clear()

    def write(self) -> None:
        """Write what was put: what others refer to first, feed heads last and in bucket order."""
        write = self.rows.write
        write(sql.TENANT, list(self.tenants.changed().values()))
        write(sql.DEVICE, [*map(records.device_row, self.devices.changed().values())])
        write(sql.EVENT, list(self.events.changed().values()))
        write(sql.LINK, [(key[0], *link) for key, link in self.links.changed().items()])
        self._write_members()
        self._write_added(sql.ENTRIES, self.ledger, records.entry_row)
        write(sql.HOLD, [*map(records.hold_row, self.holds.changed().values())])
        write(sql.GRANT, list(self.grants.changed().values()))
        self._write_added(sql.RETURNS, self.returns, records.return_row)
        dropped = list(self.cells.dropped())
        self.rows.drop(sql.CELLS, _one(dropped))
        self._write_added(sql.CELLS, self.cells, records.cell_row)
        write(sql.REFERENCE, list(self.references.changed().values()))
        write(sql.FEED, [(bucket, *feed) for bucket, feed in sorted(self.feeds.changed().items())])

    def _write_members(self) -> None:
        moved, there, gone, reserved = list[Row](), list[Row](), list[Row](), list[Row]()
        for key, member in self.members.changed().items():
            before = self.members.before(key)
            row = records.member_row(member, self.wire(member))
            stays = before and (before.bucket, before.alias) == (member.bucket, member.alias)
            (there if stays else moved).append(row)
            had = {} if before is None else records.reservation_rows(before)
            now = records.reservation_rows(member)
            if had.keys() - now.keys():
                gone.append((member.id,))
                had = {}
            reserved += [row for key, row in now.items() if had.get(key) != row]
        self.rows.write(sql.MEMBER, moved)
        self.rows.write(sql.MEMBER_IN_PLACE, there)
        self.rows.drop(sql.RESERVATIONS, gone)
        self.rows.write(sql.RESERVATION, reserved)

    def _write_added(
        self,
        query: Query,
        appended: Appended[bytes, Record],
        row: Callable[[bytes, int, Record], Row],
    ) -> None:
        """Number the records that were added behind the last of each group."""
        added = {key: each for key, each in appended.added().items() if each}
        last: dict[bytes, int] = dict(self.rows.last(query, _one(list(added))))
        self.rows.write(
            query.table,
            [
                row(key, number, record)
                for key, each in added.items()
                for number, record in enumerate(each, last.get(key, 0) + 1)
            ],
        )

    # How each kind is read

    def _known(
        self,
        query: Query,
        record: Callable[[Row], Record],
        key: Callable[[Row], Any] | None = None,
    ) -> Known[Any, Record]:
        """Records of a key: the query's own columns, which come first, unless `key` says where they stand."""
        single = len(query.by) == 1
        of = key or (itemgetter(0) if single else itemgetter(slice(0, len(query.by))))

        def read(keys: Sequence[Any]) -> list[tuple[Any, Record]]:
            found = self.rows.find(query, _one(keys) if single else keys)
            return [(of(row), record(row)) for row in found]

        return Known(read)

    def _appended(self, query: Query, record: Callable[[Row], Record]) -> Appended[bytes, Record]:
        return Appended(
            lambda keys: [(row[0], record(row)) for row in self.rows.find(query, _one(keys))]
        )

    def _groups(
        self,
        query: Query,
        column: int,
        known: Known[bytes, Record],
        record: Callable[[Row], Record],
    ) -> Groups[bytes, bytes]:
        """Records by another column than their key; what is found is known by its key too."""

        def read(groups: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
            found = self.rows.find(query, _one(groups))
            for row in found:
                known.found(row[0], record(row))
            return [(row[column], row[0]) for row in found]

        return Groups(read)


def _one(keys: Sequence[Any]) -> list[Row]:
    """Keys of one column."""
    return [(key,) for key in keys]
