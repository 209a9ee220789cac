"""Days across the stores: each Z that came, its totals, what is missing; and the alarms."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest

from app.protocol import facts
from app.protocol.events import Event
from app.protocol.facts import Facts
from app.sync.exchange import Exchange
from headoffice import closes
from headoffice.alarms import Alarm, Alarms
from headoffice.console import lists
from tests.app.chain import settle
from tests.app.closing import closed
from tests.app.kiosk import Kiosk, kiosk, made_template, template
from tests.headoffice.console_browser import OWN, Person, let_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.counters import let_in as join_in
from tests.headoffice.counters import lines, office, till
from tests.headoffice.http_office import (
    TENANT,
    HttpTill,
    Served,
    database_of,
    rows,
    wait_for,
)
from tests.headoffice.test_console_pages import rows_of
from tests.headoffice.test_console_people import give_store

__all__ = ["anna", "at", "kiosk", "lines", "made_template", "office", "template", "till"]


def close(sender: HttpTill, number: int, days_ago: int, **changed: Any) -> bytes:
    """A till closes a day, as far as head office reads of it."""
    on, event_id = sender.today.plus(-days_ago), sender.rng.randbytes(16)
    shift = {"staff": "aa", "float": 0, "expected": 500, "total": 490, "difference": -10}
    doc = {
        "number": number, "date": int(on), "unattended": 0,
        "sums": {"paid": 123_400, "issued": 77, "redeemed": 5, "shifts": [shift]}, **changed,
    }  # fmt: skip
    body = Event(
        event_id, b"c" * 16, sender.device, 1, 1, "day_close", 1_790_000_000_000_000, 480, int(on), None,
        None, None, None, [], doc,
    ).to_bytes()  # fmt: skip
    sender.at.commit(Facts(event_id, "day_close", None, on), body)
    sender.sync()
    assert facts.read(body).kind == "day_close"
    return event_id


def shown(at: Served, anna: Person, count: int) -> list[list[str]]:
    wait_for(lambda: rows(at.folder, "SELECT count(*) FROM till_close") == [(count,)])
    return rows_of(anna.look("/console/days.csv"))[1:]


def test_a_close_is_listed_with_its_totals(at: Served, anna: Person) -> None:
    sender = at.till(1)
    assert [row[4] for row in shown(at, anna, 0)] == ["No Z ever came"]
    close(sender, 7, 1)
    (row,) = shown(at, anna, 1)
    assert row[:4] == [sender.today.plus(-1).iso(), "North", "till 1", "7"]
    assert row[4:9] == ["", "¥1,234.00", "77", "5", "−¥0.10"]
    assert "¥1,234.00" in anna.look("/console/days").text


def test_what_is_missing_is_marked(at: Served, anna: Person) -> None:
    sender = at.till(1)
    close(sender, 3, 9)
    close(sender, 6, 4, unattended=1)
    found = shown(at, anna, 2)
    assert found[0][4] == f"No Z since {sender.today.plus(-4).iso()}"
    assert found[1][4] == "2 Zs are missing before it · Closed by itself"
    assert found[2][4] == ""


def test_the_last_close_of_each_till_is_known_however_many_closes_came(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "READ", 2)
    quiet, busy = at.till(1, "South"), at.till(2)
    close(quiet, 1, 9)
    for n in (1, 2, 3):
        close(busy, n, 4 - n)
    wait_for(lambda: rows(at.folder, "SELECT count(*) FROM till_close") == [(4,)])
    told = [row[2:5] for row in rows_of(anna.look("/console/days.csv"))[1:]]
    assert told == [
        ["till 1", "–", f"No Z since {quiet.today.plus(-9).iso()}"],
        ["till 2", "3", ""],
        ["till 2", "2", ""],
        ["till 2", "1", ""],
        ["till 1", "1", ""],
    ]
    mara = Person(at)
    mara.begin(let_in(at.folder, "MA", "manager"))
    give_store(anna, next(shop.id for shop in at.office.shops.values() if shop.name == "South"))
    mara.sign_in("MA", OWN)
    shown_to_her = mara.look("/console/days").text
    numbers = re.findall(r'data-head="Z"[^>]*>(?:<a[^>]*>)?([^<]*)<', shown_to_her)
    assert numbers == ["–", "1"], "the only Z of the store, though others came later"
    mara.close()


def test_a_shift_that_nobody_counted_is_told(at: Served, anna: Person) -> None:
    shift = {"staff": "aa", "float": 0, "expected": None, "total": None, "difference": None}
    close(at.till(1), 1, 1, sums={"paid": 1, "issued": 0, "redeemed": 0, "shifts": [shift]})
    assert shown(at, anna, 1)[0][4] == "1 shift not counted"


def test_a_close_is_written_down_once_and_one_that_makes_no_sense_never(at: Served) -> None:
    sender = at.till(1)
    known = Event(
        b"z" * 16,
        b"c" * 16,
        sender.device,
        1,
        1,
        "day_close",
        0,
        0,
        0,
        None,
        None,
        None,
        None,
        [],
        {},
    )
    close(sender, 1, 1)
    wait_for(lambda: rows(at.folder, "SELECT count(*) FROM till_close") == [(1,)])
    with contextlib.closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        for doc in ({}, {"sums": 7}, {**_EMPTY, "number": "1"}, {**_EMPTY, "date": 1 << 60}):
            closes.take(database, TENANT, sender.device, Event(*_with(known, doc)))
    assert rows(at.folder, "SELECT count(*) FROM till_close") == [(1,)]


def test_the_close_of_a_real_till_is_read(
    till: Kiosk, office: Served, lines: list[Exchange]
) -> None:
    till.busy_morning()
    exchange = join_in(till, office, lines)
    done = closed(till)
    settle(exchange)
    found = "SELECT number, business_date FROM till_close"
    wait_for(lambda: rows(office.folder, found) == [(done.number, int(done.on))])


_EMPTY: Any = {
    "number": 1, "date": 1, "unattended": 0,
    "sums": {"paid": 0, "issued": 0, "redeemed": 0, "shifts": []},
}  # fmt: skip


def _with(event: Event, doc: Any) -> tuple[Any, ...]:
    return (
        event.id, event.command_id, event.device, 1, 1, event.kind, 0, 0, 0, None, None, None, None, [],
        doc,
    )  # fmt: skip


def test_alarms_are_listed_those_that_stand_first(at: Served, anna: Person) -> None:
    assert "Nothing here." in anna.look("/console/alarms").text
    with contextlib.closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        kept = Alarms(database, TENANT)
        kept.keep([Alarm("quarantine", "", 3, 1_790_000_000_000)], [], 1_790_000_000_000)
    assert "Events wait in quarantine" in anna.look("/console/alarms").text
