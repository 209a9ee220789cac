"""Points that are earned in one store and spent in another: by whom, on which date, and what came back."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId, Kind
from app.protocol import events, facts, merging, unmerging
from app.protocol.facts import OVERRIDE, Facts, Posting, write
from headoffice import programmes, settlement
from headoffice.adjustments import Adjustments, Day, Wish
from headoffice.console.staff import Person
from headoffice.http import RATES
from headoffice.settlement import Settled
from tests.headoffice.api_office import publish, system, written
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    HttpTill,
    Served,
    begin_chain,
    database_of,
    opened,
    rows,
    served,
)
from tests.headoffice.test_recounting import recounted

OFTEN = RATES._replace(enrol_per_s=1000, enrol_burst=1000)
NORTH, SOUTH = (TENANT[:15] + bytes([number]) for number in (0, 1))


@pytest.fixture
def office(tmp_path: Path, each_store: str) -> Any:
    begin_chain(tmp_path)
    with served(tmp_path, rates=OFTEN) as at:
        yield at


def write_down(
    till: HttpTill,
    kind: str,
    amount: int,
    on: BusinessDate,
    *,
    member: bytes = ANNA,
    of: EntryId | None = None,
    sale: bytes | None = None,
    **changed: Any,
) -> EntryId:
    """An event of a counter with one entry of points, and its entry's name."""
    event = till.rng.randbytes(16)
    named: Kind = "reverse" if of else "earn" if amount > 0 else "redeem"
    entry = Entry(EntryId(event, 0), POINTS, named, amount, on, refers_to=of)
    if named == "earn":
        entry = entry._replace(available_from=on, expires=on.plus(300))
    by = OVERRIDE if named == "redeem" else None
    made = Facts(event, kind, member, on, (Posting(entry, by),), sale=sale)
    plain = json.loads(write(made)) | dict.fromkeys(("staff", "shift", "pv"))
    plain |= {"cmd": event.hex(), "device": till.device.hex(), "at": 1, "off": 480, "doc": {}}
    body = events.encode(plain | changed)
    till.at.commit(facts.read(body), body)
    till.sync()
    return entry.id


def spend(till: HttpTill, points: int, on: BusinessDate, **more: Any) -> EntryId:
    return write_down(
        till, "sale", -points, on, doc={"sale": {"points_value_minor": points}}, **more
    )


def report(office: Served, first: BusinessDate, last: BusinessDate | None = None) -> list[Settled]:
    recounted(office)
    with contextlib.closing(database_of(office.folder)) as database, database.of(TENANT):
        return list(settlement.report(database, TENANT, first, last or first))


def test_what_was_a_debt_is_settled_on_the_date_of_the_points_that_paid_it(office: Served) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 100, on)
    spend(south, 300, on)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    later = on.plus(3)
    write_down(north, "sale", 500, later)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    assert report(office, later) == [Settled(NORTH, SOUTH, 200, 200, 1)]


@pytest.mark.parametrize(("points", "waits"), [(200, False), (2_500, True)])
def test_what_head_office_gave_pays_a_debt_on_the_date_on_which_it_did(
    office: Served, points: int, waits: bool
) -> None:
    publish(office.folder)
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 100, on)
    spend(south, 300, on)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    later = on.plus(3)

    def give(_: object) -> None:
        plain, server = office.office.plain, office.office.chains[TENANT].server
        day = Day(later, programmes.published(server.store)[0].programme)
        kept, wish = (
            Adjustments(plain, TENANT),
            Wish(b"W" * 16, ANNA, points, "goodwill", "It came late.", system="Shop"),
        )
        assert (kept.ask(server, wish, day, office.office.now_ms()) == "waiting") is waits
        asked = kept.one(wish.id)
        if asked is not None and waits:
            second = Person(b"S" * 16, "AN", "head_office", "$argon2id$", 0)
            office.office.staff(TENANT).put(second)
            kept.agree(server, asked, second.id, day)

    written(office, give)
    assert report(office, later) == [Settled(None, SOUTH, 200, 200, 1)]
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]


