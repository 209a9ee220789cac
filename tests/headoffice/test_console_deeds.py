"""What head office does with members from their page: merge, un-merge, erase, write off; and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.entries import POINTS, Entry, EntryId
from app.protocol import facts
from app.protocol.facts import OVERRIDE, Facts, Posting
from app.protocol.profiles import erase
from app.protocol.store import Tenant
from headoffice import audit
from headoffice.console import member_pages
from tests.headoffice.console_browser import OWN, Person, let_in, write_profile
from tests.headoffice.console_fixtures import anna, bela
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    opened,
    rows,
    served,
)
from tests.headoffice.test_console_people import give_store
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "bela"]
ANNAS, BELAS = f"/console/members/{ANNA.hex()}", f"/console/members/{BELA.hex()}"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Served]:
    begin_chain(tmp_path)
    with served(tmp_path) as made:
        till = made.till(1)
        till.earn(ANNA, 7, sales=3)
        till.earn(BELA, 5)
        till.sync()
        write_profile(tmp_path, ANNA, name="Anna Able", phone="+8613800006621")
        write_profile(tmp_path, BELA, name="Bela Baker", card="880000124471")
        yield made


def balance(at: Served, member: bytes) -> int:
    with opened(at.folder) as (store, _), store.reading():
        known = store.member(member)
        assert known is not None
        return known.state.balance()


def test_the_ledger_has_a_running_balance_over_its_pages(at: Served, anna: Person) -> None:
    till = at.tills[0]
    till.earn(ANNA, 7, sales=60)
    till.sync()
    page = anna.look(ANNAS).text
    shown = re.findall(r'data-head="Balance" class="number">([0-9,]+)<', ledger(page))
    assert shown[:2] == ["441", "434"]
    older = re.search(rf'href="({ANNAS}\?before=\d+)"', page)
    assert older
    rest = re.findall(
        r'data-head="Balance" class="number">([0-9,]+)<', ledger(anna.look(older[1]).text)
    )
    assert [int(each) for each in (*shown, *rest)] == list(range(441, 0, -7))


def test_two_members_are_looked_at_and_merged_and_parted_again(at: Served, anna: Person) -> None:
    anna.look(ANNAS)
    page = anna.send(f"{ANNAS}/merge", other="880000124471")
    assert "B***" in page.text or "Bela" not in page.text
    assert BELA.hex() in page.text
    assert balance(at, ANNA) == 21, "nothing is done yet"
    page = anna.send(f"{ANNAS}/merge/done", other=BELA.hex())
    assert page.url.path == ANNAS
    assert (balance(at, ANNA), balance(at, BELA)) == (26, 0)
    assert ("merged", BELA.hex()) in acts(at.folder)
    assert "Take the merge back" in anna.look(BELAS).text
    for page in (anna.look(ANNAS), anna.look(BELAS), anna.look(f"{ANNAS}/ledger.csv")):
        assert "carried" not in page.text, "names and parts are nobody's movements"
    anna.send(f"{BELAS}/unmerge")
    assert (balance(at, ANNA), balance(at, BELA)) == (21, 5)
    assert ("unmerged", ANNA.hex()) in acts(at.folder)


def test_a_merge_waits_for_what_is_held_and_says_so(at: Served, anna: Person) -> None:
    till = at.tills[0]
    till.reply(till.hold(BELA, 2))
    anna.look(ANNAS)
    page = anna.send(f"{ANNAS}/merge", other=BELA.hex())
    assert "are held at a till" in page.text
    assert "merge/done" not in page.text
    assert anna.send(f"{ANNAS}/merge/done", other=BELA.hex()).status_code == 422
    assert balance(at, ANNA) == 21


@pytest.mark.parametrize("other", ["", "nobody", "00" * 16])
def test_who_is_not_one_other_member_is_not_merged(anna: Person, other: str) -> None:
    anna.look(ANNAS)
    assert anna.send(f"{ANNAS}/merge", other=other).status_code == 422


def test_a_member_is_not_merged_into_itself_nor_twice(at: Served, anna: Person) -> None:
    anna.look(ANNAS)
    assert "one and the same" in anna.send(f"{ANNAS}/merge", other=ANNA.hex()).text
    anna.send(f"{ANNAS}/merge/done", other=BELA.hex())
    assert "merged already" in anna.send(f"{ANNAS}/merge", other=BELA.hex()).text
    assert anna.send(f"{ANNAS}/merge/done", other=BELA.hex()).status_code == 422
    assert anna.send(f"{ANNAS}/unmerge").status_code == 404, "it is the one that stands"


def test_a_person_is_erased_after_their_number_was_typed_twice(
    at: Served, anna: Person, bela: Person
) -> None:
    page = anna.look(f"{ANNAS}/erase")
    assert "Anna Able" not in page.text
    assert anna.send(f"{ANNAS}/erase").status_code == 422
    assert anna.send(f"{ANNAS}/erase", proof="zzzz").status_code == 422
    assert rows(at.folder, "SELECT count(*) FROM cell WHERE field = 'name'")[0][0] == 2
    anna.send(f"{ANNAS}/erase", proof=ANNA.hex()[:4], left="points 21")
    bela.look(f"{ANNAS}/erase")
    assert bela.send(f"{ANNAS}/erase", proof="zzzz").status_code == 422
    assert rows(at.folder, "SELECT count(*) FROM cell WHERE field = 'name'")[0][0] == 2
    bela.send(f"{ANNAS}/erase", proof=ANNA.hex()[:4], left="points 21")
    assert rows(at.folder, "SELECT count(*) FROM cell WHERE field = 'name'")[0][0] == 1
    told = anna.look(ANNAS).text
    assert "This person was erased." in told
    assert "yet to forget this person: North / till 1." in told
    with closing(database_of(at.folder)) as database, database.of(TENANT):
        assert audit.check(database, TENANT).wrong == (), "an erasure changes no line of the audit"
    done = [each for each in acts(at.folder) if each[0] in ("forfeited", "erased")]
    assert done == [("forfeited", "points 21"), ("erased", "")]
    assert balance(at, ANNA) == 0
    at.tills[0].exchange()
    at.tills[0].exchange()
    assert "Every till that is not revoked has forgotten this person." in anna.look(ANNAS).text
    assert budget(at).overdrawn == 0


def test_a_manager_reads_which_tills_of_their_own_stores_have_yet_to_forget(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, shop in ((2, "South"), (3, "South"), (4, "North")):
        at.till(seed, shop).sync()
    with opened(at.folder) as (store, _), store.writing():
        erase(store, ANNA, "all")
    mara = Person(at)
    mara.begin(let_in(at.folder, "MA", "manager"))
    give_store(anna, TENANT[:15] + bytes(1))
    mara.sign_in("MA", OWN)
    whose = "yet to forget this person: "
    told = mara.look(ANNAS).text
    assert f"{whose}North / till 1, North / till 4, 2 of other stores." in told
    assert "till 2" not in told
    whole = f"{whose}North / till 1, North / till 4, South / till 2, South / till 3."
    assert whole in anna.look(ANNAS).text
    monkeypatch.setattr(member_pages, "WAITING_MOST", 1)
    assert f"{whose}North / till 1, 1 more, 2 of other stores." in mara.look(ANNAS).text
    assert f"{whose}North / till 1, 3 more." in anna.look(ANNAS).text
    mara.close()


def test_nobody_is_erased_who_still_has_something(at: Served, anna: Person, bela: Person) -> None:
    place, proof = f"{ANNAS}/erase", ANNA.hex()[:4]
    assert "They still have: Points 21." in anna.look(place).text
    assert anna.send(place, proof=proof).status_code == 422
    assert anna.send(place, proof=proof, left="points 14").status_code == 422
    assert bela.look(place).text.count("Ask for it") == 1, "nothing was asked for"
    anna.send(place, proof=proof, left="points 21")
    at.tills[0].earn(ANNA, 7)
    at.tills[0].sync()
    bela.look(place)
    page = bela.send(place, proof=proof, left="points 21")
    assert page.status_code == 422
    assert "They still have: Points 28." in page.text, "somebody agrees to what they have seen"
    assert (balance(at, ANNA), "This person was erased." in anna.look(ANNAS).text) == (28, False)


def test_nobody_is_erased_of_whom_something_is_held(at: Served, anna: Person, bela: Person) -> None:
    place, proof = f"{ANNAS}/erase", ANNA.hex()[:4]
    anna.look(place)
    anna.send(place, proof=proof, left="points 21")
    till = at.tills[0]
    till.reply(till.hold(ANNA, 2))
    page = bela.look(place)
    assert "are held at a till" in page.text
    assert 'name="proof"' not in page.text
    assert bela.send(place, proof=proof, left="points 21").status_code == 422
    assert balance(at, ANNA) == 21


def test_who_was_merged_is_erased_once_the_one_they_went_into_has_nothing_left(
    at: Served, anna: Person, bela: Person
) -> None:
    anna.look(ANNAS)
    anna.send(f"{ANNAS}/merge/done", other=BELA.hex())
    place, proof = f"{BELAS}/erase", BELA.hex()[:4]
    assert "They still have: Points 26." in anna.look(place).text
    assert anna.send(place, proof=proof).status_code == 422
    for each in (anna, bela):
        each.look(place)
        each.send(place, proof=proof, left="points 26")
    assert balance(at, ANNA) == 0
    assert rows(at.folder, "SELECT count(*) FROM cell WHERE field = 'name'")[0][0] == 0


def test_overspent_points_are_written_off_once(at: Served, anna: Person) -> None:
    assert "overspent points off" not in anna.look(ANNAS).text
    assert anna.send(f"{ANNAS}/forgive").status_code == 422
    overspend(at)
    assert "Write 9 overspent points off" in anna.look(ANNAS).text
    before = budget(at)
    anna.send(f"{ANNAS}/forgive")
    after = budget(at)
    assert (before.overdrawn, after.overdrawn) == (9, 0)
    assert after.written_off - before.written_off == 9
    assert "overspent points off" not in anna.look(ANNAS).text
    assert ("forgiven", "9") in acts(at.folder)


def test_nobody_but_head_office_changes_a_member(at: Served) -> None:
    for initials in ("MA", "AU"):
        person = Person(at)
        person.begin(let_in(at.folder, initials, "manager" if initials == "MA" else "auditor"))
        page = person.look(ANNAS).text
        assert "/merge" not in page
        assert "/erase" not in page
        person.close()


def test_an_event_of_a_member_says_what_it_is(at: Served, anna: Person) -> None:
    page = anna.look(ANNAS).text
    link = re.search(rf'href="({ANNAS}/events/[0-9a-f]+)"', page)
    assert link
    why = anna.look(link[1])
    assert why.status_code == 200
    assert "<h1>Sale</h1>" in why.text
    assert anna.look(link[1].replace(ANNA.hex(), BELA.hex())).status_code == 404, "it is not hers"
    assert ("why_seen", "") in acts(at.folder)


def budget(at: Served) -> Tenant:
    with opened(at.folder) as (store, _), store.reading():
        return store.tenant()


def overspend(at: Served) -> None:
    """A till spends 30 of Anna's 21 points, as a supervisor allowed it to."""
    till = at.tills[0]
    event, on = till.rng.randbytes(16), till.today
    entry = Entry(EntryId(event, 0), POINTS, "redeem", -30, on)
    made = Facts(event, "sale", ANNA, on, (Posting(entry, OVERRIDE),))
    till.at.commit(made, facts.write(made))
    till.sync()


def ledger(page: str) -> str:
    return page[page.index('aria-label="Ledger"') :]
