"""Why these points? The stored working of one entry, in the reader's language (counter-flows.md S44)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone

from sqlcipher3.dbapi2 import Connection

from app import posting
from app.context import Context
from app.documents import explain
from app.domain.business_day import BusinessDate
from app.domain.documents_plain import return_from_plain, sale_from_plain
from app.domain.errors import Refusal, Refused
from app.formats import Formats
from app.i18n import Words
from app.protocol.events import Event
from app.slips import money_sign
from db import people, rows


@dataclass(frozen=True, slots=True)
class Why:
    """`headline` in one sentence, `working` step by step, `receipt_no` where it happened."""

    headline: str
    working: tuple[str, ...]
    receipt_no: str


def why(ctx: Context, event_id: bytes, words: Words) -> Why:
    """Explain a document's points. Raises Refused(DOCUMENT_UNKNOWN)."""
    sign = money_sign(ctx.till.currency.code, ctx.till.currency.exponent)
    formats = Formats(words, sign, timezone(timedelta(minutes=ctx.offset_min())))
    with ctx.read() as conn:
        row = rows.event_by_id(conn, event_id)
        if row is None:
            raise Refused(Refusal.DOCUMENT_UNKNOWN)
        event = posting.event_of(row)
        if event.kind == posting.SALE:
            sale = sale_from_plain(event.doc["sale"])
            programme = ctx.programme_version(conn, sale.programme_version)
            return Why(
                explain.headline(formats, sale),
                explain.working(formats, sale, programme),
                event.doc["receipt_no"],
            )
        if event.kind == posting.RETURN:
            trace = return_from_plain(event.doc["return"]).trace
            lines = explain.return_working(formats, trace)
            headline = words.say("Goods were returned; their points went back.")
            return Why(headline, lines, event.doc["receipt_no"])
        if event.kind == posting.ADJUST:
            doc, note = event.doc, people.note_of(conn, event.id)
            lines = explain.adjust_working(
                formats,
                doc["reason"],
                note.text if note else "",
                ctx.initials(conn, event.staff_id),
                ctx.initials(conn, bytes.fromhex(doc["approval"]["by"])),
            )
            return Why(explain.adjusted(formats, doc["points"]), lines, "")
        if event.kind == posting.EXPIRE:
            return _expired(conn, formats, event)
        if event.kind == posting.UNEXPIRE:
            return _given_back(conn, formats, event)
    if event.kind == posting.VOID:
        headline = words.say(
            "Receipt {number} was voided; every entry was mirrored.",
            number=event.doc["voided_no"],
        )
        return Why(headline, (), event.doc["receipt_no"])
    headline = words.say("Brought in when the member joined this till.")
    return Why(headline, (), event.doc.get("receipt_no", ""))


def _expired(conn: Connection, formats: Formats, event: Event) -> Why:
    """Which lots lapsed, each with where it came from."""
    entries = posting.ledger_rows(event)
    lots = tuple(
        explain.lapsed_lot(
            formats,
            -entry.amount,
            BusinessDate(entry.expires or 0),
            _receipt(conn, entry.ref_event),
        )
        for entry in entries
    )
    return Why(explain.expired(formats, -sum(entry.amount for entry in entries)), lots, "")


def _given_back(conn: Connection, formats: Formats, event: Event) -> Why:
    """Which document took points that were booked as expired, and still good on its date."""
    number = _receipt(conn, bytes.fromhex(event.doc["refers_to"]))
    given = sum(entry.amount for entry in posting.ledger_rows(event))
    return Why(explain.unexpired(formats, given), (), number)


def _receipt(conn: Connection, event_id: bytes | None) -> str:
    """The receipt number of a document, "" where there is none."""
    row = rows.document_by_event(conn, event_id) if event_id is not None else None
    return (row.receipt_no or "") if row is not None else ""
