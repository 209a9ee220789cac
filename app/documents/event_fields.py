"""What the facts of an event are called and how each is written: the journal in words, for screen and export.

A field is found by "kind:path", by its path, or by the last part of the path. A test walks every fact that a
use-case writes and demands its field. Values are the event's own (integers, codes, names in place of ids).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.documents.audit_words import kind_name
from app.documents.event_codes import code_name
from app.domain.business_day import BusinessDate
from app.formats import Formats, number, signed_number
from app.i18n import Words, mark
from app.protocol.events import instant_of


class Field(NamedTuple):
    """`unit` is text, money, points, count, date, instant, yes, share, both (Chinese and English), person,
    event, member, a family of app.documents.event_codes, or "list": then every item is a line of its own with
    the `columns` (key or place in the item, its unit)."""

    words: str
    unit: str
    columns: tuple[tuple[str | int, str], ...] = ()


BLIND: Final = "•••"
"""In the place of what nobody may know before the drawer was counted."""
HIDDEN: Final = frozenset(
    {"posted", "trace", "shown", "programme", "earn_terms", "tender_shares", "receipt_no"}
)
"""Said elsewhere: entries as balances, the working in "Why these points", the rules in their own document."""
FIELDS: Final[Mapping[str, Field]] = {
    # Head office
    "chain": Field(mark("Chain"), "text"),
    # Documents
    "total": Field(mark("Amount"), "money"),
    "earned": Field(mark("Points earned"), "points"),
    "spent": Field(mark("Points used"), "points"),
    "reason": Field(mark("Reason"), "reason"),
    "refers_to": Field(mark("Of document"), "event"),
    "sale_event": Field(mark("Of sale"), "event"),
    "voided_no": Field(mark("Voided slip"), "text"),
    "tier_code": Field(mark("Tier after it"), "both"),
    "verified": Field(mark("Made sure of"), "proof"),
    "attached": Field(mark("Member came"), "attached"),
    "lines": Field(
        mark("Line"), "list",
        (("name", "text"), ("category", "text"), ("quantity", "count"), ("payable_minor", "money"),
         ("points", "points")),
    ),
    "return.lines": Field(mark("Line and pieces returned"), "list", ((0, "place"), (1, "count"))),
    "original.device": Field(mark("Till that sold"), "text"),
    "original.digest": Field(mark("Digest of the sale"), "text"),
    "original.back": Field(
        mark("Line and pieces that had come back"), "list", ((0, "place"), (1, "count"))
    ),
    "tenders": Field(mark("Tender"), "list", ((0, "tender"), (1, "money"))),
    "refunds": Field(mark("Refund"), "list", ((0, "tender"), (1, "money"))),
    "tax": Field(
        mark("Tax: rate, without tax, tax"), "list", ((0, "share"), (2, "money"), (3, "money"))
    ),
    "sums.tax": Field(mark("Tax: rate, tax, without tax"), "list", ((0, "text"), (1, "money"), (2, "money"))),
    "shares": Field(
        mark("Share"), "list", ((0, "part"), (1, "text"), (2, "money"))
    ),
    "gross_minor": Field(mark("Before discounts"), "money"),
    "discount_minor": Field(mark("Discounts"), "money"),
    "payable_minor": Field(mark("Payable"), "money"),
    "points_value_minor": Field(mark("Paid with points"), "money"),
    "to_pay_minor": Field(mark("To pay"), "money"),
    "qualifying_minor": Field(mark("Counts for the tier"), "money"),
    "points_spent": Field(mark("Points used"), "points"),
    "points_earned": Field(mark("Points earned"), "points"),
    "available_from": Field(mark("Points can be used from"), "date"),
    "expires": Field(mark("Points expire"), "date"),
    "qualifies_from": Field(mark("Counts for the tier from"), "date"),
    "on": Field(mark("Business date"), "date"),
    "tier_rank": Field(mark("Rank of the tier"), "count"),
    "benefits_used": Field(mark("Benefit used"), "list", ((0, "text"), (1, "date"))),
    "debt_before": Field(mark("Points owed before"), "points"),
    "tier_change": Field(mark("Change of tier"), "list", ((1, "text"), (2, "count"))),
    "money.gross": Field(mark("Before discounts"), "money"),
    "money.discount": Field(mark("Discounts"), "money"),
    "money.points_value": Field(mark("Paid with points"), "money"),
    "money.paid": Field(mark("Paid"), "money"),
    "charged_minor": Field(mark("Taken off the refund"), "money"),
    "points": Field(mark("Points"), "points"),
    "note_chars": Field(mark("Characters of the note"), "count"),
    "note_digest": Field(mark("Digest of the note"), "text"),
    "points_restored": Field(mark("Points given back"), "points"),
    "points_taken_back": Field(mark("Points taken back"), "points"),
    "points_written_off": Field(mark("Points written off"), "points"),
    "points_charged": Field(mark("Points paid by the refund"), "points"),
    "points_unexpired": Field(mark("Expired points given back"), "points"),
    # Who agreed, what the guard said
    "approval.by": Field(mark("Agreed by"), "person"),
    "approval.right": Field(mark("Agreed to"), "right"),
    "guard.by": Field(mark("Agreed by"), "person"),
    "guard.rules": Field(mark("The guard asked"), "list", (("", "rule"),)),
    "right": Field(mark("Asked to"), "right"),
    "not_approved:amount": Field(mark("Amount or points asked for"), "count"),
    # People
    "staff": Field(mark("Person"), "person"),
    "role": Field(mark("Role"), "role"),
    "was": Field(mark("Role before"), "role"),
    "person.role": Field(mark("Role"), "role"),
    "act": Field(mark("Act"), "act"),
    "why": Field(mark("Why"), "why"),
    "failures": Field(mark("Wrong PINs"), "count"),
    "proof": Field(mark("Proof"), "proof"),
    "after_training": Field(mark("Right after training"), "yes"),
    "member": Field(mark("Own account"), "member"),
    # The drawer and the shift
    "direction": Field(mark("Direction"), "direction"),
    "amount": Field(mark("Amount"), "money"),
    "float": Field(mark("Float"), "money"),
    "counted": Field(mark("Face value and pieces"), "list", ((0, "money"), (1, "count"))),
    "sums.float_minor": Field(mark("Float"), "money"),
    "sums.sales_minor": Field(mark("Cash sales"), "money"),
    "sums.refunds_minor": Field(mark("Cash refunds"), "money"),
    "sums.paid_in_minor": Field(mark("Cash in"), "money"),
    "sums.paid_out_minor": Field(mark("Cash out"), "money"),
    "float_minor": Field(mark("Float"), "money"),
    "sales_minor": Field(mark("Cash sales"), "money"),
    "refunds_minor": Field(mark("Cash refunds"), "money"),
    "paid_in_minor": Field(mark("Cash in"), "money"),
    "paid_out_minor": Field(mark("Cash out"), "money"),
    "expected": Field(mark("Should be there"), "money"),
    "difference": Field(mark("Difference"), "money"),
    "attempt": Field(mark("Attempt"), "count"),
    "count:total": Field(mark("Counted"), "money"),
    "shift_close:total": Field(mark("Counted"), "money"),
    "closes": Field(mark("Closes the shift of event"), "shift"),
    "count": Field(mark("Count"), "event"),
    "to": Field(mark("Next person"), "person"),
    "x.opened_by": Field(mark("Opened by"), "person"),
    "x.opened_us": Field(mark("Opened"), "instant"),
    "x.sales": Field(mark("Sales"), "count"),
    "x.returns": Field(mark("Returns"), "count"),
    "x.voids": Field(mark("Voids"), "count"),
    "x.in": Field(mark("Cash in"), "money"),
    "x.out": Field(mark("Cash out"), "money"),
    "x.openings": Field(mark("Drawer openings"), "count"),
    "x.cash.total": Field(mark("Counted"), "money"),
    # Closing, expiry, tiers
    "number": Field(mark("Number"), "count"),
    "date": Field(mark("Business date"), "date"),
    "at": Field(mark("Time"), "instant"),
    "sums.kinds": Field(
        mark("Documents, paid, points issued, used, expired"), "list",
        ((0, "kind"), (1, "count"), (5, "money"), (6, "points"), (7, "points"), (8, "points")),
    ),
    "sums.paid": Field(mark("Paid"), "money"),
    "sums.issued": Field(mark("Points issued"), "points"),
    "sums.redeemed": Field(mark("Points redeemed"), "points"),
    "sums.expired": Field(mark("Points expired"), "points"),
    "sums.shifts": Field(
        mark("Shift: person, should be there, counted, difference"), "list",
        (("staff", "person"), ("expected", "money"), ("total", "money"), ("difference", "money")),
    ),
    "owner.members": Field(mark("Members with expired points"), "count"),
    "owner.points": Field(mark("Points expired"), "points"),
    "owner.raised": Field(mark("Tiers raised"), "count"),
    "owner.lowered": Field(mark("Tiers lowered"), "count"),
    "owner.kept": Field(mark("Tiers kept"), "count"),
    "open": Field(mark("Left open"), "list", ((0, "open"), (1, "count"))),
    "unattended": Field(mark("Closed by the till itself"), "yes"),
    "head": Field(mark("Head of the chain"), "text"),
    "events": Field(mark("Events"), "count"),
    "proof.head": Field(mark("Head of the chain"), "text"),
    "proof.events": Field(mark("Events"), "count"),
    "proof.entries": Field(mark("Entries"), "count"),
    "proof.points": Field(mark("Sum of points"), "points"),
    "proof.points_at_end": Field(mark("Sum of points"), "points"),
    "proof.members": Field(mark("Members"), "count"),
    "proof.verified": Field(mark("Members checked"), "count"),
    "proof.faults": Field(mark("Differences found by verify"), "count"),
    "proof.backup": Field(mark("Backup"), "text"),
    "key": Field(mark("Public key"), "text"),
    "signature": Field(mark("Signature"), "text"),
    "due": Field(mark("Due"), "date"),
    # Members
    "changed": Field(mark("Changed"), "list", (("", "column"),)),
    "catalogue:changed": Field(mark("Changed"), "count"),
    "consents": Field(
        mark("Consent"), "list", ((0, "purpose"), (1, "channel"), (2, "text"), (3, "yes"))
    ),
    "tier": Field(mark("Tier"), "both"),
    "profile.version": Field(mark("Version of the profile"), "count"),
    "profile.digest": Field(mark("Digest of the profile"), "text"),
    "card.digest": Field(mark("Digest of the card"), "text"),
    # Till, files, rules
    "what": Field(mark("What"), "what"),
    "form": Field(mark("Form"), "form"),
    "rows": Field(mark("Lines"), "count"),
    "reports": Field(mark("Report"), "list", (("", "report"),)),
    "of": Field(mark("Of document"), "event"),
    "copy_no": Field(mark("Copy"), "count"),
    "rule": Field(mark("Rule"), "rule"),
    "case": Field(mark("Case"), "text"),
    "state": Field(mark("State"), "state"),
    "seq": Field(mark("Up to event"), "count"),
    "by": Field(mark("Signed by"), "text"),
    "version": Field(mark("Version"), "count"),
    "starts": Field(mark("Holds from"), "date"),
    "name": Field(mark("Name"), "text"),
    "sha256": Field(mark("Checksum"), "text"),
    "opened": Field(mark("Opened as a test"), "yes"),
    "from.name": Field(mark("Backup"), "text"),
    "from.events": Field(mark("Events in the backup"), "count"),
    "from.head": Field(mark("Head of the chain"), "text"),
    "replayed": Field(mark("Events from the journal file"), "count"),
    "missing": Field(mark("Missing events"), "count"),
    "unplaced": Field(mark("Entries kept aside behind a gap"), "count"),
    "restored:close": Field(mark("Last Z known"), "count"),
    "restored:receipt": Field(mark("Last receipt known"), "count"),
    "restored:restores": Field(mark("Times brought back"), "count"),
    "added": Field(mark("Added"), "count"),
    "withdrawn": Field(mark("Withdrawn"), "count"),
    "same": Field(mark("Unchanged"), "count"),
    "item.code": Field(mark("Code"), "text"),
    "item.name": Field(mark("Item name"), "text"),
    "item.name_en": Field(mark("English name"), "text"),
    "item.category": Field(mark("Category"), "text"),
    "item.price_minor": Field(mark("Price"), "money"),
    "item.per_quantity": Field(mark("Sold per"), "count"),
    "item.tax_bp": Field(mark("Tax"), "share"),
    "item.tax_included": Field(mark("Tax included"), "yes"),
    "item.barcodes": Field(mark("Barcode"), "list", (("", "text"),)),
    "item.withdrawn": Field(mark("Withdrawn"), "yes"),
    "tenant": Field(mark("Shop's number"), "text"),
    "device": Field(mark("Till's number"), "text"),
    "store": Field(mark("Store"), "text"),
    "till": Field(mark("Till"), "text"),
    "currency": Field(mark("Currency"), "text"),
    "exponent": Field(mark("Decimals"), "count"),
    "cut_off_minute": Field(mark("Day ends at minute"), "count"),
    "cards": Field(mark("Card numbers"), "count"),
    "blocks": Field(mark("Card numbers"), "list", ((0, "text"), (1, "count"), (2, "count"))),
    "balance.points": Field(mark("Balance of points"), "points"),
    "balance.spend": Field(mark("Spend that counts for the tier"), "money"),
    "balance.sales": Field(mark("Sales that count for the tier"), "count"),
    "balance.earned": Field(mark("Points earned that count for a cap"), "points"),
    "balance.use": Field(mark("Benefits used"), "count"),
}  # fmt: skip


def field_of(kind: str, path: str) -> Field | None:
    """The field of a fact; None where it isn't known."""
    path = path.partition(":")[0]  # "balance.use:<code>"
    for name in (f"{kind}:{path}", path, path.rpartition(".")[2]):
        if name in FIELDS:
            return FIELDS[name]
    return None


