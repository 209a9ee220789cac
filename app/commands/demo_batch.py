"""What some business dates of the demo's history add to the store, and the one transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app import cached_fold
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument
from app.domain.state import EMPTY, MemberState
from app.evolving import stamp
from app.journal import Record
from db import bulk, drawer, figures, people, rows, search, till
from db.connection import Connection


@dataclass(slots=True)
class Shopper:
    """A member with visits to come, and what will be written when there are none left."""

    member: people.MemberRow
    profile: people.ProfileRow
    key: bytes
    card: people.CredentialRow
    visits: int
    gap_days: int
    carts: int
    state: MemberState = EMPTY
    seq: int = 0
    to_return: tuple[bytes, SaleDocument] | None = None


@dataclass(slots=True)
class Batch:
    """What some business dates, from `first` on, add to the store."""

    first: BusinessDate
    events: list[rows.EventRow] = field(default_factory=list)
    ledger: list[rows.LedgerRow] = field(default_factory=list)
    documents: list[rows.DocumentRow] = field(default_factory=list)
    sums: list[figures.FiguresRow] = field(default_factory=list)
    shares: list[figures.ShareRow] = field(default_factory=list)
    consents: list[people.ConsentRow] = field(default_factory=list)
    shifts: list[till.ShiftRow] = field(default_factory=list)
    """Each open yet; its count and end are the last two events of its business date."""
    ends: list[tuple[bytes, int, int]] = field(default_factory=list)
    """(shift, count, end) by sequence number."""
    gone: list[Shopper] = field(default_factory=list)
    booked: list[tuple[int, bytes]] = field(default_factory=list)
    """(event, member) of points that lapsed after the member's state was written."""


def write_batch(ctx: Context, batch: Batch) -> None:
    """One transaction, then the journal file, in the order of every command."""
    with ctx.write_rows() as conn:
        bulk.enlarge_cache(conn)
        bulk.add_events(conn, batch.events)
        stamp(conn, [(row.seq, row.hash) for row in batch.events])
        bulk.add_ledger(conn, batch.ledger)
        bulk.add_documents(conn, batch.documents)
        bulk.add_figures(conn, batch.sums, batch.shares)
        for shift, (shift_id, counted, ended) in zip(batch.shifts, batch.ends, strict=True):
            till.insert_shift(conn, shift)
            drawer.set_counted(conn, shift_id, counted)
            till.close_shift(conn, shift_id, ended)
        _write_members(conn, batch)
    records = [Record(row.seq, row.body, row.hash) for row in batch.events]
    ctx.journal.append(records, day=batch.first.iso())


def _write_members(conn: Connection, batch: Batch) -> None:
    bulk.add_accounts(conn, (bulk.member_values(each.member) for each in batch.gone))
    bulk.add_people(conn, ((each.profile, each.key) for each in batch.gone))
    bulk.add_cards(conn, (each.card for each in batch.gone))
    bulk.add_consents(conn, batch.consents)
    for shopper in batch.gone:
        posted = cached_fold.Posted(EMPTY, shopper.state)
        cached_fold.save_state(conn, shopper.member.id, seq=shopper.seq, posted=posted)
    bulk.set_last_events(conn, batch.booked)
    # Who leaves today was here today for the last time: this is the order of last visits.
    search.add_all(conn, _searchable(batch.gone))


def _searchable(shoppers: list[Shopper]) -> Iterator[search.Searchable]:
    for shopper in shoppers:
        p = shopper.profile
        yield search.Searchable(p.member_id, p.name, p.phone, p.email, p.name_py, p.name_ini)
