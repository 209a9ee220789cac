"""The slip of a day close (Z): figures, shifts, what was open and signed for, and the proof with its signature.

Everything comes from the event of the close, so a reprint in two years says the same. The till's public key
stands on every Z: whoever holds one can check the file of any other (`regulars verify --z`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from app.documents.day_slips import TENDER_WORDS
from app.documents.receipts import Head, Shop
from app.domain.business_day import BusinessDate
from app.formats import number, signed_number
from app.i18n import mark
from printing.document import QR, Block, Cut, Doc, Feed, Pair, Role, Rule, Text

ITEM_WORDS: Final = {
    "cart": mark("Unfinished sales"),
    "slips_waiting": mark("Slips not printed"),
    "slips_doubtful": mark("Slips in doubt"),
    "faults": mark("Differences found by verify"),
    "no_backup": mark("No backup"),
}
"""What may be open at a close, for slips and screens alike."""
REASON_WORDS: Final = {
    "printer_broken": mark("Printer out of order"),
    "left_for_tomorrow": mark("Left for tomorrow"),
    "disk_away": mark("Backup disk not here"),
    "looked_into": mark("Being looked into"),
    "other": mark("Other reason"),
}
_KIND_WORDS: Final = {
    "sale": mark("Sales"),
    "return": mark("Returns"),
    "void": mark("Voids"),
    "enrol": mark("New members"),
}
_KEY_GROUP: Final = 8


@dataclass(frozen=True, slots=True)
class ZFacts:
    """The facts of the close as its event has them; `approved_by` and `staff` are initials by id (hex)."""

    doc: dict[str, Any]
    approved_by: str
    staff: dict[str, str]


def z_slip(shop: Shop, head: Head, facts: ZFacts) -> Doc:
    """The Z on paper."""
    doc = facts.doc
    blocks = [
        *_top(shop, head, doc), *_figures(shop, doc["sums"]), *_shifts(shop, facts),
        *_owner(shop, doc["owner"]), *_open(shop, facts), *_proof(shop, doc),
    ]  # fmt: skip
    languages = [shop.first.words.language]
    if shop.second:
        languages.append(shop.second.words.language)
    name = f"Z{doc['number']:06d}"
    return Doc("day_close", name, tuple(languages), (*blocks, Feed(1), Cut()))


def _top(shop: Shop, head: Head, doc: dict[str, Any]) -> Iterator[Block]:
    if head.copy_no:
        yield Text(f"*** 补打 COPY {head.copy_no} ***", "banner", "center", "shrink")
    if shop.mark:
        yield Text(shop.mark, "banner", "center", "shrink")
    title = " ".join(part for part in shop.both(mark("DAY CLOSE")) if part)
    yield Text(f"{title} Z {doc['number']:06d}", "title", "center", "shrink")
    if shop.name:
        yield Text(shop.name, "body", "center")
    yield Rule("double")
    yield _pair(shop, mark("Business date"), BusinessDate(doc["date"]).iso(), "strong")
    yield _pair(shop, mark("Closed at"), head.at)
    yield _pair(shop, mark("Till / cashier"), f"{head.till} / {head.cashier}")
    if doc["unattended"]:
        yield from _lines(shop, mark("Closed by the till itself, nobody was there."))
    if head.copy_no:
        again = f"{head.copied_at} {head.copied_by}".strip()
        yield _pair(shop, mark("Printed again"), again)
    yield Rule()


def _figures(shop: Shop, sums: dict[str, Any]) -> Iterator[Block]:
    found = {kind: (pieces, paid) for kind, pieces, _, _, _, paid, *_ in sums["kinds"]}
    for kind, word in _KIND_WORDS.items():
        if kind not in found:
            continue
        pieces, paid = found[kind]
        first, second = shop.both(word)
        value = number(pieces) if kind == "enrol" else shop.first.money(paid)
        yield Pair(first if kind == "enrol" else f"{first} ×{number(pieces)}", value, second)
    yield _pair(shop, mark("TAKEN"), shop.first.money(sums["paid"]), "total")
    for kind, minor in sums["tenders"]:
        words = {"cash": mark("Cash"), **TENDER_WORDS}
        yield _pair(shop, words.get(kind, kind), shop.first.money(minor))
    for key, tax, _ in sums["tax"]:
        rate_bp, _, way = key.partition(":")
        if rate_bp != "0":
            first, second = shop.both(mark("Tax included") if way == "in" else mark("Tax"))
            rate = f"{int(rate_bp) // 100}.{int(rate_bp) % 100:02d}%"
            yield Pair(f"{first} {rate}", shop.first.money(tax), second, "small")
    yield Rule()
    yield _pair(shop, mark("Points issued"), signed_number(sums["issued"]))
    yield _pair(shop, mark("Points redeemed"), signed_number(-sums["redeemed"]))
    yield _pair(shop, mark("Points expired"), signed_number(-sums["expired"]))
    yield Rule()


def _shifts(shop: Shop, facts: ZFacts) -> Iterator[Block]:
    for shift in facts.doc["sums"]["shifts"]:
        first, second = shop.both(mark("Shift of"))
        yield Pair(first, facts.staff.get(shift["staff"], ""), second, "strong")
        yield _pair(shop, mark("Float"), shop.first.money(shift["float"]))
        if shift["total"] is None:
            yield _pair(shop, mark("COUNTED"), shop.line(mark("not counted")))
            continue
        yield _pair(shop, mark("Expected in the drawer"), shop.first.money(shift["expected"]))
        yield _pair(shop, mark("COUNTED"), shop.first.money(shift["total"]))
        yield _pair(shop, mark("DIFFERENCE"), shop.first.money(shift["difference"]), "strong")
    if facts.doc["sums"]["shifts"]:
        yield Rule()


def _owner(shop: Shop, owner: dict[str, int] | None) -> Iterator[Block]:
    """What the close posted for the members."""
    if owner is None:
        return
    yield _pair(shop, mark("Members whose points expired"), number(owner["members"]))
    yield _pair(shop, mark("Tiers raised"), number(owner["raised"]))
    yield _pair(shop, mark("Tiers kept"), number(owner["kept"]))
    yield _pair(shop, mark("Tiers lowered"), number(owner["lowered"]))
    yield Rule()


def _open(shop: Shop, facts: ZFacts) -> Iterator[Block]:
    doc = facts.doc
    if not doc["open"]:
        return
    yield from _lines(shop, mark("OPEN AT THE CLOSE"), "strong")
    for code, pieces in doc["open"]:
        yield _pair(shop, ITEM_WORDS.get(code, code), number(pieces))
    if doc["reason"]:
        label, label_second = shop.both(mark("Reason"))
        said, said_second = shop.both(REASON_WORDS.get(doc["reason"], doc["reason"]))
        yield Pair(label, said, f"{label_second} {said_second}".strip())
    if facts.approved_by:
        yield _pair(shop, mark("Agreed by"), facts.approved_by)
    yield Rule()


def _proof(shop: Shop, doc: dict[str, Any]) -> Iterator[Block]:
    proof = doc["proof"]
    points = proof["points_at_end"] if "points_at_end" in proof else proof["points"]
    yield from _lines(shop, mark("PROOF"), "strong")
    yield _pair(shop, mark("Events"), number(proof["events"]))
    yield _pair(shop, mark("Entries"), number(proof["entries"]))
    yield _pair(shop, mark("Members"), number(proof["members"]))
    yield _pair(shop, mark("Points of all members"), number(points))
    yield _pair(shop, mark("Members folded anew"), number(proof["verified"]))
    none = shop.line(mark("none"))
    yield _pair(shop, mark("Backup, opened"), proof["backup"] or none, "small")
    for label, value in (
        (mark("Chain head"), proof["head"]),
        (mark("Key of this till"), doc["key"]),
        (mark("Signature"), doc["signature"]),
    ):
        yield from _lines(shop, label, "small")
        yield Text(_grouped(value), "small")
    yield QR(f"REGULARS-Z:{doc['number']}:{doc['key']}:{doc['signature'][:32]}")


def _grouped(digits: str) -> str:
    """Hex digits in groups that an eye can follow."""
    return " ".join(digits[at : at + _KEY_GROUP] for at in range(0, len(digits), _KEY_GROUP))


def _lines(shop: Shop, message: str, role: Role = "body") -> Iterator[Block]:
    first, second = shop.both(message)
    yield Text(first, role)
    if second:
        yield Text(second, "small")


def _pair(shop: Shop, label: str, value: str, role: Role = "body") -> Pair:
    first, second = shop.both(label)
    return Pair(first, value, second, role)
