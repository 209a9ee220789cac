"""Who head office lets in, what they may do, how they are shut out, and what it says of that."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator

import pytest

from app.protocol.hlc import stamp
from app.protocol.profiles import take_cells
from app.protocol.wire import Cell
from headoffice.alarms import Alarm, Alarms
from headoffice.console import finding, invitations, people_pages, staff
from tests.headoffice.console_browser import OWN, Person, let_in, signed_in, write_profile
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    Served,
    database_of,
    opened,
    rows,
    wait_for,
)
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at"]


@pytest.fixture
def mara(at: Served) -> Iterator[Person]:
    """A manager, signed in."""
    with signed_in(at, "MA", "manager") as made:
        yield made


def page_of(anna: Person, initials: str) -> str:
    found = re.search(
        rf'href="(/console/staff/[0-9a-f]+)">{initials}<', anna.look("/console/staff").text
    )
    assert found
    return found[1]


def code_on(page: str) -> str:
    """What the link on a page carries."""
    found = re.search(r'secret">http[^<]*/console/invitation\?code=([^<]+)<', page)
    assert found
    return found[1]


def test_head_office_invites_somebody_who_sets_a_password_of_their_own(
    at: Served, anna: Person
) -> None:
    anna.look("/console/staff")
    page = anna.send("/console/staff", initials="be", role="auditor")
    assert f'secret">{at.url}/console/invitation?code=' in page.text
    assert "Invited until" in anna.look(page_of(anna, "BE")).text
    bela = Person(at)
    assert bela.begin(code_on(page.text)).url.path == "/console/factor"
    assert bela.look("/console/audit").status_code == 200
    assert bela.look("/console/staff").status_code == 403
    assert "May sign in" in anna.look(page_of(anna, "BE")).text
    assert acts(at.folder)[-3:] == [
        ("let_in", "auditor"),
        ("let_in_other", "BE"),
        ("password_set", ""),
    ]
    bela.close()


@pytest.mark.parametrize("act", ["withdraw", "shut-out", "renew"])
def test_an_invitation_that_was_taken_back_opens_nothing(
    at: Served, anna: Person, act: str
) -> None:
    anna.look("/console/staff")
    code = code_on(anna.send("/console/staff", initials="be", role="auditor").text)
    place = page_of(anna, "BE")
    anna.look(place)
    page = anna.send(f"{place}/{act}")
    bela = Person(at)
    assert bela.look(f"/console/invitation?code={code}").status_code == 404
    assert bela.send("/console/invitation", code=code, password=OWN, again=OWN).status_code == 404
    if act == "renew":
        assert bela.begin(code_on(page.text)).url.path == "/console/factor"
    else:
        assert "Shut out" in page.text
    bela.close()


def test_a_withdrawal_comes_too_late_for_who_has_a_password(
    at: Served, anna: Person, mara: Person
) -> None:
    place = page_of(anna, "MA")
    anna.look(place)
    assert "withdraw" not in anna.look(place).text
    anna.send(f"{place}/withdraw")
    assert mara.look("/console/tills").status_code == 200
    assert "invitation_withdrawn" not in dict(acts(at.folder))


@pytest.mark.parametrize("initials", ["", "A B", "AN", "an", "=1"])
def test_initials_that_are_none_or_taken_are_refused(anna: Person, initials: str) -> None:
    anna.look("/console/staff")
    assert anna.send("/console/staff", initials=initials, role="auditor").status_code == 422


def test_of_two_who_let_the_same_initials_in_at_once_one_does(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def while_somebody_else_does() -> staff.Invitation:
        monkeypatch.undo()
        let_in(at.folder, "QX", "auditor")
        return staff.new_invitation()

    anna.look("/console/staff")
    monkeypatch.setattr(people_pages, "new_invitation", while_somebody_else_does)
    assert anna.send("/console/staff", initials="QX", role="head_office").status_code == 422
    assert rows(at.folder, "SELECT role FROM console_staff WHERE initials = 'QX'") == [("auditor",)]


def test_another_role_counts_at_once(at: Served, anna: Person, mara: Person) -> None:
    place = page_of(anna, "MA")
    anna.look(place)
    anna.send(f"{place}/role", role="auditor")
    assert mara.look("/console/").url.path == "/console/sign-in"
    mara.sign_in("MA", OWN)
    assert mara.look("/console/audit").status_code == 200
    assert ("role_set", "MA auditor") in acts(at.folder)


def test_who_is_shut_out_is_out_and_stays_out(at: Served, anna: Person, mara: Person) -> None:
    place = page_of(anna, "MA")
    anna.look(place)
    assert "Shut out" in anna.send(f"{place}/shut-out").text
    assert mara.look("/console/").url.path == "/console/sign-in"
    assert mara.sign_in("MA", OWN).status_code == 401
    anna.look(place)
    mara.begin(code_on(anna.send(f"{place}/renew").text))
    assert mara.look("/console/tills").status_code == 200


def test_sessions_are_ended_and_the_password_stays(anna: Person, mara: Person) -> None:
    place = page_of(anna, "MA")
    anna.look(place)
    anna.send(f"{place}/sessions")
    assert mara.look("/console/").url.path == "/console/sign-in"
    assert mara.sign_in("MA", OWN).url.path == "/console/"


@pytest.mark.parametrize("act", ["role", "sessions", "shut-out", "renew", "withdraw"])
def test_nobody_changes_their_own_account(anna: Person, act: str) -> None:
    place = page_of(anna, "AN")
    anna.look(place)
    page = anna.send(f"{place}/{act}", role="auditor")
    assert page.status_code == 422
    assert "secret" not in page.text, "no link is shown"
    assert anna.look("/console/staff").status_code == 200


def give_store(anna: Person, shop: bytes) -> None:
    """From now on the manager has this store alone."""
    place = page_of(anna, "MA")
    anna.look(place)
    anna.send(f"{place}/role", role="manager", **{f"store-{shop.hex()}": "1"})


def test_a_manager_of_a_store_finds_their_member_among_a_chain_of_the_same_name(
    at: Served, anna: Person, mara: Person
) -> None:
    with opened(at.folder) as (store, directory), store.writing():
        south = next(shop for shop in directory.shops() if shop.name == "South")
        for n in range(finding.SHOWN_MOST + 20):
            cell = Cell(n.to_bytes(16), "name", "Lin Wei", stamp(0, 1), b"d" * 16, 0)
            take_cells(store, [cell], "all", 1)
        theirs = b"\xff" * 16
        take_cells(store, [cell._replace(member=theirs)], "south", 1)
        directory.put_shop(south._replace(bucket="south"))
    wait_for(lambda: at.office.shops[south.id].bucket == "south")
    give_store(anna, south.id)
    mara.sign_in("MA", OWN)
    assert theirs.hex() in mara.send("/console/find", q="Lin").text


def test_a_manager_of_a_store_sees_what_is_alarmed_there_and_no_figures_of_the_chain(
    at: Served, anna: Person, mara: Person
) -> None:
    devices = {shop: at.till(n, shop).device for n, shop in ((1, "North"), (2, "South"))}
    south = next(shop for shop in at.office.shops.values() if shop.name == "South")
    with contextlib.closing(database_of(at.folder)) as database, database.store(TENANT).writing():
        kept = Alarms(database, TENANT)
        raised = [Alarm("till.silent", each.hex(), 7, 1) for each in devices.values()]
        raised += [Alarm("quarantine", "", 3, 1), Alarm("lost", "5", 5, 1)]
        kept.keep(raised, [], 1)
    for path in ("/console/alarms.csv", "/console/alarms"):
        told = anna.look(path).text
        assert all(each in told for each in ("till 1", "till 2", "quarantine", "without a right"))
    assert "Offline risk" in anna.look("/console/").text
    give_store(anna, south.id)
    mara.sign_in("MA", OWN)
    told = mara.look("/console/alarms").text
    assert "till 2" in told
    assert not [each for each in ("till 1", "quarantine", "without a right") if each in told]
    told = mara.look("/console/").text
    assert "Live tills" in told
    assert not [each for each in ("Offline risk", "quarantine", "Overspent") if each in told]


def test_a_manager_of_a_store_sees_its_tills_and_members_alone(
    at: Served, anna: Person, mara: Person
) -> None:
    with opened(at.folder) as (store, directory), store.writing():
        south = next(shop for shop in directory.shops() if shop.name == "South")
        directory.put_shop(south._replace(bucket="south"))
    wait_for(lambda: at.office.shops[south.id].bucket == "south")
    at.till(1, "North")
    at.till(2, "South").earn(BELA, 5)
    at.tills[0].earn(ANNA, 5)
    for till in at.tills:
        till.sync()
    write_profile(at.folder, ANNA, name="Anna North")
    give_store(anna, south.id)
    assert "South" in anna.look("/console/staff").text
    mara.sign_in("MA", OWN)
    seen = mara.look("/console/tills").text
    assert "till 2" in seen
    assert "till 1" not in seen
    assert "North" not in mara.look("/console/").text
    assert mara.look(f"/console/members/{BELA.hex()}").status_code == 200
    assert mara.look(f"/console/members/{ANNA.hex()}").status_code == 404
    assert ANNA.hex() not in mara.send("/console/find", q="Anna").text
    assert ANNA.hex() in anna.send("/console/find", q="Anna").text


def test_a_password_is_hashed_outside_the_writers_transaction(
    at: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = list[str]()
    hashed = staff.verifier_of

    def noted(password: str) -> str:
        threads.append(threading.current_thread().name)
        return hashed(password)

    monkeypatch.setattr(invitations, "verifier_of", noted)
    bela = Person(at)
    bela.begin(let_in(at.folder, "BE", "auditor"))
    assert len(threads) == 1
    assert threads != ["writer"]
    bela.close()