def test_what_comes_back_counts_on_its_own_date_and_changes_no_month_before(
    office: Served,
) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 500, on)
    spent = spend(south, 300, on)
    assert report(office, on) == [Settled(NORTH, SOUTH, 300, 300, 1)]
    later = on.plus(40)
    write_down(south, "return", 100, later, of=spent, sale=spent.event)
    assert report(office, on) == [Settled(NORTH, SOUTH, 300, 300, 1)]
    assert report(office, later) == [Settled(NORTH, SOUTH, -100, -100, 1)]
    write_down(south, "return", 200, later, of=spent, sale=spent.event)
    assert report(office, later) == [Settled(NORTH, SOUTH, -300, -300, 1)]
    assert report(office, on, later) == []


def test_points_that_a_merged_member_brought_keep_their_store(office: Served) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 300, on, member=BELA)
    write_down(south, "sale", 50, on)
    with opened(office.folder) as (store, _), store.writing():
        assert merging.merge(store, BELA, ANNA, on)
    spend(south, 320, on)
    write_down(north, "sale", 40, on, member=BELA)
    spend(south, 60, on)
    assert report(office, on) == [
        Settled(NORTH, SOUTH, 330, 330, 2), Settled(SOUTH, SOUTH, 50, 50, 1)
    ]  # fmt: skip


def test_an_order_of_another_system_is_of_the_store_that_it_names(
    tmp_path: Path, each_store: str
) -> None:
    begin_chain(tmp_path)
    publish(tmp_path)
    scopes = ("stores:read", "members:read", "members:write", "points:write")
    with served(tmp_path, rates=OFTEN) as at, system(at, *scopes) as web:
        till = at.till(1)
        south = next(s for s in web.get("/v1/stores")["stores"] if s["name"] == "South")["id"]
        named = {"store": south, "name": "Anna", "service_notice": "2026-11"}
        member = web.post("/v1/members", named)["id"]
        on = till.today
        write_down(till, "sale", 3000, on, member=bytes.fromhex(member))
        order = {"store": south, "member": member, "redeem_points": 1000}
        web.post("/v1/orders", order | {"lines": [{"unit_price_minor": 100000}]})
        found = report(at, on.plus(-1), on.plus(1))
        assert [(each.earned, each.spent, each.points) for each in found] == [
            (NORTH, bytes.fromhex(south), 1000)
        ]


def test_a_document_is_of_the_till_that_sent_it_whatever_it_says(office: Served) -> None:
    """A till would have another store's till earn what it spends, or spend what it earned."""
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    liar: dict[str, Any] = {"device": north.device.hex()}
    write_down(south, "sale", 500, on, **liar)
    spent = spend(south, 300, on, **liar)
    assert report(office, on) == [Settled(SOUTH, SOUTH, 300, 300, 1)]
    write_down(south, "return", 100, on, of=spent, sale=spent.event)
    assert report(office, on) == [Settled(SOUTH, SOUTH, 200, 200, 1)]
    flags = rows(office.folder, "SELECT event_id FROM recount_flag WHERE what = 'other_device'")
    assert len(flags) == 2


def test_shares_of_a_bill_never_change_by_what_comes_later() -> None:
    one, two = (EntryId(bytes([n]) * 16, 0) for n in (1, 2))
    on = BusinessDate.on(2026, 11, 1)
    taken = [settlement._Move(on, one, 1), settlement._Move(on.plus(1), two, 2)]
    assert settlement._values(taken[:1], 100, 3) == [33]
    assert settlement._values(taken, 100, 3) == [33, 67]
    back = [settlement._Move(on.plus(day), two, -1) for day in (2, 3)]
    assert settlement._values(taken + back, 100, 3) == [33, 67, -33, -34]


def together(office: Served, loser: bytes, winner: bytes, on: BusinessDate) -> None:
    """Merge two members as the console does, in the transaction that settles what it paid."""
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        with store.writing():
            assert merging.merge(store, loser, winner, on)
            settlement.merged(store, database, TENANT, loser, winner)


