"""Runs golden cases on the domain: `python -m tests.domain.golden_runner` prints those that fail.

Standard library and app.domain only, so that the mutation test can start it quickly on a changed
copy. The format is told in tests/data/golden/README.md.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from app.domain.adjustment import OpeningLot, adjust_entries, opening_entries
from app.domain.birthday import solar_birthdays
from app.domain.business_day import BusinessDate, business_date_of
from app.domain.documents import (
    LineRequest,
    ReturnDocument,
    ReturnedLine,
    SaleDocument,
    SaleRequest,
    Tender,
)
from app.domain.entries import Entry, EntryId
from app.domain.errors import Refused
from app.domain.exchange import exchange_documents, exchange_entries, quote_exchange
from app.domain.expiry import expire_entries, unexpire_entries
from app.domain.fold import fold
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.domain.returns import ReturnQuote, quote_return, return_entries
from app.domain.sale import MemberContext, SaleQuote, quote_sale, sale_document, sale_entries
from app.domain.state import EMPTY, view
from app.domain.tiers import current_tier, manual_tier_entry, measure, review_entries
from app.domain.void import quote_void

GOLDEN = Path(__file__).resolve().parent.parent / "data" / "golden"


def load(name: str) -> Any:
    """A file of tests/data/golden."""
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def case_files() -> list[str]:
    """The files that hold cases, by name."""
    return sorted(path.name for path in GOLDEN.glob("cases_*.json"))


def merged(base: Any, patch: Any) -> Any:
    """A JSON merge patch in which null is a value."""
    if not isinstance(patch, dict) or not isinstance(base, dict):
        return patch
    return {**base, **{key: merged(base.get(key), value) for key, value in patch.items()}}


def _event(label: str) -> bytes:
    """A label ("3", "3-owner") as the 16 bytes of an event id."""
    return label.encode().ljust(16, b"\0")


def _ref(entry_id: EntryId) -> list[Any]:
    return [entry_id.event.rstrip(b"\0").decode(), entry_id.n]


def _iso(when: BusinessDate | None) -> str | None:
    return None if when is None else when.iso()


def plain_entry(entry: Entry) -> list[Any]:
    """An entry as a case writes it."""
    return [
        entry.asset, entry.kind, entry.amount, entry.business_date.iso(),
        _iso(entry.available_from), _iso(entry.expires), _iso(entry.minimum_expiry),
        None if entry.refers_to is None else _ref(entry.refers_to),
    ]  # fmt: skip


def _line(plain: Any) -> LineRequest:
    return LineRequest(
        unit_price_minor=plain["price"],
        quantity=plain.get("quantity", 1),
        per_quantity=plain.get("per_quantity", 1),
        item=plain.get("item"),
        category=plain.get("category"),
        tax_rate_bp=plain.get("tax_rate", 0),
        tax_included=plain.get("tax_included", True),
        floor_price_minor=plain.get("floor_price", 0),
        no_earn=plain.get("no_earn", False),
        no_redeem=plain.get("no_redeem", False),
    )


class Runner:
    """One member while a case runs."""

    def __init__(self, case: Any, programme: Programme) -> None:
        self.case = case
        self.programme = programme
        self.state = EMPTY
        self.posted: dict[str, tuple[Entry, ...]] = {}
        self.sales: dict[int, SaleDocument] = {}
        self.returns: dict[int, dict[int, ReturnDocument]] = {}
        self.debt_before: dict[int, int] = {}

    def run(self) -> tuple[list[Any], Any]:
        """(expect, state) as the domain finds them."""
        expect: list[Any] = []
        for number, step in enumerate(self.case["steps"]):
            before = set(self.posted)
            try:
                found = getattr(self, f"_{step['do']}")(
                    number, step, BusinessDate.from_iso(step["on"])
                )
            except Refused as refused:
                expect.append({"refused": refused.code.value})
                continue
            entries = [
                e for label in self.posted if label not in before for e in self.posted[label]
            ]
            expect.append({**(found or {}), "entries": [plain_entry(entry) for entry in entries]})
        return expect, self._state(BusinessDate.from_iso(self.case["on"]))

    def _post(self, label: str, entries: tuple[Entry, ...]) -> None:
        if entries:
            self.posted[label] = entries
            self.state = fold(self.state, entries)

    def _member(self, on: BusinessDate) -> MemberContext:
        birthday = self.case.get("birthday")
        if not birthday:
            return MemberContext(self.state)
        month, day = birthday
        birthdays = solar_birthdays(month, day, on, self.programme.leap_day)
        return MemberContext(self.state, 0, birthdays)

    def _open(self, number: int, step: Any, on: BusinessDate) -> None:
        lots = [
            OpeningLot(points, BusinessDate.from_iso(until) if until else None)
            for points, until in step["lots"]
        ]
        label = str(number)
        self._post(label, opening_entries(lots, self.programme, on=on, event_id=_event(label)))

    def _adjust(self, number: int, step: Any, on: BusinessDate) -> None:
        label = str(number)
        self._post(
            label,
            adjust_entries(
                step["points"], self._member(on), self.programme, on=on, event_id=_event(label),
                second_person=step.get("second_person", True),
            ),
        )  # fmt: skip

    def _sell(self, number: int, step: Any, on: BusinessDate) -> Any:
        request = SaleRequest(tuple(_line(line) for line in step["lines"]), step.get("redeem", 0))
        member = self._member(on) if step.get("member", True) else None
        quote = quote_sale(request, member, self.programme, on=on, minute=step.get("minute", 600))
        to_pay = quote.draft.to_pay_minor
        tenders = step.get("tenders")
        if tenders is None:
            tenders = [["cash", to_pay]] if to_pay else []
        label = str(number)
        entries = sale_entries(quote, _event(label))
        document = sale_document(
            quote, entries, [Tender(k, amount, amount) for k, amount in tenders]
        )
        self.sales[number] = document
        self.returns[number] = {}
        self.debt_before[number] = document.debt_before
        self._post(label, entries)
        return _sale_found(quote, document)

    def _lines(self, step: Any) -> list[ReturnedLine]:
        return [ReturnedLine(line, units) for line, units in step["lines"]]

    def _return(self, number: int, step: Any, on: BusinessDate) -> Any:
        sale = step["sale"]
        quote = quote_return(
            self.sales[sale], tuple(self.returns[sale].values()), self._lines(step),
            self._member(on), self.programme, on=on, policy=step.get("policy"), manager=True,
        )  # fmt: skip
        label = str(number)
        self.returns[sale][number] = quote.draft
        self.debt_before[number] = quote.draft.debt_before
        self._post(label, return_entries(quote, _event(label)))
        return _return_found(quote)

    def _exchange(self, number: int, step: Any, on: BusinessDate) -> Any:
        sale = step["sale"]
        new = step["sell"]
        request = SaleRequest(tuple(_line(line) for line in new["lines"]), new.get("redeem", 0))
        quote = quote_exchange(
            self.sales[sale], tuple(self.returns[sale].values()), self._lines(step), request,
            self._member(on), self.programme, on=on, minute=new.get("minute", 600),
        )  # fmt: skip
        label = str(number)
        entries = exchange_entries(quote, _event(label))
        net = max(quote.net_minor, 0)
        back, sold = exchange_documents(quote, entries, [Tender("cash", net, net)] if net else [])
        self.returns[sale][number] = back
        self.sales[number] = sold
        self.returns[number] = {}
        self.debt_before[number] = back.debt_before
        self._post(label, entries)
        return {
            "returned": _return_found(quote.returned),
            "sold": _sale_found(quote.sold, sold),
            "net": quote.net_minor,
        }

    def _void(self, number: int, step: Any, on: BusinessDate) -> Any:
        voided = step["step"]
        sale = self.sales.get(voided)
        refunds = [(each.kind, each.amount_minor) for each in sale.tenders] if sale else []
        label = str(number)
        quote = quote_void(
            self.posted.get(str(voided), ()), refunds, self.debt_before.get(voided, 0),
            self._member(on), self.programme, event_id=_event(label), on=on,
            policy=step.get("policy"), manager=True,
        )  # fmt: skip
        self._post(label, quote.entries)
        for returns in self.returns.values():
            returns.pop(voided, None)
        settled = quote.settlement
        return {
            "spent": settled.spent,
            "charged": settled.charged_minor,
            "charged_points": settled.charged,
            "written_off": settled.written_off,
            "refunds": [list(refund) for refund in quote.refunds],
        }

    def _close(self, number: int, _step: Any, on: BusinessDate) -> None:
        label = str(number)
        self._post(label, expire_entries(self.state, on, _event(label)))

    def _review(self, number: int, _step: Any, on: BusinessDate) -> None:
        label = str(number)
        self._post(label, review_entries(self.state, self.programme.tiers, on, _event(label)))

    def _tier(self, number: int, step: Any, on: BusinessDate) -> None:
        label = str(number)
        entry = manual_tier_entry(
            EntryId(_event(label), 0), self.programme.tiers, on,
            code=step["code"], until=BusinessDate.from_iso(step["until"]),
        )  # fmt: skip
        self._post(label, (entry,))

    def _late(self, number: int, step: Any, on: BusinessDate) -> None:
        label = str(number)
        spend = Entry(EntryId(_event(label), 0), "points", "redeem", -step["points"], on)
        booked = BusinessDate.from_iso(step["booked_on"])
        owner = f"{label}-owner"
        given = unexpire_entries(self.state, (spend,), booked, _event(owner), on=on)
        self._post(owner, given)
        self._post(label, (spend,))

    def _state(self, on: BusinessDate) -> Any:
        seen = view(self.state, on)
        rules = self.programme.tiers
        return {
            "on": on.iso(),
            "balance": seen.balance,
            "available": seen.available,
            "pending": seen.pending,
            "lapsed": seen.lapsed,
            "debt": seen.debt,
            "lots": sorted(
                [_ref(lot.origin), lot.expires.iso(), lot.remaining] for lot in self.state.lots
            ),
            "debts": sorted([_ref(debt.debit), debt.amount] for debt in self.state.debts),
            "tier": current_tier(self.state, rules).code,
            "qualifying": measure(self.state, rules, on),
        }


def _sale_found(quote: SaleQuote, document: SaleDocument) -> Any:
    return {
        "gross": document.gross_minor,
        "discount": document.discount_minor,
        "payable": document.payable_minor,
        "points_value": document.points_value_minor,
        "to_pay": document.to_pay_minor,
        "earned": document.points_earned,
        "line_points": [line.points for line in document.lines],
        "most": quote.most.points,
        "limit_reason": quote.most.reason,
        "tax": [list(total) for total in document.tax_totals],
    }


def _return_found(quote: ReturnQuote) -> Any:
    draft, settled = quote.draft, quote.settlement
    return {
        "restored": draft.points_restored,
        "taken_back": draft.points_taken_back,
        "unexpired": draft.points_unexpired,
        "spent": settled.spent,
        "charged": settled.charged_minor,
        "charged_points": settled.charged,
        "written_off": settled.written_off,
        "refunds": [list(refund) for refund in draft.refunds],
    }


def run_case(case: Any, base: Any) -> tuple[Any, Any]:
    """(expect, state) of a case by the domain."""
    programme = programme_from_plain(merged(base, case.get("programme", {})))
    return Runner(case, programme).run()


def failing_cases(*, first: bool = False) -> list[str]:
    """Names of the cases, business dates included, that the domain doesn't work out as written.

    `first`: stop at the first one.
    """
    base = load("programme.json")
    failed = []
    for name in case_files():
        for case in load(name):
            try:
                same = run_case(case, base) == (case["expect"], case["state"])
            except Exception:
                same = False
            if not same:
                failed.append(case["name"])
                if first:
                    return failed
    for row in load("business_dates.json"):
        instant = datetime.fromisoformat(row["instant"])
        on = business_date_of(
            instant, offset_minutes=row["offset_minutes"], cut_off_minute=row["cut_off_minute"]
        )
        if on.iso() != row["business_date"]:
            failed.append(row["name"])
    return failed


if __name__ == "__main__":
    bad = failing_cases(first="--first" in sys.argv)
    sys.stdout.write(json.dumps(bad, ensure_ascii=False) + "\n")
    sys.exit(1 if bad else 0)
