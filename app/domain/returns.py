"""A return: what goes back by the sale's stored shares, and its entries.

Everything telescopes: any sequence of partial returns gives back exactly what one return of the
whole would (domain.md section 3, "Return" rows). Today's programme only decides the policy for
points that were already spent and the minimum life of points that come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from app.domain.business_day import BusinessDate
from app.domain.documents import (
    ReturnDocument,
    ReturnedLine,
    SaleDocument,
    SoldLine,
    TaxTotal,
    TraceStep,
    UnitsBack,
)
from app.domain.earning import LineEarning, earned
from app.domain.entries import EARNED, POINTS, SALES, SPEND, USE, Entry, EntryId
from app.domain.errors import Refusal, Refused
from app.domain.fold import fold
from app.domain.money import kept_share
from app.domain.programme import Programme, SpentPolicy
from app.domain.sale import MemberContext, expiry_of
from app.domain.settlement import Refund, Settlement, settle
from app.domain.state import MemberState, available_points, owed_points
from app.domain.state_rows import Needs
from app.domain.tiers import measure

_DRAFT_EVENT = bytes(16)
Earlier: TypeAlias = ReturnDocument | UnitsBack
"""What came back before: a return of this till, or what head office counts of another till's sale."""


class ReturnedShare(NamedTuple):
    """What a returned line was paid with, in minor units: by all tenders together, and by points."""

    money_minor: int
    points_minor: int


@dataclass(frozen=True, slots=True)
class ReturnQuote:
    """Everything that the preview of a return shows.

    draft          the document: lines, refund per tender, points restored and taken back, tax
    refund_minor   money to give back, after any charge
    spent          points to take back that were already spent, and how that is settled
    balance_after, available_after, debt_after   the member's points afterwards
    qualifying_before, qualifying_after          the tier's measure on the day; the tier itself stays
    """

    draft: ReturnDocument
    entries: tuple[Entry, ...]
    refund_minor: int
    settlement: Settlement
    balance_after: int
    available_after: int
    debt_after: int
    qualifying_before: int
    qualifying_after: int


def kept_units(document: SaleDocument, previous: Iterable[Earlier]) -> tuple[int, ...]:
    """How many units of each line are still kept after earlier returns (voided ones left out)."""
    kept = [line.request.quantity for line in document.lines]
    for earlier in previous:
        for line, quantity in earlier.lines:
            kept[line] -= quantity
    return tuple(kept)


def returned_shares(
    document: SaleDocument, previous: Iterable[Earlier], lines: Iterable[ReturnedLine]
) -> tuple[ReturnedShare, ...]:
    """What goes back for each of `lines`, before any charge; `previous` are the returns before.

    Every stored share is rounded by itself (domain.md section 3, "Return, earned part"), so the
    money adds up to the refund and all returns together to what was paid.
    """
    kept = list(kept_units(document, previous))
    shares = []
    for number, quantity in lines:
        after = list(kept)
        after[number] -= quantity
        money = sum(
            _difference(document, kept, after, paid.__getitem__) for paid in document.tender_shares
        )
        points = _difference(
            document, kept, after, lambda at: document.lines[at].points_share_minor
        )
        shares.append(ReturnedShare(money, points))
        kept = after
    return tuple(shares)


def needs_for_return(document: SaleDocument) -> Needs:
    """The rows that quoting and posting a return of this sale reads besides those always held.

    Besides, load every unrestored split of kind `expire` whose origin is `posted.earn`, and for
    the tier's measure the days of today's window.
    """
    posted = document.posted
    splits = frozenset(each for each in (posted.redeem, posted.earn) if each is not None)
    uses = frozenset((code, on.year) for code, on in document.benefits_used)
    return Needs(splits, frozenset((document.business_date,)), uses)


def points_by_line(
    document: SaleDocument, before: Sequence[int], lines: Sequence[ReturnedLine]
) -> tuple[tuple[int, int, int, int], ...]:
    """Of each returned line (line, units, points taken back, points restored): shares of what the return moves
    in all, told line after line, so that they add up to it. `before`: the units kept until now."""
    found, kept = [], list(before)
    for line, quantity in lines:
        had = tuple(kept)
        kept[line] -= quantity
        taken = _earned(document, had) - _earned(document, kept)
        restored = _restored(document, kept) - _restored(document, had)
        found.append((line, quantity, taken, restored if document.posted.redeem else 0))
    return tuple(found)


