"""Days across the stores: which Z came of which till, its totals, where one is missing; and the alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from app.domain.business_day import BusinessDate
from app.formats import Formats, number, signed_number
from app.i18n import Words
from headoffice import closes, late
from headoffice.alarm_words import NAMES as ALARM_NAMES
from headoffice.alarm_words import named as alarm_named
from headoffice.alarms import (
    BOUND,
    CARD_SHARED,
    ERASURE_LATE,
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
from headoffice.console import (
    erasure_pages,
    lists,
    quarantine_pages,
    recount_pages,
    same_pages,
    wording,
    z_pages,
)
from headoffice.console.desk import Asked, Desk
from headoffice.console.event_pages import formats_of
from headoffice.console.listing import Shown, Tone
from headoffice.console.lists import FIRST, LAST, Field, Filters, Rows
from headoffice.directory import KnownTill

_WHERE: Final = {
    TILL_SILENT: "/console/tills",
    LOST: "/console/",
    BOUND: "/console/",
    SECOND_NEEDED: "/console/",
    QUARANTINE: quarantine_pages.PLACE,
    OVER_RETURN: recount_pages.PLACE,
    RECOUNT: recount_pages.PLACE,
    CARD_SHARED: same_pages.PLACE,
    ERASURE_LATE: erasure_pages.PLACE,
}
"""Where what is alarmed is to be looked at."""
_OVERSEEN: Final = frozenset((QUARANTINE, OVER_RETURN, RECOUNT, CARD_SHARED, ERASURE_LATE))
"""Alarms whose list managers don't see."""


def day_heads(words: Words) -> tuple[str, ...]:
    """Of the list of Zs."""
    say = words.say
    return (
        say("Business date"), say("Store name"), say("Till"), say("Z"), say("Noticed"), say("Sales"),
        say("Points out"), say("Points in"), say("Cash difference"), say("Closed at"),
    )  # fmt: skip


def day_fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What Zs are narrowed by."""
    found = (lists.store_choice(desk, asked), lists.till_choice(desk, asked))
    return *lists.dates(asked.words), *found


def days(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """The Zs of all tills that who asks may see, the last date first; before them the tills that owe one."""
    tills = {
        till.device: till
        for till in _tills_of(desk, asked)
        if filters["store"] in ("", till.shop.hex()) and filters["till"] in ("", till.device.hex())
    }
    office, tenant = desk.office, asked.tenant
    shops = {id_: shop.name for id_, shop in office.shops.items() if shop.tenant == tenant}
    offset = office.chains[tenant].chain.offset_minutes
    today = office.chains[tenant].server.today(office.now_ms())
    narrowed = asked.stores or filters["store"] or filters["till"]
    wanted = closes.Wanted(*filters.days(), sorted(tills) if narrowed else None)
    with office.place.reading(tenant) as plain:
        programmes = programmes_of(plain, tenant)
        behind = late.sums(plain, tenant)
        formats = formats_of(asked, programmes[0] if programmes else None)
        if not (filters[FIRST] or filters[LAST]):
            yield from _owing(asked, tills, shops, closes.last_dates(plain, tenant), today)
        if narrowed and not tills:
            return
        for each, before in lists.portions(partial(closes.latest, plain, tenant, wanted)):
            late_ones = behind.get(each.event)
            yield _row(asked, tills[each.device], shops, each, before, late_ones, formats, offset)


def alarm_heads(words: Words) -> tuple[str, ...]:
    """Of the list of alarms."""
    say = words.say
    return say("What"), say("Of"), say("Figure"), say("Since"), say("Over since")


def alarm_fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What alarms are narrowed by; the dates are of when they began."""
    words, say = asked.words, asked.words.say
    standing = Field(
        "standing", say("Standing"), [("now", say("Still stands")), ("over", say("Is over"))]
    )
    # Who sees some stores alone is told of their tills, of nothing else.
    kinds = {TILL_SILENT: ALARM_NAMES[TILL_SILENT]} if asked.stores else ALARM_NAMES
    kind = lists.choice(words, "kind", say("What"), kinds)
    return *lists.dates(words), kind, lists.till_choice(desk, asked), standing


def alarms(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """What is alarmed now, and what was; for a manager of some stores what is alarmed of their tills."""
    own = {each.device.hex() for each in _tills_of(desk, asked)}
    with desk.reading(asked) as snapshot:
        offset = snapshot.chain().offset_minutes
        for each in _alarms(Alarms(snapshot.plain, asked.tenant), filters["standing"]):
            if asked.stores and each.subject not in own:
                continue
            if filters["kind"] not in ("", each.kind) or filters["till"] not in ("", each.subject):
                continue
            if not filters.has(each.raised_ms, offset):
                continue
            over_ms = each.cleared_ms
            yield (
                _alarm(asked, each),
                Shown(_subject(desk, asked, each.subject)),
                Shown(number(each.figure), number=each.figure),
                Shown(wording.instant(each.raised_ms, offset)),
                Shown("–" if over_ms is None else wording.instant(over_ms, offset)),
            )


def _alarms(kept: Alarms, standing: str) -> Iterator[Alarm]:
    if standing != "over":
        yield from kept.standing()
    if standing != "now":
        yield from lists.portions(kept.over)


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
    before: int | None,
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
    asked: Asked, close: Close, before: int | None, behind: late.Sums | None, formats: Formats
) -> str:
    say, told = asked.words.say, list[str]()
    missing = close.number - 1 - before if before is not None else 0
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
