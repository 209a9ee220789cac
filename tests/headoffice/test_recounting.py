"""Head office works every sale of its tills out again: what differs is flagged, nothing is changed for it."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain import returns, void
from app.domain.business_day import BusinessDate
from app.domain.entries import POINTS, Entry, EntryId
from app.domain.programme import Goods
from app.domain.programme_versions import CHAIN_FROM
from app.protocol import events, facts
from app.protocol.events import Event
from app.protocol.facts import OVERRIDE, Facts, Posting, write
from app.protocol.links import genesis
from app.protocol.store import SaleReturn
from app.queries.selling_date import selling_date
from app.sync.exchange import Exchange
from app.usecases.sell import sell
from db import till as till_rows
from headoffice import programmes, recounting, recounting_back, settlement
from headoffice.nights import Duty
from headoffice.recounting import At, Recounting
from headoffice.watching import Watch
from tests.app.chain import settle
from tests.app.joined import balance, kept_database, put_back, sell_to
from tests.app.kiosk import Kiosk, kiosk, made_template, sale_command, template
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    HttpTill,
    Served,
    database_of,
    opened,
    rows,
    wait_for,
)

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]

FLAGS = "SELECT what, claimed, ours FROM recount_flag ORDER BY what, noted_ms"
BEHIND = """
SELECT device.device_id FROM device LEFT JOIN recount_place AS place USING (tenant_id, dist_key, device_id)
WHERE (place.epoch IS NULL AND (device.epoch > 1 OR device.seq > 0)) OR place.epoch < device.epoch
    OR place.seq < device.seq
