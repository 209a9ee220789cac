"""Points that head office and other systems change by hand: alone within bounds, with a second person above."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.fold import fold
from app.domain.state import EMPTY
from headoffice import telling
from headoffice.console.desk import Desk
from headoffice.console.people import People
from tests.headoffice.api_office import System, code_of, publish, system, written
from tests.headoffice.console_browser import Person, let_in
from tests.headoffice.http_office import TENANT, Served, begin_chain, opened, rows, served, wait_for
from tests.headoffice.test_alarms import standing
from tests.headoffice.test_console_sign_in import acts

NOTE = "The parcel came a week late."
HAD, BOUND = 3_000, 2_000
"""What one approver lets through in a day by the starter programme."""


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """A chain with rules, on either database."""
    begin_chain(each_folder)
    publish(each_folder)
    with pytest.MonkeyPatch.context() as patch, served(each_folder) as made:
        patch.setattr(telling, "EVERY_MS", 50)
        made.till(1).sync()
        yield made


@pytest.fixture
def member(at: Served) -> bytes:
    """Somebody new with points; what was changed by hand before was yesterday."""
    made = secrets.token_bytes(16)
    at.tills[0].earn(made, HAD)
    at.tills[0].sync()

    def a_day_goes_by(_: object) -> None:
        at.office.plain.run("UPDATE adjustment SET business_date = business_date - 1")

    written(at, a_day_goes_by)
    return made


def somebody(at: Served, initials: str, role: Any = "head_office") -> Person:
    made = Person(at)
    made.begin(let_in(at.folder, initials, role))
    return made


@pytest.fixture(scope="module")
def anna(at: Served) -> Iterator[Person]:
    made = somebody(at, "AN")
    yield made
    made.close()


@pytest.fixture(scope="module")
def bela(at: Served) -> Iterator[Person]:
    made = somebody(at, "BE")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(at: Served) -> Iterator[System]:
    with system(at, "points:adjust", "members:read") as made:
        yield made


def balance(at: Served, member: bytes) -> int:
    """What the ledger says, which the fold says too."""
    with opened(at.folder) as (store, _), store.reading():
        known = store.member(member)
        assert known is not None
        assert fold(EMPTY, store.ledger(member)) == known.state
        return known.state.balance()


def here(member: bytes) -> str:
    return f"/console/members/{member.hex()}/adjust"


def preview(person: Person, member: bytes, points: str, note: str = NOTE) -> httpx.Response:
    return person.send(here(member), points=points, reason="goodwill", note=note)


def change(person: Person, member: bytes, points: str, note: str = NOTE) -> httpx.Response:
    """Type it, look at it, send it."""
    seen = preview(person, member, points, note)
    assert seen.status_code == 200, seen.text
    names = ("id", "points", "reason", "note")
    fields = {name: found(rf'name="{name}" value="([^"]*)"', seen.text) for name in names}
    return person.send(f"{here(member)}/done", **fields)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def wish(points: int, note: str = NOTE) -> dict[str, Any]:
    return {"points": points, "reason": "missed_sale", "note": note}


# In the console ----------------------------------------------------------------------------------


def test_somebody_of_head_office_gives_and_takes_points_with_a_reason(
    at: Served, member: bytes, anna: Person
) -> None:
    seen = preview(anna, member, "＋200")
    assert "3,200" in seen.text
    assert balance(at, member) == 3_000
    assert change(anna, member, "+200").url.path == f"/console/members/{member.hex()}"
    assert change(anna, member, "-50").status_code == 200
    assert balance(at, member) == 3_150
    page = anna.look(f"/console/members/{member.hex()}").text
    assert NOTE in page
    assert "Adjusted" in page
    assert [act for act, _ in acts(at.folder)[-3:]] == ["adjusted", "member_seen", "member_seen"]
    assert rows(at.folder, "SELECT overdrawn, lost FROM tenant")[0] == (0, 0)


def test_a_form_that_comes_twice_changes_points_once(
    at: Served, member: bytes, anna: Person
) -> None:
    seen = preview(anna, member, "100").text
    fields = {"points": "100", "reason": "goodwill", "note": NOTE}
    fields["id"] = found('name="id" value="([^"]*)"', seen)
    for _ in range(2):
        assert anna.send(f"{here(member)}/done", **fields).status_code == 200
    assert balance(at, member) == 3_100


def test_a_form_that_comes_twice_leads_to_what_waits(
    at: Served, member: bytes, anna: Person
) -> None:
    fields = {"points": "5000", "reason": "goodwill", "note": NOTE, "id": secrets.token_hex(16)}
    place = f"/console/adjustments/{fields['id']}"
    for _ in range(2):
        assert anna.send(f"{here(member)}/done", **fields).url.path == place
    anna.send(f"{place}/drop")
    assert balance(at, member) == 3_000


@pytest.mark.parametrize(
    ("points", "note"),
    [("0", NOTE), ("x", NOTE), ("1.5", NOTE), ("5", "short"), ("-3001", NOTE), ("5", "n" * 201)],
)
def test_what_the_rules_refuse_changes_nothing(
    at: Served, member: bytes, anna: Person, points: str, note: str
) -> None:
    no = preview(anna, member, points, note)
    assert (no.status_code, 'role="alert"' in no.text) == (422, True)
    assert balance(at, member) == 3_000


def test_a_form_with_what_no_database_keeps_is_none_of_ours(
    at: Served, member: bytes, anna: Person
) -> None:
    fields = {"points": "5", "reason": "goodwill", "note": f"{NOTE}\0", "id": secrets.token_hex(16)}
    assert anna.send(f"{here(member)}/done", **fields).status_code == 400
    assert balance(at, member) == 3_000


def test_what_a_till_has_reserved_is_not_taken(at: Served, member: bytes, anna: Person) -> None:
    till = at.tills[0]
    assert getattr(till.reply(till.hold(member, 2_500)), "granted", False)
    assert preview(anna, member, "-501").status_code == 422
    assert change(anna, member, "-500").status_code == 200
    assert balance(at, member) == 2_500


def test_more_than_one_approver_lets_through_in_a_day_takes_another_person(
    at: Served, member: bytes, anna: Person, bela: Person
) -> None:
    assert change(anna, member, str(BOUND - 1)).status_code == 200
    place = change(anna, member, "2").url.path
    assert place.startswith("/console/adjustments/")
    assert balance(at, member) == 3_000 + BOUND - 1
    wait_for(lambda: ("second.needed", f"adjust:{place[-32:]}") in standing(at))
    own = anna.send(place)
    assert (own.status_code, balance(at, member)) == (422, 3_000 + BOUND - 1)
    assert NOTE in bela.look(place).text
    assert place in bela.look("/console/").text
    assert bela.send(place).url.path == f"/console/members/{member.hex()}"
    assert balance(at, member) == 3_000 + BOUND + 1
    assert bela.send(place).status_code == 404
    assert balance(at, member) == 3_000 + BOUND + 1
    wait_for(lambda: not any(kind == "second.needed" for kind, _ in standing(at)))


def test_two_askers_do_not_share_out_what_one_member_may_have(
    at: Served, member: bytes, anna: Person, bela: Person
) -> None:
    assert change(anna, member, str(BOUND)).status_code == 200
    assert "/adjustments/" in change(bela, member, "1").url.path
    assert balance(at, member) == 3_000 + BOUND


def test_what_waits_can_be_turned_down_and_is_nobodys_once_its_asker_is_shut_out(
    at: Served, member: bytes, anna: Person, bela: Person
) -> None:
    first = change(anna, member, "5000").url.path
    assert bela.send(f"{first}/drop").status_code == 200
    assert bela.send(first).status_code == 404
    cleo = somebody(at, "CE")
    second = change(cleo, member, "5000").url.path
    cleo.close()
    assert bela.look(second).status_code == 200

    def shut_out(_: object) -> None:
        staff = at.office.staff(TENANT)
        by, person = staff.person("BE"), staff.person("CE")
        assert by is not None
        assert person is not None
        People(staff).shut_out(by.id, person, at.office.now_ms())

    written(at, shut_out)
    assert bela.look(second).status_code == 404
    assert bela.send(second).status_code == 404
    assert balance(at, member) == 3_000


def erase(member: bytes, *people: Person) -> None:
    place = f"/console/members/{member.hex()}/erase"
    for person in people:
        left = re.search(r'name="left" value="([^"]*)"', person.look(place).text)
        person.send(place, proof=member.hex()[:4], left=left[1] if left else "")


def test_notes_go_when_the_person_is_erased_however_often_they_were_merged(
    at: Served, member: bytes, anna: Person, bela: Person
) -> None:
    change(anna, member, "7")
    second, third = others = [secrets.token_bytes(16) for _ in range(2)]
    for each in others:
        at.tills[0].earn(each, HAD)
    at.tills[0].sync()

    def merge(_: object) -> None:
        server, now_ms = at.office.chains[TENANT].server, at.office.now_ms()
        assert server.merge(member, second, now_ms)
        assert server.merge(second, third, now_ms)

    written(at, merge)
    erase(third, anna, bela)
    notes = rows(at.folder, "SELECT note, points FROM adjustment WHERE points = 7")
    assert notes == [("", 7)]


def test_a_deed_is_done_on_the_store_of_its_transaction(
    at: Served, member: bytes, anna: Person, bela: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's commit that the writer hears of in between makes the chain's store another one."""

    def reopened(_: object) -> None:
        at.office.chains[TENANT] = at.office._opened(at.office.chains[TENANT].chain)

    def later(desk: Desk, asked: Any, deed: Any) -> Any:
        written(at, reopened)
        return act(desk, asked, deed)

    act = Desk.act
    monkeypatch.setattr(Desk, "act", later)
    assert change(anna, member, "100").status_code == 200
    assert balance(at, member) == 3_100
    place = change(anna, member, "5000").url.path
    assert bela.send(place).status_code == 200
    assert balance(at, member) == 8_100
    erase(member, anna, bela)
    assert balance(at, member) == 0


