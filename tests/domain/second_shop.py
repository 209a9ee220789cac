"""The second calculator's shop: runs a golden case's steps by Fraction and plain bookkeeping.

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


class SecondShop:
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
        if points < 0 or points % rules["unit_points"]:
            raise Refuse("redeem_not_multiple")
        if points > available:
            raise Refuse("redeem_above_available")
        if points < rules["minimum_points"]:
            raise Refuse("redeem_below_minimum")
        if points > quote["most"]:
            raise Refuse("redeem_above_share")

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

    # A return

    def give_back(self, label: str, step: Any) -> Any:
        number, on = step["sale"], day(step["on"])
        sale, earlier = self.sales[number], self.returns[number]
        quantities = [line.get("quantity", 1) for line in sale["lines"]]
        before = list(quantities)
        for each in earlier:
            for n, units in each["lines"]:
                before[n] -= units
        if not any(before):
            raise Refuse("return_nothing_left")
        after = list(before)
        for n, units in step["lines"]:
            after[n] -= units
            if after[n] < 0:
                raise Refuse("return_too_many")

        def gone(amounts: Any, kept: Any) -> int:
            return sum(
                amount - floor(Fraction(amount * k, q))
                for amount, k, q in zip(amounts, kept, quantities, strict=True)
            )

        def earned(kept: Any) -> int:
            columns = zip(sale["base"], kept, quantities, sale["rate"], strict=True)
            return kept_points(columns, *sale["terms"])

        def restored(kept: Any) -> int:
            whole = sum(sale["points_share"])
            share = gone(sale["points_share"], kept)
            return floor(Fraction(sale["spent"] * share, whole)) if whole else 0

        refunds = [
            [kind, gone(shares, after) - gone(shares, before)]
            for (kind, _), shares in zip(sale["tenders"], sale["tender_shares"], strict=True)
        ]
        back = {
            "lines": step["lines"],
            "restored": restored(after) - restored(before),
            "taken_back": earned(before) - earned(after),
        }
        self.words.append(
            f"E before {earned(before)}, after {earned(after)}: take back {back['taken_back']}; "
            f"restored so far {restored(before)}, then {restored(after)}; refunds {refunds}."
        )
        posted = {each.kind: each for each in self.posted.get(sale["label"], [])}
        assets = {each.asset: each for each in self.posted.get(sale["label"], [])}
        back.update(unexpired=0, charged=0, charged_points=0, written_off=0, spent=0)
        if "sales" in assets:
            self._post_return(label, sale, back, refunds, on, step, posted)
            counters = []
            if back["taken_back"]:
                counters.append(
                    entry(
                        "earned", "measure", -back["taken_back"], sale["on"], refers=posted["earn"]
                    )
                )
            lower = gone(sale["base"], after) - gone(sale["base"], before)
            if lower:
                counters.append(
                    entry(
                        "spend", "measure", -lower, sale["on"], sale["from"], refers=assets["spend"]
                    )
                )
            if not any(after):
                counters.append(
                    entry("sales", "measure", -1, sale["on"], sale["from"], refers=assets["sales"])
                )
                counters += [
                    entry(each.asset, "measure", -1, sale["on"], None, each.expires, refers=each)
                    for each in self.posted[sale["label"]]
                    if each.asset.startswith("use:")
                ]
            self.post(label, counters)
        earlier.append(back)
        return {**{key: value for key, value in back.items() if key != "lines"}, "refunds": refunds}

    def _post_return(
        self, label: str, sale: Any, back: Any, refunds: Any, on: date, step: Any, posted: Any
    ) -> None:
        owed = len(self.book.owed)
        self.debt_before[int(label)] = owed
        earn = posted.get("earn")
        if back["taken_back"]:
            missing = back["taken_back"] - sum(1 for c in self.book.coins if c[0] == earn.id)
            for debit, coins in list(self.book.taken.items()):
                if self.entries[debit].kind == "expire" and missing > 0:
                    given = min(missing, sum(1 for coin in coins if coin[0] == earn.id))
                    if given:
                        missing -= given
                        back["unexpired"] += given
                        self.post(
                            label,
                            [entry("points", "unexpire", given, on, refers=self.entries[debit])],
                        )
        repaid = owed - len(self.book.owed)
        if back["restored"]:
            least = on + timedelta(days=self.programme["returns"]["minimum_life_days"])
            self.post(
                label,
                [
                    entry(
                        "points", "reverse", back["restored"], on, on, None, least, posted["redeem"]
                    )
                ],
            )
        covered = len(self.book.owed)
        if not back["taken_back"]:
            return
        self.post(label, [entry("points", "reverse", -back["taken_back"], on, refers=earn)])
        named = self.posted[label][-1]
        debt = len(self.book.owed)
        back["spent"] = max(debt - covered - repaid, 0)
        self._settle(label, back, refunds, debt, on, step.get("policy"), named)

    def _settle(
        self, label: str, back: Any, refunds: Any, debt: int, on: date, policy: Any, named: Any
    ) -> None:
        rules, returns = self.programme["redemption"], self.programme["returns"]
        policy = policy or returns["spent_policy"]
        if policy == "write_off":
            back["written_off"] = back["spent"]
        else:
            points = back["spent"]
            if policy == "negative":
                limit = returns["negative_limit_points"]
                points = 0 if limit is None else min(points, max(debt - limit, 0))
            if rules is None:
                points = 0
            money = sum(amount for _, amount in refunds)
            if points:
                worth = Fraction(rules["unit_value_minor"], rules["unit_points"])
                if floor(points * worth) > money:
                    points = floor(money / worth)
                back["charged"] = floor(points * worth)
            back["charged_points"] = points
        left = back["charged"]
        for refund in reversed(refunds):
            part = min(left, refund[1])
            refund[1] -= part
            left -= part
        settled = back["written_off"] + back["charged_points"]
        if back["spent"]:
            self.words.append(
                f"{back['spent']} points were already spent: {policy} settles {settled} of them "
                f"for {back['charged']} of the refund."
            )
        if settled:
            until = self.expiry(on)
            self.post(label, [entry("points", "adjust", settled, on, on, until, refers=named)])

    # The rest

    def void(self, label: str, step: Any) -> Any:
        on, number = day(step["on"]), step["step"]
        original = self.posted.get(str(number), [])
        sale = self.sales.get(number)
        refunds = [list(each) for each in sale["tenders"]] if sale else []
        giving, taking, counters = [], [], []
        for each in reversed(original):
            if each.asset == "tier":
                counters.append(entry("tier", "reverse", -each.amount, on, refers=each))
            elif each.asset != "points":
                mirrored = entry(each.asset, each.kind, -each.amount, each.business_date)
                mirrored.available_from, mirrored.expires = each.available_from, each.expires
                mirrored.refers_to = each.id
                counters.append(mirrored)
            elif each.amount < 0:
                giving.append(entry("points", "reverse", -each.amount, on, refers=each))
            else:
                kind = "expire" if each.kind == "unexpire" else "reverse"
                taking.append(entry("points", kind, -each.amount, on, refers=each))
                if each.kind == "earn":
                    counters.append(
                        entry("earned", "measure", -each.amount, each.business_date, refers=each)
                    )
        self.post(label, giving)
        covered = len(self.book.owed)
        self.post(label, taking)
        debt = len(self.book.owed)
        taken = -sum(each.amount for each in taking)
        before = self.debt_before.get(number, 0)
        back: Any = {"charged": 0, "charged_points": 0, "written_off": 0}
        back["spent"] = max(debt - covered - min(taken, before), 0)
        self._settle(
            label, back, refunds, debt, on, step.get("policy"), taking[0] if taking else None
        )
        self.post(label, counters)
        for earlier in self.returns.values():
            earlier[:] = [one for one in earlier if one.get("label") != number]
        return {**back, "refunds": refunds}

    def close(self, label: str, on: date) -> None:
        """Every lot that is good no later than this date is booked, in spending order."""
        lots: dict[Any, int] = {}
        for coin in sorted(self.book.coins, key=lambda coin: (coin[1], coin[3])):
            if coin[1] <= on:
                lots[coin[0], coin[1]] = lots.get((coin[0], coin[1]), 0) + 1
        self.post(
            label,
            [
                entry("points", "expire", -amount, on, None, until, refers=self.entries[origin])
                for (origin, until), amount in lots.items()
            ],
        )

    def review(self, label: str, on: date) -> None:
        rules = self.programme["tiers"]
        up = self._upgrade(on)
        if up:
            self.post(label, [entry("tier", "upgrade", up["rank"], on, on, self.period_end(on))])
            return
        standing, level = self.standing(), self.level()
        place = rules["levels"].index(level)
        if standing is None or place == 0 or on <= standing.expires:
            return
        best = max(self.qualifying(standing.expires), self.qualifying(on))
        if best < level["threshold"]:
            if on <= standing.expires + timedelta(days=rules["grace_days"]):
                return
            level = rules["levels"][place - 1]
        self.post(label, [entry("tier", "review", level["rank"], on, on, self.period_end(on))])

    def late(self, label: str, step: Any) -> None:
        """A spend dated in the past; what expired since and it would have taken comes back first."""
        on, booked = day(step["on"]), day(step["booked_on"])
        pool: list[tuple[list[Any], Any]] = [
            (coin, None) for coin in self.book.coins if coin[2] <= on <= coin[1]
        ]
        for debit, coins in self.book.taken.items():
            if self.entries[debit].kind == "expire":
                pool += [(coin, debit) for coin in coins if coin[2] <= on <= coin[1]]
        pool.sort(key=lambda each: (each[0][1], each[0][3]))
        given: dict[Any, int] = {}
        for _, debit in pool[: step["points"]]:
            if debit is not None:
                given[debit] = given.get(debit, 0) + 1
        self.post(
            f"{label}-owner",
            [
                entry("points", "unexpire", amount, booked, refers=self.entries[debit])
                for debit, amount in given.items()
            ],
        )
        self.post(label, [entry("points", "redeem", -step["points"], on)])

    def state(self, on: date) -> Any:
        valid, pending, lapsed = self.coins(on)
        lots = sorted(
            [ref(origin), until.isoformat(), amount]
            for (origin, until), amount in self.book.lots().items()
        )
        return {
            "on": on.isoformat(),
            "balance": self.balance(),
            "available": valid,
            "pending": pending,
            "lapsed": lapsed,
            "debt": len(self.book.owed),
            "lots": lots,
            "debts": sorted([ref(debit), amount] for debit, amount in self.book.debts().items()),
            "tier": self.level()["code"],
            "qualifying": self.qualifying(on),
        }


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


def run(case: Case, programme: Any) -> tuple[Any, Any, list[str]]:
    """(expect, state, working) of a case's steps."""
    shop = SecondShop(merged(programme, case.get("programme", {})), case.get("birthday"))
    expect, words = [], []
    for number, step in enumerate(case["steps"]):
        shop.words = []
        label = str(number)
        try:
            found = _step(shop, label, number, step) or {}
        except Refuse as refused:
            expect.append({"refused": str(refused)})
            words.append(f"Step {number} is refused: {refused}.")
            continue
        labels = [f"{label}-owner", label] if f"{label}-owner" in shop.posted else [label]
        found["entries"] = [
            plain_entry(each) for name in labels for each in shop.posted.get(name, [])
        ]
        expect.append(found)
        words += [f"Step {number}, {step['do']}. {word}" for word in shop.words]
    return expect, shop.state(day(case["on"])), words


