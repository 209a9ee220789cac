"""The chain's price lists: what is in force, a file that becomes a draft, what it changes, publishing."""

from __future__ import annotations

import json
from typing import Final, Literal

from starlette.responses import Response

from app.catalogue_file import CatalogueFile, CatalogueItem, read_catalogue
from app.catalogue_words import fault_sentence
from app.domain.business_day import BusinessDate
from app.domain.money import Currency
from app.domain.programme_plain import programme_from_plain
from app.formats import number, typed_amount
from app.price_list import PriceList
from headoffice.console import uploading, wording
from headoffice.console.desk import Asked, Desk, NotFound, go_to
from headoffice.console.listing import Listing, Shown
from headoffice.console.people import People
from headoffice.console.programme_pages import TWO, today_of
from headoffice.console.staff import Staff
from headoffice.price_lists import Change, Listed, PriceLists, TooLarge, changes, drafted

PLACE: Final = "/console/prices"
LISTS_SHOWN: Final = 100
CHANGES_SHOWN: Final = 300
FAULTS_SHOWN: Final = 50


def show(desk: Desk, asked: Asked) -> Response:
    """The lists, and the form for a file."""
    return _page(desk, asked, 200, "")


def send(desk: Desk, asked: Asked) -> Response:
    """A file becomes a draft; with any fault it does not."""
    if asked.file is None:
        raise uploading.BadUpload
    say, currency = asked.words.say, _currency(desk, asked)
    try:
        starts = BusinessDate.from_iso(asked.form.get("starts", ""))
    except ValueError:
        return _page(desk, asked, 422, say("Give the first business date as year, month and day."))
    file = read_catalogue(uploading.whole(asked.file), currency.exponent)
    if file.faults or not file.items:
        return _page(
            desk, asked, 422, say("Nothing was taken. Correct the file and send it again."), file
        )
    by, now_ms = asked.person.staff, desk.office.now_ms()
    prices = PriceList(starts, currency.code, b"")
    try:
        draft = drafted(by, prices, file.items, currency.exponent, now_ms)
    except TooLarge:
        no = say("The list is too large for the tills to fetch. Leave out what is sold no more.")
        return _page(desk, asked, 422, no)
    desk.act(asked, lambda staff: PriceLists(staff).begin(draft))
    return go_to(f"{PLACE}/{draft.id.hex()}")


def one(desk: Desk, asked: Asked) -> Response:
    """A list: what it changes, and what may be done with it."""
    return _one(desk, asked, 200, "")


