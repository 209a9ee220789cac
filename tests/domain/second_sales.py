"""The second calculator's sales: prices, tax, redemption, earning and tier, by Fraction.

It imports nothing of app.domain. The format of a case is told in tests/data/golden/README.md.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from types import SimpleNamespace
from typing import Any

from tests.domain.second_calculator import Book, kept_points, round_by, share_out

NEVER = date(9999, 12, 31)
Case = dict[str, Any]


class Refuse(Exception):
    """The rules say no."""


def merged(base: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7386), save that null is a value: keys are never removed."""
    if not isinstance(patch, dict) or not isinstance(base, dict):
        return patch
    return {**base, **{key: merged(base.get(key), value) for key, value in patch.items()}}


def day(text: str) -> date:
    return date.fromisoformat(text)


def text_of(when: date | None) -> str | None:
    return None if when is None else when.isoformat()


def in_goods(goods: Any, line: Any) -> bool:
    return line.get("category") in goods["categories"] or line.get("item") in goods["items"]


class SecondSales:
    """One member's account and documents while a case runs."""

    def __init__(self, programme: Any, birthday: Any) -> None:
        self.programme = programme
        self.birthday = birthday
        self.book = Book()
        self.entries: dict[tuple[str, int], SimpleNamespace] = {}
        self.posted: dict[str, list[SimpleNamespace]] = {}
        self.sales: dict[int, Any] = {}
        self.returns: dict[int, list[Any]] = {}
        self.debt_before: dict[int, int] = {}
        self.tiers: list[SimpleNamespace] = []
        self.uses: dict[tuple[str, int], int] = {}
        self.spend: list[tuple[date, date, int]] = []
        self.visits: list[tuple[date, date, int]] = []
        self.earned: dict[date, int] = {}
        self.words: list[str] = []

    # Posting

    def post(self, label: str, entries: list[SimpleNamespace]) -> None:
        known = len(self.posted.get(label, []))
        for n, entry in enumerate(entries, known):
            entry.id = (label, n)
            self.posted.setdefault(label, []).append(entry)
            self.entries[entry.id] = entry
            self._apply(entry)

    def _apply(self, entry: SimpleNamespace) -> None:
        on = entry.business_date
        if entry.asset == "points":
            self.book.post(entry)
            if entry.kind == "earn":
                self.earned[on] = self.earned.get(on, 0) + entry.amount
        elif entry.asset == "earned":
            self.earned[on] = self.earned.get(on, 0) + entry.amount
        elif entry.asset == "spend":
            self.spend.append((on, entry.available_from, entry.amount))
        elif entry.asset == "sales":
            self.visits.append((on, entry.available_from, entry.amount))
        elif entry.asset == "tier":
            if entry.kind == "reverse":
                self.tiers = [each for each in self.tiers if each.id != entry.refers_to]
            elif entry.kind == "upgrade":
                self.tiers.append(entry)
            else:
                self.tiers = [entry]
        else:
            key = (entry.asset.removeprefix("use:"), entry.expires.year)
            self.uses[key] = self.uses.get(key, 0) + entry.amount

    # Reading

    def coins(self, on: date) -> tuple[int, int, int]:
        """(valid, pending, lapsed) coins on a date."""
        pending = sum(1 for coin in self.book.coins if coin[2] > on)
        lapsed = sum(1 for coin in self.book.coins if coin[2] <= on and coin[1] < on)
        return len(self.book.coins) - pending - lapsed, pending, lapsed

    def balance(self) -> int:
        return len(self.book.coins) - len(self.book.owed)

    def standing(self) -> SimpleNamespace | None:
        return max(self.tiers, key=lambda each: each.amount) if self.tiers else None

    def level(self) -> Any:
        rank = self.standing().amount if self.tiers else 0  # type: ignore[union-attr]  # checked
        return [each for each in self.programme["tiers"]["levels"] if each["rank"] <= rank][-1]

    def qualifying(self, on: date) -> int:
        rules = self.programme["tiers"]
        first = date(on.year, 1, 1)
        if rules["window"] == "rolling_days":
            first = on - timedelta(days=rules["window_days"] - 1)
        if rules["measure"] == "spend":
            return sum(x for when, since, x in self.spend if first <= when <= on and since <= on)
        days: dict[date, int] = {}
        for when, since, x in self.visits:
            if first <= when <= on and since <= on:
                days[when] = days.get(when, 0) + x
        return sum(1 for x in days.values() if x > 0)

    def expiry(self, on: date) -> date:
        validity = self.programme["validity"]
        if validity["kind"] == "never":
            return NEVER
        if validity["kind"] == "days":
            return on + timedelta(days=validity["count"])
        months = on.month - 1 + validity["count"]
        year, month = on.year + months // 12, months % 12 + 1
        last = calendar.monthrange(year, month)[1]
        to_end = validity["kind"] == "months_to_month_end"
        return date(year, month, last if to_end else min(on.day, last))

    def period_end(self, on: date) -> date:
        rules = self.programme["tiers"]
        if rules["window"] == "calendar_year":
            return date(on.year + 1, 12, 31)
        return on + timedelta(days=rules["window_days"])

    # A sale

    def quote(self, step: Any, level: Any) -> Any:
        """Everything about a sale that does not need the member's ledger to be written."""
        programme, lines = self.programme, step["lines"]
        if not lines:
            raise Refuse("sale_empty")
        quote: dict[str, Any] = {"gross": [], "price": [], "tax": [0] * len(lines)}
        for n, line in enumerate(lines):
            if line.get("quantity", 1) <= 0:
                raise Refuse("sale_line_invalid")
            quantity = Fraction(line.get("quantity", 1), line.get("per_quantity", 1))
            gross = round_by(line["price"] * quantity, "half_up")
            price = gross
            if level and not in_goods(programme["tiers"]["price_excludes"], line):
                price = gross - floor(Fraction(gross * level["discount_bp"], 10000))
                price = max(price, min(gross, ceil(line.get("floor_price", 0) * quantity)))
            quote["gross"].append(gross)
            quote["price"].append(price)
            self.words.append(
                f"Line {n}: {line['price']} x {quantity} = {gross}, price for this tier {price}."
            )
        quote["tax_totals"] = self._tax(lines, quote)
        quote["payable"] = [
            price if line.get("tax_included", True) else price + tax
            for line, price, tax in zip(lines, quote["price"], quote["tax"], strict=True)
        ]
        return quote

    def _tax(self, lines: Any, quote: Any) -> list[list[Any]]:
        groups: dict[tuple[int, bool], list[int]] = {}
        for n, line in enumerate(lines):
            key = (line.get("tax_rate", 0), line.get("tax_included", True))
            groups.setdefault(key, []).append(n)
        totals = []
        for (rate, included), numbers in groups.items():
            whole = sum(quote["price"][n] for n in numbers)
            exact = Fraction(whole * rate, 10000 + rate if included else 10000)
            tax = round_by(exact, "half_up")
            parts = share_out(tax, [Fraction(quote["price"][n]) for n in numbers])
            for n, part in zip(numbers, parts, strict=True):
                quote["tax"][n] = part
            totals.append([rate, included, whole - tax if included else whole, tax])
            if rate:
                self.words.append(f"Tax at {rate} bp of {whole}: {exact}, rounded {tax}.")
        return totals

    def redeem(self, step: Any, quote: Any, on: date, known: bool) -> None:
        points, rules = step.get("redeem", 0), self.programme["redemption"]
        quote.update(most=0, reason="no_member", value=0)
        quote["points_share"] = [0] * len(step["lines"])
        if not known:
            if points:
                raise Refuse("member_needed")
            return
        if rules is None:
            quote["reason"] = "off"
            if points:
                raise Refuse("redeem_off")
            return
        available = self.coins(on)[0]
        may = [
            0 if line.get("no_redeem") or in_goods(rules["excludes"], line) else payable
            for line, payable in zip(step["lines"], quote["payable"], strict=True)
        ]
        share = floor(Fraction(sum(quote["payable"]) * rules["max_share_bp"], 10000))
        by_money = min(share, sum(may)) // rules["unit_value_minor"]
        by_points = available // rules["unit_points"]
        units = min(by_money, by_points)
        if by_points < by_money:
            quote["reason"] = "balance"
        elif sum(may) < share:
            quote["reason"] = "excluded"
        else:
            quote["reason"] = "share" if rules["max_share_bp"] < 10000 else "bill"
        quote["most"] = units * rules["unit_points"]
        if quote["most"] < rules["minimum_points"]:
            quote["reason"] = "minimum" if units else quote["reason"]
            quote["most"] = 0
        self.words.append(
            f"At most {quote['most']} points ({quote['reason']}): {available} available, "
            f"{share} of the bill and {sum(may)} of goods may be paid by points."
        )
        if points:
            self._check_redeem(points, available, rules, quote)
            value = points // rules["unit_points"] * rules["unit_value_minor"]
            quote["value"] = value
            quote["points_share"] = share_out(value, [Fraction(each) for each in may])
            self.words.append(f"{points} points pay {value}: {quote['points_share']} by line.")

    def _check_redeem(self, points: int, available: int, rules: Any, quote: Any) -> None:
        if points < 0:
            raise Refuse("redeem_not_multiple")
        units = points // rules["unit_points"]
        if units * rules["unit_points"] > available:
            raise Refuse("redeem_above_available")
        if quote["most"] == 0 or units > quote["most"] // rules["unit_points"]:
            raise Refuse("redeem_above_share")
        if units * rules["unit_points"] != points:
            raise Refuse("redeem_not_multiple")
        if points < rules["minimum_points"]:
            raise Refuse("redeem_below_minimum")

    def earn(self, step: Any, quote: Any, on: date, level: Any) -> None:
        rules, lines = self.programme["earning"], step["lines"]
        used: dict[str, int] = {}
        quote["base"], quote["rate"] = [], []
        for n, line in enumerate(lines):
            base = quote["payable"][n] - quote["points_share"][n]
            if line.get("no_earn") or in_goods(rules["excludes"], line):
                base = 0
            elif rules["tax"] == "excluded" and quote["payable"][n]:
                net = quote["payable"][n] - quote["tax"][n]
                base = floor(Fraction(base * net, quote["payable"][n]))
            quote["base"].append(base)
            earns = level is not None and not (
                line.get("no_earn") or in_goods(rules["excludes"], line)
            )
            rate = self._rate(line, n, base, on, step, level, used) if earns else Fraction(0)
            quote["rate"].append(rate)
        room = None
        cap = rules["cap_per_day"]
        if level is not None and cap is not None:
            room = max(cap - self.earned.get(on, 0), 0)
        quote["terms"] = (rules["rounding"], rules["cap_per_sale"], room)
        if level is None:
            quote["terms"] = ("floor", None, None)
        quantities = [line.get("quantity", 1) for line in lines]
        columns = zip(quote["base"], quantities, quantities, quote["rate"], strict=True)
        quote["earned"] = kept_points(columns, *quote["terms"])
        raw = sum(
            (base * rate for base, rate in zip(quote["base"], quote["rate"], strict=True)),
            Fraction(0),
        )
        self.words.append(
            f"Earns {raw} raw, rounded by {quote['terms'][0]}, sale cap {quote['terms'][1]}, "
            f"room of the day {quote['terms'][2]}: {quote['earned']} points."
        )
        quote["line_points"] = share_out(
            quote["earned"],
            [base * rate for base, rate in zip(quote["base"], quote["rate"], strict=True)],
        )
        quote["used"] = sorted(used.items()) if quote["earned"] else []

    def _rate(
        self, line: Any, n: int, base: int, on: date, step: Any, level: Any, used: Any
    ) -> Fraction:
        rules = self.programme["earning"]
        found = rules["base"]
        found = rules["category_rates"].get(line.get("category"), found)
        found = rules["item_rates"].get(line.get("item"), found)
        rate = Fraction(found["points"], found["per_minor"])
        alone: list[tuple[int, int, Any, int | None]] = []
        factor = Fraction(1)
        for m, rule in enumerate(rules["multipliers"]):
            year = self._holds(rule, on, step.get("minute", 600), level)
            goods = rule["goods"]
            if year is None or (
                (goods["categories"] or goods["items"]) and not in_goods(goods, line)
            ):
                continue
            if rule["stackable"]:
                factor *= Fraction(rule["factor_bp"], 10000)
                if year and base and rate:
                    used[rule["code"]] = year
            else:
                alone.append((rule["factor_bp"], -m, rule["code"], year))
        if alone:
            best, _, code, year = max(alone)
            factor *= Fraction(best, 10000)
            if year and base and rate:
                used[code] = year
        self.words.append(f"Line {n}: base {base} x {rate} per minor unit x {factor}.")
        return rate * factor

    def _holds(self, rule: Any, on: date, minute: int, level: Any) -> int | None:
        """None: it doesn't hold. 0: it does. A year: it does, and is used up for that year."""
        if rule["tiers"] and level["code"] not in rule["tiers"]:
            return None
        if rule["weekdays"] and on.isoweekday() not in rule["weekdays"]:
            return None
        if rule["from_date"] and on < day(rule["from_date"]):
            return None
        if rule["until_date"] and on > day(rule["until_date"]):
            return None
        start, end = rule["from_minute"], rule["until_minute"]
        if start is not None:
            inside = start <= minute < end if start < end else minute >= start or minute < end
            if not inside:
                return None
        window = rule["birthday"]
        if window is None:
            return 0
        for year in (on.year - 1, on.year, on.year + 1):
            if self.birthday is None:
                break
            month, number = self.birthday
            if (month, number) == (2, 29) and not calendar.isleap(year):
                month, number = (2, 28) if self.programme["leap_day"] == "feb28" else (3, 1)
            party = date(year, month, number)
            near = -window["days_before"] <= (on - party).days <= window["days_after"]
            if near:
                return None if self.uses.get((rule["code"], year), 0) > 0 else year
        return None

    def sell(self, label: str, number: int, step: Any) -> Any:
        on, known = day(step["on"]), step.get("member", True)
        level = self.level() if known else None
        quote = self.quote(step, level)
        self.redeem(step, quote, on, known)
        self.earn(step, quote, on, level)
        quote["lines"], quote["on"], quote["label"] = step["lines"], on, label
        to_pay = sum(quote["payable"]) - quote["value"]
        tenders = step.get("tenders")
        if tenders is None:
            tenders = [["cash", to_pay]] if to_pay else []
        if sum(amount for _, amount in tenders) != to_pay:
            raise Refuse("tender_mismatch")
        quote["tenders"], left = (
            tenders,
            [
                payable - share
                for payable, share in zip(quote["payable"], quote["points_share"], strict=True)
            ],
        )
        quote["tender_shares"] = []
        for _, amount in tenders:
            parts = share_out(amount, [Fraction(each) for each in left])
            left = [rest - part for rest, part in zip(left, parts, strict=True)]
            quote["tender_shares"].append(parts)
        quote["spent"] = step.get("redeem", 0)
        quote["from"] = on + timedelta(days=self.programme["pending_days"])
        self.debt_before[number] = len(self.book.owed)
        if known:
            self._post_sale(label, quote)
        self.sales[number] = quote
        self.returns[number] = []
        return {
            "gross": sum(quote["gross"]),
            "discount": sum(quote["gross"]) - sum(quote["price"]),
            "payable": sum(quote["payable"]),
            "points_value": quote["value"],
            "to_pay": to_pay,
            "earned": quote["earned"],
            "line_points": quote["line_points"],
            "most": quote["most"],
            "limit_reason": quote["reason"],
            "tax": quote["tax_totals"],
        }

    def _post_sale(self, label: str, quote: Any) -> None:
        on, since = quote["on"], quote["from"]
        entries = []
        if quote["spent"]:
            entries.append(entry("points", "redeem", -quote["spent"], on))
        if quote["earned"]:
            until = self.expiry(on)
            entries.append(entry("points", "earn", quote["earned"], on, since, until))
        if sum(quote["base"]):
            entries.append(entry("spend", "measure", sum(quote["base"]), on, since))
        entries.append(entry("sales", "measure", 1, on, since))
        for code, year in quote["used"]:
            entries.append(entry(f"use:{code}", "measure", 1, on, None, date(year, 12, 31)))
        self.post(label, entries)
        level = self._upgrade(on)
        if level:
            self.post(label, [entry("tier", "upgrade", level["rank"], on, on, self.period_end(on))])

    def _upgrade(self, on: date) -> Any:
        standing = self.standing()
        if standing is not None and standing.kind == "manual" and on <= standing.expires:
            return None
        reached = [
            each
            for each in self.programme["tiers"]["levels"]
            if each["threshold"] <= self.qualifying(on)
        ][-1]
        return reached if reached["rank"] > self.level()["rank"] else None


def entry(
    asset: str,
    kind: str,
    amount: int,
    on: date,
    since: date | None = None,
    until: date | None = None,
    least: date | None = None,
    refers: Any = None,
) -> SimpleNamespace:
    return SimpleNamespace(
        id=None, asset=asset, kind=kind, amount=amount, business_date=on, available_from=since,
        expires=until, minimum_expiry=least, refers_to=None if refers is None else refers.id,
    )  # fmt: skip


def ref(entry_id: Any) -> list[Any]:
    return [entry_id[0], entry_id[1]]


def plain_entry(each: SimpleNamespace) -> list[Any]:
    """[asset, kind, amount, on, available from, expires, minimum expiry, refers to]."""
    return [
        each.asset, each.kind, each.amount, text_of(each.business_date),
        text_of(each.available_from), text_of(each.expires), text_of(each.minimum_expiry),
        None if each.refers_to is None else ref(each.refers_to),
    ]  # fmt: skip