def quote_return(
    document: SaleDocument,
    previous: Sequence[Earlier],
    lines: Sequence[ReturnedLine],
    member: MemberContext | None,
    programme: Programme,
    *,
    on: BusinessDate,
    policy: SpentPolicy | None = None,
    manager: bool = False,
    owner: bool = True,
) -> ReturnQuote:
    """Quote a return of some units of a sale's lines on a business date.

    `programme` is today's; `policy` overrides its way with points already spent (a write-off takes a
    manager). `owner`: whether this till owns the ledger and so gives back booked expiries itself.
    Refused: RETURN_EMPTY, RETURN_NO_SUCH_LINE, RETURN_NOTHING_LEFT, RETURN_TOO_MANY, MEMBER_NEEDED,
    WRITE_OFF_NEEDS_MANAGER.
    """
    back = going_back(document, kept_units(document, previous), lines, on)
    if document.posted.sales is None:
        nothing = Settlement(0, 0, 0, 0, 0, back.refunds)
        owed = 0 if member is None else owed_points(member.state)
        draft = _draft(back, 0, nothing, owed)
        total = sum(amount for _, amount in back.refunds)
        return ReturnQuote(draft, (), total, nothing, 0, 0, 0, 0, 0)
    if member is None:
        raise Refused(Refusal.MEMBER_NEEDED)
    unexpired = _unexpire(member.state, back) if owner and back.taken else []
    return _with_member(back, member, programme, unexpired, policy, manager)


@dataclass(frozen=True, slots=True)
class GoingBack:
    """What goes back by the stored shares alone, whatever the member has by now."""

    document: SaleDocument
    before: tuple[int, ...]
    after: tuple[int, ...]
    lines: tuple[ReturnedLine, ...]
    on: BusinessDate
    refunds: tuple[Refund, ...]
    restored: int
    taken: int


def going_back(
    document: SaleDocument,
    before: tuple[int, ...],
    lines: Sequence[ReturnedLine],
    on: BusinessDate,
) -> GoingBack:
    """What a return of `lines` moves where `before` units of each line were still kept. Refused: RETURN_EMPTY,
    RETURN_NO_SUCH_LINE, RETURN_NOTHING_LEFT, RETURN_TOO_MANY."""
    after = _kept_after(document, before, lines)
    restored_before, restored_after = _restored(document, before), _restored(document, after)
    return GoingBack(
        document=document,
        before=before,
        after=after,
        lines=tuple(lines),
        on=on,
        refunds=tuple(
            (tender.kind, _difference(document, before, after, shares.__getitem__))
            for tender, shares in zip(document.tenders, document.tender_shares, strict=True)
        ),
        restored=restored_after - restored_before if document.posted.redeem else 0,
        taken=_earned(document, before) - _earned(document, after),
    )


def _with_member(
    back: GoingBack,
    member: MemberContext,
    programme: Programme,
    unexpired: Sequence[Entry],
    policy: SpentPolicy | None,
    manager: bool,
) -> ReturnQuote:
    """Post it all and, where that leaves a debt, settle what the member had already spent."""
    state, on = member.state, back.on
    giving = _restore_entry(back, programme, len(unexpired))
    taking = _take_back_entry(back, len(unexpired) + len(giving))
    moves = [*unexpired, *giving, *taking]
    entries = [*moves, *_measure_entries(back, len(moves))]
    final = fold(state, entries)
    debt = owed_points(final)
    spent = _already_spent(state, unexpired, giving, debt) if debt else 0
    settlement = settle(spent, debt, back.refunds, programme, policy=policy, manager=manager)
    settling = _settling_entry(settlement, taking, on, programme, len(moves))
    if settling:
        entries = [*moves, *settling, *_measure_entries(back, len(moves) + 1)]
        final = fold(state, entries)
    return ReturnQuote(
        draft=_draft(
            back, sum(entry.amount for entry in unexpired), settlement, owed_points(state)
        ),
        entries=tuple(entries),
        refund_minor=sum(amount for _, amount in settlement.refunds),
        settlement=settlement,
        balance_after=final.balance(),
        available_after=available_points(final, on, member.reserved),
        debt_after=owed_points(final),
        qualifying_before=measure(state, programme.tiers, on),
        qualifying_after=measure(final, programme.tiers, on),
    )


