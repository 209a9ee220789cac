"""A draft of the programme tried on past weeks: real sales, returns and voids, folded anew through app/domain.

Each member's weeks are worked out twice from the same beginning: by the versions that the documents name, and
by the draft; the difference is the draft's. What is booked by the day (expiry, tier reviews) is left out of
both, and a birthday counts where the sale itself had it. Reads alone; who asks may stop it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

from app.domain.birthday import BirthdayOn
from app.domain.business_day import BusinessDate
from app.domain.documents import ReturnDocument, SaleDocument, Tender
from app.domain.documents_plain import return_from_plain, sale_from_plain
from app.domain.entries import POINTS, Entry
from app.domain.errors import Refused
from app.domain.fold import fold
from app.domain.programme import Programme
from app.domain.recount import request_of
from app.domain.returns import quote_return, return_entries
from app.domain.sale import MemberContext, quote_sale, sale_document, sale_entries
from app.domain.state import EMPTY, MemberState
from app.domain.tiers import current_tier
from app.domain.void import quote_void
from app.protocol import facts
from app.protocol.events import Event, NotCanonical

MEMBERS_MOST: Final = 20_000
EVENTS_MOST: Final = 100_000
MOST_S: Final = 300
"""Whichever of these is reached first ends a trial; what was read until then is its result."""
_BOOKED: Final = frozenset(("expire", "unexpire", "review"))


@dataclass(slots=True)
class Figures:
    """What one way of working it out comes to. issued: earned less what returns and voids took back."""

    issued: int = 0
    liability: int = 0
    refused: int = 0


@dataclass(slots=True)
class Trial:
    """A trial under way or done. The thread that runs it writes, pages read."""

    weeks: int
    members_in_all: int = 0
    members: int = 0
    left_out: int = 0
    events: int = 0
    up: int = 0
    down: int = 0
    ours: Figures = field(default_factory=Figures)
    drafts: Figures = field(default_factory=Figures)
    took_ms: int = 0
    done: bool = False
    cut_short: bool = False
    stop: bool = False
    failed: bool = False


class Known(NamedTuple):
    """What a trial reads. ledger: a member's entries in the owner's order; event: its bytes."""

    members: Callable[[], Sequence[bytes]]
    ledger: Callable[[bytes], Sequence[Entry]]
    event: Callable[[bytes], bytes | None]
    programme: Callable[[int, bytes], Programme | None]


def run(trial: Trial, known: Known, draft: Programme, start: BusinessDate) -> None:
    """Work it out, member by member."""
    begun_s = time.monotonic()
    until_s = begun_s + MOST_S
    members = known.members()
    trial.members_in_all = len(members)
    for member in members[:MEMBERS_MOST]:
        if trial.stop or trial.events >= EVENTS_MOST or time.monotonic() > until_s:
            break
        trial.members += 1
        trial.took_ms = round((time.monotonic() - begun_s) * 1000)
        entries = known.ledger(member)
        try:
            ours = _Weeks(known, None, start).fold(entries)
            drafts = _Weeks(known, draft, start).fold(entries)
        except (AssertionError, KeyError, TypeError, ValueError, IndexError, Refused):
            # A member whose weeks can't be told anew: brought in by hand, or merged in the middle of them.
            trial.left_out += 1
            continue
        _add(trial, ours, drafts, draft)
    trial.took_ms = round((time.monotonic() - begun_s) * 1000)
    trial.cut_short = trial.members < trial.members_in_all
    trial.done = True


def _add(trial: Trial, ours: _Weeks, drafts: _Weeks, draft: Programme) -> None:
    trial.events += ours.events
    for total, weeks in ((trial.ours, ours), (trial.drafts, drafts)):
        total.issued += weeks.issued
        total.liability += weeks.state.balance()
        total.refused += weeks.refused
    before = current_tier(ours.state, (ours.last or draft).tiers).rank
    after = current_tier(drafts.state, draft.tiers).rank
    trial.up += after > before
    trial.down += after < before


class _Weeks:
    """One member's weeks under one programme; None: under the version that each document names."""

    def __init__(self, known: Known, draft: Programme | None, start: BusinessDate) -> None:
        self._known, self._draft, self._start = known, draft, start
        self.state: MemberState = EMPTY
        self.events = self.issued = self.refused = 0
        self.last: Programme | None = None
        self._sales: dict[bytes, SaleDocument] = {}
        self._returns: dict[bytes, dict[bytes, ReturnDocument]] = {}
        self._entries: dict[bytes, tuple[Entry, ...]] = {}

    def fold(self, entries: Sequence[Entry]) -> _Weeks:
        for event_id, group in groupby(entries, key=lambda entry: entry.id.event):
            own = tuple(group)
            if own[0].business_date < self._start:
                self.state = fold(self.state, own)
            elif own[0].kind not in _BOOKED:
                self._post(event_id, own)
        return self

    def _post(self, event_id: bytes, own: tuple[Entry, ...]) -> None:
        event = _event_of(self._known.event(event_id))
        told = own if event is None else self._told(event, event_id, own)
        self.events += 1
        self.state = fold(self.state, told)
        self._entries[event_id] = told
        self.issued += sum(
            entry.amount
            for entry in told
            if entry.asset == POINTS and entry.kind in ("earn", "reverse")
            and not (entry.kind == "reverse" and entry.amount > 0)
        )  # fmt: skip

    def _told(self, event: Event, event_id: bytes, own: tuple[Entry, ...]) -> tuple[Entry, ...]:
        if event.kind == "sale":
            return self._sale(event, event_id)
        if event.kind == "return" and event.sync and event.sync.get("returned"):
            sale = bytes.fromhex(event.sync["returned"][0])
            if sale in self._sales:
                return self._return(event, event_id, sale)
        if event.kind == "void":
            voided = bytes.fromhex(event.doc["refers_to"])
            if voided in self._entries:
                return self._void(event, event_id, voided)
        return own

    def _sale(self, event: Event, event_id: bytes) -> tuple[Entry, ...]:
        document = sale_from_plain(event.doc["sale"])
        programme = self._programme(document.programme_version, event.device)
        minute = (event.at_us // 60_000_000 + event.offset_min) % 1440
        on, request = document.business_date, request_of(document)
        years = [until.year for _, until in document.benefits_used][:1]
        member = MemberContext(self.state, birthdays=tuple(BirthdayOn(on, year) for year in years))
        try:
            quote = quote_sale(request, member, programme, on=on, minute=minute)
        except Refused:
            # Fewer points than were spent, or another share of the price: it pays money instead.
            self.refused += 1
            paid = type(request)(request.lines)
            quote = quote_sale(paid, member, programme, on=on, minute=minute)
        entries = sale_entries(quote, event_id)
        self._sales[event_id] = sale_document(
            quote, entries, _paid(document, quote.draft.to_pay_minor)
        )
        return entries

    def _return(self, event: Event, event_id: bytes, sale: bytes) -> tuple[Entry, ...]:
        real, document = return_from_plain(event.doc["return"]), self._sales[sale]
        programme = self._programme(event.programme or document.programme_version, event.device)
        before = self._returns.setdefault(sale, {})
        quote = quote_return(
            document, list(before.values()), real.lines, MemberContext(self.state), programme,
            on=real.business_date, owner=False,
        )  # fmt: skip
        before[event_id] = quote.draft
        return return_entries(quote, event_id)

    def _void(self, event: Event, event_id: bytes, voided: bytes) -> tuple[Entry, ...]:
        programme = self._draft or self.last
        original = self._entries[voided]
        assert programme is not None, "what is voided was a document of these weeks"
        quote = quote_void(
            original, (), 0, MemberContext(self.state), programme,
            event_id=event_id, on=BusinessDate(event.business_date),
        )  # fmt: skip
        self._sales.pop(voided, None)
        for returns in self._returns.values():
            returns.pop(voided, None)
        return quote.entries

    def _programme(self, version: int, device: bytes) -> Programme:
        found = self._draft or self._known.programme(version, device)
        if found is None:
            raise KeyError(version)
        self.last = found
        return found


def _paid(document: SaleDocument, to_pay: int) -> tuple[Tender, ...]:
    """One tender for what is to pay by these rules."""
    if not to_pay:
        return ()
    kind = document.tenders[0].kind if document.tenders else "cash"
    return (Tender(kind, to_pay, to_pay),)


def _event_of(body: bytes | None) -> Event | None:
    if body is None:
        return None
    try:
        return Event.from_bytes(body, epoch=1, seq=1)
    except NotCanonical:
        if facts.read(body).kind == "sale":
            raise  # It can't be worked out anew: nothing is made of its member's weeks.
        return None  # Head office's own: a merge, a booking.
