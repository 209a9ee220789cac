"""A committed event → its slip, with the shop's texts and the member as masked.

The same function serves the sale's own transaction, a replay at start, and a reprint: what a slip says of
points is in the event (`shown`), so it says the same for ever.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Context
from app.documents import day_slips, receipts, z_slip
from app.domain.business_day import BusinessDate
from app.domain.documents import SaleDocument
from app.domain.documents_plain import return_from_plain, sale_from_plain, units_back_from_plain
from app.domain.drawer import DrawerSums, money_of, voids_a_return
from app.domain.member import mask_card, mask_name, mask_phone
from app.domain.returns import Earlier, returned_shares
from app.formats import Formats, MoneySign
from app.protocol.events import Event
from app.standing import original_of, standing_returns
from db import people, rows, till
from printing.document import Doc, to_json

_SYMBOLS = {"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "KWD": "KD "}


def money_sign(code: str, exponent: int) -> MoneySign:
    """How the shop's currency is written; a currency without a symbol by its code."""
    return MoneySign(_SYMBOLS.get(code, f"{code} "), exponent)


def slip_of(
    ctx: Context,
    conn: Connection,
    event: Event,
    *,
    sale: SaleDocument | None = None,
    person: people.Person | None = None,
    copy_no: int = 0,
    copied_by: str = "",
) -> str | None:
    """The finished document as JSON, None for an event that has no slip.

    `sale` is the event's own document and `person` its member's where the caller has them at hand.
    """
    if not _has_slip(event):
        return None
    shop = shop_of(ctx, conn, event.offset_min)
    head = _head(ctx, conn, event, copy_no=copy_no, copied_by=copied_by)
    if event.kind not in posting.DOCUMENTS:
        return to_json(_day_slip(ctx, conn, event, shop, head)).decode()
    member = _member(conn, event, person)
    doc = event.doc
    if event.kind == posting.SALE:
        slip = receipts.sale_slip(
            shop, head, sale or sale_from_plain(doc["sale"]), member,
            changed_lately=_changed_lately(doc),
        )  # fmt: skip
    else:
        original = original_of(conn, doc)
        sold = sale_from_plain(original["sale"])
        if event.kind == posting.RETURN:
            back = return_from_plain(doc["return"])
            slip = receipts.return_slip(
                shop, head, original["receipt_no"], sold, back,
                returned_shares(sold, _returned_before(conn, event), back.lines), member,
                doc["reason"],
            )  # fmt: skip
        else:
            slip = receipts.void_slip(
                shop, head, doc["voided_no"], doc["total"], _money_moved(conn, doc), member,
                doc["reason"],
            )  # fmt: skip
    return to_json(slip).decode()


def _has_slip(event: Event) -> bool:
    if event.kind == posting.EXPORT:
        return "x" in event.doc
    return event.kind in (
        posting.SALE, posting.RETURN, posting.VOID, posting.CASH, posting.COUNT,
        posting.SHIFT_CLOSE, posting.DAY_CLOSE,
    )  # fmt: skip


def _day_slip(
    ctx: Context, conn: Connection, event: Event, shop: receipts.Shop, head: receipts.Head
) -> Doc:
    """The slip of an event of the drawer or the shift, from its facts alone."""

    def initials(staff: str | None) -> str:
        return ctx.initials(conn, bytes.fromhex(staff)) if staff else ""

    doc = event.doc
    agreed = initials(doc["approval"]["by"]) if doc.get("approval") else ""
    if event.kind == posting.DAY_CLOSE:
        staff = {shift["staff"]: initials(shift["staff"]) for shift in doc["sums"]["shifts"]}
        return z_slip.z_slip(shop, head, z_slip.ZFacts(doc, agreed, staff))
    if event.kind == posting.CASH:
        amount = doc["amount"] if doc["direction"] == "in" else -doc["amount"]
        cash = day_slips.CashSlip(amount, doc["reason"], agreed)
        return day_slips.cash_slip(shop, head, cash)
    if event.kind == posting.COUNT:
        counted = tuple((value, pieces) for value, pieces in doc["counted"])
        return day_slips.count_slip(shop, head, day_slips.CountSlip(counted, doc["total"]))
    if event.kind == posting.SHIFT_CLOSE:
        shift = till.shift(conn, bytes.fromhex(doc["closes"]))
        ended = day_slips.ShiftSlip(
            ctx.initials(conn, shift.staff_id) if shift else "",
            DrawerSums(**doc["sums"]), doc["total"], doc["reason"], agreed, initials(doc["to"]),
        )  # fmt: skip
        return day_slips.shift_slip(shop, head, ended)
    x = doc["x"]
    cash_known = x["cash"]
    return day_slips.x_slip(
        shop,
        head,
        day_slips.XSlip(
            initials(x["opened_by"]),
            _local(event, x["opened_us"])[:16],
            (x["sales"], x["returns"], x["voids"]),
            tuple((kind, minor) for kind, minor in x["tenders"]),
            x["float"],
            x["in"],
            x["out"],
            x["openings"],
            None if cash_known is None else (DrawerSums(**cash_known["sums"]), cash_known["total"]),
        ),
    )


