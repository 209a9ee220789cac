"""One close of a day (Z): what its paper says, what proves it, the Zs beside it, what came behind it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from app.documents.receipts import Head, Shop
from app.documents.z_slip import ZFacts, z_slip
from app.domain.business_day import BusinessDate
from app.domain.money import Currency
from app.formats import Formats, number
from app.protocol.events import Event, NotCanonical
from headoffice import closes, late
from headoffice.api.rules import programmes_of
from headoffice.closes import Close
from headoffice.console import wording, z_proofs
from headoffice.console.desk import Asked, Desk, NotFound
from headoffice.console.event_pages import sign_of
from headoffice.console.listing import Listing, Shown
from headoffice.console.snapshot import Snapshot
from headoffice.console.z_proofs import Known, Proofs
from headoffice.directory import KnownTill
from printing.document import Doc, Pair, Rule, Text

PLACE: Final = "/console/days"
LATE_MOST: Final = 1_000
_SHORT: Final = 8
_NOT_A_Z: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError)


class Line(NamedTuple):
    """A line of the slip. kind: the block's role, or "rule"; value: empty for a sentence."""

    kind: str
    text: str
    second: str = ""
    value: str = ""


class Z(NamedTuple):
    """A close with its event, the Zs before and after it, what was found of it, what came behind it."""

    close: Close
    till: KnownTill
    shop: str
    before: Close | None
    after: Close | None
    event: Event
    proofs: Proofs
    currency: Currency | None
    late: tuple[late.Late, ...]
    sums: late.Sums | None


def show(desk: Desk, asked: Asked) -> Response:
    """The page of a Z."""
    z = _asked(desk, asked)
    formats = _formats(asked, z)
    return desk.page(
        asked, "z.html",
        title=f"Z {z.close.number:06d}", id=z.close.event.hex(),
        shop=z.shop, till=z.till.name,
        lines=_lines(_slip(formats, z)), proofs=tuple(z_proofs.told(asked.words, z.proofs)),
        beside=_beside(asked, z),
        late=_late(asked, formats, z), sums=z.sums, paid=formats.money(z.sums.paid) if z.sums else "",
    )  # fmt: skip


def file(desk: Desk, asked: Asked) -> Response:
    """The Z's paper as a file, and what was found of it."""
    z = _asked(desk, asked)
    formats, say = _formats(asked, z), asked.words.say
    paper = [
        (Shown(line.text), Shown(line.value))
        for line in _lines(_slip(formats, z))
        if line.kind != "rule"
    ]
    proofs = [
        (Shown(say("Checked")), Shown(each.text)) for each in z_proofs.told(asked.words, z.proofs)
    ]
    heads = (say("What"), say("Value"))
    return desk.file(asked, Listing(f"z-{z.close.number:06d}", heads, (*paper, *proofs)))


def late_file(desk: Desk, asked: Asked) -> Response:
    """What came behind a Z, as a file."""
    z = _asked(desk, asked)
    return desk.file(asked, _late(asked, _formats(asked, z), z))


# Inside ------------------------------------------------------------------------------------------


def _asked(desk: Desk, asked: Asked) -> Z:
    """The Z of the address, if who asks may see its store."""
    wanted = asked.id("event")
    with desk.office.place.reading(asked.tenant) as plain:
        snapshot = Snapshot(plain, asked.tenant)
        close = closes.one(plain, asked.tenant, wanted)
        till = None if close is None else desk.office.tills.get(close.device)
        if close is None or till is None or till.tenant != asked.tenant:
            raise NotFound
        if asked.stores and till.shop not in asked.stores:
            raise NotFound
        event = _event(snapshot, close)
        if event is None:
            raise NotFound
        before, after = closes.beside(plain, asked.tenant, close)
        programmes = programmes_of(plain, asked.tenant)
        earlier = None if before is None else _event(snapshot, before)
        proofs = z_proofs.prove(
            snapshot, Known(close, event),
            None if before is None or earlier is None else Known(before, earlier),
        )  # fmt: skip
        return Z(
            close, till, desk.office.shops[till.shop].name, before, after, event, proofs,
            programmes[0].currency if programmes else None,
            tuple(late.behind(plain, asked.tenant, close.event, LATE_MOST)),
            late.sums(plain, asked.tenant).get(close.event),
        )  # fmt: skip