def is_hidden(path: str) -> bool:
    """Whether a fact is said elsewhere."""
    return bool(HIDDEN.intersection(path.split(".")))


def fact_name(words: Words, kind: str, path: str) -> str:
    """What a fact is called; an unknown one by its name in the event."""
    field = field_of(kind, path)
    return path if field is None else words.say(field.words)


def fact_value(formats: Formats, kind: str, path: str, value: Any) -> str:
    """A fact as people read it; "" where there is none."""
    field = field_of(kind, path)
    if value == BLIND:
        return BLIND
    if field is None:
        return "" if value is None else str(value)
    if field.unit != "list" or not isinstance(value, dict | list | tuple | str):
        return written(formats, field.unit, value)
    cells = [written(formats, unit, _cell(value, key)) for key, unit in field.columns]
    return " · ".join(cell for cell in cells if cell)


def detail_words(formats: Formats, kind: str, details: Sequence[tuple[str, Any]]) -> str:
    """The facts that tell most, in one cell."""
    return " · ".join(fact_value(formats, kind, path, value) for path, value in details)


def _cell(item: dict[str, Any] | Sequence[Any] | str, key: str | int) -> Any:
    """A column of an item: "" is the whole."""
    if key == "" or isinstance(item, str):
        return item
    if isinstance(item, dict):
        return item.get(str(key))
    return item[key] if isinstance(key, int) and key < len(item) else None