def entries_of(back: GoingBack, programme: Programme) -> tuple[Entry, ...]:
    """The entries that follow from the stored shares alone, under a draft's id: restored, taken back, measures.
    What is given back from booked expiries and what settles points that were spent depend on the member."""
    parts = (
        _restore_entry(back, programme, 0), _take_back_entry(back, 1), _measure_entries(back, 2)
    )  # fmt: skip
    return tuple(entry for part in parts for entry in part)


def _already_spent(
    state: MemberState, unexpired: Sequence[Entry], giving: Sequence[Entry], debt: int
) -> int:
    """How much of a debt the take-back made: what nothing that came back could cover.

    Debt that points given back from a booked expiry paid isn't counted: they cost nobody twice.
    """
    after_unexpired = fold(state, unexpired)
    repaid = owed_points(state) - owed_points(after_unexpired)
    return max(debt - owed_points(fold(after_unexpired, giving)) - repaid, 0)


def return_entries(quote: ReturnQuote, event_id: bytes) -> tuple[Entry, ...]:
    """The entries of a quoted return under their event's id, in posting order."""
    return tuple(_rename(entry, event_id) for entry in quote.entries)


def _rename(entry: Entry, event_id: bytes) -> Entry:
    refers_to = entry.refers_to
    if refers_to is not None and refers_to.event == _DRAFT_EVENT:
        refers_to = EntryId(event_id, refers_to.n)
    return entry._replace(id=EntryId(event_id, entry.id.n), refers_to=refers_to)


def _kept_after(
    document: SaleDocument, before: Sequence[int], lines: Sequence[ReturnedLine]
) -> tuple[int, ...]:
    if not any(before):
        raise Refused(Refusal.RETURN_NOTHING_LEFT)
    if not lines:
        raise Refused(Refusal.RETURN_EMPTY)
    after = list(before)
    for line, quantity in lines:
        if not 0 <= line < len(document.lines):
            raise Refused(Refusal.RETURN_NO_SUCH_LINE, {"line": line})
        if quantity <= 0:
            raise Refused(Refusal.RETURN_EMPTY, {"line": line})
        if quantity > after[line]:
            raise Refused(
                Refusal.RETURN_TOO_MANY, {"line": line, "quantity": quantity, "left": before[line]}
            )
        after[line] -= quantity
    return tuple(after)


def _difference(
    document: SaleDocument,
    before: Sequence[int],
    after: Sequence[int],
    amount: Callable[[int], int],
) -> int:
    """What a stored amount per line counts for before, less what it counts for after."""
    total = 0
    for number, line in enumerate(document.lines):
        if before[number] != after[number]:
            stored, sold = amount(number), line.request.quantity
            total += kept_share(stored, before[number], sold)
            total -= kept_share(stored, after[number], sold)
    return total


def _restored(document: SaleDocument, kept: Sequence[int]) -> int:
    """Points restored so far: floor(points spent x returned share / whole share)."""
    if not document.points_spent:
        return 0
    returned = sum(
        line.points_share_minor
        - kept_share(line.points_share_minor, kept[number], line.request.quantity)
        for number, line in enumerate(document.lines)
    )
    return document.points_spent * returned // document.points_value_minor


def _earned(document: SaleDocument, kept: Sequence[int]) -> int:
    """E(kept) under the terms stored with the sale."""
    if not document.points_earned:
        return 0
    return earned(
        [
            LineEarning(
                _kept_base(line, kept[number]),
                line.rate_points,
                line.rate_minor,
            )
            for number, line in enumerate(document.lines)
        ],
        document.earn_terms,
    )


def _kept_base(line: SoldLine, kept: int) -> int:
    return kept_share(line.earn_base_minor, kept, line.request.quantity)


def _unexpire(state: MemberState, back: GoingBack) -> list[Entry]:
    """Give back points of this sale that were already booked as expired, as far as they are needed.

    So the take-back finds them, and nobody loses them twice.
    """
    earn = back.document.posted.earn
    missing = back.taken - sum(lot.remaining for lot in state.lots if lot.origin == earn)
    booked: dict[EntryId, int] = {}
    for split in state.splits:
        if split.origin == earn and split.kind == "expire" and split.restored_by is None:
            booked[split.debit] = booked.get(split.debit, 0) + split.amount
    entries: list[Entry] = []
    for debit, amount in booked.items():
        given = min(amount, missing)
        if given > 0:
            missing -= given
            name = EntryId(_DRAFT_EVENT, len(entries))
            entries.append(Entry(name, POINTS, "unexpire", given, back.on, refers_to=debit))
    return entries


