"""A member's folded state as its rows have it: loaded for a command, saved after it, folded anew.

The rows are a cache of the ledger (storage.md, `member_state` and its lots): whoever saves has folded, and
`posting.post` asserts the sums. Here: rows to state and back. Not here: events, and what they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from sqlcipher3.dbapi2 import Connection

from app import bases
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.fold import fold
from app.domain.state import (
    EMPTY,
    Day,
    Debt,
    Lot,
    MemberState,
    Split,
    TierChange,
    Use,
)
from app.domain.state_rows import Needs, changes
from db import rows, states

_json: Final = msgspec.json.Encoder(order="deterministic")
_DATES_KEPT: Final = 8192
"""Business dates that are made once: a shop's rows name some thousand of them millions of times."""
_NO_SUMS: Final = states.StateRow(bytes(16), 0, 0, 0, '{"p":0,"s":[],"t":[],"u":[]}', None)


@dataclass(frozen=True, slots=True)
class Posted:
    """What a command did: the member's state as loaded (partial) and as folded."""

    before: MemberState
    after: MemberState


def entry_of(row: rows.LedgerRow) -> Entry:
    """The entry of a ledger row."""
    _, n, event, _, asset, kind, amount, on, start, expires, least, ref, ref_n = row
    return Entry(
        EntryId(event, n),
        asset,
        kind,  # type: ignore[arg-type]  # the column holds only what Entry.kind gave it
        amount,
        _on(on),
        None if start is None else _on(start),
        None if expires is None else _on(expires),
        None if least is None else _on(least),
        None if ref is None else EntryId(ref, ref_n or 0),
    )


def load_state(
    conn: Connection,
    member_id: bytes | None,
    needed: Needs | None,
    *,
    days_since: BusinessDate | None = None,
) -> MemberState:
    """A member's state from its rows: partial by `needed` (all rows when None).

    `days_since` adds the day counters from a date on, for the tier's window.
    """
    if member_id is None:
        return EMPTY
    row = states.state(conn, member_id)
    if row is None:
        return EMPTY
    rest = msgspec.json.decode(row.rest)
    owing = any(total < 0 for _, total in _sums(row, rest))
    # A member owes or owns, never both (domain.md section 2): without a sum below zero no debt.
    debts = states.debts(conn, member_id) if owing else ()
    splits = _load_splits(conn, member_id, needed)
    days = _load_days(conn, member_id, needed, days_since)
    return _state(row, rest, states.lots(conn, member_id), debts, splits, days)


def splits_of_event(conn: Connection, event_id: bytes) -> tuple[Split, ...]:
    """The splits of every debit of an event."""
    return tuple(_split(row) for row in states.splits_of_event(conn, event_id))


def whole_state(cached: states.CachedRows) -> MemberState:
    """The state that all cached rows of a member say, also where the row of the sums is missing."""
    row, lots, splits, debts, days = cached
    row = row or _NO_SUMS
    rest = msgspec.json.decode(row.rest)
    return _state(row, rest, lots, debts, map(_split, splits), map(_day, days))


def _sums(row: states.StateRow, rest: dict[str, Any]) -> list[tuple[str, int]]:
    return [(POINTS, row.points)] * rest["p"] + [(asset, total) for asset, total in rest["s"]]


def _state(
    row: states.StateRow,
    rest: dict[str, Any],
    lots: Iterable[states.LotRow],
    debts: Iterable[states.DebtRow],
    splits: Iterable[Split],
    days: Iterable[Day],
) -> MemberState:
    return MemberState(
        sequence=row.sequence,
        sums=tuple(sorted(_sums(row, rest))),
        lots=tuple(
            Lot(asset, EntryId(event, n), _on(expires), _on(start), left, order)
            for _, asset, event, n, expires, start, left, order in lots
        ),
        debts=tuple(
            Debt(asset, EntryId(event, n), amount, order, kind)  # type: ignore[arg-type]  # as above
            for _, asset, event, n, amount, order, kind in debts
        ),
        splits=tuple(splits),
        days=tuple(days),
        tiers=tuple(
            TierChange(EntryId(bytes.fromhex(event), n), kind, rank, _on(since), _on(until))
            for event, n, kind, rank, since, until in rest["t"]
        ),
        uses=tuple(Use(*use) for use in rest["u"]),
    )


