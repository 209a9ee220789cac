"""How a store loads, saves and checkpoints a member's state: which rows are needed, which changed.

A partial state is enough to post new entries. It must hold the member's `sequence` and `sums`, ALL
open lots, ALL open debts and ALL tier changes, and of splits, days and uses what `needs(entries)`
names. `fold` then writes the same rows as it would on the full state, and `changes(before, after)`
says which those are; rows that were not loaded are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from app.domain.business_day import BusinessDate
from app.domain.entries import EARNED, POINTS, SALES, SPEND, USE, Entry, EntryId
from app.domain.state import Day, Debt, Lot, MemberState, Split, TierChange, Use


@dataclass(frozen=True, slots=True)
class Needs:
    """Rows that a partial state must hold besides those that it always holds.

    splits  load every split whose `debit` OR `restored_by` is one of these
    days    load the counters of these dates (a date without a row is simply absent)
    uses    load these (benefit, year) counters
    """

    splits: frozenset[EntryId]
    days: frozenset[BusinessDate]
    uses: frozenset[tuple[str, int]]


def needs(entries: Iterable[Entry]) -> Needs:
    """What must be loaded to fold these entries.

    Only entries that refer to another need splits, and an entry that refers to one of the same
    batch finds it there. Quoting reads more: a redemption needs nothing, a day cap the day of the
    sale, a tier the days of its window (tiers.window_start), a return what returns.needs_for_return
    says, a void the splits whose `debit` or `restored_by` is one of the voided entries.
    """
    splits = set()
    days = set()
    uses = set()
    for entry in entries:
        if entry.asset.startswith(USE):
            uses.add((entry.asset[len(USE) :], (entry.expires or entry.business_date).year))
        elif entry.asset in (SPEND, SALES, EARNED):
            days.add(entry.business_date)
        elif entry.refers_to is not None:
            splits.add(entry.refers_to)
        if entry.kind == "earn" and entry.asset == POINTS:
            days.add(entry.business_date)
    return Needs(frozenset(splits), frozenset(days), frozenset(uses))


LotKey = tuple[EntryId, BusinessDate]


class Changes(NamedTuple):
    """The rows to write after a fold: whole rows to insert or replace, keys to delete."""

    sequence: int
    sums: tuple[tuple[str, int], ...]
    lots: tuple[Lot, ...]
    lots_gone: tuple[LotKey, ...]
    debts: tuple[Debt, ...]
    debts_gone: tuple[EntryId, ...]
    splits: tuple[Split, ...]
    splits_gone: tuple[int, ...]
    days: tuple[Day, ...]
    tiers: tuple[TierChange, ...]
    tiers_gone: tuple[EntryId, ...]
    uses: tuple[Use, ...]


def changes(before: MemberState, after: MemberState) -> Changes:
    """What differs between two states of one member, as rows to upsert and keys to remove.

    Works on partial states too, since rows that were not loaded are in neither.
    """
    lots_before = {(lot.origin, lot.expires): lot for lot in before.lots}
    lots_after = {(lot.origin, lot.expires): lot for lot in after.lots}
    debts_before = {debt.debit: debt for debt in before.debts}
    debts_after = {debt.debit: debt for debt in after.debts}
    splits_before = {split.order: split for split in before.splits}
    splits_after = {split.order: split for split in after.splits}
    tiers_after = {tier.entry for tier in after.tiers}
    sums_before = set(before.sums)
    return Changes(
        sequence=after.sequence,
        sums=tuple(pair for pair in after.sums if pair not in sums_before),
        lots=_differing(before.lots, after.lots),
        lots_gone=tuple(key for key in lots_before if key not in lots_after),
        debts=_differing(before.debts, after.debts),
        debts_gone=tuple(key for key in debts_before if key not in debts_after),
        splits=_differing(before.splits, after.splits),
        splits_gone=tuple(key for key in splits_before if key not in splits_after),
        days=_differing(before.days, after.days),
        tiers=_differing(before.tiers, after.tiers),
        tiers_gone=tuple(tier.entry for tier in before.tiers if tier.entry not in tiers_after),
        uses=_differing(before.uses, after.uses),
    )


_Row = TypeVar("_Row", bound=tuple[Any, ...])


def _differing(before: Sequence[_Row], after: Sequence[_Row]) -> tuple[_Row, ...]:
    known = set(before)
    return tuple(row for row in after if row not in known)


Plain = dict[str, Any]
"""JSON-able: dicts, lists, ints, strs, None."""


def id_to_plain(entry_id: EntryId | None) -> list[Any] | None:
    """[event as hex, n]."""
    return None if entry_id is None else [entry_id.event.hex(), entry_id.n]


def id_from_plain(plain: Sequence[Any]) -> EntryId:
    """The inverse of id_to_plain for a present id."""
    return EntryId(bytes.fromhex(plain[0]), plain[1])


def _date(days: int | None) -> BusinessDate | None:
    return None if days is None else BusinessDate(days)


def state_to_plain(state: MemberState) -> Plain:
    """A whole or partial state for a checkpoint or the wire; dates are days since 1970-01-01."""
    return {
        "sequence": state.sequence,
        "sums": [list(pair) for pair in state.sums],
        "lots": [
            [lot.asset, id_to_plain(lot.origin), int(lot.expires), int(lot.available_from),
             lot.remaining, lot.order]
            for lot in state.lots
        ],
        "debts": [
            [debt.asset, id_to_plain(debt.debit), debt.amount, debt.order, debt.kind]
            for debt in state.debts
        ],
        "splits": [
            [split.order, split.asset, id_to_plain(split.debit), split.kind,
             id_to_plain(split.origin), int(split.expires), int(split.available_from),
             split.amount, split.lot_order, id_to_plain(split.restored_by),
             None if split.back_to is None else int(split.back_to)]
            for split in state.splits
        ],
        "days": [[int(day.on), int(day.counts_from), *day[2:]] for day in state.days],
        "tiers": [
            [id_to_plain(tier.entry), tier.kind, tier.rank, int(tier.since), int(tier.until)]
            for tier in state.tiers
        ],
        "uses": [list(use) for use in state.uses],
    }  # fmt: skip


def state_from_plain(plain: Plain) -> MemberState:
    """The inverse of state_to_plain; trusts its input, which is our own writing."""
    return MemberState(
        sequence=plain["sequence"],
        sums=tuple((asset, total) for asset, total in plain["sums"]),
        lots=tuple(
            Lot(
                asset,
                id_from_plain(origin),
                BusinessDate(expires),
                BusinessDate(start),
                left,
                order,
            )
            for asset, origin, expires, start, left, order in plain["lots"]
        ),
        debts=tuple(
            Debt(asset, id_from_plain(debit), amount, order, kind)
            for asset, debit, amount, order, kind in plain["debts"]
        ),
        splits=tuple(_split_from_plain(row) for row in plain["splits"]),
        days=tuple(
            Day(BusinessDate(on), BusinessDate(counts_from), *rest)
            for on, counts_from, *rest in plain["days"]
        ),
        tiers=tuple(
            TierChange(id_from_plain(entry), kind, rank, BusinessDate(since), BusinessDate(until))
            for entry, kind, rank, since, until in plain["tiers"]
        ),
        uses=tuple(Use(*row) for row in plain["uses"]),
    )


def _split_from_plain(row: Sequence[Any]) -> Split:
    order, asset, debit, kind, origin, expires, start, amount, lot_order, restored_by, back_to = row
    return Split(
        order=order,
        asset=asset,
        debit=id_from_plain(debit),
        kind=kind,
        origin=id_from_plain(origin),
        expires=BusinessDate(expires),
        available_from=BusinessDate(start),
        amount=amount,
        lot_order=lot_order,
        restored_by=None if restored_by is None else id_from_plain(restored_by),
        back_to=_date(back_to),
    )