def _restore_entry(back: GoingBack, programme: Programme, first: int) -> list[Entry]:
    if not back.restored:
        return []
    return [
        Entry(
            EntryId(_DRAFT_EVENT, first),
            POINTS,
            "reverse",
            back.restored,
            back.on,
            available_from=back.on,
            minimum_expiry=back.on.plus(programme.returns.minimum_life_days),
            refers_to=back.document.posted.redeem,
        )
    ]


def _take_back_entry(back: GoingBack, first: int) -> list[Entry]:
    if not back.taken:
        return []
    name = EntryId(_DRAFT_EVENT, first)
    earn = back.document.posted.earn
    return [Entry(name, POINTS, "reverse", -back.taken, back.on, refers_to=earn)]


def _settling_entry(
    settlement: Settlement,
    taking_back: Sequence[Entry],
    on: BusinessDate,
    programme: Programme,
    first: int,
) -> list[Entry]:
    points = settlement.charged + settlement.written_off
    if not points:
        return []
    name = EntryId(_DRAFT_EVENT, first)
    until = expiry_of(programme.validity, on)
    return [Entry(name, POINTS, "adjust", points, on, on, until, refers_to=taking_back[0].id)]


def _measure_entries(back: GoingBack, first: int) -> list[Entry]:
    """What qualified for the tier and filled the day's cap goes back at the SALE's date."""
    document = back.document
    posted, on, counts_from = document.posted, document.business_date, document.qualifies_from
    entries: list[Entry] = []

    def name() -> EntryId:
        return EntryId(_DRAFT_EVENT, first + len(entries))

    if back.taken:
        entries.append(Entry(name(), EARNED, "measure", -back.taken, on, refers_to=posted.earn))
    qualifying = _difference(
        document, back.before, back.after, lambda number: document.lines[number].earn_base_minor
    )
    if qualifying:
        spend = Entry(name(), SPEND, "measure", -qualifying, on, counts_from)
        entries.append(spend._replace(refers_to=posted.spend))
    if not any(back.after):
        sales = Entry(name(), SALES, "measure", -1, on, counts_from, refers_to=posted.sales)
        entries.append(sales)
        for use, (code, year_end) in zip(posted.use, document.benefits_used, strict=True):
            entries.append(
                Entry(name(), USE + code, "measure", -1, on, expires=year_end, refers_to=use)
            )
    return entries


def _tax(back: GoingBack) -> tuple[TaxTotal, ...]:
    """Tax that goes back, per rate, by the lines' stored amounts."""
    totals: dict[tuple[int, bool], list[int]] = {}
    for number, line in enumerate(back.document.lines):
        kept, left, sold = back.before[number], back.after[number], line.request.quantity
        if kept == left:
            continue
        key = (line.request.tax_rate_bp, line.request.tax_included)
        net_and_tax = totals.setdefault(key, [0, 0])
        tax = kept_share(line.tax_minor, kept, sold) - kept_share(line.tax_minor, left, sold)
        price = kept_share(line.price_minor, kept, sold) - kept_share(line.price_minor, left, sold)
        net_and_tax[0] += price - tax if line.request.tax_included else price
        net_and_tax[1] += tax
    return tuple(TaxTotal(*key, *amounts) for key, amounts in totals.items())


def _draft(
    back: GoingBack, unexpired: int, settlement: Settlement, debt_before: int
) -> ReturnDocument:
    document = back.document
    return ReturnDocument(
        business_date=back.on,
        lines=back.lines,
        refunds=settlement.refunds,
        charged_minor=settlement.charged_minor,
        points_restored=back.restored,
        points_taken_back=back.taken,
        points_written_off=settlement.written_off,
        points_charged=settlement.charged,
        points_unexpired=unexpired,
        debt_before=debt_before,
        tax_totals=_tax(back),
        trace=(
            TraceStep("earned", {"points": document.points_earned, "taken_back": back.taken}),
            TraceStep("restored", {"spent": document.points_spent, "restored": back.restored}),
            TraceStep(
                "already_spent",
                {
                    "spent": settlement.spent,
                    "owed": settlement.owed,
                    "charged": settlement.charged,
                    "charged_minor": settlement.charged_minor,
                    "written_off": settlement.written_off,
                    "unexpired": unexpired,
                },
            ),
        ),
    )