def test_who_was_erased_gets_no_points(
    at: Served, member: bytes, anna: Person, bela: Person, shop: System
) -> None:
    asked = secrets.token_hex(16)
    waits = change(anna, member, "5000").url.path
    looked_at = {"id": asked, "points": "50", "reason": "goodwill", "note": NOTE}
    erase(member, anna, bela)
    assert bela.look(waits).status_code == bela.send(waits).status_code == 404
    kept = rows(at.folder, "SELECT standing, note, adjustment_id FROM adjustment")
    assert ("dropped", "", bytes.fromhex(waits[-32:])) in kept
    for no in (preview(anna, member, "50"), anna.send(f"{here(member)}/done", **looked_at)):
        assert (no.status_code, "This person was erased." in no.text) == (422, True)
    path = f"/v1/members/{member.hex()}/adjustments"
    assert code_of(shop.ask("POST", path, wish(50))) == "erased"
    assert balance(at, member) == 0


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_nobody_else_changes_points(at: Served, member: bytes, role: str) -> None:
    person = somebody(at, "MA", role)
    assert preview(person, member, "5").status_code == 403
    assert (
        person.send(f"{here(member)}/done", points="5", reason="other", note=NOTE).status_code
        == 403
    )
    assert "Look at the change" not in person.look(f"/console/members/{member.hex()}").text
    person.close()