def save_state(conn: Connection, member_id: bytes, *, seq: int, posted: Posted) -> None:
    """Write the rows that differ between the two states."""
    after = posted.after
    diff = changes(posted.before, after)
    states.put_state(conn, _state_row(member_id, seq, after))
    if diff.lots_gone:
        states.drop_lots(conn, [(member_id, k[0].event, k[0].n, int(k[1])) for k in diff.lots_gone])
    if diff.lots:
        states.put_lots(conn, [_lot_row(member_id, lot) for lot in diff.lots])
    if diff.debts_gone:
        states.drop_debts(conn, [(member_id, d.event, d.n) for d in diff.debts_gone])
    if diff.debts:
        states.put_debts(conn, [_debt_row(member_id, debt) for debt in diff.debts])
    if diff.splits_gone:
        states.drop_splits(conn, [(member_id, order) for order in diff.splits_gone])
    if diff.splits:
        states.put_splits(conn, [_split_row(member_id, split) for split in diff.splits])
    if diff.days:
        states.put_days(conn, [_day_row(member_id, day) for day in diff.days])


class FirstRows(NamedTuple):
    """The rows of a member who had none."""

    state: states.StateRow
    lots: list[states.LotRow]
    debts: list[states.DebtRow]
    splits: list[states.SplitRow]
    days: list[states.DayRow]


def first_rows(member_id: bytes, state: MemberState) -> FirstRows:
    """What `save_state` would write of a member who had no rows, but the last event."""
    return FirstRows(
        _state_row(member_id, 0, state),
        [_lot_row(member_id, lot) for lot in state.lots],
        [_debt_row(member_id, debt) for debt in state.debts],
        [_split_row(member_id, split) for split in state.splits],
        [_day_row(member_id, day) for day in state.days],
    )


def rewrite_state(conn: Connection, member_id: bytes, *, seq: int, state: MemberState) -> None:
    """Write a member's whole cache anew (`verify --rebuild`)."""
    states.drop_member(conn, member_id)
    save_state(conn, member_id, seq=seq, posted=Posted(EMPTY, state))


def replace_state(conn: Connection, member_id: bytes, *, seq: int, state: MemberState) -> None:
    """Make the cache say this state, row by row: the sums of reports follow rows that change, not all that
    is written anew."""
    before = load_state(conn, member_id, None)
    save_state(conn, member_id, seq=seq, posted=Posted(before, state))
    kept = {day.on for day in state.days}
    states.drop_days(conn, [(member_id, int(d.on)) for d in before.days if d.on not in kept])


def fold_rows(
    ledger: Iterable[rows.LedgerRow], start: tuple[MemberState, int] = (EMPTY, 0)
) -> MemberState:
    """The fold of a member's ledger rows: from the first one, or of those that `start` (a state of head
    office's, and the last own event in it) doesn't include."""
    state, included = start
    return fold(state, [entry_of(row) for row in ledger if row.seq > included])


def folded(conn: Connection, member_id: bytes) -> MemberState:
    """What a member's entries add up to, whatever is cached."""
    start = bases.started(conn, member_id)
    return fold_rows(rows.ledger_of_member(conn, member_id, start[1]), start)


