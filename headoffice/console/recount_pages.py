"""Documents that head office worked out again and found different, who looked at them; and the settlement of
points between stores."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.responses import Response

from app.domain.business_day import BusinessDate
from app.formats import number
from app.i18n import Words, mark
from headoffice import flags, settlement
from headoffice.console import lists, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.event_pages import formats_of
from headoffice.console.listing import Listing, Shown
from headoffice.console.lists import Field, Filters, Rows
from headoffice.console.staff import Staff

PLACE: Final = "/console/recount"
ALL: Final = "/console/recount-seen"
PORTION: Final = 500
"""Of so many documents the writer is told at a time: tills wait for it."""
SETTLEMENT: Final = "/console/settlement"
DAYS_MOST: Final = 400

WHAT: Final = {
    "refused": mark("Its rules allow no such sale"),
    "price": mark("Price"),
    "points_value": mark("What the points paid"),
    "spent": mark("Points spent"),
    "earned": mark("Points earned"),
    "qualifying": mark("Qualifying spend"),
    "available_from": mark("From when the points are good"),
    "expires": mark("Until when the points are good"),
    "benefits": mark("Once-a-year benefits used"),
    "entries": mark("Entries of the ledger"),
    "older_version": mark("Sold by rules that were over"),
    "unknown_version": mark("Sold by rules that head office does not have"),
    "tier": mark("Another tier than the member had"),
    "day_cap": mark("More points in a day than the cap"),
    "used_twice": mark("A once-a-year benefit used twice"),
    "birthday": mark("A birthday's benefit on another day"),
    "taken_back": mark("Points taken back"),
    "restored": mark("Points given back"),
    "refund": mark("Money given back"),
    "lines": mark("Lines and units that came back"),
    "settled": mark("What settles points that were already spent"),
    flags.OTHER_DEVICE: mark("It names another till than the one that sent it"),
    "no_document": mark("Its sale is not known here"),
    "returned_twice": mark("More came back than was sold"),
    "unreadable": mark("The document can't be read"),
}
"""What differs, by its code (recounting.py)."""
_DATES: Final = frozenset(("available_from", "expires", "birthday"))
_NO_FIGURES: Final = frozenset(("unreadable", "refused", "no_document", flags.OTHER_DEVICE))


def heads(words: Words) -> tuple[str, ...]:
    """Of the list of differences."""
    say = words.say
    return (
        say("Document"), say("Noted"), say("Business date"), say("Till"), say("Member"), say("What differs"),
        say("The till says"), say("Head office finds"), say("Looked at by"),
    )  # fmt: skip


def fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What differences are narrowed by."""
    words = asked.words
    what = lists.choice(words, "what", words.say("What differs"), WHAT)
    return *lists.dates(words), what, lists.till_choice(desk, asked), lists.looked_at(words)


def rows(desk: Desk, asked: Asked, filters: Filters) -> Rows:
    """Differences, the last first."""
    wanted = _wanted(filters, {"new": False, "done": True}.get(filters["seen"]))
    with desk.reading(asked) as snapshot:
        offset = snapshot.chain().offset_minutes
        for each in lists.portions(partial(flags.newest, snapshot.plain, asked.tenant, wanted)):
            yield (
                Shown(each.event.hex()[:12], f"{PLACE}/{each.event.hex()}"),
                Shown(wording.instant(each.noted_ms, offset)),
                Shown(BusinessDate(each.on).iso()),
                Shown(_till(desk, asked, each.device)),
                _member(each.member),
                *_difference(asked, each),
                Shown(each.seen_by or "–", tone="" if each.seen_ms else "warn"),
            )


def one(desk: Desk, asked: Asked) -> Response:
    """One document with all that differs of it."""
    wanted, say = asked.id("event"), asked.words.say
    with desk.reading(asked) as snapshot:
        chain, found = snapshot.chain(), flags.of_event(snapshot.plain, asked.tenant, wanted)
    if not found:
        raise NotFound
    first, seen = found[0], max(found, key=lambda each: each.seen_ms or 0)
    heads = (say("What differs"), say("The till says"), say("Head office finds"))
    looked = say(
        "{initials} looked at it, {time}.", initials=seen.seen_by or "–",
        time=wording.instant(seen.seen_ms, chain.offset_minutes),
    ) if seen.seen_ms else ""  # fmt: skip
    new = [each for each in found if each.seen_ms is None]
    return desk.page(
        asked, "recount.html",
        id=wanted.hex(), member="" if first.member == flags.NOBODY else first.member.hex(),
        till=_till(desk, asked, first.device),
        on=BusinessDate(first.on).iso(), seen=looked, until=max((each.noted_ms for each in new), default=0),
        may_say=bool(new) and asked.person.role == "head_office",
        listing=Listing("document", heads, tuple(_difference(asked, each) for each in found)),
    )  # fmt: skip


def say_seen(desk: Desk, asked: Asked) -> Response:
    """Somebody has looked at a document."""
    wanted, now_ms, by = asked.id("event"), desk.office.now_ms(), asked.person.staff
    until_ms = _until(asked)
    if until_ms is None:
        return desk.told(asked, 400, asked.words.say("This is no form of ours."))
    with desk.reading(asked) as snapshot:
        if not flags.of_event(snapshot.plain, asked.tenant, wanted):
            raise NotFound

    def act(staff: Staff) -> None:
        flags.say_seen(desk.office.plain, asked.tenant, wanted, until_ms, by, now_ms)
        staff.note(now_ms, by, "recount_done", detail=wanted.hex())

    desk.act(asked, act)
    return go_to(f"{PLACE}/{wanted.hex()}")


