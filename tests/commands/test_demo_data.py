"""The demo store: as real as one that was sold into, the same for the same seed, never half made."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import phonenumbers
import pytest

from app import build, cached_fold, posting, statement
from app.commands import demo_data, demo_people, run
from app.context import Session
from app.domain.business_day import BusinessDate
from app.domain.documents import LineRequest, SaleRequest
from app.domain.entries import owner_event_id
from app.domain.errors import Outage, Unavailable
from app.intake import readings
from app.numbers import is_card_number
from app.queries import search as member_search
from app.queries.counter import quote
from app.usecases import close_day
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.owner_postings import outlook
from app.usecases.sell import Payment, Sell, sell
from app.usecases.verify import verify
from app.usecases.z_files import statement_of
from db import day, people, rows, staff_rows

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MEMBERS = 300
DAYS = 460
FAITHFUL = ("+8613800006621", "+8613800006605", "+8613900006608", "+8618600006690")


def quiet(what: str, done: int, total: int) -> None:
    """No bar in the tests."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One computer for the whole module, since the store is made once."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, machine: Path) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGULARS_MACHINE", str(machine))
        demo_data.make(folder, members=MEMBERS, days=DAYS, now=NOW, progress=quiet)
    return folder


@pytest.fixture
def till(
    made: Path, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[build.Till]:
    monkeypatch.setenv("REGULARS_MACHINE", str(machine))
    folder = tmp_path / "store"
    shutil.copytree(made, folder)
    opened = build.open_till(
        folder, passphrase=demo_data.PASSPHRASE, clock=lambda: NOW, offset_min=lambda: 0
    )
    yield opened
    opened.close()


def count(till: build.Till, sql: str) -> int:
    with till.context.read() as conn:
        return int(conn.execute(sql).fetchone()[0])


def test_every_balance_is_proved_from_the_event_bytes(till: build.Till) -> None:
    report = verify(till.context, progress=quiet, rebuild=False)
    assert report.total == 0
    assert report.members == MEMBERS
    assert not till.findings.found


def test_it_has_the_members_and_about_ten_entries_for_each(till: build.Till) -> None:
    assert count(till, "SELECT count(*) FROM member") == MEMBERS
    assert count(till, "SELECT count(*) FROM member_seq") == MEMBERS
    assert 7 * MEMBERS < count(till, "SELECT count(*) FROM ledger") < 13 * MEMBERS
    assert count(till, "SELECT count(*) FROM ledger WHERE kind = 'redeem'") > 0


def test_some_sales_were_voided_at_once_and_goods_of_some_came_back(till: build.Till) -> None:
    sales = count(till, "SELECT count(*) FROM document WHERE kind = 'sale'")
    assert 0 < count(till, "SELECT count(*) FROM document WHERE kind = 'void'") < sales // 50
    back = count(till, "SELECT count(*) FROM document WHERE kind = 'return'")
    assert sales // 100 < back < sales // 30
    other_shift = """SELECT count(*) FROM document v JOIN document s ON s.event_id = v.refers_to
        WHERE v.kind = 'void' AND s.shift_id <> v.shift_id"""
    assert count(till, other_shift) == 0


def test_points_that_lapsed_are_booked_as_at_the_close_of_their_last_date(till: build.Till) -> None:
    assert count(till, "SELECT count(*) FROM ledger WHERE kind = 'expire'") > MEMBERS // 10
    assert (
        count(
            till, "SELECT count(*) FROM ledger WHERE kind = 'expire' AND business_date <> expires"
        )
        == 0
    )
    last = till.context.business_date() - 1
    assert count(till, f"SELECT count(*) FROM lot WHERE expires <= {last}") == 0
    with till.context.read() as conn:
        found = rows.events_after(conn, 0)
        booked = [posting.event_of(row) for row in found if row.kind == posting.EXPIRE]
    for event in booked:
        assert event.member_id is not None
        on = BusinessDate(event.doc["due"])
        assert event.id == owner_event_id(event.member_id, f"expire:{on.iso()}")


def test_every_date_is_closed_by_a_z_that_says_what_a_real_one_would(till: build.Till) -> None:
    ctx = till.context
    assert close_day.date_to_close(ctx) is None
    with ctx.read() as conn:
        closes = [
            posting.event_of(row)
            for row in rows.events_after(conn, 0)
            if row.kind == posting.DAY_CLOSE
        ]
        before_on, before_seq, entries, points = close_day.NEVER_CLOSED, 0, 0, 0
        for number, event in enumerate(closes, 1):
            doc = event.doc
            window = day.Window(doc["date"], event.seq - 1, before_on, before_seq)
            assert doc["sums"] == close_day._sums(conn, window)
            added = day.ledger_since(conn, before_seq)[0] - day.ledger_since(conn, event.seq)[0]
            entries += added
            assert (doc["number"], doc["proof"]["entries"]) == (number, entries)
            blob = statement.to_file(statement_of(ctx, doc), bytes.fromhex(doc["signature"]))
            assert statement.check(blob).facts["number"] == number
            before_on, before_seq = doc["date"], event.seq
            points = doc["proof"]["points_at_end"]
        assert len(closes) == DAYS
        assert points == day.cached_points(conn)


def test_the_close_of_its_last_date_finds_no_points_left_to_book(till: build.Till) -> None:
    on = till.context.business_date().plus(-1)
    assert outlook(till.context, on).points == 0


def test_some_of_the_faithful_have_points_that_expire_soon(till: build.Till) -> None:
    soon = till.context.business_date().plus(70)
    with till.context.read() as conn:
        found = [people.members_of_phone(conn, phone)[0] for phone in FAITHFUL]
        states = [cached_fold.load_state(conn, member_id, None) for member_id in found]
    assert sum(any(lot.expires <= soon for lot in state.lots) for state in states) >= 2


def test_a_tenth_of_the_members_makes_near_half_of_the_visits(till: build.Till) -> None:
    with till.context.read() as conn:
        visits = sorted(
            (
                row[0]
                for row in conn.execute(
                    "SELECT count(*) FROM document WHERE member_id IS NOT NULL GROUP BY member_id"
                )
            ),
            reverse=True,
        )
    assert sum(visits[: MEMBERS // 10]) > 0.3 * sum(visits)


def test_time_only_goes_forward_and_ends_the_day_before(till: build.Till) -> None:
    with till.context.read() as conn:
        rows = conn.execute("SELECT at_us, business_date FROM document ORDER BY seq").fetchall()
    assert rows == sorted(rows)
    assert rows[-1][1] < till.context.business_date()
    assert rows[0][1] <= till.context.business_date() - DAYS + 2


def test_the_day_goes_on_with_a_sale(till: build.Till) -> None:
    ctx = till.context
    with ctx.read() as conn:
        staff = staff_rows.staff_by_initials(conn, "lx")
        member = conn.execute("SELECT member_id FROM member_seq ORDER BY seq DESC").fetchone()[0]
    assert staff is not None
    session = open_shift(ctx, OpenShift(ctx.ids(), Session(staff.id, None), 50_000)).result
    request = SaleRequest((LineRequest(3680),))
    shown = quote(ctx, member, request)
    to_pay = shown.draft.to_pay_minor
    sold = sell(
        ctx, Sell(ctx.ids(), session, member, request, Payment("qr", to_pay), shown.key)
    ).result
    assert sold.receipt_no.startswith("01-")
    assert verify(ctx, progress=quiet, rebuild=False).total == 0


def test_the_newest_visitor_is_found_first(till: build.Till) -> None:
    with till.context.read() as conn:
        newest, name = conn.execute(
            "SELECT s.member_id, p.name FROM member_seq AS s JOIN profile AS p USING (member_id)"
            " WHERE p.name > '一' ORDER BY s.seq DESC"
        ).fetchone()
    found = member_search.search(till.context, name)
    assert found.hits[0].member_id == newest


def test_cards_carry_their_check_digit_and_the_block_goes_on_after_them(till: build.Till) -> None:
    with till.context.read() as conn:
        cards = [value for (value,) in conn.execute("SELECT value FROM credential")]
        block = people.card_block(conn)
    assert all(is_card_number(card) for card in cards)
    assert block == (demo_data.CARD_PREFIX, MEMBERS + 1)


def test_the_same_seed_gives_the_same_people(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        demo_data.make(tmp_path / name, members=20, days=5, now=NOW, progress=quiet)
        opened = build.open_till(tmp_path / name, passphrase=demo_data.PASSPHRASE)
        with opened.context.read() as conn:
            found.append(conn.execute("SELECT name, phone FROM profile ORDER BY 1, 2").fetchall())
        opened.close()
    assert found[0] == found[1]


def test_a_folder_that_has_a_store_is_refused(made: Path) -> None:
    before = sorted(path.name for path in made.iterdir())
    with pytest.raises(Unavailable) as caught:
        demo_data.make(made, members=5, progress=quiet)
    assert caught.value.code is Outage.STORE_EXISTS
    assert sorted(path.name for path in made.iterdir()) == before


def test_one_that_was_cut_short_is_never_opened_and_does_not_stand_in_the_way(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "shop" / "store"

    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo_data.make(folder, members=20, days=5, now=NOW, progress=stop)
    assert not folder.exists()
    demo_data.make(folder, members=20, days=5, now=NOW, progress=quiet)
    assert (folder / build.DATABASE).exists()
    assert [path.name for path in folder.parent.iterdir()] == ["store"]


def test_too_little_room_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Unavailable) as caught:
        demo_data.make(tmp_path / "shop" / "store", members=1000, progress=quiet)
    assert caught.value.code is Outage.STORE_FULL
    assert not (tmp_path / "shop").exists()


def test_the_command_tells_the_passphrase_and_the_pins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["demo-data", "--store", str(tmp_path / "store"), "--members", "10"])
    told = capsys.readouterr().out
    assert code == 0
    assert demo_data.PASSPHRASE in told
    assert all(person.pin in told for person in demo_data.STAFF)


def test_a_wrong_number_of_members_is_a_wrong_use(tmp_path: Path) -> None:
    assert run(["demo-data", "--store", str(tmp_path / "store"), "--members", "0"]) == 2


def test_the_people_are_of_many_kinds() -> None:
    drawn = demo_people.People(random.Random(1))
    people_ = [drawn.draw() for _ in range(3000)]
    chinese = sum(person.name > "一" for person in people_)
    abroad = sum(
        person.phone is not None and not person.phone.startswith("+86") for person in people_
    )
    assert 2600 < chinese < 2900
    assert 60 < abroad < 200
    assert any(person.phone is None for person in people_)
    assert any(person.birthday and person.birthday[0] == "lunar" for person in people_)


def test_their_phones_could_exist() -> None:
    drawn = demo_people.People(random.Random(2))
    phones = [person.phone for person in (drawn.draw() for _ in range(500)) if person.phone]
    bad = [phone for phone in phones if not phonenumbers.is_valid_number(phonenumbers.parse(phone))]
    assert bad == []


def test_their_names_read_as_at_enrolment() -> None:
    drawn = demo_people.People(random.Random(3))
    people_ = [drawn.draw() for _ in range(400)]
    same = sum(person.reading == readings(person.name)[0] for person in people_)
    assert same >= 0.97 * len(people_)


def test_the_catalogue_has_barcodes_that_scan() -> None:
    numbers = iter(range(1000))
    items = demo_people.catalogue(lambda: next(numbers).to_bytes(16, "big"))
    codes = [code for item in items for code in item.codes]
    assert len(set(codes)) == len(items) >= 40
    for code in codes:
        digits = [int(c) for c in code]
        assert sum(digits[::2]) % 10 == (-3 * sum(digits[1::2])) % 10


def test_history_needs_no_more_than_its_days(till: build.Till) -> None:
    first = count(till, "SELECT min(business_date) FROM shift")
    assert count(till, "SELECT count(*) FROM shift") == DAYS
    assert (NOW - timedelta(days=DAYS)).date().toordinal() - 719163 == first
