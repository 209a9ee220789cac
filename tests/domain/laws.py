"""What must hold of states, quotes and documents, whatever was done: the shop's checks."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnDocument, ReturnedLine, SaleDocument
from app.domain.entries import POINTS, Entry
from app.domain.fold import fold
from app.domain.programme import Programme, SpentPolicy
from app.domain.returns import (
    ReturnQuote,
    kept_units,
    needs_for_return,
    points_by_line,
    quote_return,
)
from app.domain.sale import MemberContext, SaleQuote
from app.domain.state import MemberState, view
from app.domain.state_rows import changes, needs
from tests.domain import second_calculator


def check_identity(state: MemberState, entries: Sequence[Entry], on: BusinessDate) -> None:
    total = sum(entry.amount for entry in entries if entry.asset == POINTS)
    lots = sum(lot.remaining for lot in state.lots)
    debts = sum(debt.amount for debt in state.debts)
    assert total == state.balance() == lots - debts
    assert not (lots and debts)
    assert all(lot.remaining > 0 for lot in state.lots)
    seen = view(state, on)
    assert seen.available + seen.pending + seen.lapsed - seen.debt == seen.balance


def check_partial(before: MemberState, entries: Sequence[Entry], after: MemberState) -> None:
    """The rows written from a partial state are those written from the full one."""
    wanted = needs(entries)
    partial = MemberState(
        before.sequence,
        before.sums,
        before.lots,
        before.debts,
        tuple(
            split
            for split in before.splits
            if split.debit in wanted.splits or split.restored_by in wanted.splits
        ),
        tuple(day for day in before.days if day.on in wanted.days),
        before.tiers,
        tuple(use for use in before.uses if (use.benefit, use.year) in wanted.uses),
    )
    assert changes(partial, fold(partial, entries)) == changes(before, after)


def check_partial_quote(
    sale: SaleDocument,
    previous: Sequence[ReturnDocument],
    lines: Sequence[ReturnedLine],
    member: MemberContext,
    programme: Programme,
    expected: ReturnQuote,
    policy: SpentPolicy | None,
) -> None:
    """A return is quoted the same from the rows that needs_for_return names."""
    state = member.state
    wanted = needs_for_return(sale)
    partial = MemberState(
        state.sequence,
        state.sums,
        state.lots,
        state.debts,
        tuple(
            split
            for split in state.splits
            if split.debit in wanted.splits
            or split.restored_by in wanted.splits
            or (
                split.kind == "expire"
                and split.origin == sale.posted.earn
                and split.restored_by is None
            )
        ),
        state.days,
        state.tiers,
        state.uses,
    )
    again = quote_return(
        sale, previous, lines, MemberContext(partial), programme,
        on=expected.draft.business_date, policy=policy, manager=True,
    )  # fmt: skip
    assert again == expected


def check_sale(quote: SaleQuote, document: SaleDocument, entries: Sequence[Entry]) -> None:
    """Shares add up, and the second calculator agrees with every figure."""
    for number, line in enumerate(document.lines):
        money = sum(shares[number] for shares in document.tender_shares)
        assert line.points_share_minor + money == line.payable_minor
        assert 0 <= line.price_minor <= line.gross_minor
    assert sum(line.points for line in document.lines) == document.points_earned
    assert sum(total.tax_minor for total in document.tax_totals) == sum(
        line.tax_minor for line in document.lines
    )
    assert document.points_spent <= quote.most.points
    earned = sum(entry.amount for entry in entries if entry.kind == "earn")
    assert earned == document.points_earned == second_calculator.points_of_document(document)


def check_return(
    sale: SaleDocument, previous: Sequence[ReturnDocument], quote: ReturnQuote
) -> None:
    """So far = what the second calculator says for what is kept; all of it once nothing is."""
    every = [*previous, quote.draft]
    kept = kept_units(sale, every)
    taken = sum(each.points_taken_back for each in every)
    restored = sum(each.points_restored for each in every)
    money = sum(sum(amount for _, amount in each.refunds) + each.charged_minor for each in every)
    expected = second_calculator.given_back(sale, kept)
    assert (taken, restored, money) == expected
    if not any(kept):
        assert (taken, restored) == (sale.points_earned, sale.points_spent)
        assert money == sale.to_pay_minor
    lines = points_by_line(sale, kept_units(sale, previous), quote.draft.lines)
    assert [(line, units) for line, units, _, _ in lines] == list(quote.draft.lines)
    assert sum(points for _, _, points, _ in lines) == quote.draft.points_taken_back
    assert sum(points for _, _, _, points in lines) == quote.draft.points_restored
    assert min((min(line) for line in lines), default=0) >= 0
    settled = quote.settlement
    assert settled.owed + settled.charged + settled.written_off == settled.spent


def plain_lots(state: MemberState) -> list[tuple[object, ...]]:
    return [
        (lot.asset, lot.origin, lot.expires, lot.available_from, lot.remaining)
        for lot in state.lots
    ]


def live_splits(state: MemberState) -> dict[object, list[list[object]]]:
    """Per debit its parts in order, neighbours of one lot joined."""
    found: dict[object, list[list[object]]] = {}
    for split in state.splits:
        if split.restored_by is not None:
            continue
        parts = found.setdefault(split.debit, [])
        key = (split.origin, split.expires)
        if parts and parts[-1][0] == key:
            parts[-1][1] = int(str(parts[-1][1])) + split.amount
        else:
            parts.append([key, split.amount])
    return found


def totals(state: MemberState) -> object:
    """What may not depend on order: sums, day counters, uses."""
    return (
        [pair for pair in state.sums if pair[1]],
        [(day.on, day.earned, day.spend, day.sales) for day in state.days],
        [use for use in state.uses if use.times],
        sum(lot.remaining for lot in state.lots) - sum(debt.amount for debt in state.debts),
    )


def counters(state: MemberState) -> list[tuple[int, ...]]:
    """The day counters that are not zero.

    From when a day counts is left out: it only differs where an urgent version changed the hold in
    the middle of a day, and then the later one stands.
    """
    return [(day.on, *day[2:]) for day in state.days if any(day[2:])]


def check_same(before: MemberState, after: MemberState) -> None:
    """Two states that differ at most in which debit a debt hangs on (docs/decisions)."""
    assert plain_lots(after) == plain_lots(before)
    assert sum(debt.amount for debt in after.debts) == sum(debt.amount for debt in before.debts)
    assert [pair for pair in after.sums if pair[1] and pair[0] != "earned"] == [
        pair for pair in before.sums if pair[1] and pair[0] != "earned"
    ]
    assert counters(after) == counters(before)
    assert [use for use in after.uses if use.times] == [use for use in before.uses if use.times]
    assert after.tiers == before.tiers
    if not before.debts:
        was, now = live_splits(before), live_splits(after)
        assert {debit: now.get(debit) for debit in was} == was
