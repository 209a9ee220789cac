"""Lists that were narrowed: the page and its file have just what was chosen, however many pages that is."""

from __future__ import annotations

import contextlib
import html
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from app.domain.business_day import BusinessDate
from app.protocol.hlc import stamp
from app.protocol.profiles import take_cells
from app.protocol.store import StoredEvent
from app.protocol.wire import Cell
from headoffice.alarms import Alarm, Alarms
from headoffice.console import lists
from headoffice.console.lists import Field, chosen
from headoffice.console.snapshot import Snapshot
from headoffice.console.staff import Staff
from headoffice.store.distribution import dist_key
from tests.headoffice.console_browser import Person, let_in, signed_in
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    opened,
    served,
    wait_for,
)
from tests.headoffice.http_office import rows as asked_of
from tests.headoffice.test_console_days import close
from tests.headoffice.test_console_pages import rows_of

DAY: Final = 86_400_000
NOON_MS: Final = 1_700_000_000_000 // DAY * DAY + DAY // 2
ON: Final = BusinessDate(NOON_MS // DAY)
TILLS: Final = {"north": 1, "south": 2}
FLAG: Final = 'href="/console/recount/([0-9a-f]{32})"'
DATE: Final = ON.iso()
SHOPS: Final = {name: (TENANT[:15] + bytes([n])).hex() for n, name in enumerate(("North", "South"))}


class Chain(NamedTuple):
    """A chain with something in every list, and somebody of head office at its console."""

    at: Served
    anna: Person
    tills: dict[str, str]


@pytest.fixture(scope="module")
def chain(each_folder: Path) -> Iterator[Chain]:
    """Its clock stands at a noon; what the lists have is of that day, and of three days around one long ago."""
    begin_chain(each_folder)
    with served(each_folder) as at, signed_in(at) as anna:
        at.clock.stand_at_noon()
        north, south = at.till(1), at.till(2, "South")
        for till in (north, south):
            till.earn(ANNA, 7, sales=4)
            till.sync()
            close(till, 1, 2)
            close(till, 2, 1)
        wait_for(lambda: asked_of(each_folder, "SELECT count(*) FROM till_close") == [(4,)])
        wait_for(lambda: asked_of(each_folder, "SELECT count(*) FROM recount_flag") == [(8,)])
        fill(each_folder, north.device, south.device)
        yield Chain(at, anna, {"north": north.device.hex(), "south": south.device.hex()})


def fill(folder: Path, north: bytes, south: bytes) -> None:
    """Rows around one day at noon in the chain's local time, a day apart."""
    with contextlib.closing(database_of(folder)) as database, database.store(TENANT).writing():
        (offset,) = database.rows("SELECT offset_minutes FROM chain")[0]
        noon_ms = NOON_MS - offset * 60_000
        staff = Staff(database, TENANT)
        for day in (-1, 1, 0):
            staff.note(noon_ms + day * DAY, None, "restored", detail=f"day {day}")
            staff.note(noon_ms + day * DAY, None, "searched", detail=f"day {day}")
            alarm = Alarm("till.silent", north.hex(), 60, noon_ms + day * DAY)
            Alarms(database, TENANT).keep([alarm], [], 0)
            Alarms(database, TENANT).keep([], [alarm] if day else [], noon_ms + 9 * DAY)
        looked = "UPDATE recount_flag SET seen_ms = 5 WHERE tenant_id = ? AND dist_key = ? AND device_id = ?"
        database.run(looked, (TENANT, dist_key(TENANT), south))
    with opened(folder) as (records, _), records.writing():
        for day in (-1, 0, 1):
            made = (noon_ms + day * DAY).to_bytes(6) + b"\x70" + bytes(8) + bytes([day + 2])
            records.put_event(StoredEvent(made, b"strange", "quarantined"))
            both = [
                Cell(ANNA, "name", f"Anna {day}", stamp(0, noon_ms + day * DAY), device)
                for device in (north, south)
            ]
            take_cells(records, both, "all", noon_ms + day * DAY)


def files(chain: Chain, path: str, **fields: str) -> list[list[str]]:
    """What the file has after this was chosen in the list's form: that of the page's own link."""
    chain.anna.look(path)
    page = chain.anna.send(path, **fields)
    assert page.status_code == 200
    for name, value in fields.items():
        assert f"{name}={value}" in str(page.url)
    found = re.search(r'class="file" href="([^"]+\.csv[^"]*)"', page.text)
    assert found
    return rows_of(chain.anna.look(html.unescape(found[1])))[1:]


def count(chain: Chain, path: str, **fields: str) -> int:
    """How many rows the file has."""
    return len(files(chain, path, **fields))


def test_the_audit_by_dates_act_and_person(chain: Chain) -> None:
    path, one = "/console/audit", {"first": DATE, "last": DATE}
    assert [row[5] for row in files(chain, path, **one)] == ["day 0", "day 0"]
    assert [row[5] for row in files(chain, path, last=DATE, what="restored")] == ["day 0", "day -1"]
    assert count(chain, path, first=ON.plus(1).iso(), last=ON.plus(1).iso(), what="searched") == 1
    assert {row[2] for row in files(chain, path, who="AN")} == {"AN"}
    assert count(chain, path, **one, who="AN") == 0


def test_alarms_by_kind_dates_till_and_whether_they_stand(chain: Chain) -> None:
    path, silent = "/console/alarms", {"kind": "till.silent", "till": chain.tills["north"]}
    assert count(chain, path, **silent) == 3
    assert count(chain, path, **silent, standing="now") == 1
    assert count(chain, path, **silent, standing="over", first=ON.plus(1).iso()) == 1
    assert count(chain, path, kind="till.silent", till=chain.tills["south"]) == 0
    assert count(chain, path, kind="lost") == 0


def test_differences_by_business_date_till_sort_and_whether_somebody_looked(chain: Chain) -> None:
    path, north = "/console/recount", chain.tills["north"]
    assert count(chain, path) == 8
    assert {row[3] for row in files(chain, path, till=north)} == {"till 1"}
    today = chain.at.tills[0].today
    assert count(chain, path, first=today.iso(), last=today.iso()) == 8
    assert count(chain, path, first=today.plus(1).iso()) == 0
    assert count(chain, path, last=today.plus(-1).iso()) == 0
    assert count(chain, path, first=today.iso(), seen="done") == 4
    assert count(chain, path, seen="new", till=north, what="unreadable") == 4
    assert count(chain, path, seen="new", till=chain.tills["south"]) == 0
    assert count(chain, path, what="price") == 0


def test_quarantine_by_dates_and_whether_somebody_looked(chain: Chain) -> None:
    path = "/console/quarantine"
    assert (count(chain, path), count(chain, path, first=DATE)) == (3, 2)
    assert count(chain, path, first=DATE, last=DATE, seen="new") == 1
    assert count(chain, path, seen="done") == 0


def test_conflicts_by_dates_field_and_either_till(chain: Chain) -> None:
    path = "/console/conflicts"
    every = count(chain, path)
    assert every > 1
    assert count(chain, path, first=ON.plus(2).iso()) == 0
    assert count(chain, path, last=ON.plus(-2).iso()) == 0
    assert 0 < count(chain, path, first=DATE, last=DATE) < every
    assert count(chain, path, field="phone") == 0
    written = files(chain, path)
    by_till = {
        name: [row for row in written if f"till {n}" in row[4::2]] for name, n in TILLS.items()
    }
    assert any(by_till.values())
    for name, device in chain.tills.items():
        assert files(chain, path, field="name", till=device) == by_till[name]


def test_day_closes_by_dates_store_and_till(chain: Chain) -> None:
    path, yesterday = "/console/days", chain.at.tills[0].today.plus(-1).iso()
    assert count(chain, path) == 4
    assert {row[2] for row in files(chain, path, till=chain.tills["south"])} == {"till 2"}
    found = files(chain, path, store=SHOPS["North"], first=yesterday)
    assert [row[:4] for row in found] == [[yesterday, "North", "till 1", "2"]]
    assert found[0][4] == "", "the Z before it is known, though it is not meant"
    assert count(chain, path, store=SHOPS["North"], till=chain.tills["south"]) == 0


def test_tills_by_store_standing_and_silence(chain: Chain) -> None:
    path = "/console/tills"
    assert [row[1] for row in files(chain, path, store=SHOPS["South"])] == ["till 2"]
    assert (count(chain, path, standing="live"), count(chain, path, standing="lost")) == (2, 0)
    assert (count(chain, path, heard="silent"), count(chain, path, heard="heard")) == (0, 2)


def test_a_members_ledger_by_kind_and_dates(chain: Chain) -> None:
    page, today = f"/console/members/{ANNA.hex()}", chain.at.tills[0].today.iso()

    def numbers(**fields: str) -> list[str]:
        chain.anna.look(page)
        told = chain.anna.send(f"{page}/ledger", **fields)
        found = re.search(r'class="file" href="([^"]+ledger\.csv[^"]*)"', told.text)
        return (
            [row[0] for row in rows_of(chain.anna.look(html.unescape(found[1])))[1:]]
            if found
            else []
        )

    every = [str(number) for number in range(8, 0, -1)]
    assert numbers() == numbers(kind="earn", asset="points", first=today, last=today) == every
    assert numbers(kind="redeem") == numbers(last=DATE) == numbers(asset="tier") == []


def test_what_is_no_choice_of_a_list_is_none(chain: Chain) -> None:
    page = chain.anna.look("/console/audit?first=yesterday&what=nothing&who=ZZ&strange=1")
    assert page.status_code == 200
    assert "audit.csv?" not in page.text
    fields = (Field("first", "From"), Field("what", "What", [("a", "A")]))
    assert (
        chosen({"first": "2026-01-01", "what": "a", "x": "y"}, fields).query
        == "first=2026-01-01&what=a"
    )


def test_a_choice_among_nothing_is_no_date(tmp_path: Path) -> None:
    """A chain whose first store and till are yet to come."""
    begin_chain(tmp_path, shops=())
    with served(tmp_path) as at, signed_in(at) as anna:
        for path, name in (("tills", "store"), ("days", "store"), ("days", "till")):
            page = anna.look(f"/console/{path}?{name}={DATE}")
            assert page.status_code == 200
            assert f'<select id="by-{name}"' in page.text
            assert f"{name}={DATE}" not in page.text


def test_the_pages_of_a_narrowed_list_stay_narrowed_and_its_file_is_whole(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 3)
    monkeypatch.setattr(lists, "READ", 2)
    chain.anna.look("/console/recount")
    page = chain.anna.send("/console/recount", till=chain.tills["north"]).text
    first = re.findall(FLAG, page)
    more = re.search(r'href="(/console/recount\?till=[0-9a-f]{32}&amp;after=3)"', page)
    assert more
    second = re.findall(FLAG, chain.anna.look(html.unescape(more[1])).text)
    assert (len(first), len(second), len({*first, *second})) == (3, 1, 4)
    with monkeypatch.context() as deep:
        deep.setattr(lists, "AFTER_MOST", 1)
        last = chain.anna.look("/console/recount?after=99999999")
        assert len(re.findall(FLAG, last.text)) == 3
        assert "Narrow the list" in last.text
        assert "after=" not in last.text
    assert count(chain, "/console/recount", till=chain.tills["north"]) == 4
    assert (
        count(chain, "/console/conflicts") == count(chain, "/console/conflicts", field="name") > 1
    )
    assert count(chain, "/console/days") == 4


def test_a_manager_chooses_among_their_own_stores_alone(chain: Chain) -> None:
    mara = Person(chain.at)
    mara.begin(let_in(chain.at.folder, "MA", "manager"))
    ((mara_id,),) = asked_of(
        chain.at.folder, "SELECT staff_id FROM console_staff WHERE initials = 'MA'"
    )
    chain.anna.look(f"/console/staff/{mara_id.hex()}")
    chain.anna.send(
        f"/console/staff/{mara_id.hex()}/role", role="manager", **{f"store-{SHOPS['South']}": "1"}
    )
    mara.sign_in("MA", "riverside tram 77 lamp")
    page = mara.look("/console/days").text
    assert SHOPS["South"] in page
    assert SHOPS["North"] not in page
    path = f"/console/days.csv?store={SHOPS['North']}"
    assert {row[1] for row in rows_of(mara.look(path))[1:]} == {"South"}, "no choice of hers"
    mara.close()


def test_conflicts_of_one_stamp_are_all_read_however_few_at_a_time(chain: Chain) -> None:
    now_ms = NOON_MS + 20 * DAY
    devices = [bytes.fromhex(device) for device in chain.tills.values()]
    with opened(chain.at.folder) as (store, _), store.writing():
        for at_ms, device in zip((now_ms, now_ms + 1), devices, strict=True):
            for member in range(3):
                cell = Cell(bytes([member]) * 16, "name", f"N {at_ms}", stamp(0, at_ms), device)
                take_cells(store, [cell], "all", at_ms)
    with chain.at.office.place.reading(TENANT) as plain:
        snapshot = Snapshot(plain, TENANT)
        every = list(snapshot.all_conflicts(1 << 62, 1_000))
        stamps = Counter(each.decides for each in every)
        assert max(stamps.values()) == 3
        for portion in (1, 2, 3, 4):
            assert list(snapshot.all_conflicts(1 << 62, portion)) == every
