"""Slips of the counter as printing.document.Doc: sale, return, void.

Everything that a slip says comes in as frozen facts, so a reprint in two years says the same (the facts are in
the event). Chinese first and English second where the shop prints both; masked names and numbers only.
Order of the parts: printing.md section 7.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.documents import ReturnDocument, SaleDocument, SoldLine, TaxTotal
from app.domain.returns import ReturnedShare
from app.formats import Formats, number, plain_amount, signed_number
from app.i18n import mark
from printing.document import (
    QR,
    Block,
    Code1D,
    Cut,
    Doc,
    Feed,
    Pair,
    Role,
    Row,
    RowCell,
    Rule,
    Sign,
    Text,
)

_TENDERS = {
    "cash": mark("Cash"),
    "qr": mark("QR wallet"),
    "card": mark("Bank card"),
}
_CHANGED_LATELY = mark(
    "Points were used soon after your phone number changed. If it wasn't you, tell the shop."
)
_REASONS = {
    "changed_mind": mark("Customer changed their mind"),
    "faulty": mark("Faulty goods"),
    "wrong_item": mark("Wrong item or amount"),
    "wrong_member": mark("Wrong member"),
    "test": mark("Entered by mistake"),
    "other": mark("Other reason"),
}


@dataclass(frozen=True, slots=True)
class Shop:
    """Head and foot of every slip, and the two languages: `second` is None when one is printed.

    Name and footer are those of the first language, or else what there is; beside them those of the
    second, "" where one language is printed or there are no others.
    """

    name: str
    name_second: str
    address: str
    phone: str
    footer: str
    footer_second: str
    first: Formats
    second: Formats | None
    demo: bool
    training: bool = False

    @property
    def mark(self) -> str:
        """What stands on every slip of a shop that isn't real, in both languages; "" for a real one."""
        if self.training:
            return "TRAINING 练习"
        return "演示 DEMO" if self.demo else ""

    def both(self, message: str) -> tuple[str, str]:
        """A marked message in the first language, and in the second or ""."""
        second = self.second.words.say(message) if self.second else ""
        return self.first.words.say(message), second

    def line(self, message: str) -> str:
        """A marked message in both languages, one after the other, for a place without a second line."""
        return " ".join(filter(None, self.both(message)))

    def named(self, names: tuple[str, str]) -> tuple[str, str]:
        """A (Chinese, English) name in the first language, and in the second or ""."""
        first = 0 if self.first.words.language == "zh_CN" else 1
        return names[first], names[1 - first] if self.second else ""


@dataclass(frozen=True, slots=True)
class Head:
    """What identifies a slip. `at` is local text to the second; `copy_no` 0 is the original."""

    receipt_no: str
    at: str
    till: str
    cashier: str
    copy_no: int = 0
    copied_at: str = ""
    copied_by: str = ""
    offline: bool = False


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """The member as a slip may show them, and the balance as it was known at `at`."""

    name_masked: str
    phone_masked: str
    card_masked: str
    tier: tuple[str, str]
    earned: int
    spent: int
    balance: int
    expiring: tuple[date, int] | None
    progress: tuple[int, int, tuple[str, str]] | None
    """(qualifying measure, target, name of the next tier), measure and target in minor units."""


def sale_slip(
    shop: Shop,
    head: Head,
    sale: SaleDocument,
    member: MemberFacts | None,
    *,
    changed_lately: bool = False,
) -> Doc:
    """The receipt of a sale. `changed_lately` tells the member that points were used soon after their
    phone or card changed (security.md section 4, F7)."""
    blocks: list[Block] = [*_top(shop, head, banner="")]
    blocks += _lines(shop, sale.lines, sign=1)
    blocks += _totals(shop, sale)
    if member is not None:
        blocks += _member(shop, member)
    if changed_lately:
        blocks += [Text(line, "body") for line in shop.both(_CHANGED_LATELY) if line]
    blocks += _foot(shop, head)
    return _doc("sale", shop, head, blocks)


