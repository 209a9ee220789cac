"""A little shop for tests: one member, one owner's ledger, the counter's commands, and its laws.

The Hypothesis machine and the long run drive it; every command checks what must hold after it.
"""

from __future__ import annotations

import collections
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.domain.adjustment import OpeningLot, adjust_entries, check_adjust, opening_entries
from app.domain.birthday import solar_birthdays
from app.domain.business_day import BusinessDate
from app.domain.clock import check_business_date
from app.domain.documents import (
    ReturnDocument,
    ReturnedLine,
    SaleDocument,
    SaleRequest,
    Tender,
)
from app.domain.documents_plain import (
    return_from_plain,
    return_to_plain,
    sale_from_plain,
    sale_to_plain,
)
from app.domain.entries import POINTS, Entry, EntryId, owner_event_id
from app.domain.errors import Refused
from app.domain.exchange import exchange_documents, exchange_entries, quote_exchange
from app.domain.expiry import as_good, expire_entries, expire_event_id, unexpire_entries
from app.domain.fold import fold
from app.domain.programme import Programme, SpentPolicy
from app.domain.recount import recount
from app.domain.returns import (
    ReturnQuote,
    kept_units,
    quote_return,
    return_entries,
)
from app.domain.sale import MemberContext, quote_sale, sale_document, sale_entries
from app.domain.state import EMPTY, MemberState, owed_points, view
from app.domain.state_rows import state_from_plain, state_to_plain
from app.domain.tiers import manual_tier_entry, review_entries
from app.domain.void import VoidQuote, check_void, quote_void
from tests.domain import second_calculator
from tests.domain.laws import (
    check_identity,
    check_partial,
    check_partial_quote,
    check_return,
    check_sale,
    check_same,
    counters,
    live_splits,
    plain_lots,
    totals,
)

MEMBER = bytes(range(16))


@dataclass
class Document:
    """A counter document of the shop: a sale, a return, or both (an exchange)."""

    event_id: bytes
    entries: tuple[Entry, ...]
    on: BusinessDate
    sale: SaleDocument | None = None
    back: ReturnDocument | None = None
    back_of: int | None = None
    returns: list[int] = field(default_factory=list)
    voided: bool = False

    @property
    def earned(self) -> int:
        return 0 if self.sale is None else self.sale.points_earned

    @property
    def debt_before(self) -> int:
        if self.back is not None:
            return self.back.debt_before
        assert self.sale is not None
        return self.sale.debt_before