# By other systems --------------------------------------------------------------------------------


def test_a_system_changes_points_once_and_within_the_same_bounds(
    at: Served, member: bytes, shop: System, bela: Person
) -> None:
    path = f"/v1/members/{member.hex()}/adjustments"
    made = shop.post(path, wish(300), again="one")
    assert (made["standing"], balance(at, member)) == ("done", 3_300)
    assert shop.post(path, wish(300), again="one") == made
    assert balance(at, member) == 3_300
    waits = shop.post(path, wish(BOUND), 202)
    assert (waits["standing"], balance(at, member)) == ("waiting", 3_300)
    assert shop.get(f"/v1/adjustments/{waits['id']}") == waits
    assert bela.send(f"/console/adjustments/{waits['id']}").status_code == 200
    assert balance(at, member) == 3_300 + BOUND
    assert shop.get(f"/v1/adjustments/{waits['id']}")["standing"] == "done"
    with system(at, "points:adjust", name="other") as other:
        assert code_of(other.ask("GET", f"/v1/adjustments/{waits['id']}")) == "not_found"
    notes = rows(at.folder, "SELECT detail FROM console_audit WHERE act = 'api_adjusted'")
    assert [note.split(" ", 2)[2] for (note,) in notes] == [
        "300 missed_sale done", f"{BOUND} missed_sale waiting"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (wish(0), "adjust_zero"),
        (wish(5, "short"), "adjust_note_short"),
        (wish(-3_001), "adjust_below_available"),
    ],
)
def test_a_system_hears_why_points_are_not_changed(
    at: Served, member: bytes, shop: System, body: dict[str, Any], reason: str
) -> None:
    no = shop.ask("POST", f"/v1/members/{member.hex()}/adjustments", body)
    assert (code_of(no), no.json()["reason"]) == ("refused", reason)
    assert balance(at, member) == 3_000
