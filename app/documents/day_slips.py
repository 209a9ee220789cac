"""Slips of the drawer and the shift: pay-in and pay-out, the count, the end of a shift, the X report.

They take frozen facts and say the same for ever, like the receipts. Before the count no slip tells what the
drawer should hold: an X report has `cash` only after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.documents.receipts import Head, Shop
from app.domain.drawer import DrawerSums
from app.formats import number
from app.i18n import mark
from printing.document import Block, Cut, Doc, Feed, Pair, Role, Row, RowCell, Rule, Sign, Text

TENDER_WORDS: Final = {"qr": mark("QR wallet"), "card": mark("Bank card")}
REASON_WORDS: Final = {
    "change_fetched": mark("Change fetched"),
    "float_added": mark("Float added"),
    "bank": mark("To the bank"),
    "supplier": mark("Supplier paid"),
    "expense": mark("Expense"),
    "give_change": mark("Giving change"),
    "check": mark("Checking notes"),
    "mistake": mark("Opened by mistake"),
    "wrong_change": mark("Wrong change given"),
    "not_entered": mark("Not entered"),
    "unknown": mark("Not known"),
    "power_cut": mark("Power cut"),
    "person_gone": mark("Person gone"),
    "unattended": mark("Closed by the till itself"),
    "other": mark("Other reason"),
}
"""Every reason around the drawer, for slips and screens alike."""


@dataclass(frozen=True, slots=True)
class CashSlip:
    """A pay-in (`amount_minor` above zero) or pay-out; initials of who agreed, "" for nobody."""

    amount_minor: int
    reason: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class CountSlip:
    """What was counted: (face value, pieces), largest first, and the sum."""

    counted: tuple[tuple[int, int], ...]
    total_minor: int


@dataclass(frozen=True, slots=True)
class ShiftSlip:
    """The end of a shift. `total_minor` None: nobody counted. Initials; "" for nobody."""

    opened_by: str
    sums: DrawerSums
    total_minor: int | None
    reason: str
    approved_by: str
    to: str


@dataclass(frozen=True, slots=True)
class XSlip:
    """How the open shift stands. `cash` is None until the drawer was counted.

    documents  (sales, returns, voids); tenders: what other tenders brought in, net, by kind
    """

    opened_by: str
    opened_at: str
    documents: tuple[int, int, int]
    tenders: tuple[tuple[str, int], ...]
    float_minor: int
    paid_in_minor: int
    paid_out_minor: int
    openings: int
    cash: tuple[DrawerSums, int] | None
    """What the drawer should have held, and what was counted."""


def cash_slip(shop: Shop, head: Head, facts: CashSlip) -> Doc:
    """The slip of cash put in or taken out, to be signed."""
    title = mark("PAY-IN") if facts.amount_minor > 0 else mark("PAY-OUT")
    blocks = _top(shop, head, title)
    blocks.append(_money(shop, mark("AMOUNT"), abs(facts.amount_minor), role="total"))
    blocks.append(_reason(shop, facts.reason))
    blocks += _agreed(shop, facts.approved_by)
    return _doc("cash", shop, head, [*blocks, _sign(shop, mark("Signature"))])


def count_slip(shop: Shop, head: Head, facts: CountSlip) -> Doc:
    """The slip of a count: what lay in the drawer, and nothing else."""
    blocks = _top(shop, head, mark("DRAWER COUNT"))
    for value, pieces in facts.counted:
        money = shop.first.money
        cells = (
            RowCell(money(value)),
            RowCell(f"×{number(pieces)}", 8, "right", "keep"),
            RowCell(money(value * pieces), 14, "right", "keep"),
        )
        blocks.append(Row(cells))
    blocks.append(Rule())
    blocks.append(_money(shop, mark("COUNTED"), facts.total_minor, role="total"))
    return _doc("count", shop, head, [*blocks, _sign(shop, mark("Signature"))])


def shift_slip(shop: Shop, head: Head, facts: ShiftSlip) -> Doc:
    """The slip of a shift that is over, signed by who leaves and who comes."""
    blocks = _top(shop, head, mark("END OF SHIFT"))
    blocks.append(_pair(shop, mark("Shift of"), facts.opened_by))
    blocks += _cash(shop, facts.sums, facts.total_minor)
    if facts.reason:
        blocks.append(_reason(shop, facts.reason))
    blocks += _agreed(shop, facts.approved_by)
    blocks.append(_sign(shop, mark("Signature")))
    if facts.to:
        blocks.append(_pair(shop, mark("Handed over to"), facts.to))
        blocks.append(_sign(shop, mark("Signature of who takes over")))
    return _doc("shift_close", shop, head, blocks)


def x_slip(shop: Shop, head: Head, facts: XSlip) -> Doc:
    """The X report on paper."""
    blocks = _top(shop, head, mark("X REPORT"))
    blocks.append(_pair(shop, mark("Shift of"), f"{facts.opened_by} {facts.opened_at}"))
    labels = (mark("Sales"), mark("Returns"), mark("Voids"))
    for label, pieces in zip(labels, facts.documents, strict=True):
        blocks.append(_pair(shop, label, number(pieces)))
    for kind, minor in facts.tenders:
        blocks.append(_money(shop, TENDER_WORDS.get(kind, kind), minor))
    blocks.append(_pair(shop, mark("Drawer opened without a sale"), number(facts.openings)))
    blocks.append(Rule())
    if facts.cash is not None:
        blocks += _cash(shop, *facts.cash)
    else:
        blocks.append(_money(shop, mark("Float"), facts.float_minor))
        blocks.append(_money(shop, mark("Paid in"), facts.paid_in_minor))
        blocks.append(_money(shop, mark("Paid out"), -facts.paid_out_minor))
        first, second = shop.both(mark("Cash sales are shown after the count."))
        blocks += [Text(line, "small") for line in (first, second) if line]
    return _doc("x", shop, head, blocks)


# Parts ------------------------------------------------------------------------------------------


def _doc(kind: str, shop: Shop, head: Head, blocks: list[Block]) -> Doc:
    languages = [shop.first.words.language]
    if shop.second:
        languages.append(shop.second.words.language)
    return Doc(kind, head.receipt_no, tuple(languages), (*blocks, Feed(1), Cut()))


def _top(shop: Shop, head: Head, title: str) -> list[Block]:
    blocks: list[Block] = []
    if head.copy_no:
        blocks.append(Text(f"*** 补打 COPY {head.copy_no} ***", "banner", "center", "shrink"))
    if shop.mark:
        blocks.append(Text(shop.mark, "banner", "center", "shrink"))
    said = " ".join(part for part in shop.both(title) if part)
    blocks.append(Text(said, "title", "center", "shrink"))
    if shop.name:
        blocks.append(Text(shop.name, "body", "center"))
    blocks.append(Rule("double"))
    blocks.append(_pair(shop, mark("Journal number"), head.receipt_no))
    blocks.append(_pair(shop, mark("Time"), head.at))
    blocks.append(_pair(shop, mark("Till / cashier"), f"{head.till} / {head.cashier}"))
    if head.copy_no:
        again = f"{head.copied_at} {head.copied_by}".strip()
        blocks.append(_pair(shop, mark("Printed again"), again))
    blocks.append(Rule())
    return blocks


def _cash(shop: Shop, sums: DrawerSums, total_minor: int | None) -> list[Block]:
    """How the expected cash comes about, and what was found."""
    blocks: list[Block] = [
        _money(shop, mark("Float"), sums.float_minor),
        _money(shop, mark("Cash sales"), sums.sales_minor),
        _money(shop, mark("Cash given back"), -sums.refunds_minor),
        _money(shop, mark("Paid in"), sums.paid_in_minor),
        _money(shop, mark("Paid out"), -sums.paid_out_minor),
        _money(shop, mark("Expected in the drawer"), sums.expected_minor, role="strong"),
    ]
    if total_minor is None:
        blocks.append(_pair(shop, mark("COUNTED"), shop.line(mark("not counted"))))
        return blocks
    difference = total_minor - sums.expected_minor
    blocks.append(_money(shop, mark("COUNTED"), total_minor, role="strong"))
    blocks.append(_pair(shop, mark("DIFFERENCE"), _signed(shop, difference), "total"))
    return blocks


def _signed(shop: Shop, minor: int) -> str:
    return f"+{shop.first.money(minor)}" if minor > 0 else shop.first.money(minor)


def _agreed(shop: Shop, initials: str) -> list[Block]:
    return [_pair(shop, mark("Agreed by"), initials)] if initials else []


def _reason(shop: Shop, code: str) -> Pair:
    label, label_second = shop.both(mark("Reason"))
    said, said_second = shop.both(REASON_WORDS.get(code, code))
    return Pair(label, said, f"{label_second} {said_second}".strip())


def _sign(shop: Shop, label: str) -> Sign:
    return Sign(shop.line(label))


def _pair(shop: Shop, label: str, value: str, role: Role = "body") -> Pair:
    first, second = shop.both(label)
    return Pair(first, value, second, role)


def _money(shop: Shop, label: str, minor: int, *, role: Role = "body") -> Pair:
    return _pair(shop, label, shop.first.money(minor), role)