class Shop:
    """One member at one till that owns its ledger."""

    def __init__(self, programme: Programme, start: BusinessDate) -> None:
        self.programme = programme
        self.today = start
        self.events: dict[bytes, tuple[Entry, ...]] = {}
        self.entries: list[Entry] = []
        self.state = EMPTY
        self.documents: list[Document] = []
        self.closed_through = start.plus(-1)
        self.counts: collections.Counter[str] = collections.Counter()
        self.next_event = 0
        self.checkpoint: tuple[int, object] = (0, state_to_plain(EMPTY))

    # Posting

    def event_id(self) -> bytes:
        self.next_event += 1
        return self.next_event.to_bytes(16, "big")

    def member(self) -> MemberContext:
        good = as_good(self.state, self.today)
        return MemberContext(good, 0, solar_birthdays(2, 29, self.today, "feb28"), self.state)

    def post(self, event_id: bytes, entries: Sequence[Entry]) -> None:
        """Post an event once; a known id changes nothing."""
        if event_id in self.events:
            assert self.events[event_id] == tuple(entries)
            return
        assert [entry.id for entry in entries] == [
            EntryId(event_id, n) for n in range(len(entries))
        ]
        self.events[event_id] = tuple(entries)
        before = self.state
        after = fold(before, entries)
        check_partial(before, entries, after)
        check_identity(after, [*self.entries, *entries], self.today)
        self.entries += entries
        self.state = after

    def post_document(self, event_id: bytes, entries: Sequence[Entry]) -> MemberState:
        """Post a document, twice, after what the owner gives back before it; the state in between.

        What a screen then shows is what it would be had no expiry of today been booked yet.
        """
        shown = fold(as_good(self.state, self.today), entries)
        cause = owner_event_id(MEMBER, f"unexpire:{event_id.hex()}:0")
        given = unexpire_entries(self.state, entries, self.today, cause, on=self.today)
        if given:
            self.post(cause, given)
            self.counts["given_back"] += 1
        between = self.state
        self.post(event_id, entries)
        self.post(event_id, entries)
        assert view(as_good(self.state, self.today), self.today) == view(shown, self.today)
        return between

    # Commands

    def sell(self, request: SaleRequest, minute: int, *, member: bool, tenders: int) -> None:
        who = self.member() if member else None
        quote = quote_sale(request, who, self.programme, on=self.today, minute=minute)
        again = quote_sale(request, who, self.programme, on=self.today, minute=minute)
        assert quote == again
        event_id = self.event_id()
        entries = sale_entries(quote, event_id)
        document = sale_document(quote, entries, tenders_for(quote.draft.to_pay_minor, tenders))
        assert sale_from_plain(sale_to_plain(document)) == document
        check_sale(quote, document, entries)
        assert not member or recount(document, entries, self.programme, minute) == ()
        before = self.post_document(event_id, entries)
        cap = self.programme.earning.cap_per_day
        if cap is not None and member:
            earned_before = before.day(self.today).earned
            assert self.state.day(self.today).earned <= max(cap, earned_before)
        if document.points_spent:
            assert owed_points(self.state) == owed_points(before) == 0
        self.documents.append(Document(event_id, entries, self.today, sale=document))
        self.check_void_undoes(before)
        self.counts["sell" if member else "sell_without_member"] += 1
        if document.tier_change is not None:
            self.counts["upgrade"] += 1

    def returnable(self) -> list[int]:
        return [
            number
            for number, document in enumerate(self.documents)
            if document.sale is not None and not document.voided and any(self.kept(number))
        ]

    def standing_returns(self, number: int) -> list[ReturnDocument]:
        found = []
        for each in self.documents[number].returns:
            document = self.documents[each]
            if not document.voided and document.back is not None:
                found.append(document.back)
        return found

    def kept(self, number: int) -> tuple[int, ...]:
        sale = self.documents[number].sale
        assert sale is not None
        return kept_units(sale, self.standing_returns(number))

    def give_back(
        self,
        number: int,
        lines: Sequence[ReturnedLine],
        policy: SpentPolicy | None = None,
        *,
        manager: bool = True,
    ) -> ReturnQuote:
        sale = self.documents[number].sale
        assert sale is not None
        previous = self.standing_returns(number)
        who = self.member()
        quote = quote_return(
            sale, previous, lines, who, self.programme,
            on=self.today, policy=policy, manager=manager,
        )  # fmt: skip
        check_return(sale, previous, quote)
        event_id = self.event_id()
        entries = return_entries(quote, event_id)
        check_partial_quote(sale, previous, lines, who, self.programme, quote, policy)
        assert return_from_plain(return_to_plain(quote.draft)) == quote.draft
        before = self.post_document(event_id, entries)
        if sale.posted.sales is not None:
            good = as_good(self.state, self.today)
            assert good.balance() == quote.balance_after
            assert owed_points(good) == quote.debt_after
            assert view(good, self.today).available == quote.available_after
        self._add_return(Document(event_id, entries, self.today, back=quote.draft, back_of=number))
        self.check_void_undoes(before)
        self.counts["return"] += 1
        if quote.draft.points_unexpired:
            self.counts["return_unexpired"] += 1
        for name in ("owed", "charged", "written_off"):
            if getattr(quote.settlement, name):
                self.counts[f"return_{name}"] += 1
        return quote

    def _add_return(self, document: Document) -> None:
        assert document.back_of is not None
        self.documents[document.back_of].returns.append(len(self.documents))
        self.documents.append(document)

    def exchange(
        self, number: int, lines: Sequence[ReturnedLine], request: SaleRequest, minute: int
    ) -> None:
        sale = self.documents[number].sale
        assert sale is not None
        member = self.member() if sale.posted.sales is not None else None
        quote = quote_exchange(
            sale, self.standing_returns(number), lines, request, member, self.programme,
            on=self.today, minute=minute,
        )  # fmt: skip
        event_id = self.event_id()
        entries = exchange_entries(quote, event_id)
        back, sold = exchange_documents(quote, entries, tenders_for(max(quote.net_minor, 0), 1))
        assert sum(amount for _, amount in back.refunds) == quote.returned.refund_minor
        assert quote.net_minor == sold.to_pay_minor - quote.returned.refund_minor
        before = self.post_document(event_id, entries)
        self._add_return(
            Document(event_id, entries, self.today, sale=sold, back=back, back_of=number)
        )
        self.check_void_undoes(before)
        self.counts["exchange"] += 1

    def void(self, number: int, *, same_shift: bool = True) -> VoidQuote:
        document = self.documents[number]
        check_void(
            same_shift=same_shift,
            day_closed=document.on <= self.closed_through,
            already_voided=document.voided,
            later_return_stands=self.later_return_stands(number),
        )
        quote = self.quote_void(number, self.event_id())
        if quote.entries:
            self.post_document(quote.entries[0].id.event, quote.entries)
        document.voided = True
        self.counts["void"] += 1
        return quote

    def later_return_stands(self, number: int) -> bool:
        document = self.documents[number]
        siblings = document.returns
        if document.back_of is not None:
            later = [each for each in self.documents[document.back_of].returns if each > number]
            siblings = [*siblings, *later]
        return any(not self.documents[each].voided for each in siblings)

    def quote_void(self, number: int, event_id: bytes) -> VoidQuote:
        document = self.documents[number]
        refunds: tuple[tuple[str, int], ...] = ()
        if document.sale is not None:
            refunds = tuple((each.kind, each.amount_minor) for each in document.sale.tenders)
        return quote_void(
            document.entries, refunds, document.debt_before, self.member(), self.programme,
            event_id=event_id, on=self.today,
        )  # fmt: skip

    def adjust(self, points: int, *, second_person: bool) -> None:
        check_adjust(
            self.programme.limits, "manager", points, own_account=False, second_person=second_person
        )
        event_id = self.event_id()
        entries = adjust_entries(
            points, self.member(), self.programme, on=self.today, event_id=event_id,
            second_person=second_person,
        )  # fmt: skip
        self.post_document(event_id, entries)
        self.counts["adjust_up" if points > 0 else "adjust_down"] += 1

    def open_balance(self, lots: Sequence[OpeningLot]) -> None:
        event_id = self.event_id()
        self.post_document(
            event_id, opening_entries(lots, self.programme, on=self.today, event_id=event_id)
        )
        self.counts["opening"] += 1

    def set_tier(self, code: str, until: BusinessDate | None) -> None:
        event_id = self.event_id()
        name = EntryId(event_id, 0)
        entry = manual_tier_entry(name, self.programme.tiers, self.today, code=code, until=until)
        self.post(event_id, (entry,))
        self.counts["manual_tier"] += 1

    def close_day(self, days: int) -> None:
        """Book what lapsed and review the tier (twice: the second is a no-op), then move on."""
        self.book()
        self.book()
        self.closed_through = self.today
        nxt = self.today.plus(days)
        check_business_date(nxt, self.today, self.closed_through, None, supervisor=True)
        self.today = nxt
        self.counts["close_day"] += 1

    def book(self) -> None:
        """What the owner posts at the close of today, once; the close may be broken off after it."""
        booked = expire_event_id(MEMBER, self.today)
        if booked not in self.events:
            expired = expire_entries(self.state, self.today, booked)
            if expired:
                self.post(booked, expired)
                self.counts["expire"] += 1
            assert not expire_entries(self.state, self.today, booked)
            assert view(self.state, self.today.plus(1)).lapsed == 0
        reviewed = owner_event_id(MEMBER, f"review:{self.today.iso()}")
        if reviewed not in self.events:
            review = review_entries(self.state, self.programme.tiers, self.today, reviewed)
            if review:
                self.post(reviewed, review)
                self.counts["review"] += 1
            assert not review_entries(self.state, self.programme.tiers, self.today, reviewed)

    def break_off_close(self) -> None:
        """Book as the close of today does; then today goes on. Nothing that is good through it goes."""
        before = view(as_good(self.state, self.today), self.today)
        self.book()
        after = view(as_good(self.state, self.today), self.today)
        assert after.available == before.available
        assert after.debt == before.debt
        self.counts["close_broken_off"] += 1

    def late_spend(self, points: int, on: BusinessDate) -> None:
        """A spend authorised elsewhere arrives late; the owner first gives back what it would take."""
        event_id = self.event_id()
        spend = Entry(EntryId(event_id, 0), POINTS, "redeem", -points, on)
        cause = owner_event_id(MEMBER, f"unexpire:{event_id.hex()}:0")
        given = unexpire_entries(self.state, (spend,), self.today, cause, on=on)
        if given:
            self.post(cause, given)
            self.counts["unexpire"] += 1
        self.post(event_id, (spend,))
        assert sum(entry.amount for entry in given) <= points
        self.counts["late_spend"] += 1

    def publish(self, programme: Programme) -> None:
        """A new version moves no balance."""
        before = view(self.state, self.today)
        self.programme = programme
        assert view(self.state, self.today) == before
        self.counts["publish"] += 1

    def take_checkpoint(self) -> None:
        self.checkpoint = (len(self.entries), state_to_plain(self.state))
        self.counts["checkpoint"] += 1

    # Laws

    def check_void_undoes(self, before: MemberState) -> None:
        """A void at once leaves the state as before (not posted: the machine goes on without it)."""
        quote = self.quote_void(len(self.documents) - 1, b"V" * 16)
        assert quote.settlement.spent == 0
        after = fold(self.state, quote.entries)
        check_same(before, after)

    def check_spend_restore(self, spent: int, restored: int) -> None:
        """Spend s then restore n = spend s - n."""
        a, b = EntryId(b"S" * 16, 0), EntryId(b"R" * 16, 0)
        spend = Entry(a, POINTS, "redeem", -spent, self.today)
        restore = Entry(b, POINTS, "reverse", restored, self.today, refers_to=a)
        less = Entry(a, POINTS, "redeem", restored - spent, self.today)
        one = fold(self.state, (spend, restore))
        two = fold(self.state, (less,))
        assert plain_lots(one) == plain_lots(two)
        assert [(debt.debit, debt.amount) for debt in one.debts] == [
            (debt.debit, debt.amount) for debt in two.debts
        ]
        assert live_splits(one) == live_splits(two)
        self.counts["spend_restore"] += 1

    def finish(self, shuffled: random.Random) -> None:
        """What holds of the whole ledger, whatever was done."""
        full = fold(EMPTY, self.entries)
        assert full == self.state
        at, plain = self.checkpoint
        assert isinstance(plain, dict)
        base = state_from_plain(plain)
        assert fold(base, self.entries[at:]) == full
        without = MemberState(
            base.sequence, base.sums, base.lots, base.debts, (), base.days, base.tiers, base.uses
        )
        assert totals(fold(without, self.entries[at:])) == totals(full)
        mixed = list(self.entries)
        shuffled.shuffle(mixed)
        assert totals(fold(EMPTY, mixed)) == totals(full)
        self._check_provisional(shuffled)
        self._check_days()
        if second_calculator.check_ledger(self.entries, full):
            self.counts["ledger_by_coins"] += 1

    def _check_days(self) -> None:
        """The day counters are what the documents that stand say of their sales' dates."""
        expected: dict[int, list[int]] = {}
        for number, document in enumerate(self.documents):
            sale = document.sale
            if sale is None or sale.posted.sales is None or document.voided:
                continue
            kept = self.kept(number)
            taken = sum(each.points_taken_back for each in self.standing_returns(number))
            day = expected.setdefault(document.on, [0, 0, 0])
            day[0] += sale.points_earned - taken
            day[1] += sum(
                line.earn_base_minor * units // line.request.quantity
                for line, units in zip(sale.lines, kept, strict=True)
            )
            day[2] += 1 if any(kept) else 0
        found = {on: list(rest) for on, *rest in counters(self.state)}
        assert found == {on: day for on, day in expected.items() if any(day)}

    def _check_provisional(self, rng: random.Random) -> None:
        """A till's state on any base is sums-equal, and the owner's once everything is included."""
        mine = {event for event in self.events if rng.random() < 0.5}
        events = list(self.events)
        for included in (rng.randrange(len(events) + 1), len(events)):
            owner_order = events[:included]
            base = fold(EMPTY, [entry for event in owner_order for entry in self.events[event]])
            own = [e for event in events[included:] if event in mine for e in self.events[event]]
            provisional = fold(base, own)
            assert provisional.balance() == base.balance() + sum(
                entry.amount for entry in own if entry.asset == POINTS
            )
        assert provisional == self.state


def tenders_for(amount: int, count: int) -> list[Tender]:
    """Up to `count` tenders that make an amount."""
    if amount == 0:
        return []
    if count < 2 or amount < 2:
        return [Tender("cash", amount, amount + 7)]
    part = amount // 3 or 1
    return [Tender("card", part, part), Tender("cash", amount - part, amount - part)]


def expect_refusal(counts: collections.Counter[str], command: Callable[[], object]) -> None:
    """Run a command that must be refused, and count the code."""
    try:
        command()
    except Refused as refused:
        counts[f"refused:{refused.code.value}"] += 1
    else:
        raise AssertionError("the command was not refused")
