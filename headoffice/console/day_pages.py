"""Days across the stores: which Z came of which till, its totals, where one is missing; and the alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from app.domain.business_day import BusinessDate
from app.formats import Formats, number, signed_number
from headoffice import closes, late
from headoffice.alarm_words import named as alarm_named
from headoffice.alarms import (
    BOUND,
    LOST,
    OVER_RETURN,
    QUARANTINE,
    RECOUNT,
    SECOND_NEEDED,
    TILL_SILENT,
    Alarm,
    Alarms,
)
from headoffice.api.rules import programmes_of
from headoffice.closes import Close
from headoffice.console import quarantine_pages, recount_pages, wording, z_pages
from headoffice.console.desk import Asked, Desk
from headoffice.console.event_pages import formats_of
from headoffice.console.listing import Listing, Shown, Tone
from headoffice.directory import KnownTill

CLOSES_MOST: Final = 5_000
"""So many Zs are listed, the last ones."""
ALARMS_MOST: Final = 1_000
_WHERE: Final = {
    TILL_SILENT: "/console/tills",
    LOST: "/console/",
    BOUND: "/console/",
    SECOND_NEEDED: "/console/",
    QUARANTINE: quarantine_pages.PLACE,
    OVER_RETURN: recount_pages.PLACE,
    RECOUNT: recount_pages.PLACE,
}
"""Where what is alarmed is to be looked at."""
_OVERSEEN: Final = frozenset((QUARANTINE, OVER_RETURN, RECOUNT))
"""Alarms whose list managers don't see."""


def days(desk: Desk, asked: Asked) -> Listing:
    """The Zs of all tills that who asks may see, the last date first; before them the tills that owe one."""
    say = asked.words.say
    with desk.office.place.reading(asked.tenant) as plain:
        own = closes.latest(plain, asked.tenant, CLOSES_MOST, asked.stores)
        last = closes.last_dates(plain, asked.tenant)
        programmes = programmes_of(plain, asked.tenant)
        behind = late.sums(plain, asked.tenant)
    offset = desk.office.chains[asked.tenant].chain.offset_minutes
    formats = formats_of(asked, programmes[0] if programmes else None)
    today = desk.office.chains[asked.tenant].server.today(desk.office.now_ms())
    shops = {
        id_: shop.name for id_, shop in desk.office.shops.items() if shop.tenant == asked.tenant
    }
    tills = {till.device: till for till in _tills_of(desk, asked)}
    heads = (
        say("Business date"), say("Store name"), say("Till"), say("Z"), say("Noticed"), say("Sales"),
        say("Points out"), say("Points in"), say("Cash difference"), say("Closed at"),
    )  # fmt: skip
    rows = [
        *_owing(asked, tills, shops, last, today),
        *(_row(asked, tills[each.device], shops, each, before, behind.get(each.event), formats, offset)
          for each, before in _with_before(own)),
    ]  # fmt: skip
    return Listing("days", heads, tuple(rows))


def alarms(desk: Desk, asked: Asked) -> Listing:
    """What is alarmed now, and what was; for a manager of some stores what is alarmed of their tills."""
    own = {each.device.hex() for each in _tills_of(desk, asked)}
    say = asked.words.say
    with desk.reading(asked) as snapshot, desk.office.place.reading(asked.tenant) as plain:
        kept, chain = Alarms(plain, asked.tenant), snapshot.chain()
        found = [*kept.standing(), *kept.over(ALARMS_MOST)]
    if asked.stores:
        found = [each for each in found if each.subject in own]
    heads = (say("What"), say("Of"), say("Figure"), say("Since"), say("Over since"))
    return Listing(
        "alarms",
        heads,
        tuple(
            (
                _alarm(asked, each),
                Shown(_subject(desk, asked, each.subject)),
                Shown(number(each.figure), number=each.figure),
                Shown(wording.instant(each.raised_ms, chain.offset_minutes)),
                Shown(
                    "–"
                    if each.cleared_ms is None
                    else wording.instant(each.cleared_ms, chain.offset_minutes)
                ),
            )
            for each in found
        ),
    )


def _tills_of(desk: Desk, asked: Asked) -> list[KnownTill]:
    """The tills that who asks may see."""
    return [
        till
        for till in desk.office.tills.values()
        if till.tenant == asked.tenant and (not asked.stores or till.shop in asked.stores)
    ]