def return_slip(
    shop: Shop,
    head: Head,
    original_no: str,
    sale: SaleDocument,
    returned: ReturnDocument,
    shares: Sequence[ReturnedShare],
    member: MemberFacts | None,
    reason: str,
) -> Doc:
    """The slip of a return: what came back, what was given back, what the points did.

    `shares` are the returned lines', one each: lines, points returned and what is kept add up to
    the refund.
    """
    blocks: list[Block] = [*_top(shop, head, banner=mark("RETURN"))]
    blocks.append(_pair(shop, mark("Original receipt"), original_no))
    blocks.append(Rule())
    for line, share in zip(returned.lines, shares, strict=True):
        worth = share.money_minor + share.points_minor
        blocks.append(_line(shop, sale.lines[line.line], line.quantity, -worth))
    blocks.append(Rule())
    if points_minor := sum(share.points_minor for share in shares):
        label = mark("Points returned")
        blocks.append(_points_value(shop, label, returned.points_restored, points_minor))
    if returned.charged_minor:
        blocks.append(_money(shop, mark("Kept for points already spent"), returned.charged_minor))
    for kind, minor in returned.refunds:
        blocks.append(_money(shop, _TENDERS.get(kind, kind), -minor))
    total = sum(minor for _, minor in returned.refunds)
    blocks.append(_money(shop, mark("REFUND"), -total, role="total"))
    blocks += _tax(shop, returned.tax_totals)
    blocks.append(_reason(shop, reason))
    if member is not None:
        blocks += _member(shop, member, returned=True)
    blocks += [Sign(shop.line(mark("Customer's signature")))]
    blocks += _foot(shop, head)
    return _doc("return", shop, head, blocks)


def void_slip(
    shop: Shop,
    head: Head,
    original_no: str,
    total_minor: int,
    tenders: tuple[tuple[str, int], ...],
    member: MemberFacts | None,
    reason: str,
) -> Doc:
    """The slip of a void: the number that it voids, the money that moves, and why.

    Amounts are as the drawer sees them: below zero what a voided sale gives back, above zero what
    the customer hands over again when a return is voided. `total_minor` is the voided document's own;
    where less moves, the rest is kept for points already spent, and the largest figure is what moves.
    """
    blocks: list[Block] = [*_top(shop, head, banner=mark("VOID"))]
    blocks.append(_pair(shop, mark("Voided receipt"), original_no))
    blocks.append(Rule())
    moved = sum(minor for _, minor in tenders)
    if moved != total_minor:
        blocks.append(_money(shop, mark("Voided sale"), total_minor))
        blocks.append(_money(shop, mark("Kept for points already spent"), moved - total_minor))
    for kind, minor in tenders:
        blocks.append(_money(shop, _TENDERS.get(kind, kind), minor))
    blocks.append(_money(shop, mark("VOIDED"), moved, role="total"))
    blocks.append(_reason(shop, reason))
    if member is not None:
        blocks += _member(shop, member, returned=True)
    blocks += _foot(shop, head)
    return _doc("void", shop, head, blocks)


# Parts ------------------------------------------------------------------------------------------


def _doc(kind: str, shop: Shop, head: Head, blocks: list[Block]) -> Doc:
    languages = [shop.first.words.language]
    if shop.second:
        languages.append(shop.second.words.language)
    return Doc(kind, head.receipt_no, tuple(languages), tuple(blocks))


def _top(shop: Shop, head: Head, *, banner: str) -> list[Block]:
    blocks: list[Block] = []
    if head.copy_no:
        blocks.append(Text(f"*** 补打 COPY {head.copy_no} ***", "banner", "center", "shrink"))
    if shop.mark:
        blocks.append(Text(shop.mark, "banner", "center", "shrink"))
    if banner:
        first, second = shop.both(banner)
        blocks.append(
            Text(f"*** {first} {second} ***".replace("  ", " "), "banner", "center", "shrink")
        )
    if shop.name:
        blocks.append(Text(shop.name, "title", "center", "shrink"))
    blocks += [
        Text(line, "body", "center")
        for line in (shop.name_second, shop.address, shop.phone)
        if line
    ]
    blocks.append(Rule("double"))
    blocks.append(_pair(shop, mark("Receipt"), head.receipt_no))
    blocks.append(_pair(shop, mark("Time"), head.at))
    blocks.append(_pair(shop, mark("Till / cashier"), f"{head.till} / {head.cashier}"))
    if head.copy_no:
        blocks.append(
            _pair(shop, mark("Printed again"), f"{head.copied_at} {head.copied_by}".strip())
        )
    blocks.append(Rule())
    return blocks


def _lines(shop: Shop, lines: tuple[SoldLine, ...], *, sign: int) -> list[Block]:
    blocks: list[Block] = [
        Row(
            (
                RowCell(shop.line(mark("Item"))),
                RowCell(shop.line(mark("Qty")), 9 if shop.second else 6, "right"),
                RowCell(shop.line(mark("Amount")), 12, "right"),
            ),
            "strong",
        )
    ]
    blocks += [_line(shop, line, line.request.quantity, sign * line.gross_minor) for line in lines]
    blocks.append(Rule())
    return blocks


def _line(shop: Shop, sold: SoldLine, quantity: int, amount_minor: int) -> Row:
    request = sold.request
    name = request.name or shop.line(mark("Amount entered"))
    count = f"×{quantity}" if request.per_quantity == 1 else _weight(quantity, request.per_quantity)
    return Row(
        (
            RowCell(name),
            RowCell(count, 6, "right", "keep"),
            RowCell(_amount(shop, amount_minor), 12, "right", "keep"),
        )
    )


