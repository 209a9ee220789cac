"""Why: one event of a member with its inputs, the programme version that it names, and each step in words.

Rendered from what the event stored; nothing is worked out again here. What can't be put into words is shown as
it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from app.documents import explain
from app.domain.documents import SaleDocument
from app.domain.documents_plain import return_from_plain, sale_from_plain
from app.domain.errors import Refused
from app.domain.money import Currency
from app.domain.programme import Programme
from app.domain.programme_plain import programme_from_plain
from app.formats import YUAN, Formats, MoneySign, number
from headoffice.console import wording
from headoffice.console.desk import Asked, Desk, NotFound, is_id
from headoffice.console.listing import Listing, Shown
from headoffice.console.member_pages import asked_member, ledger_heads, ledger_row
from headoffice.console.quarantine_pages import readable
from headoffice.console.snapshot import Snapshot

_TEXT_MOST: Final = 64 * 1024


class Why(NamedTuple):
    """What an event says of itself. lines: of a sale; working: each step in words; version: 0: none named."""

    headline: str
    working: Sequence[str]
    lines: Listing | None
    version: int


_NOTHING: Final = Why("", (), None, 0)


def why(desk: Desk, asked: Asked) -> Response:
    """The page of one event of a member."""
    wanted = asked.id("event")
    with desk.reading(asked) as snapshot:
        known, chain = asked_member(snapshot, asked), snapshot.chain()
        entries = [each for each in snapshot.entries_of(wanted) if each.member == known.id]
        body = snapshot.event_body(wanted)
        if body is None or not entries:
            raise NotFound
        plain = _plain(body)
        told = _why(asked, snapshot, plain)
    desk.note(asked, "why_seen", member=known.id)
    device = str(plain.get("device", ""))
    till = desk.office.tills.get(bytes.fromhex(device)) if is_id(device) else None
    at_us = plain.get("at")
    ledger = tuple(ledger_row(asked.words, each.numbered) for each in entries)
    return desk.page(
        asked, "why.html",
        member=known.id.hex(), id=wanted.hex(), why=told,
        kind=wording.named(asked.words, wording.EVENT_KINDS, str(plain.get("kind", ""))),
        on=wording.day(asked.words, entries[0].numbered.entry.business_date),
        at=wording.instant(at_us // 1000, chain.offset_minutes) if isinstance(at_us, int) else "",
        till=till.name if till is not None and till.tenant == asked.tenant else "",
        receipt=str((plain.get("doc") or {}).get("receipt_no") or ""),
        ledger=Listing("ledger", ledger_heads(asked.words), ledger),
        text=readable(body[:_TEXT_MOST]),
    )  # fmt: skip


def _why(asked: Asked, snapshot: Snapshot, plain: dict[str, Any]) -> Why:
    """What can be put into words. Events of other versions are shown as they are."""
    try:
        doc, kind = plain["doc"], plain["kind"]
        device = bytes.fromhex(plain["device"])
        if kind == "sale":
            return _sale(asked, snapshot, sale_from_plain(doc["sale"]), device)
        if kind == "return":
            programme = programme_of(snapshot, int(plain["pv"]), device)
            formats = formats_of(asked, programme)
            return Why(
                "",
                explain.return_working(formats, return_from_plain(doc["return"]).trace),
                None,
                int(plain["pv"]),
            )
    except (KeyError, TypeError, ValueError, IndexError, AssertionError, Refused):
        return _NOTHING
    return _NOTHING


def _sale(asked: Asked, snapshot: Snapshot, sale: SaleDocument, device: bytes) -> Why:
    version = sale.programme_version
    programme = programme_of(snapshot, version, device)
    formats = formats_of(asked, programme)
    lines = _lines(asked, formats, sale)
    if programme is None:
        return Why(explain.headline(formats, sale), (), lines, version)
    return Why(
        explain.headline(formats, sale), explain.working(formats, sale, programme), lines, version
    )


def _lines(asked: Asked, formats: Formats, sale: SaleDocument) -> Listing:
    say = asked.words.say
    heads = (say("Goods"), say("Quantity"), say("Paid"), say("Earned on"), say("Points"))
    rows = tuple(
        (
            Shown(line.request.name or say("amount entered")),
            Shown(number(line.request.quantity), number=line.request.quantity),
            Shown(formats.money(line.payable_minor)),
            Shown(formats.money(line.earn_base_minor)),
            Shown(number(line.points), number=line.points),
        )
        for line in sale.lines
    )
    return Listing("lines", heads, rows)


def programme_of(snapshot: Snapshot, version: int, device: bytes) -> Programme | None:
    """A version of the chain, or of a till's own from before it joined."""
    body = snapshot.programme_body(version, device)
    return None if body is None else programme_from_plain(json.loads(body))


def formats_of(asked: Asked, programme: Programme | None) -> Formats:
    """Money as the programme's currency is written."""
    return Formats(asked.words, sign_of(programme.currency if programme else None), UTC)


def sign_of(currency: Currency | None) -> MoneySign:
    """How a currency is written; without one as yuan."""
    if currency is None or currency.code == "CNY":
        return YUAN
    return MoneySign(f"{currency.code} ", currency.exponent)


def _plain(body: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}