"""
"""Of a till that has sent nothing there is nothing to look at."""


def recounted(office: Served) -> list[tuple[Any, ...]]:
    """The flags, once head office has looked at all that it has."""
    wait_for(lambda: not rows(office.folder, BEHIND))
    return rows(office.folder, FLAGS)


def selling(till: Kiosk) -> BusinessDate:
    """The business date of the open shift."""
    with till.ctx.read() as conn:
        return selling_date(till.ctx, conn)


def settled(office: Served, on: BusinessDate) -> list[settlement.Settled]:
    with contextlib.closing(database_of(office.folder)) as database, database.of(TENANT):
        return list(settlement.report(database, TENANT, on, on))


def publish(office: Served, till: Kiosk, starts: BusinessDate, **changed: Any) -> int:
    """The till's own programme, changed, becomes the chain's."""
    with till.ctx.read() as conn:
        plain = json.loads(till_rows.programmes(conn)[0][2])
    document = {**plain, **changed, "starts": starts.iso()}
    with opened(office.folder) as (store, _), store.writing():
        return programmes.publish(store, document, starts).version


def test_kinds_are_the_tills_own() -> None:
    from app import posting

    assert (recounting.SALE, recounting.PROGRAMME) == (posting.SALE, posting.PROGRAMME)
    assert (recounting_back.RETURN, recounting_back.VOID) == (posting.RETURN, posting.VOID)


@pytest.mark.usefixtures("each_store")
def test_an_honest_till_is_asked_nothing(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.busy_morning()
    exchange = let_in(till, office, lines)
    settle(exchange)
    hold = exchange.hold(till.member_id, 200, selling(till))
    sell_to(till, till.member_id, redeem=200, hold=hold)
    settle(exchange)
    assert recounted(office) == []
    version = publish(office, till, selling(till))

    def has_it() -> bool:
        settle(exchange)
        with till.ctx.read() as conn:
            return till_rows.programme(conn, version) is not None

    wait_for(has_it)  # Head office notices an operator's command within a quarter of a second.
    sell_to(till, till.member_id)
    settle(exchange)
    assert recounted(office) == []


@pytest.mark.usefixtures("each_store")
def test_a_till_that_gives_more_than_its_rules_is_named_with_both_figures(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, office, lines)
    before = balance(till, till.member_id)
    with till.ctx.read() as conn:
        own = till.ctx.programme_on(conn, till.ctx.business_date())
    rate = replace(own.earning.base, points=own.earning.base.points * 3)
    richer = replace(own, earning=replace(own.earning, base=rate))
    monkeypatch.setattr(till.ctx, "programme_on", lambda *_: richer)
    sell_to(till, till.member_id, 10000)
    settle(exchange)
    assert recounted(office) == [("earned", 300, 100)]
    with opened(office.folder) as (store, _), store.reading():
        known = store.member(till.member_id)
        assert known is not None
        assert known.state.balance(POINTS) == before + 300, "it stands until somebody decides"


@pytest.mark.usefixtures("each_store")
def test_a_till_that_takes_back_less_than_it_gave_is_named(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, office, lines)
    sold = till.quote_and_sell(9000, quantity=3).result
    honest = returns._earned
    monkeypatch.setattr(returns, "_earned", lambda *given: honest(*given) // 2)
    back = till.take_back(sold.event_id).result
    monkeypatch.undo()
    settle(exchange)
    assert back.document.points_taken_back == 45
    assert recounted(office) == [("taken_back", 45, 90)]
    till.take_back(sold.event_id)
    settle(exchange)
    assert len(recounted(office)) == 1, "the next one is right by what was kept"


def test_what_was_kept_is_what_a_till_knew_or_what_all_tills_did(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, office, lines)
    sold = till.quote_and_sell(9000, quantity=3).result
    settle(exchange)
    recounted(office)
    stranger = office.till(2)
    stranger.earn(ANNA)
    stranger.sync()
    event = dict(rows(office.folder, "SELECT device_id, event_id FROM link"))[stranger.device]
    elsewhere = SaleReturn(event, None, selling(till), (facts.Returned(0, 1, 90, 0),))
    with opened(office.folder) as (store, _), store.writing():
        store.add_return(sold.event_id, elsewhere)
    till.take_back(sold.event_id)
    settle(exchange)
    theirs = [("unreadable", 0, 0)]  # the stranger's earning has no counter's document
    assert recounted(office) == theirs, "the till had not heard of the other return"
    with opened(office.folder) as (store, _), store.reading():
        kept = recounting_back._kept_before(store, sold.document, sold.event_id, till.last_event())
    assert kept == [(3,), (2,)]


def test_a_void_that_keeps_what_was_earned_is_named(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, office, lines)
    sold = till.quote_and_sell(9000).result
    mirror = void._mirror
    monkeypatch.setattr(void, "_mirror", lambda *given: (mirror(*given)[0], [], []))
    till.undo(sold.event_id)
    monkeypatch.undo()
    settle(exchange)
    assert recounted(office) == [("taken_back", 0, sold.document.points_earned)]


def test_a_sale_by_rules_that_were_over_stands_and_is_flagged(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    version = publish(office, till, selling(till))
    sell_to(till, till.member_id)
    settle(exchange)
    sell_to(till, till.member_id)
    settle(exchange)
    assert version == CHAIN_FROM
    assert recounted(office) == [("older_version", 1, CHAIN_FROM)]


def test_two_tills_that_knew_nothing_of_each_other_go_over_the_days_cap(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.quote_and_sell()
    one, two = let_in(till, office, lines), let_in(second, office, lines, "till 2")
    settle(one, two)
    for each in (till, second):  # 5,000 points of 8,000 a day, each without knowing of the other
        sell_to(each, till.member_id, 600_000)
    settle(one, two)
    flags = recounted(office)
    assert {what for what, *_ in flags} == {"day_cap"}
    assert all(claimed > ours == 8000 for _, claimed, ours in flags)


@pytest.mark.parametrize(
    "sale",
    [None, {}, {"lines": 7}, {"programme": ["x", 1]}],
)
def test_a_sale_that_cannot_be_read_is_flagged_and_stops_nothing(
    office: Served, sale: object
) -> None:
    till = office.till()
    event = till.rng.randbytes(16)
    made = Facts(event, "sale", ANNA, till.today)
    blank = dict.fromkeys(("staff", "shift", "pv"))
    body = events.encode(
        json.loads(write(made))
        | {"cmd": event.hex(), "device": till.device.hex(), "at": 1, "off": 480, **blank}
        | {"doc": {"sale": sale}}
    )
    till.at.commit(made, body)
    till.sync()
    assert recounted(office) == [("unreadable", 0, 0)]


@pytest.mark.parametrize(
    ("version", "flagged"),
    [
        (7, ("unknown_version", 7, 0)),
        (2**63 - 1, ("unknown_version", 0, 0)),
        (10**30, ("unknown_version", 0, 0)),
    ],
)
def test_a_sale_by_rules_that_nobody_knows_is_flagged(
    till: Kiosk, office: Served, version: int, flagged: tuple[Any, ...]
) -> None:
    sell_to(till, till.member_id)
    stranger = office.till()
    event = json.loads(till.last_event().to_bytes())
    event["doc"]["sale"]["programme"][1] = version
    event["device"] = stranger.device.hex()
    body = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    stranger.at.commit(facts.read(body), body)
    stranger.sync()
    assert recounted(office) == [flagged]


def test_a_sale_at_the_turn_of_a_minute_is_honest(till: Kiosk) -> None:
    happy = till.quote_and_sell()
    event, on = till.last_event(), selling(till)
    with till.ctx.read() as conn:
        own = till.ctx.programme_on(conn, on)
    minute = (event.at_us // 60_000_000 + event.offset_min) % 1440
    document, read = happy.result.document, facts.read(event.to_bytes())
    for begins, named in ((minute, []), (minute - 1, ["earned", "earned"])):
        rule = replace(
            own.earning.multipliers[0], goods=Goods(), factor_bp=30000, weekdays=frozenset(),
            from_minute=begins, until_minute=minute + 1,
        )  # fmt: skip
        changed = replace(own, earning=replace(own.earning, multipliers=(rule,)))
        found = recounting.recounted(document, At(b"", event, read), changed)
        assert [each.what for each in found] == named


def test_a_till_that_is_placed_anew_is_followed_into_its_new_epoch(
    till: Kiosk, office: Served, lines: list[Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    kept = kept_database(till)
    sell_to(till, till.member_id)
    put_back(till, kept)
    lines.append(Exchange(till.ctx))
    settle(lines[-1])
    on = selling(till)
    with till.ctx.read() as conn:
        own = till.ctx.programme_on(conn, on)
    monkeypatch.setattr(till.ctx, "programme_on", lambda *_: replace(own, pending_days=3))
    sell_to(till, till.member_id)
    settle(lines[-1])
    assert [what for what, *_ in recounted(office)] == ["available_from", "entries"]


@pytest.mark.usefixtures("each_store")
def test_points_earned_in_one_store_and_spent_in_another_are_settled(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    sold = till.quote_and_sell().result
    one = let_in(till, office, lines)
    two = let_in(second, office, lines, "till 2", shop="South")
    settle(one, two)
    on, earned = selling(second), sold.document.points_earned
    assert earned > 300
    hold = two.hold(till.member_id, 300, on)
    command = sale_command(second.ctx, second.session, till.member_id, 9000, quantity=3, redeem=300)
    spent = sell(second.ctx, replace(command, hold=hold)).result
    settle(one, two)
    recounted(office)
    north, south = (TENANT[:15] + bytes([number]) for number in (0, 1))
    assert settled(office, on) == [settlement.Settled(north, south, 300, 300, 1)]
    assert settled(office, on.plus(-1)) == []
    second.take_back(spent.event_id)  # one of three
    settle(two)
    recounted(office)
    assert settled(office, on) == [settlement.Settled(north, south, 200, 200, 1)]
    second.take_back(spent.event_id, 2)
    settle(two)
    recounted(office)
    assert settled(office, on) == []


@pytest.mark.usefixtures("each_store")
def test_what_is_read_twice_gives_the_same_rows(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, office, lines)
    settle(exchange)
    publish(office, till, selling(till))
    hold = exchange.hold(till.member_id, 200, selling(till))
    assert hold is None, "nothing was earned yet"
    sell_to(till, till.member_id)
    settle(exchange)
    hold = exchange.hold(till.member_id, 200, selling(till))
    sell_to(till, till.member_id, redeem=200, hold=hold)
    settle(exchange)
    first = recounted(office), rows(office.folder, "SELECT * FROM settlement")
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        with store.writing():
            database.run("UPDATE recount_place SET epoch = 1, seq = 0")
        again = Recounting(database, Watch())
        again.read([(TENANT, till.ctx.till.device)])
        duties = {TENANT: Duty(office.office.chains[TENANT].chain, store, ("all",))}
        while again.turn(duties, 1):
            pass
    assert (rows(office.folder, FLAGS), rows(office.folder, "SELECT * FROM settlement")) == first
    assert [what for what, *_ in first[0]] == ["older_version"]
    assert len(first[1]) == 1


def test_a_version_that_this_process_published_is_known_at_once(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    exchange = let_in(till, office, lines)
    sell_to(till, till.member_id)
    settle(exchange)
    assert recounted(office) == []
    with till.ctx.read() as conn:
        plain = json.loads(till_rows.programmes(conn)[0][2])
    document, on = plain | {"starts": selling(till).iso()}, selling(till)
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        again = Recounting(database, Watch())
        duties = {TENANT: Duty(office.office.chains[TENANT].chain, store, ("all",))}
        for flagged in ([], ["older_version"]):
            with store.writing():
                database.run("UPDATE recount_place SET epoch = 1, seq = 0")
            again.due(TENANT, till.ctx.till.device)
            while again.turn(duties, 1):
                pass
            assert [what for what, *_ in rows(office.folder, FLAGS)] == flagged
            with store.writing():
                programmes.publish(store, document, on)
            on, document = on.plus(1), document | {"starts": on.plus(1).iso()}


def strange(till: HttpTill, kind: str, **changed: Any) -> bytes:
    """An event with the keys of a counter's and values that no till of ours writes."""
    event = till.rng.randbytes(16)
    entry = Entry(EntryId(event, 0), POINTS, "redeem", -1, till.today)
    made = Facts(event, kind, ANNA, till.today, (Posting(entry, OVERRIDE),))
    blank = dict.fromkeys(("staff", "shift", "pv"))
    plain = json.loads(write(made)) | blank
    plain |= {"cmd": event.hex(), "device": till.device.hex(), "at": 1, "off": 480, "doc": {}}
    body = events.encode(plain | changed)
    till.at.commit(facts.read(body), body)
    return event


