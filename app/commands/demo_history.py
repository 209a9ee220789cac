"""Years of a shop's life, written into an empty store: shifts, enrolments, sales, returns,
voids, and the points that lapsed.

The rules decide as at the counter (quote, entries, fold), and events, rows and journal records are
the ones that the use-cases write; only the writing is in bulk, some business dates a transaction. A
member's folded state is kept in memory while they still have visits to come and written once.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app import cached_fold, posting
from app.account import birthdays_of, shown_after
from app.commands.demo_batch import Batch, Shopper, write_batch
from app.commands.demo_closes import Closes
from app.commands.demo_lapses import Lapses
from app.commands.demo_people import Carts, People, profile_row
from app.context import Context
from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnedLine, SaleDocument, SaleRequest, Tender
from app.domain.drawer import DrawerSums, face_values
from app.domain.entries import Entry
from app.domain.errors import Refused
from app.domain.expiry import expire_entries, expire_event_id
from app.domain.figures import money_of_return, money_of_sale, money_of_void
from app.domain.fold import fold
from app.domain.returns import quote_return, return_entries
from app.domain.sale import MemberContext, SaleQuote, quote_sale, sale_document, sale_entries
from app.domain.state import MemberState, available_points
from app.domain.tiers import current_tier
from app.domain.void import quote_void
from app.ids import Uuid7
from app.numbers import card_number, receipt_number
from app.protocol.events import Event, chain
from app.usecases.close_shift import close_facts
from app.usecases.count import count_facts
from app.usecases.enrol import consents_given, enrol_facts
from app.usecases.return_goods import REASONS as _RETURN_REASONS
from app.usecases.return_goods import return_facts
from app.usecases.sell import sale_facts
from app.usecases.void import REASONS as _VOID_REASONS
from app.usecases.void import void_facts
from db import people, rows, search

Progress = Callable[[str, int, int], None]

_DAY_S: Final = 86_400
_OPENING_S: Final = 9 * 3600
_FIRST_S: Final = _OPENING_S + 300
_LAST_S: Final = 21 * 3600 + 50 * 60
_CLOSING_S: Final = 22 * 3600
_FLOAT_MINOR: Final = 50_000
_VISITS_MOST: Final = 60
_VOIDED: Final = 0.005
_TAKEN_BACK: Final = 0.025
"""A little more than one in fifty, because who never comes again brings nothing back."""
_BATCH_EVENTS: Final = 4000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much history: members enrolled evenly over `days` business dates that end at `last`.

    `gap_days` is how far apart an ordinary member's visits lie. It bounds memory: about
    members x 2.4 x gap_days / days of them are between two visits at any time.
    """

    members: int
    days: int
    last: BusinessDate
    gap_days: int
    card_prefix: str
    staff: tuple[bytes, ...]