def _state_row(member_id: bytes, seq: int, state: MemberState) -> states.StateRow:
    has_points = any(asset == POINTS for asset, _ in state.sums)
    rest = {
        "p": int(has_points),
        "s": [[asset, total] for asset, total in state.sums if asset != POINTS],
        "t": [
            [t.entry.event.hex(), t.entry.n, t.kind, t.rank, int(t.since), int(t.until)]
            for t in state.tiers
        ],
        "u": [list(use) for use in state.uses],
    }
    standing = state.standing
    return states.StateRow(
        member_id, seq, state.sequence, state.balance(POINTS), _json.encode(rest).decode(),
        None if standing is None else int(standing.until),
    )  # fmt: skip


def _load_splits(conn: Connection, member_id: bytes, needed: Needs | None) -> tuple[Split, ...]:
    if needed is None:
        return tuple(_split(row) for row in states.splits_of_member(conn, member_id))
    found: dict[int, Split] = {}
    for entry in needed.splits:
        for row in states.splits_touching(conn, entry.event, entry.n):
            found[row.ord] = _split(row)
    return tuple(found[order] for order in sorted(found))


def _load_days(
    conn: Connection,
    member_id: bytes,
    needed: Needs | None,
    since: BusinessDate | None,
) -> tuple[Day, ...]:
    if needed is None:
        return tuple(_day(row) for row in states.days(conn, member_id))
    found = {}
    if since is not None:
        found = {row.business_date: row for row in states.days(conn, member_id, int(since))}
    for on in needed.days:
        if int(on) not in found and (since is None or on < since):
            row = states.day(conn, member_id, int(on))
            if row is not None:
                found[row.business_date] = row
    return tuple(_day(found[on]) for on in sorted(found))


def _lot_row(member_id: bytes, lot: Lot) -> states.LotRow:
    return states.LotRow(
        member_id, lot.asset, lot.origin.event, lot.origin.n, int(lot.expires),
        int(lot.available_from), lot.remaining, lot.order,
    )  # fmt: skip


def _debt_row(member_id: bytes, debt: Debt) -> states.DebtRow:
    asset, debit, amount, order, kind = debt
    return states.DebtRow(member_id, asset, debit.event, debit.n, amount, order, kind)


def _day_row(member_id: bytes, day: Day) -> states.DayRow:
    return states.DayRow(
        member_id, int(day.on), int(day.counts_from), day.earned, day.spend, day.sales
    )


def _split_row(member_id: bytes, s: Split) -> states.SplitRow:
    back = s.restored_by
    return states.SplitRow(
        member_id, s.order, s.asset, s.debit.event, s.debit.n, s.kind, s.origin.event, s.origin.n,
        int(s.expires), int(s.available_from), s.amount, s.lot_order,
        None if back is None else back.event, None if back is None else back.n, _int(s.back_to),
    )  # fmt: skip


def _split(row: states.SplitRow) -> Split:
    (
        _, order, asset, debit_event, debit_n, kind, origin_event, origin_n, expires, start,
        amount, lot_order, back_event, back_n, back_to,
    ) = row  # fmt: skip
    return Split(
        order, asset, EntryId(debit_event, debit_n),
        kind,  # type: ignore[arg-type]  # as above
        EntryId(origin_event, origin_n), _on(expires), _on(start), amount, lot_order,
        None if back_event is None else EntryId(back_event, back_n or 0),
        None if back_to is None else _on(back_to),
    )  # fmt: skip


def _day(row: states.DayRow) -> Day:
    _, on, counts_from, earned, spend, sales = row
    return Day(_on(on), _on(counts_from), earned, spend, sales)


def _int(value: int | None) -> int | None:
    return None if value is None else int(value)


@lru_cache(_DATES_KEPT)
def _on(value: int) -> BusinessDate:
    return BusinessDate(value)


def states_equal(one: MemberState, other: MemberState) -> Sequence[str]:
    """The names of the parts in which two whole states differ; empty when they are equal."""
    parts = ("sequence", "sums", "lots", "debts", "splits", "days", "tiers", "uses")
    return [part for part in parts if getattr(one, part) != getattr(other, part)]