HUGE = {"benefits_used": [["birthday", 10**12]]}


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "programme", "doc": []},
        {"kind": "programme", "doc": {"version": 3, "programme": [1]}},
        {"kind": "day_close", "doc": []},
        {"kind": "sale", "doc": {"sale": [1]}},
        {"kind": "sale", "doc": {"sale": "text"}},
        {"kind": "sale", "doc": [], "device": ""},
        {"kind": "return", "device": "ff"},
    ],
)
def test_one_strange_event_stops_no_recount(office: Served, changed: dict[str, Any]) -> None:
    till = office.till()
    till.earn(ANNA, 50)
    strange(till, **changed)
    till.earn(ANNA, 50)
    till.sync()
    assert [what for what, *_ in recounted(office)].count("unreadable") >= 2
    assert office.office._recounting._not_before_ms == {}


def test_a_benefit_of_no_year_is_a_question(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    sell_to(till, till.member_id)
    event = json.loads(till.last_event().to_bytes())
    event["doc"]["sale"] |= HUGE
    exchange = let_in(till, office, lines)
    settle(exchange)
    assert recounted(office) == [], "the till's own rules are known by now"
    forged = Event.from_bytes(events.encode(event), epoch=1, seq=1)
    with contextlib.closing(database_of(office.folder)) as database:
        store = database.store(TENANT)
        with store.writing():
            at = At(till.ctx.till.device, forged, facts.read(forged.to_bytes()))
            found = Recounting(database, Watch())._doubts(store, TENANT, at)
    assert [each.what for each in found] == ["unreadable"]


def test_a_quarantined_event_changes_no_settlement(office: Served) -> None:
    honest, forger = office.till(1), office.till(2)
    honest.earn(ANNA, 500)
    honest.sync()
    event = strange(honest, "sale", doc={"sale": {"points_value_minor": 100}})
    honest.sync()
    recounted(office)
    before = rows(office.folder, "SELECT * FROM settlement")
    assert len(before) == 1
    plain = json.loads(dict(rows(office.folder, "SELECT event_id, body FROM event"))[event])
    forged = events.encode(plain | {"doc": {"sale": {"points_value_minor": 99_900}}})
    forger.at.commit(facts.read(forged), forged)
    forger.sync()
    recounted(office)
    assert rows(office.folder, "SELECT standing FROM event WHERE standing = 'quarantined'")
    assert rows(office.folder, "SELECT * FROM settlement") == before


def test_a_till_that_claims_a_high_epoch_is_not_walked_to_it(office: Served) -> None:
    till = office.till()
    till.earn(ANNA)
    till.sync()
    recounted(office)
    with opened(office.folder) as (store, _), store.writing():
        known = store.device(till.device)
        assert known is not None
        store.put_device(known._replace(place=genesis(TENANT, till.device, 1 << 31)))
    wait_for(lambda: not rows(office.folder, BEHIND))
    assert rows(office.folder, "SELECT epoch, seq FROM recount_place") == [(1 << 31, 0)]