def _step(shop: SecondShop, label: str, number: int, step: Any) -> Any:
    """Run one step; what it found, besides its entries."""
    do, on = step["do"], day(step["on"])
    if do == "sell":
        return shop.sell(label, number, step)
    if do == "return":
        found = shop.give_back(label, step)
        shop.returns[step["sale"]][-1]["label"] = number
        return found
    if do == "exchange":
        back = shop.give_back(label, step)
        shop.returns[step["sale"]][-1]["label"] = number
        return {"returned": back, **_exchange_sale(shop, label, number, step, back)}
    if do == "void":
        return shop.void(label, step)
    if do == "late":
        return shop.late(label, step)
    if do == "close":
        return shop.close(label, on)
    if do == "review":
        return shop.review(label, on)
    if do == "tier":
        level = next(
            each for each in shop.programme["tiers"]["levels"] if each["code"] == step["code"]
        )
        return shop.post(
            label, [entry("tier", "manual", level["rank"], on, on, day(step["until"]))]
        )
    if do == "open":
        entries = [
            entry("points", "opening", points, on, on, day(until) if until else shop.expiry(on))
            if points > 0
            else entry("points", "opening", points, on)
            for points, until in step["lots"]
        ]
        return shop.post(label, entries)
    assert do == "adjust"
    up = step["points"] > 0
    return shop.post(
        label,
        [
            entry("points", "adjust", step["points"], on, on, shop.expiry(on))
            if up
            else entry("points", "adjust", step["points"], on)
        ],
    )


def _exchange_sale(shop: SecondShop, label: str, number: int, step: Any, back: Any) -> Any:
    refund = sum(amount for _, amount in back["refunds"])
    new = {**step["sell"], "on": step["on"]}
    level = shop.level()
    quote = shop.quote(new, level)
    shop.redeem(new, quote, day(step["on"]), True)
    to_pay = sum(quote["payable"]) - quote["value"]
    credit = min(refund, to_pay)
    tenders = [["exchange", credit]] if credit else []
    if to_pay - credit:
        tenders.append(["cash", to_pay - credit])
    return {"sold": shop.sell(label, number, {**new, "tenders": tenders}), "net": to_pay - refund}