def file(desk: Desk, asked: Asked) -> Response:
    """The list as a file that can be changed and sent again."""
    known = _known(desk, asked)
    name = f"prices-{known.starts.iso()}.csv"
    return Response(
        known.content(), media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def drop(desk: Desk, asked: Asked) -> Response:
    """Forget a draft."""
    known, by, now_ms = _known(desk, asked), asked.person.staff, desk.office.now_ms()
    if known.published_ms is None:
        desk.act(asked, lambda staff: PriceLists(staff).drop(by, known, now_ms))
    return go_to(PLACE)


def publish(desk: Desk, asked: Asked) -> Response:
    """Every till of the chain takes it on its first business date."""
    known, by, now_ms = _known(desk, asked), asked.person.staff, desk.office.now_ms()
    today, say, tenant = today_of(desk, asked), asked.words.say, asked.tenant
    if known.starts < today:
        return _one(
            desk, asked, 422, say("Its first business date is over. Send it with another one.")
        )
    if known.starts == today and "urgent" not in asked.form:
        return _one(desk, asked, 422, say("It would start today. Tick the box if that is meant."))

    def act(staff: Staff) -> Literal["", "own", "gone"]:
        lists = PriceLists(staff)
        if lists.one(known.id) != known or known.published_ms is not None:
            return "gone"
        if known.by == by and People(staff).choice(TWO, "one") == "two":
            return "own"
        lists.publish(desk.office.chains[tenant].store, by, known, today, now_ms)
        return ""

    no = desk.act(asked, act)
    if no == "own":
        return _one(
            desk,
            asked,
            422,
            say("You sent this list. Somebody else of head office has to publish it."),
        )
    return go_to(PLACE if no else f"{PLACE}/{known.id.hex()}")


# Inside ------------------------------------------------------------------------------------------


def _page(
    desk: Desk, asked: Asked, status: int, wrong: str, file: CatalogueFile | None = None
) -> Response:
    say, today = asked.words.say, today_of(desk, asked)
    with desk.reading(asked) as snapshot:
        lists = PriceLists(snapshot.staff())
        known, force, chain = lists.all(LISTS_SHOWN), lists.before(today), snapshot.chain()
    rows = tuple(
        (
            Shown(each.starts.iso(), f"{PLACE}/{each.id.hex()}"),
            _standing(asked, each, force, today),
            Shown(number(each.items), number=each.items),
            Shown(wording.instant(each.at_ms, chain.offset_minutes)),
        )
        for each in known
    )
    heads = (say("Starts on"), say("Standing"), say("Items"), say("Sent at"))
    return desk.page(
        asked, "prices.html", status,
        lists=Listing("prices", heads, rows), wrong=wrong, faults=_faults(asked, file),
        more_faults=0 if file is None else max(len(file.faults) - FAULTS_SHOWN, 0),
        may_change=asked.person.role == "head_office",
        starts=asked.form.get("starts", "") or today.plus(1).iso(),
        megabytes=uploading.FILE_BYTES_MOST >> 20,
    )  # fmt: skip


def _faults(asked: Asked, file: CatalogueFile | None) -> Listing | None:
    if file is None:
        return None
    say = asked.words.say
    rows = tuple(
        (Shown(number(each.line), number=each.line), Shown(fault_sentence(asked.words, each)))
        for each in file.faults[:FAULTS_SHOWN]
    )
    return Listing("faults", (say("Line"), say("What is wrong")), rows)


def _standing(asked: Asked, each: Listed, force: Listed | None, today: BusinessDate) -> Shown:
    say = asked.words.say
    if each.published_ms is None:
        return Shown(say("Draft"), tone="warn")
    if force is not None and each.id == force.id:
        return Shown(say("In force"), tone="good")
    return Shown(say("Begins later") if each.starts > today else say("Over"))


def _one(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    known, currency, today = _known(desk, asked), _currency(desk, asked), today_of(desk, asked)
    with desk.reading(asked) as snapshot:
        lists = PriceLists(snapshot.staff())
        force, others, chain = lists.before(today), lists.all(LISTS_SHOWN), snapshot.chain()
        # A draft of later takes the place of the list that is to come, so it is compared with the one in force.
        draft = known.published_ms is None
        before = lists.before(min(known.starts, today) if draft else known.starts.plus(-1))
    found = changes(
        None if before is None else before.content(), known.content(), currency.exponent
    )
    coming = next((e for e in others if e.published_ms is not None and e.starts > today), None)
    return desk.page(
        asked, "price_list.html", status,
        id=known.id.hex(), starts=known.starts.iso(), items=number(known.items), wrong=wrong,
        standing=_standing(asked, known, force, today).text, draft=known.published_ms is None,
        sent=wording.instant(known.at_ms, chain.offset_minutes),
        counts=_counts(found), total=len(found), shown=CHANGES_SHOWN,
        changes=_changes(asked, found, currency), against="" if before is None else before.starts.iso(),
        starts_today=known.starts <= today, may_change=asked.person.role == "head_office",
        replaces="" if coming is None or known.starts <= today else coming.starts.iso(),
        file=f"{PLACE}/{known.id.hex()}.csv",
    )  # fmt: skip


def _counts(found: list[Change]) -> tuple[int, int, int]:
    """How many items are new, changed, and sold no more."""
    new = sum(each.before is None for each in found)
    gone = sum(each.after is None for each in found)
    return new, len(found) - new - gone, gone


def _changes(asked: Asked, found: list[Change], currency: Currency) -> Listing:
    say = asked.words.say
    heads = (say("Code"), say("Item name"), say("Before"), say("After"))
    rows = tuple(
        (
            Shown(each.code),
            Shown(_name(each)),
            Shown(_price(each.before, currency) or say("not sold")),
            Shown(_price(each.after, currency) or say("not sold")),
        )
        for each in found[:CHANGES_SHOWN]
    )
    return Listing("changes", heads, rows)


def _name(each: Change) -> str:
    item = each.after or each.before
    assert item is not None, "one of two lists has it"
    return item.name


def _price(item: CatalogueItem | None, currency: Currency) -> str:
    if item is None:
        return ""
    price = typed_amount(item.price_minor, currency.exponent)
    return price if item.per_quantity == 1 else f"{price} / {item.per_quantity}"


def _known(desk: Desk, asked: Asked) -> Listed:
    with desk.reading(asked) as snapshot:
        known = PriceLists(snapshot.staff()).one(asked.id("list"))
    if known is None:
        raise NotFound
    return known


def _currency(desk: Desk, asked: Asked) -> Currency:
    """The chain's; before its first programme, its tills'."""
    with desk.reading(asked) as snapshot:
        newest, first = snapshot.newest_programme(), snapshot.first_programme()
    return (newest or programme_from_plain(json.loads(first))).currency