class History:
    """Writes a plan into a store that has a programme, staff and no member yet."""

    def __init__(self, ctx: Context, plan: Plan, people_: People, carts: Carts, seed: int) -> None:
        self._ctx = ctx
        self._plan = plan
        self._people = people_
        self._carts = carts
        self._rng = random.Random(seed)  # noqa: S311  people are drawn with it, no secret is
        self._at_us = 0
        self._ids = Uuid7(lambda: self._at_us, self._rng.randbytes)
        # Of their own draws, so that the people and their visits are the same with and without closes.
        closes = random.Random(seed + 1)  # noqa: S311  as above
        self._close_ids = Uuid7(lambda: self._at_us, closes.randbytes)
        self._due: defaultdict[int, list[Shopper]] = defaultdict(list)
        self._staying: dict[bytes, Shopper] = {}
        self._lapses = Lapses(plan.last)
        self._closes = Closes(ctx)
        self._enrolled = 0
        self._running = 0
        self._offset_min = ctx.offset_min()
        with ctx.read() as conn:
            head = rows.head(conn)
            self._programme = ctx.programme_on(conn, plan.last)
        assert head is not None, "the store has its first events"
        self._seq, self._head = head
        self._session: tuple[bytes, bytes] = (plan.staff[0], b"")
        self._cash = DrawerSums()

    def write(self, progress: Progress) -> None:
        """Fill the store. `progress` is told (what, done, total) after each transaction."""
        plan = self._plan
        first = plan.last.plus(1 - plan.days)
        batch = Batch(first)
        for number in range(plan.days):
            on = first.plus(number)
            wanted = plan.members * (number + 1) // plan.days
            self._live(batch, on, newcomers=wanted - self._enrolled)
            if len(batch.events) >= _BATCH_EVENTS or on == plan.last:
                write_batch(self._ctx, batch)
                self._ctx.store.checkpoint_passive()
                progress("members", self._enrolled, plan.members)
                batch = Batch(on.plus(1))
        with self._ctx.write_rows() as conn:
            people.advance_card_block(conn, plan.card_prefix, self._enrolled)
            search.optimize(conn)

    # One business date --------------------------------------------------------------------------

    def _live(self, batch: Batch, on: BusinessDate, *, newcomers: int) -> None:
        before = (len(batch.sums), len(batch.shares), len(batch.ledger))
        self._open_shift(batch, on)
        for second, shopper in self._timetable(on, newcomers):
            self._set_time(on, second)
            if shopper.seq == 0:
                self._enrol(batch, shopper, on)
            else:
                self._visit(batch, shopper, on, minute=second // 60)
                self._plan_next_visit(batch, shopper, on)
        shift = self._close_shift(batch, on)
        self._book_lapsed(batch, on)
        self._close_day(batch, on, shift, before)

    def _close_day(
        self, batch: Batch, on: BusinessDate, shift: dict[str, Any], before: tuple[int, int, int]
    ) -> None:
        """The manager's Z of the date; `before` is how many rows the batch had when it began."""
        sums, shares, ledger = before
        doc = self._closes.facts(
            on,
            at_us=self._at_us,
            sums=batch.sums[sums:],
            shares=batch.shares[shares:],
            ledger=batch.ledger[ledger:],
            shift=shift,
            events=self._seq,
            head=self._head,
            members=self._enrolled,
        )
        self._session = (self._plan.staff[-1], self._session[1])
        self._record(batch, posting.DAY_CLOSE, on, doc=doc, new_id=self._close_ids)

    def _book_lapsed(self, batch: Batch, on: BusinessDate) -> None:
        """Book the points that were good through this date, as the ledger's owner does."""
        self._set_time(on, _CLOSING_S)
        for member_id, entries in self._lapses.of(on):
            event_id = expire_event_id(member_id, on)
            shopper = self._staying.get(member_id)
            if entries is None:
                found = () if shopper is None else expire_entries(shopper.state, on, event_id)
                entries = posting.plain_entries(found)
                if shopper is not None:
                    shopper.state = fold(shopper.state, found)
            if not entries:
                continue
            event = self._record(
                batch, posting.EXPIRE, on, event_id=event_id, member_id=member_id,
                programme=self._programme.version, entries=entries, doc={"due": int(on)},
                by_owner=True,
            )  # fmt: skip
            if shopper is None:
                batch.booked.append((event.seq, member_id))
            else:
                shopper.seq = event.seq

    def _timetable(self, on: BusinessDate, newcomers: int) -> list[tuple[int, Shopper]]:
        """(second of the day, who), in order; a newcomer comes twice: to enrol and to buy."""
        rng = self._rng
        times = [(rng.randint(_FIRST_S, _LAST_S), shopper) for shopper in self._due.pop(on, ())]
        for _ in range(newcomers):
            second = rng.randint(_FIRST_S, _LAST_S - 90)
            self._set_time(on, second)
            shopper = self._newcomer(on)
            times += [(second, shopper), (second + rng.randint(30, 90), shopper)]
        return sorted(times, key=lambda time: time[0])

    def _plan_next_visit(self, batch: Batch, shopper: Shopper, on: BusinessDate) -> None:
        shopper.visits -= 1
        gap = max(1, round(self._rng.expovariate(1 / shopper.gap_days)))
        if shopper.visits == 0 or on + gap > self._plan.last:
            del self._staying[shopper.member.id]
            shopper.state = self._lapses.settle(shopper.member.id, shopper.state)
            batch.gone.append(shopper)
        else:
            self._due[on + gap].append(shopper)

    def _set_time(self, on: BusinessDate, second: int) -> None:
        local_s = on * _DAY_S + second
        self._at_us = (local_s - self._offset_min * 60) * 1_000_000

    # Events -------------------------------------------------------------------------------------

    def _open_shift(self, batch: Batch, on: BusinessDate) -> None:
        self._set_time(on, _OPENING_S)
        staff = self._plan.staff[on % len(self._plan.staff)]
        shift_id = self._ids()
        self._session = (staff, shift_id)
        event = self._record(
            batch,
            posting.SHIFT_OPEN,
            on,
            doc={"float": _FLOAT_MINOR},
        )
        batch.shifts.append(posting.shift_row(event))

    def _close_shift(self, batch: Batch, on: BusinessDate) -> dict[str, Any]:
        """The drawer counted and the shift closed; now and then a little is missing. Answers the shift
        as the Z has it."""
        self._set_time(on, _CLOSING_S)
        shift_id, sums = self._session[1], self._cash
        short = 500 if self._rng.random() < 0.02 else 0
        total = sums.expected_minor // 10 * 10 - short
        counted = []
        left = total
        for value in face_values(self._ctx.till.currency.code):
            pieces, left = divmod(left, value)
            counted.append((value, pieces))
        total -= left
        count = self._record(batch, posting.COUNT, on, doc=count_facts(counted, total, sums))
        reason = "wrong_change" if total != sums.expected_minor else ""
        end = self._record(
            batch, posting.SHIFT_CLOSE, on,
            doc=close_facts(shift_id, sums, count=(count.id, total), reason=reason),
        )  # fmt: skip
        batch.ends.append((shift_id, count.seq, end.seq))
        known = {key: end.doc.get(key) for key in ("expected", "total", "difference")}
        return {"staff": self._session[0].hex(), "float": _FLOAT_MINOR, **known}

    def _newcomer(self, on: BusinessDate) -> Shopper:
        person = self._people.draw()
        member_id = self._ids()
        self._enrolled += 1
        card = card_number(self._plan.card_prefix, self._enrolled)
        # A few come all the time, most once or twice: the usual heavy tail of a shop.
        drawn = min(_VISITS_MOST, int(1.4 * self._rng.paretovariate(1.2)))
        visits = person.visits or drawn
        return Shopper(
            people.MemberRow(member_id, on, self._programme.tiers.levels[0].code, on),
            profile_row(person, member_id),
            os.urandom(32),
            people.CredentialRow("card", card, member_id, "active"),
            visits,
            max(2, min(self._plan.gap_days, self._plan.days // visits)),
            person.carts,
        )

    def _enrol(self, batch: Batch, shopper: Shopper, on: BusinessDate) -> None:
        member_id = shopper.member.id
        consents = consents_given(True, self._rng.random() < 0.3)
        profile = {"t": "profile", **_plain(shopper.profile)}
        card = {"t": "credential", **_plain(shopper.card)}
        event = self._record(
            batch,
            posting.ENROL,
            on,
            member_id=member_id,
            programme=self._programme.version,
            doc=enrol_facts(
                shopper.key, self._programme, profile=profile, card=card, consents=consents
            ),
        )
        shopper.seq = event.seq
        self._staying[member_id] = shopper
        batch.consents += [
            people.ConsentRow(member_id, event.seq, purpose, channel, notice, granted)
            for purpose, channel, notice, granted in consents
        ]

    def _visit(self, batch: Batch, shopper: Shopper, on: BusinessDate, *, minute: int) -> None:
        """A sale; now and then one that is voided at once, or after a return of the last one's goods."""
        if shopper.to_return is not None:
            self._take_back(batch, shopper, on, *shopper.to_return)
            shopper.to_return = None
        event, document = self._sell(batch, shopper, on, minute=minute)
        chance = self._rng.random()
        if chance < _VOIDED:
            self._void(batch, shopper, on, event, document)
        elif chance < _VOIDED + _TAKEN_BACK:
            shopper.to_return = (event.id, document)

    def _member(self, shopper: Shopper, on: BusinessDate) -> MemberContext:
        return MemberContext(shopper.state, 0, birthdays_of(shopper.profile, self._programme, on))

    def _sell(
        self, batch: Batch, shopper: Shopper, on: BusinessDate, *, minute: int
    ) -> tuple[Event, SaleDocument]:
        quote = self._quote(self._member(shopper, on), on, minute, carts=shopper.carts)
        event_id = self._ids()
        entries = sale_entries(quote, event_id)
        document = sale_document(quote, entries, self._tenders(quote))
        posted = cached_fold.Posted(shopper.state, fold(shopper.state, entries))
        doc = sale_facts(quote, document, self._receipt(event_id), posted, self._programme)
        event = self._post(batch, posting.SALE, shopper, on, event_id, entries, doc, posted.after)
        shopper.member = replace(shopper.member, last_visit=int(on))
        return event, document

    def _take_back(
        self, batch: Batch, shopper: Shopper, on: BusinessDate, sale_id: bytes, sale: SaleDocument
    ) -> None:
        """One unit, or what is weighed whole, of one line."""
        line = self._rng.randrange(len(sale.lines))
        sold = sale.lines[line].request
        taken = ReturnedLine(line, 1 if sold.per_quantity == 1 else sold.quantity)
        quote = quote_return(sale, (), (taken,), self._member(shopper, on), self._programme, on=on)
        event_id = self._ids()
        entries = return_entries(quote, event_id)
        after = fold(shopper.state, entries)
        doc = return_facts(
            quote, sale_id, self._receipt(event_id), self._rng.choice(_RETURN_REASONS),
            money=money_of_return(sale, (), quote.draft),
            shown=shown_after(after, self._programme, on),
            approval=None,
        )  # fmt: skip
        self._post(batch, posting.RETURN, shopper, on, event_id, entries, doc, after)

    def _void(
        self, batch: Batch, shopper: Shopper, on: BusinessDate, sale: Event,
        document: SaleDocument,
    ) -> None:  # fmt: skip
        row = posting.document_row(sale)
        assert row is not None, "a sale is a document"
        event_id = self._ids()
        quote = quote_void(
            [cached_fold.entry_of(line) for line in posting.ledger_rows(sale)],
            [(tender.kind, tender.amount_minor) for tender in document.tenders],
            document.debt_before,
            self._member(shopper, on),
            self._programme,
            event_id=event_id,
            on=on,
        )
        after = fold(shopper.state, quote.entries)
        doc = void_facts(
            quote, row, self._receipt(event_id), self._rng.choice(_VOID_REASONS),
            money=money_of_void(money_of_sale(sale.doc["sale"]), quote.refunds),
            shown=shown_after(after, self._programme, on),
            approval=None,
            tier_code=current_tier(after, self._programme.tiers).code,
        )  # fmt: skip
        self._post(batch, posting.VOID, shopper, on, event_id, quote.entries, doc, after)

    def _receipt(self, event_id: bytes) -> str:
        self._running += 1
        return receipt_number(self._ctx.till.till, self._running, event_id)

    def _post(
        self, batch: Batch, kind: str, shopper: Shopper, on: BusinessDate, event_id: bytes,
        entries: Sequence[Entry], doc: dict[str, Any], after: MemberState,
    ) -> Event:  # fmt: skip
        event = self._record(
            batch, kind, on, event_id=event_id, member_id=shopper.member.id,
            programme=self._programme.version, entries=posting.plain_entries(entries), doc=doc,
        )  # fmt: skip
        shopper.state = after
        shopper.seq = event.seq
        shopper.member = replace(
            shopper.member, tier=current_tier(after, self._programme.tiers).code
        )
        self._lapses.watch(shopper.member.id, entries)
        return event

    def _quote(
        self, member: MemberContext, on: BusinessDate, minute: int, *, carts: int
    ) -> SaleQuote:
        lines = tuple(line for _ in range(carts) for line in self._carts.draw())
        redemption = self._programme.redemption
        spendable = available_points(member.state, on)
        if (
            redemption is not None
            and spendable >= 500
            and self._rng.random() < (0.3 if carts == 1 else 0.02)
        ):
            amount = sum(
                line.unit_price_minor * line.quantity // line.per_quantity for line in lines
            )
            # A third of the amount keeps clear of every share that the programme allows.
            most = min(
                spendable, amount // 3 * redemption.unit_points // redemption.unit_value_minor
            )
            points = most // redemption.unit_points * redemption.unit_points
            try:
                return quote_sale(
                    SaleRequest(lines, points), member, self._programme, on=on, minute=minute
                )
            except Refused:
                pass  # below the least, or goods that points can't pay: then without points
        return quote_sale(SaleRequest(lines), member, self._programme, on=on, minute=minute)

    def _tenders(self, quote: SaleQuote) -> tuple[Tender, ...]:
        to_pay = quote.draft.to_pay_minor
        if to_pay == 0:
            return ()
        kind = self._rng.choices(("qr", "cash", "card"), (75, 18, 7))[0]
        given = -(-to_pay // 1000) * 1000 if kind == "cash" else to_pay
        return (Tender(kind, to_pay, given),)

    def _record(
        self,
        batch: Batch,
        kind: str,
        on: BusinessDate,
        *,
        doc: dict[str, Any],
        event_id: bytes | None = None,
        member_id: bytes | None = None,
        programme: int | None = None,
        entries: list[list[Any]] | None = None,
        by_owner: bool = False,
        new_id: Uuid7 | None = None,
    ) -> Event:
        facts = self._ctx.till
        new_id = new_id or self._ids
        self._seq += 1
        event = Event(
            id=event_id or new_id(),
            command_id=event_id if by_owner and event_id else new_id(),
            device=facts.device,
            epoch=facts.epoch,
            seq=self._seq,
            kind=kind,
            at_us=self._at_us,
            offset_min=self._offset_min,
            business_date=int(on),
            staff_id=None if by_owner else self._session[0],
            shift_id=None if by_owner else self._session[1],
            member_id=member_id,
            programme=programme,
            entries=entries or [],
            doc=doc,
        )
        opened = DrawerSums() if kind == posting.SHIFT_OPEN else self._cash
        self._cash = opened.after(kind, doc)
        body = event.to_bytes()
        self._head = chain(self._head, body)
        batch.events.append(
            rows.EventRow(
                event.seq, event.epoch, event.id, event.command_id, kind, body, self._head
            )
        )
        batch.ledger += posting.ledger_rows(event)
        document = posting.document_row(event)
        if document is not None:
            batch.documents.append(document)
        sums, shares = posting.figures_rows(event)
        if sums is not None:
            batch.sums.append(sums)
            batch.shares += shares
        return event


def _plain(row: people.ProfileRow | people.CredentialRow) -> dict[str, Any]:
    """A row as the cell that an event digests: ids as hex."""
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return {key: v.hex() if isinstance(v, bytes) else v for key, v in values.items()}
