"""The page on which head office tells its tills of another address, and sees by which each came last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from starlette.responses import Response

from app.formats import number
from headoffice import addressing
from headoffice.console import proving, till_pages, wording
from headoffice.console.desk import Asked, Desk, go_to
from headoffice.console.listing import Listing, Shown
from headoffice.console.people import People
from headoffice.console.programme_pages import TWO
from headoffice.console.second import Second
from headoffice.console.staff import Staff
from headoffice.console.till_pages import Till

PLACE = "/console/address"
LATE_SHOWN = 100


def show(desk: Desk, asked: Asked) -> Response:
    """What tills are told, and who came by what."""
    return _page(desk, asked, 200, "")


def tell(desk: Desk, asked: Asked) -> Response:
    """Tell tills; or ask for it, where that takes two."""
    address = asked.form.get("address", "").strip().rstrip("/")
    if not addressing.is_address(address):
        no = asked.words.say("This is no address for tills, like https://office.example:8440")
        return _page(desk, asked, 422, no)
    unproved = proving.first(desk, asked, PLACE)
    if unproved is not None:
        return unproved
    by, now_ms, tenant = asked.person.staff, desk.office.now_ms(), asked.tenant

    def act(staff: Staff) -> Literal["told", "same", "waits"]:
        store = desk.office.chains[tenant].store
        if addressing.told(store) == address:
            return "same"
        two = People(staff).choice(TWO, "one") == "two"
        if two and Second(staff).ask(by, "address", address, now_ms) != "agreed":
            return "waits"
        addressing.tell(store, address)
        staff.note(now_ms, by, "address_told", detail=address)
        return "told"

    if desk.act(asked, act) == "same":
        return _page(desk, asked, 422, asked.words.say("Tills are told this address already."))
    return go_to(PLACE)


def keep(desk: Desk, asked: Asked) -> Response:
    """What somebody asked for is not done."""
    by, now_ms = asked.person.staff, desk.office.now_ms()
    address = asked.form.get("address", "")
    desk.act(asked, lambda staff: Second(staff).withdraw(by, "address", address, now_ms))
    return go_to(PLACE)


def take_back(desk: Desk, asked: Asked) -> Response:
    """Tills are told of no other address: who has not gone there stays. One person is enough, for it moves
    nobody."""
    by, now_ms, tenant = asked.person.staff, desk.office.now_ms(), asked.tenant

    def act(staff: Staff) -> None:
        store = desk.office.chains[tenant].store
        told = addressing.told(store)
        if told:
            addressing.tell(store, "")
            staff.note(now_ms, by, "address_taken_back", detail=told)

    desk.act(asked, act)
    return go_to(PLACE)


# Inside ------------------------------------------------------------------------------------------


def _page(desk: Desk, asked: Asked, status: int, wrong: str) -> Response:
    now_ms = desk.office.now_ms()
    with desk.reading(asked) as snapshot:
        chain, told, people = snapshot.chain(), snapshot.told_address(), snapshot.staff()
        known = till_pages.tills_of(desk, asked, snapshot, chain)
        waiting = [each for each in Second(people).all(now_ms) if each.what == "address"]
        two = People(people).choice(TWO, "one") == "two"
    live = [till for till in known if till.row.standing == "live"]
    late = [till for till in live if till.elsewhere]
    return desk.page(
        asked, "address.html", status,
        wrong=wrong, told=told, typed=asked.form.get("address", ""), two=two,
        waiting=[(each.subject, each.initials, each.staff == asked.person.staff) for each in waiting],
        hosts=_hosts(asked, live, chain.offset_minutes), tills=number(len(live)), any=bool(live),
        late=_late(asked, late, chain.offset_minutes), behind=number(len(late)),
        all_here=not late,
    )  # fmt: skip


def _hosts(asked: Asked, live: Sequence[Till], offset: int) -> Listing:
    """The addresses by which tills came last, with how many, the one of most first."""
    say, by = asked.words.say, dict[str, list[Till]]()
    for till in live:
        by.setdefault(till.came_by, []).append(till)
    rows = tuple(
        (
            Shown(host or say("not known")),
            Shown(number(len(tills)), number=len(tills)),
            Shown(wording.instant(max(till.heard_ms for till in tills), offset)),
        )
        for host, tills in sorted(by.items(), key=lambda each: (-len(each[1]), each[0]))
    )
    return Listing("addresses", (say("Address"), say("Live tills"), say("Last heard")), rows)


def _late(asked: Asked, late: Sequence[Till], offset: int) -> Listing:
    """Some of the tills that did not come by the new address yet, the one that was silent longest first."""
    say = asked.words.say
    rows = tuple(
        (
            Shown(till.row.shop),
            Shown(till.row.name),
            Shown(till.came_by or say("not known")),
            Shown(wording.instant(till.heard_ms, offset)),
        )
        for till in sorted(late, key=lambda each: each.heard_ms)[:LATE_SHOWN]
    )
    heads = (say("Store name"), say("Till"), say("Came by"), say("Last heard"))
    return Listing("late", heads, rows)