def written(formats: Formats, unit: str, value: Any) -> str:
    """A value in its unit."""
    words = formats.words
    if value is None or value == "":
        return ""
    if unit in _NUMBERS and isinstance(value, int):
        return _number(formats, unit, value)
    if unit == "both" and isinstance(value, list | tuple):
        return str(value[words.language != "zh_CN"])
    if isinstance(value, list | tuple):
        return " – ".join(str(each) for each in value)
    if unit == "kind":
        return kind_name(words, str(value))
    if unit in _AS_IT_IS or not isinstance(value, str):
        return str(value)
    return code_name(words, unit, value)


_NUMBERS: Final = frozenset(
    {"money", "points", "count", "date", "instant", "yes", "share", "place"}
)
_AS_IT_IS: Final = frozenset({"text", "person", "event", "shift", "member", "both", *_NUMBERS})


def _number(formats: Formats, unit: str, value: int) -> str:
    match unit:
        case "money":
            return formats.money(value)
        case "date":
            return BusinessDate(value).iso()
        case "instant":
            return f"{instant_of(value).astimezone(formats.zone):%Y-%m-%d %H:%M:%S}"
        case "yes":
            return formats.words.say("yes") if value else formats.words.say("no")
        case "share":
            return f"{value // 100}.{value % 100:02d}%"
        case "place":
            return f"#{value + 1}"
        case "points" if value < 0:
            return signed_number(value)
    return number(value)