def ask_all(desk: Desk, asked: Asked) -> Response:
    """How many documents it would be that somebody says to have looked at."""
    known = _unseen_fields(desk, asked)
    filters = lists.chosen(asked.request.query_params, known)
    with desk.reading(asked) as snapshot:
        pile = flags.unseen_of(snapshot.plain, asked.tenant, _wanted(filters, seen=False))
    return desk.page(
        asked, "recount_all.html", documents=pile.size, until=pile.newest_ms, chosen=filters,
        told=lists.told(filters, known), back=lists.placed(PLACE, filters.query),
        here=lists.placed(ALL, filters.query),
    )  # fmt: skip


def say_all_seen(desk: Desk, asked: Asked) -> Response:
    """Somebody has looked at all documents that were chosen, what came since left out."""
    known, until_ms = _unseen_fields(desk, asked), _until(asked)
    filters = lists.chosen(asked.form, known)
    strange = [each.name for each in known if asked.form.get(each.name, "") != filters[each.name]]
    if until_ms is None or strange:
        return desk.told(asked, 400, asked.words.say("This is no form of ours."))
    now_ms, by, wanted = desk.office.now_ms(), asked.person.staff, _wanted(filters, seen=False)
    named = [f"{value}" for _, value in lists.told(filters, known)]

    def act(staff: Staff) -> int:
        plain = desk.office.plain
        done = flags.say_many_seen(plain, asked.tenant, wanted, until_ms, PORTION, by, now_ms)
        if done:
            staff.note(now_ms, by, "recount_many", detail=" · ".join((str(done), *named)))
        return done

    while desk.act(asked, act) == PORTION:
        pass
    return go_to(lists.placed(PLACE, filters.query))


# Settlement ---------------------------------------------------------------------------------------


def settled(desk: Desk, asked: Asked) -> Listing:
    """Points by the store where they were earned and the one where they were spent."""
    first, last = dates(desk, asked)
    say = asked.words.say
    with desk.reading(asked) as snapshot:
        shops = {shop.id: shop.name for shop in snapshot.shops()}
        found = settlement.report(snapshot.plain, asked.tenant, first, last)
        formats = formats_of(asked, snapshot.newest_programme())
    heads = (
        say("Earned in"),
        say("Spent in"),
        say("Points"),
        say("Paid with them"),
        say("Documents"),
    )

    def shop(store: bytes | None) -> Shown:
        return Shown(shops.get(store, "–") if store else say("no store"))

    rows = tuple(
        (
            shop(each.earned),
            shop(each.spent),
            Shown(number(each.points), number=each.points),
            Shown(formats.money(each.value_minor)),
            Shown(number(each.documents), number=each.documents),
        )
        for each in found
    )
    return Listing("settlement", heads, rows)


def show_settlement(desk: Desk, asked: Asked) -> Response:
    """The settlement of a span of business dates."""
    first, last = dates(desk, asked)
    query = f"first={first.iso()}&last={last.iso()}"
    return desk.page(
        asked, "settlement.html", listing=settled(desk, asked), first=first.iso(), last=last.iso(),
        file=f"{SETTLEMENT}.csv?{query}",
    )  # fmt: skip


def ask_settlement(desk: Desk, asked: Asked) -> Response:
    """Dates were chosen."""
    found = [_date(asked.form.get(name, "")) for name in ("first", "last")]
    if None in found:
        return desk.told(asked, 400, asked.words.say("This is no form of ours."))
    first, last = (each.iso() if each is not None else "" for each in found)
    return go_to(f"{SETTLEMENT}?first={first}&last={last}")


def dates(desk: Desk, asked: Asked) -> tuple[BusinessDate, BusinessDate]:
    """The span that is asked for; this month's where none is, or none that can be."""
    today = desk.office.chains[asked.tenant].server.today(desk.office.now_ms())
    query = asked.request.query_params
    first, last = (_date(query.get(name, "")) for name in ("first", "last"))
    if first is None or last is None:
        return BusinessDate.from_iso(f"{today.iso()[:7]}-01"), today
    return first, min(max(first, last), first.plus(DAYS_MOST))


# Inside -------------------------------------------------------------------------------------------


def _unseen_fields(desk: Desk, asked: Asked) -> tuple[Field, ...]:
    """What those are chosen by that nobody has looked at."""
    return tuple(each for each in fields(desk, asked) if each.name != "seen")


def _until(asked: Asked) -> int | None:
    """When the last of what was shown was noted."""
    given = asked.form.get("until", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None


def _wanted(filters: Filters, seen: bool | None) -> flags.Wanted:
    return flags.Wanted(*filters.days(), filters["what"], bytes.fromhex(filters["till"]), seen)


def _date(text: str) -> BusinessDate | None:
    try:
        return BusinessDate.from_iso(text)
    except ValueError:
        return None


def _difference(asked: Asked, flag: flags.Flag) -> tuple[Shown, ...]:
    what = Shown(wording.named(asked.words, WHAT, flag.what))
    if flag.what in _NO_FIGURES:
        return what, Shown("–"), Shown("–")
    if flag.what in _DATES:
        return what, *(Shown(BusinessDate(day).iso()) for day in (flag.claimed, flag.ours))
    return what, *(Shown(number(each), number=each) for each in (flag.claimed, flag.ours))


def _member(member: bytes) -> Shown:
    if member == flags.NOBODY:
        return Shown("–")
    return Shown(member.hex()[:8], f"/console/members/{member.hex()}")


def _till(desk: Desk, asked: Asked, device: bytes) -> str:
    known = desk.office.tills.get(device)
    ours = known is not None and known.tenant == asked.tenant
    return known.name if known is not None and ours else device.hex()[:8]