def _local(event: Event, at_us: int) -> str:
    """An instant as the clock on the wall showed it, to the second."""
    zone = timezone(timedelta(minutes=event.offset_min))
    return datetime.fromtimestamp(at_us // 1_000_000, zone).isoformat(" ")[:19]


def shop_of(ctx: Context, conn: Connection, offset_min: int) -> receipts.Shop:
    """The shop's texts and formats as this machine's settings have them; made once per settings."""
    known = ctx.shop
    if known is not None and known[0] is ctx.settings and known[1] == offset_min:
        return known[2]
    shop = _shop(ctx, conn, offset_min)
    ctx.shop = (ctx.settings, offset_min, shop)
    return shop


def _shop(ctx: Context, conn: Connection, offset_min: int) -> receipts.Shop:
    settings = ctx.settings
    sign = money_sign(ctx.till.currency.code, ctx.till.currency.exponent)
    zone = timezone(timedelta(minutes=offset_min))
    first = Formats(ctx.words(settings.language), sign, zone)
    other = "en" if settings.language == "zh_CN" else "zh_CN"
    second = Formats(ctx.words(other), sign, zone) if settings.receipt.bilingual else None
    shop = settings.shop
    names, footers = (shop.name, shop.name_en), (shop.footer, shop.footer_en)
    if settings.language != "zh_CN":
        names, footers = names[::-1], footers[::-1]
    name, name_second = _first_said(names)
    footer, footer_second = _first_said(footers)
    return receipts.Shop(
        name=name,
        name_second=name_second if second else "",
        address=shop.address,
        phone=shop.phone,
        footer=footer,
        footer_second=footer_second if second else "",
        first=first,
        second=second,
        demo=rows.meta(conn, "demo") == "1",
        training=rows.meta(conn, "training") == "1",
    )


def _first_said(texts: tuple[str, str]) -> tuple[str, str]:
    """(first language, second); of only one text it is the first."""
    first, second = texts
    return (first, second) if first else (second, "")


def _head(
    ctx: Context, conn: Connection, event: Event, *, copy_no: int, copied_by: str
) -> receipts.Head:
    zone = timezone(timedelta(minutes=event.offset_min))
    head = receipts.Head(
        receipt_no=event.doc.get("receipt_no") or str(event.seq),
        at=_local(event, event.at_us),
        till=ctx.till.till,
        cashier=ctx.initials(conn, event.staff_id),
    )
    if not copy_no:
        return head
    now = ctx.clock().astimezone(zone)
    return replace(head, copy_no=copy_no, copied_at=f"{now:%Y-%m-%d %H:%M:%S}", copied_by=copied_by)


def _returned_before(conn: Connection, event: Event) -> tuple[Earlier, ...]:
    """What of the same sale had come back when this return was made: a copy says what it said."""
    if "original" in event.doc:
        return (units_back_from_plain(event.doc["original"]),)
    sale_id = bytes.fromhex(event.doc["sale_event"])
    return tuple(back for _, back in standing_returns(conn, sale_id, before=event.seq))


def _money_moved(conn: Connection, doc: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    """What a void brought in per tender, below zero what it gave back."""
    voided = None
    if voids_a_return(posting.VOID, doc):
        row = rows.event_by_id(conn, bytes.fromhex(doc["refers_to"]))
        assert row is not None, "a void names a document of this journal"
        voided = posting.event_of(row).doc
    return tuple(money_of(posting.VOID, doc, voided))


def _member(
    conn: Connection, event: Event, person: people.Person | None
) -> receipts.MemberFacts | None:
    shown = event.doc.get("shown")
    if event.member_id is None or shown is None:
        return None
    profile, card = person or people.person(conn, event.member_id) or (None, None)
    expiring = shown["expiring"]
    progress = shown["progress"]
    return receipts.MemberFacts(
        name_masked=mask_name(profile.name) if profile else "",
        phone_masked=mask_phone(profile.phone) if profile and profile.phone else "",
        card_masked=mask_card(card) if card else "",
        tier=(shown["tier"][0], shown["tier"][1]),
        earned=event.doc["earned"],
        spent=event.doc["spent"],
        balance=shown["balance"],
        expiring=None if expiring is None else (BusinessDate(expiring[0]).to_date(), expiring[1]),
        progress=None
        if progress is None
        else (progress[0], progress[1], (progress[2], progress[3])),
    )


def _changed_lately(doc: dict[str, Any]) -> bool:
    """Whether a second person let points be used soon after a change of the member's phone."""
    guard = doc.get("guard")
    return guard is not None and any(rule.startswith("F7.") for rule in guard["rules"])