def _totals(shop: Shop, sale: SaleDocument) -> list[Block]:
    blocks: list[Block] = [_money(shop, mark("Subtotal"), sale.gross_minor)]
    if sale.discount_minor:
        blocks.append(_money(shop, mark("Member price"), -sale.discount_minor))
    added = sum(t.tax_minor for t in sale.tax_totals if not t.included)
    if added:
        blocks.append(_money(shop, mark("Tax added"), added))
    if sale.points_value_minor:
        label = mark("Points used")
        blocks.append(_points_value(shop, label, sale.points_spent, -sale.points_value_minor))
    blocks.append(_money(shop, mark("TOTAL"), sale.to_pay_minor, role="total"))
    for tender in sale.tenders:
        blocks.append(_money(shop, _TENDERS.get(tender.kind, tender.kind), tender.given_minor))
        if tender.given_minor > tender.amount_minor:
            change = tender.given_minor - tender.amount_minor
            blocks.append(_money(shop, mark("Change"), change))
    return blocks + _tax(shop, sale.tax_totals)


def _tax(shop: Shop, totals: tuple[TaxTotal, ...]) -> list[Block]:
    blocks: list[Block] = []
    for total in totals:
        rate, minor = total.rate_bp, total.tax_minor
        if not rate:
            continue
        first, second = shop.both(mark("Tax included") if total.included else mark("Tax"))
        percent = f"{rate // 100}%" if rate % 100 == 0 else f"{rate // 100}.{rate % 100:02d}%"
        blocks.append(Pair(f"{first} {percent}", _amount(shop, minor), second, "small"))
    return blocks


def _member(shop: Shop, member: MemberFacts, *, returned: bool = False) -> list[Block]:
    first, second = shop.both(mark("Member"))
    who = " ".join(part for part in (member.name_masked, member.phone_masked) if part)
    blocks: list[Block] = [Rule(), Pair(first, who or member.card_masked, second, "strong")]
    if member.card_masked:
        blocks.append(_pair(shop, mark("Card"), member.card_masked))
    blocks.append(_pair(shop, mark("Tier"), " ".join(filter(None, shop.named(member.tier)))))
    if member.earned:
        label = mark("Points taken back") if member.earned < 0 else mark("Points earned")
        blocks.append(_pair(shop, label, signed_number(member.earned)))
    if member.spent:
        label = mark("Points returned") if member.spent < 0 else mark("Points used")
        blocks.append(_pair(shop, label, signed_number(-member.spent)))
    blocks.append(_pair(shop, mark("Points balance"), number(member.balance), role="strong"))
    if member.expiring is not None:
        day, amount = member.expiring
        first, second = shop.both(mark("Next expiry"))
        blocks.append(Pair(f"{first} {day.isoformat()}", number(amount), second))
    if member.progress is not None and not returned:
        value, target, name = member.progress
        label, second = shop.both(mark("To the next tier"))
        first_name, second_name = shop.named(name)
        gap = shop.first.money_short(max(0, target - value))
        blocks.append(Pair(f"{label} {first_name}", gap, f"{second} {second_name}".strip()))
    return blocks


def _foot(shop: Shop, head: Head) -> list[Block]:
    blocks: list[Block] = [Rule(), Code1D(head.receipt_no), QR(head.receipt_no)]
    blocks += [Text(line, "body", "center") for line in (shop.footer, shop.footer_second) if line]
    return [*blocks, Feed(1), Cut()]


def _pair(shop: Shop, label: str, value: str, *, role: Role = "body") -> Pair:
    first, second = shop.both(label)
    return Pair(first, value, second, role)


def _money(shop: Shop, label: str, minor: int, *, role: Role = "body") -> Pair:
    return _pair(shop, label, shop.first.money(minor), role=role)


def _points_value(shop: Shop, label: str, points: int, minor: int) -> Pair:
    first, second = shop.both(label)
    return Pair(f"{first} {number(points)}", shop.first.money(minor), second)


def _reason(shop: Shop, reason: str) -> Pair:
    label, label_second = shop.both(mark("Reason"))
    said, said_second = shop.both(_REASONS.get(reason, reason))
    return Pair(label, said, f"{label_second} {said_second}".strip())


def _amount(shop: Shop, minor: int) -> str:
    return plain_amount(minor, shop.first.sign.exponent)


def _weight(quantity: int, per_quantity: int) -> str:
    """1250 of per 1000 -> `1.250`: integers throughout."""
    digits = len(str(per_quantity)) - 1
    whole, part = divmod(quantity, per_quantity)
    return f"{whole}.{part * 10**digits // per_quantity:0{digits}d}"