def _event(snapshot: Snapshot, close: Close) -> Event | None:
    body = snapshot.event_body(close.event)
    try:
        return None if body is None else Event.from_bytes(body, epoch=1, seq=1)
    except NotCanonical:
        return None


def _formats(asked: Asked, z: Z) -> Formats:
    return Formats(asked.words, sign_of(z.currency), UTC)


def _slip(formats: Formats, z: Z) -> Doc | None:
    """The paper, by the same words and figures as the till's printer. None: the event has not all of it."""
    doc, event = z.event.doc, z.event
    shop = Shop(z.shop, "", "", "", "", "", formats, None, demo=False)
    zone = timezone(timedelta(minutes=event.offset_min))
    at = datetime.fromtimestamp(event.at_us // 1_000_000, zone).isoformat(" ")[:19]
    head = Head("", at, z.till.name, _who(event.staff_id.hex() if event.staff_id else ""))
    approval = doc.get("approval") or {}
    try:
        staff = {shift["staff"]: _who(shift["staff"]) for shift in doc["sums"]["shifts"]}
        return z_slip(shop, head, ZFacts(doc, _who(approval.get("by") or ""), staff))
    except _NOT_A_Z:
        return None


def _who(staff: str) -> str:
    """Initials stay at the till: the beginning of the number that the events have."""
    return staff[:_SHORT] or "–"


def _lines(slip: Doc | None) -> list[Line]:
    found = list[Line]()
    for block in slip.blocks if slip else ():
        if isinstance(block, Pair):
            found.append(Line(block.role, block.label, block.second, block.value))
        elif isinstance(block, Text):
            found.append(Line(block.role, block.text))
        elif isinstance(block, Rule):
            found.append(Line("rule", ""))
    return found


def _beside(asked: Asked, z: Z) -> list[tuple[str, str, str]]:
    """(what, its date, its address) of the Z before and after; without an address what is missing."""
    words, told = asked.words, list[tuple[str, str, str]]()
    if z.before is not None:
        told.append(_named(words.say("Before"), z.before))
    told += _gap(words.count, z.close.number - 1 - (z.before.number if z.before else 0))
    if z.after is not None:
        told += _gap(words.count, z.after.number - z.close.number - 1)
        told.append(_named(words.say("After"), z.after))
    return told


def _named(where: str, close: Close) -> tuple[str, str, str]:
    named = f"Z {close.number:06d} · {BusinessDate(close.on).iso()}"
    return where, named, f"{PLACE}/{close.event.hex()}"


def _gap(count: Any, missing: int) -> list[tuple[str, str, str]]:
    if missing < 1:
        return []
    return [(count("{n} Z is missing", "{n} Zs are missing", missing, n=missing), "", "")]


def _late(asked: Asked, formats: Formats, z: Z) -> Listing:
    """What came behind it, each with what it changes."""
    say = asked.words.say
    heads = (
        say("What"),
        say("Receipt"),
        say("When"),
        say("Sales"),
        say("Points out"),
        say("Points in"),
    )
    return Listing(
        f"late-{z.close.number:06d}",
        heads,
        tuple(_late_row(asked, formats, z, each) for each in z.late),
    )


def _late_row(asked: Asked, formats: Formats, z: Z, each: late.Late) -> tuple[Shown, ...]:
    event = json.loads(each.body)
    member, doc = event.get("member"), event.get("doc")
    receipt = str(doc.get("receipt_no") or "") if isinstance(doc, dict) else ""
    why = f"/console/members/{member}/events/{each.event.hex()}" if member else ""
    kind = wording.named(asked.words, wording.EVENT_KINDS, each.kind)
    return (
        Shown(kind, why),
        Shown(receipt or each.event.hex()[:_SHORT]),
        Shown(wording.instant(each.at_us // 1000, z.event.offset_min)),
        Shown(formats.money(each.paid)),
        Shown(number(each.issued), number=each.issued),
        Shown(number(each.redeemed), number=each.redeemed),
    )
