"""Every figure of every report once more, from the journal's bytes alone.

It imports nothing of the product: JSON, dictionaries and the plainest arithmetic. A figure is a dictionary
from sequence number to what that event adds, so its sum and its list are both here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from tests.domain.second_calculator import Book

MONEY = ("gross", "discount", "points_value", "sold", "refunded", "takings", "voided")
"""What is not told of a shift before its count."""
GIVEN = ("issued", "points_change")
"""What is not told of its sales and returns, for points are given by the money."""
Event = dict[str, Any]
Amounts = dict[int, int]


class Journal:
    """All events of a till, and what each of them adds to any figure."""

    def __init__(self, bodies: Iterable[bytes]) -> None:
        self.events: list[Event] = [
            json.loads(body) | {"seq": seq} for seq, body in enumerate(bodies, 1)
        ]
        self.by_id = {event["id"]: event for event in self.events}
        self.kept: dict[str, list[int]] = {}
        self.gone: dict[int, list[tuple[int, int]]] = {}
        """For a return: (units kept before, after) of each line."""
        for event in self.events:
            self._count_units(event)
        self.numbered: list[tuple[int, str]] = [
            (event["seq"], event["doc"]["receipt_no"].split("-")[0])
            for event in self.events
            if event["doc"].get("receipt_no")
        ]
        """Each slip's event and the number of the till on it."""

    def till_of(self, event: Event) -> str:
        """The till of the newest slip up to an event; before the first slip, that one's."""
        before = [till for seq, till in self.numbered if seq <= event["seq"]]
        return before[-1] if before else self.numbered[0][1]

    def of_till(self, event: Event, till: str) -> bool:
        """Whether an event is of a till; "" is any."""
        return not till or self.till_of(event) == till

    def _count_units(self, event: Event) -> None:
        doc = event["doc"]
        if event["kind"] == "sale":
            self.kept[event["id"]] = [line["quantity"] for line in doc["sale"]["lines"]]
        elif event["kind"] == "return":
            kept = self.kept[doc["sale_event"]]
            before = list(kept)
            for line, quantity in doc["return"]["lines"]:
                kept[line] -= quantity
            self.gone[event["seq"]] = list(zip(before, kept, strict=True))
        elif event["kind"] == "void":
            undone = self.by_id[doc["refers_to"]]
            if undone["kind"] == "return":
                kept = self.kept[undone["doc"]["sale_event"]]
                for line, quantity in undone["doc"]["return"]["lines"]:
                    kept[line] += quantity

    # What an event is --------------------------------------------------------------------------

    def sale_of(self, event: Event) -> Any:
        """The sale that a document speaks of."""
        if event["kind"] == "sale":
            return event["doc"]["sale"]
        return self.by_id[event["doc"]["sale_event"]]["doc"]["sale"]

    def side(self, event: Event) -> tuple[str, int]:
        """("sale" | "return" | "", +1 or -1 for a void)."""
        if event["kind"] in ("sale", "return"):
            return event["kind"], 1
        if event["kind"] == "void":
            return self.by_id[event["doc"]["refers_to"]]["kind"], -1
        return "", 0

    def money(self, event: Event) -> dict[str, int]:
        """Money by tender, as the drawer sees it."""
        side, sign = self.side(event)
        found: dict[str, int] = defaultdict(int)
        if side == "sale" and sign == 1:
            for kind, amount, _ in event["doc"]["sale"]["tenders"]:
                found[kind] += amount
        elif side == "sale":
            for kind, amount in event["doc"]["refunds"]:
                found[kind] -= amount
        elif side == "return":
            back = event if sign == 1 else self.by_id[event["doc"]["refers_to"]]
            for kind, amount in back["doc"]["return"]["refunds"]:
                found[kind] -= sign * amount
        return found

    def stored(self, event: Event, amount: Callable[[Any], int]) -> dict[int, int]:
        """A stored amount of each line, as far as the event sells it or takes it back."""
        side, sign = self.side(event)
        if not side:
            return {}
        lines = self.sale_of(event)["lines"]
        if side == "sale":
            return {n: sign * amount(line) for n, line in enumerate(lines)}
        back = event if sign == 1 else self.by_id[event["doc"]["refers_to"]]
        found = {}
        for n, (before, after) in enumerate(self.gone[back["seq"]]):
            sold, whole = lines[n]["quantity"], amount(lines[n])
            found[n] = -sign * (whole * before // sold - whole * after // sold)
        return found

    def units(self, event: Event) -> dict[int, int]:
        """Pieces of each line; weighed goods are one piece while any is kept."""
        side, sign = self.side(event)
        if not side:
            return {}

        def pieces(line: Any, quantity: int) -> int:
            return quantity if line["per_quantity"] == 1 else min(1, quantity)

        lines = self.sale_of(event)["lines"]
        if side == "sale":
            return {n: sign * pieces(line, line["quantity"]) for n, line in enumerate(lines)}
        back = event if sign == 1 else self.by_id[event["doc"]["refers_to"]]
        return {
            n: -sign * (pieces(lines[n], before) - pieces(lines[n], after))
            for n, (before, after) in enumerate(self.gone[back["seq"]])
        }

    def tax(self, event: Event) -> list[tuple[str, int, int]]:
        """(rate and kind, net, tax) of the document itself or of what a void undoes."""
        side, sign = self.side(event)
        if not side:
            return []
        own = event if sign == 1 else self.by_id[event["doc"]["refers_to"]]
        totals = own["doc"][side]["tax"]
        if side == "return":
            sign = -sign
        return [
            (f"{rate}:{'in' if inside else 'out'}", sign * net, sign * tax)
            for rate, inside, net, tax in totals
        ]

    # What it adds to a measure -------------------------------------------------------------------

    def adds(self, event: Event, measure: str, share: str | None) -> int:
        """What one event adds; `share` is the tender, goods or rate where the measure has them."""
        side, sign = self.side(event)
        sale, back = side == "sale", side == "return"
        one = sign if sale else 0
        goods = self._goods(event, share)
        whole = {
            "gross": ("gross_minor", sale), "discount": ("tier_discount_minor", sale),
            "points_value": ("points_share_minor", sale),
        }  # fmt: skip
        if measure in whole:
            name, counts = whole[measure]
            return sum(self.stored(event, lambda line: line.get(name, 0)).values()) if counts else 0
        paid = sum(self.money(event).values())
        used = sale and self.sale_of(event)["points_value_minor"] > 0
        points = self.points(event)
        simple: dict[str, Callable[[], int]] = {
            "sales": lambda: one,
            "member_sales": lambda: one if event["member"] else 0,
            "redeemed_sales": lambda: one if used else 0,
            "sold": lambda: paid if sale else 0,
            "returns": lambda: sign if back else 0,
            "refunded": lambda: -paid if back else 0,
            "takings": lambda: paid,
            "voids": lambda: int(event["kind"] == "void"),
            "voided": lambda: -paid if sale and sign == -1 else 0,
            "enrolled": lambda: int(event["kind"] == "enrol"),
            "issued": lambda: points[0],
            "redeemed": lambda: points[1],
            "expired": lambda: points[2],
            "points_change": lambda: points[0] - points[1] - points[2],
            "tender_in": lambda: self.money(event).get(share or "", 0) if sale else 0,
            "tender_out": lambda: -self.money(event).get(share or "", 0) if back else 0,
            "tender_net": lambda: self.money(event).get(share or "", 0),
            "goods_units": lambda: goods[0],
            "goods_sold": lambda: goods[1] if sale else 0,
            "goods_returned": lambda: -goods[1] if back else 0,
            "goods_net": lambda: goods[1],
            "tax_net": lambda: sum(net for key, net, _ in self.tax(event) if key == share),
            "tax": lambda: sum(tax for key, _, tax in self.tax(event) if key == share),
        }
        return simple[measure]()

    def _goods(self, event: Event, share: str | None) -> tuple[int, int]:
        if not self.side(event)[0]:
            return 0, 0
        lines = self.sale_of(event)["lines"]
        mine = [n for n, line in enumerate(lines) if (line["category"] or "") == share]
        payable = self.payable(event)
        units = self.units(event)
        return sum(units[n] for n in mine), sum(payable[n] for n in mine)

    def payable(self, event: Event) -> dict[int, int]:
        """What each line sells for; of a return what was given back of it, each share rounded by itself."""
        if self.side(event)[0] != "return":
            return self.stored(event, lambda line: line["payable_minor"])
        sale = self.sale_of(event)
        at = {id(line): n for n, line in enumerate(sale["lines"])}
        points = [line.get("points_share_minor", 0) for line in sale["lines"]]
        parts = [
            self.stored(event, lambda line, of=shares: of[at[id(line)]])  # type: ignore[misc]  # a default binds the loop's value
            for shares in (points, *sale["tender_shares"])
        ]
        return {n: sum(part[n] for part in parts) for n in parts[0]}

    def points(self, event: Event) -> tuple[int, int, int]:
        """(issued, redeemed, expired) of the entries."""
        issued = redeemed = expired = 0
        for entry in event["entries"]:
            asset, kind, amount = entry[1], entry[2], entry[3]
            if asset == "points":
                if kind in ("expire", "unexpire"):
                    expired -= amount
                elif kind == "redeem" or (kind == "reverse" and amount > 0):
                    redeemed -= amount
                else:
                    issued += amount
        return issued, redeemed, expired

    def shares(self, measure: str) -> set[str]:
        """Every tender, goods or rate that occurs."""
        found: set[str] = set()
        for event in self.events:
            if measure.startswith("tender"):
                found |= set(self.money(event))
            elif measure.startswith("goods") and self.side(event)[0]:
                found |= {line["category"] or "" for line in self.sale_of(event)["lines"]}
            elif measure.startswith("tax"):
                found |= {key for key, _, _ in self.tax(event)}
        return found

    def key(self, event: Event, group: str) -> Any:
        """What line of a group an event belongs to."""
        minute = (event["at"] // 60_000_000 + event["off"]) % 1440
        weekday = (event["bd"] + 3) % 7 + 1
        if group == "tier":
            return self.sale_of(event)["tier_rank"] if self.side(event)[0] else None
        return {
            "all": 0,
            "share": 0,
            "date": event["bd"],
            "shift": event["shift"],
            "staff": event["staff"],
            "hour": minute // 60,
            "weekday_hour": weekday * 100 + minute // 60,
            "reason": event["doc"].get("reason"),
        }[group]

    # Figures ---------------------------------------------------------------------------------------

    def figure(
        self,
        measure: str,
        first: int,
        last: int,
        *,
        group: str = "all",
        key: Any = 0,
        staff: str | None = None,
        tier: int | None = None,
        hidden_shift: str | None = None,
        till: str = "",
    ) -> Amounts:
        """What each event adds to a figure."""
        found: Amounts = {}
        money = measure in MONEY or measure.startswith(("tender", "goods", "tax"))
        for event in self.events:
            if not first <= event["bd"] <= last:
                continue
            if staff is not None and event["staff"] != staff:
                continue
            if not self.is_of(event, tier) or not self.of_till(event, till):
                continue
            given = measure in GIVEN and self.side(event)[0]
            if (money or given) and hidden_shift is not None and event["shift"] == hidden_shift:
                continue
            if group == "share":
                amount = self.adds(event, measure, key)
            elif self.key(event, group) != key:
                continue
            elif measure.startswith(("tender", "goods", "tax")):
                amount = sum(self.adds(event, measure, each) for each in self.shares(measure))
            else:
                amount = self.adds(event, measure, None)
            if amount:
                found[event["seq"]] = amount
        return found

    def keys(
        self, group: str, measures: Iterable[str], first: int, last: int, **more: Any
    ) -> set[Any]:
        """The keys of a group for which any measure isn't nothing."""
        keys = {self.key(event, group) for event in self.events}
        if group == "share":
            keys = set().union(*(self.shares(measure) for measure in measures))
        return {
            key
            for key in keys
            if any(
                sum(self.figure(measure, first, last, group=group, key=key, **more).values())
                for measure in measures
            )
        }

    def active(
        self,
        first: int,
        last: int,
        *,
        staff: str | None,
        tier: int | None,
        hidden_shift: str | None,
        till: str,
    ) -> Amounts:
        """One for each member with a sale that stands, at their first event of the period."""
        del hidden_shift  # its money is hidden, not its members
        seen: dict[str, int] = {}
        net: dict[str, int] = defaultdict(int)
        for event in self.events:
            side, sign = self.side(event)
            if staff not in (None, event["staff"]) or not self.is_of(event, tier):
                continue
            if not self.of_till(event, till):
                continue
            if side == "sale" and event["member"] and first <= event["bd"] <= last:
                seen.setdefault(event["member"], event["seq"])
                net[event["member"]] += sign
        return {seen[member]: 1 for member, count in net.items() if count > 0}

    def tiers(self) -> dict[str, int]:
        """The rank that each member has; 0 for who never rose."""
        return {
            event["member"]: self._rank(event["member"], self.events)
            for event in self.events
            if event["kind"] == "enrol"
        }

    def is_of(self, event: Event, tier: int | None) -> bool:
        """Whether an event belongs to a tier; -1: to nobody known."""
        if tier == -1:
            return event["member"] is None
        return tier is None or self.key(event, "tier") == tier

    def rises(
        self, first: int, last: int, staff: str | None, tier: int | None, till: str
    ) -> tuple[Amounts, Amounts]:
        """(upgrades, downgrades) of a period by event."""
        up: Amounts = {}
        down: Amounts = {}
        for n, event in enumerate(self.events):
            if not first <= event["bd"] <= last or event["member"] is None:
                continue
            if staff not in (None, event["staff"]) or not self.is_of(event, tier):
                continue
            if not self.of_till(event, till):
                continue
            if not any(entry[1] == "tier" for entry in event["entries"]):
                continue
            step = self._rank(event["member"], self.events[: n + 1]) - self._rank(
                event["member"], self.events[:n]
            )
            if step:
                (up if step > 0 else down)[event["seq"]] = 1
        return up, down

    def _rank(self, member: str, events: list[Event]) -> int:
        standing: dict[tuple[str, int], int] = {}
        for event in events:
            for entry in event["entries"] if event["member"] == member else ():
                if entry[1] != "tier":
                    continue
                if entry[2] == "reverse":
                    standing.pop((entry[8], entry[9]), None)
                elif entry[2] == "review":
                    standing = {(event["id"], entry[0]): entry[3]}
                else:
                    standing[event["id"], entry[0]] = entry[3]
        return max(standing.values(), default=0)

    @cached_property
    def books(self) -> dict[str, Book]:
        """Every member's points, coin by coin; made once, and only read."""
        books: dict[str, Book] = defaultdict(Book)
        for event in self.events:
            for n, asset, kind, amount, on, start, expires, least, ref, ref_n in event["entries"]:
                if asset == "points":
                    refers_to = None if ref is None else (ref, ref_n)
                    books[event["member"]].post(
                        SimpleNamespace(
                            id=(event["id"], n), amount=amount, kind=kind, business_date=on,
                            available_from=start, expires=expires, minimum_expiry=least,
                            refers_to=refers_to,
                        )
                    )  # fmt: skip
        return books

    def lots(self, today: int, hidden_shift: str | None) -> dict[str, Amounts]:
        """Points left by age of the lot: event that opened it → points. Those of the sales of a hidden shift
        are left out."""
        found: dict[str, Amounts] = defaultdict(dict)
        for book in self.books.values():
            for origin, expires, start, _ in book.coins:
                opened = self.by_id[origin[0]]
                if (
                    hidden_shift is not None
                    and opened["shift"] == hidden_shift
                    and self.side(opened)[0]
                ):
                    continue
                age = today - start
                name = next((str(most) for most in (30, 90, 180, 365) if age <= most), "older")
                name = "lapsed" if expires < today else name
                seq = opened["seq"]
                found[name][seq] = found[name].get(seq, 0) + 1
        return found

    def owed(self) -> Amounts:
        """Points owed: event that made the debt → points below zero."""
        found: Amounts = {}
        for book in self.books.values():
            for debit in book.owed:
                seq = self.by_id[debit[0]]["seq"]
                found[seq] = found.get(seq, 0) - 1
        return found