def test_a_debt_that_came_with_a_merge_is_settled_by_what_pays_it(office: Served) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 100, on, member=BELA)
    spend(south, 300, on, member=BELA)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    merged, later = on.plus(3), on.plus(40)
    write_down(north, "sale", 50, merged)
    together(office, BELA, ANNA, merged)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    assert report(office, merged) == [Settled(NORTH, SOUTH, 50, 50, 1)]
    write_down(north, "sale", 500, later)
    assert report(office, later) == [Settled(NORTH, SOUTH, 150, 150, 1)]
    assert report(office, on, later) == [Settled(NORTH, SOUTH, 300, 300, 1)]


def test_what_the_member_that_goes_had_pays_what_the_other_owed_on_the_day_of_the_merge(
    office: Served,
) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    spend(south, 80, on)
    write_down(north, "sale", 200, on, member=BELA)
    merged = on.plus(3)
    assert report(office, on) == [], "all that came was looked at, and nobody has paid"
    together(office, BELA, ANNA, merged)
    assert report(office, on) == []
    assert report(office, merged) == [Settled(NORTH, SOUTH, 80, 80, 1)]


def test_what_was_paid_while_they_were_one_stays_paid_when_they_part(office: Served) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    spend(south, 300, on, member=BELA)
    write_down(north, "sale", 40, on)
    together(office, BELA, ANNA, on)
    write_down(north, "sale", 60, on)
    with opened(office.folder) as (store, _), store.writing():
        assert unmerging.unmerge(store, BELA, on) is not None
    later = on.plus(40)
    write_down(south, "sale", 250, later, member=BELA)
    assert report(office, on) == [Settled(NORTH, SOUTH, 100, 100, 1)]
    assert report(office, later) == [Settled(SOUTH, SOUTH, 200, 200, 1)]


def test_what_was_spent_before_a_merge_keeps_its_day_and_store_when_a_part_comes_back(
    office: Served,
) -> None:
    north, south = office.till(1), office.till(2, "South")
    on = north.today
    write_down(north, "sale", 70, on, member=BELA)
    write_down(south, "sale", 50, on)
    spent = spend(south, 60, on, member=BELA)
    before = [Settled(NORTH, SOUTH, 60, 60, 1)]
    assert report(office, on) == before
    merged, later = on.plus(35), on.plus(40)
    together(office, BELA, ANNA, merged)
    assert (report(office, on), report(office, merged)) == (before, [])
    write_down(south, "return", 20, later, of=spent, sale=spent.event)
    assert (report(office, on), report(office, merged)) == (before, [])
    assert report(office, later) == [Settled(NORTH, SOUTH, -20, -20, 1)]
    with opened(office.folder) as (store, _), store.writing():
        assert unmerging.unmerge(store, BELA, later) is not None
    again = on.plus(41)
    write_down(south, "return", 40, again, member=BELA, of=spent, sale=spent.event)
    assert (report(office, on), report(office, merged)) == (before, [])
    assert report(office, on, again) == []


def test_what_came_back_before_anybody_paid_it_settles_nothing_after_a_merge_either(
    office: Served,
) -> None:
    south = office.till(2, "South")
    on = south.today
    write_down(south, "sale", 5, on)
    spent = spend(south, 80, on, member=BELA)
    later = on.plus(3)
    write_down(south, "return", 80, later, member=BELA, of=spent, sale=spent.event)
    together(office, BELA, ANNA, later)
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        with store.writing():
            settlement.settle_again(store, database, TENANT, [spent.event])
    assert (report(office, on), report(office, later)) == ([], [])


def test_what_a_credit_pays_is_found_without_a_look_at_all_that_was_ever_spent(
    office: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    north = office.till(1)
    on = north.today
    write_down(north, "sale", 900, on)
    looked = list[int]()
    for count in (2, 20):
        for _ in range(count):
            spend(north, 1, on)
        credit = write_down(north, "sale", 5, on)
        with opened(office.folder) as (store, _), store.reading():
            known = store.event(credit.event)
            assert known is not None
            with monkeypatch.context() as patch:
                noted = Mock(side_effect=store.event)
                patch.setattr(store, "event", noted)
                assert settlement.paid_by(store, facts.read(known.body)) == set()
            looked.append(noted.call_count)
    assert looked[0] == looked[1]
