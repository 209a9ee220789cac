"""Who works in the stores: said on head office's pages, taken by real tills over real HTTP."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

import msgspec
import pytest

from app.domain.errors import Refusal, Refused
from app.protocol.references import key_for
from app.protocol.shop_staff import CODE_GOOD_MS, STAFF, StaffRequest, staff_of
from app.queries.staff import StaffLine, staff_list
from app.sync.exchange import Exchange
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.staff import ChoosePin, admit, choose_pin
from app.usecases.verify import verify
from db import staff_rows
from headoffice.console.staff import Staff
from headoffice.directory import Directory
from headoffice.office import wall_ms
from headoffice.shop_staff import ShopStaff, Stranger
from headoffice.store.records import Records
from tests.app.chain import settle
from tests.app.kiosk import PIN, Kiosk, kiosk, made_template, template
from tests.headoffice.api_office import written
from tests.headoffice.console_browser import CONFIRM, Person
from tests.headoffice.console_browser import OWN as OWN_PASSWORD
from tests.headoffice.console_browser import let_in as let_in_console
from tests.headoffice.counters import let_in, lines, office, second, till
from tests.headoffice.http_office import TENANT, Served, database_of, opened, rows
from tests.headoffice.test_console_sign_in import acts

__all__ = ["kiosk", "lines", "made_template", "office", "second", "template", "till"]
pytestmark = pytest.mark.usefixtures("each_store")

PLACE = "/console/shop-staff"
NORTH, SOUTH = (f"store-{(TENANT[:15] + bytes([number])).hex()}" for number in (0, 1))
BOSS, OWN = b"b" * 16, "730186"


@pytest.fixture
def anna(office: Served) -> Iterator[Person]:
    """Somebody of head office, signed in."""
    made = Person(office)
    made.begin(let_in_console(office.folder, "AN", "head_office"))
    made.look(PLACE)
    yield made
    made.close()


@pytest.fixture
def north(till: Kiosk, office: Served, lines: list[Exchange]) -> Exchange:
    """A joined till with a manager of its own."""
    admit(till.ctx, boss(), PIN)
    exchange = let_in(till, office, lines)
    settle(exchange)
    return exchange


def boss() -> staff_rows.StaffRow:
    return staff_rows.StaffRow(BOSS, "bo", "老板", "manager", None, b"", b"", 1)


def people(till: Kiosk) -> dict[str, StaffLine]:
    session = replace(till.session, staff_id=BOSS)
    return {each.staff.initials: each for each in staff_list(till.ctx, session)}


def code_of(page: str) -> str:
    found = re.search(r'secret">([0-9]{4}) ([0-9]{4}) ([0-9]{4})<', page)
    assert found, page
    return "".join(found.groups())


def add(anna: Person, initials: str = "nn", role: str = "cashier", **more: str) -> str:
    """Somebody new in North: their first code."""
    fields = {"initials": initials, "name": "倪娜", "role": role, NORTH: "1", **more}
    return code_of(anna.send(PLACE, **fields).text)


def place_of(anna: Person, initials: str) -> str:
    found = re.search(rf'href="({PLACE}/[0-9a-f]+)">{initials}<', anna.look(PLACE).text)
    assert found
    return found[1]


def take_over(anna: Person, initials: str, same: str = "") -> int:
    page = anna.look(PLACE).text
    found = re.search(rf"{initials} · .*?name=\"who\" value=\"([0-9a-f]+)\"", page, re.DOTALL)
    assert found, page
    return anna.send(f"{PLACE}/take-over", who=found[1], same=same).status_code


def sign(till: Kiosk, who: str, pin: str) -> None:
    sign_in(till.ctx, SignIn(till.ctx.ids(), who, pin))


@contextmanager
def refused(code: Refusal) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code is code


def test_somebody_new_comes_to_the_tills_of_their_stores_alone(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], anna: Person, north: Exchange
) -> None:
    other = let_in(second, office, lines, "till 2", "South")
    settle(other)
    code = add(anna)
    settle(north, other)
    assert people(till)["nn"].above
    with second.ctx.read() as conn:
        assert staff_rows.staff_by_initials(conn, "nn") is None
        assert conn.execute(
            "SELECT count(*) FROM reference_set WHERE key LIKE 'staff@%'"
        ).fetchone() == (0,)
    choose_pin(till.ctx, ChoosePin(till.ctx.ids(), "nn", code, OWN))
    sign(till, "nn", OWN)
    # Neither code nor PIN is anywhere at head office.
    for kept in office.folder.iterdir():
        if kept.is_file():
            assert code.encode() not in kept.read_bytes()
    assert ("shop_person_added", "NN cashier") in acts(office.folder)
    assert verify(till.ctx).findings == []


def test_another_role_stores_and_leaving_reach_the_tills(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], anna: Person, north: Exchange
) -> None:
    other = let_in(second, office, lines, "till 2", "South")
    settle(other)
    code = add(anna, **{SOUTH: "1"})
    settle(north, other)
    for each, pin in ((till, OWN), (second, "481920")):
        choose_pin(each.ctx, ChoosePin(each.ctx.ids(), "nn", code, pin))
    place = place_of(anna, "NN")
    anna.look(place)
    anna.send(place, name="倪 娜", role="supervisor", **{NORTH: "1"})
    settle(north, other)
    assert (people(till)["nn"].staff.name, people(till)["nn"].staff.role) == ("倪 娜", "supervisor")
    sign(till, "nn", OWN)
    with refused(Refusal.PIN_WRONG):
        sign(second, "nn", "481920")
    anna.look(place)
    assert "Let go" in anna.send(f"{place}/let-go").text
    settle(north)
    with refused(Refusal.PIN_WRONG):
        sign(till, "nn", OWN)
    anna.look(place)
    anna.send(f"{place}/back")
    settle(north)
    sign(till, "nn", OWN)
    assert verify(till.ctx).findings == verify(second.ctx).findings == []


def test_a_tills_own_people_are_listed_and_taken_over_with_their_pins(
    till: Kiosk, office: Served, anna: Person, north: Exchange
) -> None:
    page = anna.look(PLACE).text
    assert "BO · 老板" in page
    assert "LX · 林晓" in page
    assert take_over(anna, "BO") == 200
    assert take_over(anna, "LX") == 200
    assert "· 老板" not in anna.look(PLACE).text.split("Somebody new")[0].split("Still")[-1]
    settle(north)
    assert [each.above for each in people(till).values()] == [True, True]
    sign(till, "bo", PIN)
    sign(till, "lx", PIN)


def test_one_person_at_two_tills_is_one_person(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], anna: Person, north: Exchange
) -> None:
    other = let_in(second, office, lines, "till 2")
    settle(other)
    # Both have their own Lin Xiao, the same in every word: taken over at once.
    assert take_over(anna, "LX") == 200
    place = place_of(anna, "LX")
    anna.look(place)
    anna.send(place, name="林晓", role="supervisor", **{NORTH: "1"})
    settle(north, other)
    for each in (till, second):
        with each.ctx.read() as conn:
            found = staff_rows.staff_by_initials(conn, "lx")
        assert found is not None
        assert found.role == "supervisor"


def test_somebody_of_a_new_tills_own_is_the_same_as_a_known_person(
    till: Kiosk, second: Kiosk, office: Served, lines: list[Exchange], anna: Person, north: Exchange
) -> None:
    take_over(anna, "LX")
    place = place_of(anna, "LX")
    known = place.rpartition("/")[2]
    anna.look(place)
    anna.send(place, name="林晓", role="cashier", **{NORTH: "1", SOUTH: "1"})
    other = let_in(second, office, lines, "till 2", "South")
    settle(other)
    # Until somebody says so, the new till's own stays its own.
    with second.ctx.read() as conn:
        assert conn.execute(
            "SELECT count(*) FROM reference_set WHERE key LIKE 'staff@%'"
        ).fetchone() == (0,)
    assert take_over(anna, "LX", known) == 200
    settle(other)
    place = place_of(anna, "LX")
    anna.look(place)
    anna.send(f"{place}/let-go")
    settle(north, other)
    for each in (till, second):
        with refused(Refusal.PIN_WRONG):
            sign(each, "lx", PIN)


def test_the_last_manager_of_a_till_stays(
    till: Kiosk, office: Served, anna: Person, north: Exchange
) -> None:
    take_over(anna, "BO")
    place = place_of(anna, "BO")
    anna.look(place)
    page = anna.send(f"{place}/let-go")
    assert page.status_code == 422
    assert "no manager any more" in page.text
    assert anna.send(place, name="老板", role="cashier", **{NORTH: "1"}).status_code == 422
    anna.look(place)
    assert anna.send(place, name="老板", role="manager", **{SOUTH: "1"}).status_code == 422
    anna.look(PLACE)
    add(anna, "mm", "manager")
    anna.look(place)
    assert anna.send(f"{place}/let-go").status_code == 200
    settle(north)
    with till.ctx.read() as conn:
        found = {row.initials: row.active for row in staff_rows.all_staff(conn)}
    assert found == {"bo": 0, "lx": 1, "mm": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"initials": "1x"}, {"initials": "n"}, {"initials": "lx"}, {"name": " "}, {"name": "n" * 81},
        {NORTH: None},
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_with_what_was_typed_kept(
    office: Served, anna: Person, north: Exchange, fields: dict[str, str | None]
) -> None:
    typed = {"initials": "zz", "name": "Zoe", "role": "cashier", NORTH: "1"} | fields
    page = anna.send(PLACE, **{name: text for name, text in typed.items() if text is not None})
    assert page.status_code == 422
    assert f'value="{typed["initials"]}"' in page.text
    assert rows(office.folder, "SELECT body FROM shop_person") == []


def lock(office: Served, device: bytes, standing: Literal["locked", "live"]) -> None:
    """As the writer has it once a till rebased too often, and once somebody has looked at it."""

    def put(store: Records) -> None:
        known = store.device(device)
        assert known is not None
        store.put_device(known._replace(standing=standing))
        office.office.put_till(office.office.tills[device]._replace(standing=standing))

    written(office, put)


def test_who_is_let_go_while_a_till_is_locked_is_let_go_there_too(
    till: Kiosk, office: Served, anna: Person, north: Exchange
) -> None:
    take_over(anna, "BO")
    add(anna, "mm", "manager")
    settle(north)
    device, place = till.ctx.till.device, place_of(anna, "MM")
    lock(office, device, "locked")
    anna.look(place)
    assert anna.send(f"{place}/let-go").status_code == 200
    own_boss = place_of(anna, "BO")
    anna.look(own_boss)
    assert anna.send(f"{own_boss}/let-go").status_code == 422, "it would have no manager"
    lock(office, device, "live")
    settle(north)
    with till.ctx.read() as conn:
        found = {row.initials: row.active for row in staff_rows.all_staff(conn)}
    assert (found["bo"], found["mm"]) == (1, 0)


def test_an_open_session_alone_changes_nobody(
    office: Served, anna: Person, north: Exchange
) -> None:
    add(anna)
    place = place_of(anna, "NN")
    page = anna.look(PLACE).text
    stranger = re.search('name="who" value="([0-9a-f]+)"', page)
    assert stranger
    anna.sign_in("AN", OWN_PASSWORD)
    anna.proves, before = False, rows(office.folder, "SELECT body FROM shop_person")
    new = {"initials": "zz", "name": "Zoe", "role": "cashier", NORTH: "1"}
    for act in (place, f"{place}/let-go", f"{place}/back", f"{place}/code"):
        anna.look(place)
        sent = anna.send(act, **new)
        assert (sent.url.path, dict(sent.url.params)) == (CONFIRM, {"back": place})
    for act, fields in ((PLACE, new), (f"{PLACE}/take-over", {"who": stranger[1], "same": ""})):
        anna.look(PLACE)
        sent = anna.send(act, **fields)
        assert (sent.url.path, dict(sent.url.params)) == (CONFIRM, {"back": PLACE})
    assert rows(office.folder, "SELECT body FROM shop_person") == before


def test_a_form_about_a_tills_own_person_is_of_what_the_till_told() -> None:
    told = Stranger("lx", "林晓", "cashier", True, ((b"d" * 16, b"p" * 16),))
    others = {told._replace(role="manager").mark, told._replace(name="林").mark}
    assert len({told.mark, *others}) == 3


def test_who_changes_what_somebody_changed_meanwhile_is_told(
    office: Served, anna: Person, north: Exchange
) -> None:
    add(anna)
    place = place_of(anna, "NN")
    anna.look(place)
    seen = anna.draft
    anna.send(place, name="倪", role="cashier", **{NORTH: "1"})
    anna.draft = seen
    page = anna.send(place, name="娜", role="cashier", **{NORTH: "1"})
    assert page.status_code == 422
    assert "Somebody changed this meanwhile" in page.text
    assert "倪" in page.text


def test_a_new_code_ends_the_one_before_and_none_is_good_for_ever(
    till: Kiosk, office: Served, anna: Person, north: Exchange
) -> None:
    first = add(anna)
    place = place_of(anna, "NN")
    anna.look(place)
    second_code = code_of(anna.send(f"{place}/code").text)
    settle(north)
    with refused(Refusal.PIN_WRONG):
        choose_pin(till.ctx, ChoosePin(till.ctx.ids(), "nn", first, OWN))
    choose_pin(till.ctx, ChoosePin(till.ctx.ids(), "nn", second_code, OWN))
    office.clock.moved_ms = CODE_GOOD_MS
    till.clock.step(milliseconds=CODE_GOOD_MS)
    settle(north)
    anna.sign_in("AN", OWN_PASSWORD)
    anna.look(place)
    assert anna.send(place, name="倪娜", role="supervisor", **{NORTH: "1"}).status_code == 200
    settle(north)
    device = till.ctx.till.device
    with opened(office.folder) as (store, _), store.reading():
        row = store.reference(key_for(STAFF, device))
    assert row is not None
    assert [each.code for each in staff_of(row.body)] == [None]


def test_an_old_list_that_comes_late_changes_nothing_and_one_of_a_newer_epoch_is_new(
    till: Kiosk, office: Served, anna: Person, north: Exchange
) -> None:
    told = rows(office.folder, "SELECT at, body FROM till_staff")
    assert told[0][0] > 0
    control = StaffRequest(b"r" * 16, till.ctx.till.device, 1, 1, told[0][0] - 1, ())
    put_back = msgspec.structs.replace(control, epoch=2, at=1)  # an older image of the till's disk
    people = [(told[0][0], b"\x90")]
    for late, after in (
        (control, told),
        (msgspec.structs.replace(control, at=told[0][0]), people),
        (put_back, [(1, b"\x90")]),
        (msgspec.structs.replace(control, at=told[0][0] + 9), [(1, b"\x90")]),
    ):
        with contextlib.closing(database_of(office.folder)) as database:
            store = database.store(TENANT)
            with store.writing():
                tills = Directory(database).tills_of(TENANT)
                ShopStaff(Staff(database, TENANT), tills).take_told(store, late, wall_ms())
        kept = rows(office.folder, "SELECT at, body FROM till_staff")
        assert kept == after


def test_an_auditor_reads_and_changes_nothing(
    office: Served, anna: Person, north: Exchange
) -> None:
    add(anna)
    mia = Person(office)
    mia.begin(let_in_console(office.folder, "MI", "auditor"))
    page = mia.look(PLACE)
    assert "倪娜" in page.text
    assert '<form class="stack"' not in page.text
    assert (
        mia.send(PLACE, initials="zz", name="Z", role="cashier", **{NORTH: "1"}).status_code == 403
    )
    assert "first code" in mia.look(place_of(mia, "NN")).text
    mia.close()


def test_the_list_is_of_one_store_and_a_file(office: Served, anna: Person, north: Exchange) -> None:
    add(anna)
    south = SOUTH.removeprefix("store-")
    assert "Nobody yet." in anna.look(f"{PLACE}?store={south}").text
    assert "倪娜" in anna.look(f"{PLACE}.csv").text
    assert "倪娜" not in anna.look(f"{PLACE}.csv?store={south}").text