def _alarm(asked: Asked, each: Alarm) -> Shown:
    """What it is, and where to look at it."""
    hidden = each.kind in _OVERSEEN and asked.person.role == "manager"
    href = "" if hidden else _WHERE.get(each.kind, "")
    tone: Tone = "warn" if each.cleared_ms is None else ""
    return Shown(alarm_named(asked.words, each.kind), href, tone=tone)


def _subject(desk: Desk, asked: Asked, subject: str) -> str:
    try:
        till = desk.office.tills.get(bytes.fromhex(subject))
    except ValueError:
        till = None
    return till.name if till is not None and till.tenant == asked.tenant else subject[:8]


def _with_before(found: Sequence[Close]) -> list[tuple[Close, Close | None]]:
    """Each Z with the one before it of the same till; the last first, as they came."""
    before, told = dict[bytes, Close](), list[tuple[Close, Close | None]]()
    for each in sorted(found, key=lambda one: one.number):
        told.append((each, before.get(each.device)))
        before[each.device] = each
    return sorted(told, key=lambda pair: (-pair[0].on, pair[0].device, -pair[0].number))


def _owing(
    asked: Asked,
    tills: dict[bytes, KnownTill],
    shops: dict[bytes, str],
    last: Mapping[bytes, int],
    today: BusinessDate,
) -> list[tuple[Shown, ...]]:
    """Live tills whose last Z is older than yesterday's."""
    say, rows = asked.words.say, list[tuple[Shown, ...]]()
    for device, till in sorted(
        tills.items(), key=lambda item: (shops.get(item[1].shop, ""), item[1].name)
    ):
        on = last.get(device)
        if till.standing != "live" or (on is not None and on >= today.plus(-1)):
            continue
        told = (
            say("No Z ever came")
            if on is None
            else say("No Z since {date}", date=BusinessDate(on).iso())
        )
        empty = tuple(Shown("") for _ in range(5))
        rows.append(
            (Shown("–"), Shown(shops.get(till.shop, "")), Shown(till.name), Shown("–"),
             Shown(told, tone="warn"), *empty)
        )  # fmt: skip
    return rows


def _row(
    asked: Asked,
    till: KnownTill,
    shops: dict[bytes, str],
    close: Close,
    before: Close | None,
    behind: late.Sums | None,
    formats: Formats,
    offset: int,
) -> tuple[Shown, ...]:
    noticed = _noticed(asked, close, before, behind, formats)
    return (
        Shown(BusinessDate(close.on).iso()),
        Shown(shops.get(till.shop, "")),
        Shown(till.name),
        Shown(number(close.number), f"{z_pages.PLACE}/{close.event.hex()}", number=close.number),
        Shown(noticed, tone="warn" if noticed else ""),
        Shown(formats.money(close.paid)),
        Shown(number(close.issued), number=close.issued),
        Shown(number(close.redeemed) if close.redeemed >= 0 else signed_number(close.redeemed),
              number=close.redeemed),
        Shown(formats.money(close.difference), tone="bad" if close.difference else ""),
        Shown(wording.instant(close.at_us // 1000, offset)),
    )  # fmt: skip


def _noticed(
    asked: Asked, close: Close, before: Close | None, behind: late.Sums | None, formats: Formats
) -> str:
    say, told = asked.words.say, list[str]()
    missing = close.number - 1 - before.number if before is not None else 0
    if missing > 0:
        told.append(
            asked.words.count(
                "{n} Z is missing before it", "{n} Zs are missing before it", missing, n=missing
            )
        )
    if before is not None and missing < 0:
        told.append(say("Its number came twice"))
    if close.unattended:
        told.append(say("Closed by itself"))
    if close.uncounted:
        told.append(
            asked.words.count(
                "{n} shift not counted",
                "{n} shifts not counted",
                close.uncounted,
                n=close.uncounted,
            )
        )
    if behind is not None:
        told.append(
            asked.words.count(
                "{n} document came behind it: sales {paid}, points out {issued}, points in {redeemed}",
                "{n} documents came behind it: sales {paid}, points out {issued}, points in {redeemed}",
                behind.documents,
                n=number(behind.documents),
                paid=formats.money(behind.paid),
                issued=number(behind.issued),
                redeemed=number(behind.redeemed),
            )
        )
    return " · ".join(told)
