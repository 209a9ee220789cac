"""What takes two people, and what somebody else does while a form is on its way."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from headoffice.console.drafts import Drafts
from headoffice.console.people import People
from headoffice.console.staff import Staff
from headoffice.writer import PUSH, Job
from tests.headoffice.console_browser import OWN, Person, write_profile
from tests.headoffice.console_fixtures import anna, at, bela
from tests.headoffice.http_office import ANNA, TENANT, Served, rows, wait_for
from tests.headoffice.test_console_people import page_of
from tests.headoffice.test_console_programme import begin_draft, day_of
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at", "bela"]
ERASE = f"/console/members/{ANNA.hex()}/erase"
PROOF = ANNA.hex()[:4]


@pytest.fixture
def member(at: Served) -> None:
    """Somebody with a name."""
    till = at.till(1)
    till.earn(ANNA)
    till.sync()
    write_profile(at.folder, ANNA, name="Anna Able")


def names(at: Served) -> int:
    return int(rows(at.folder, "SELECT count(*) FROM cell WHERE field = 'name'")[0][0])


def ask(person: Person) -> httpx.Response:
    left = re.search(r'name="left" value="([^"]*)"', person.look(ERASE).text)
    return person.send(ERASE, proof=PROOF, left=left[1] if left else "")


def amid(
    at: Served, send: Callable[[], httpx.Response], meanwhile: Callable[[Staff], object]
) -> httpx.Response:
    """Send a form; its page was let in, and before the writer does what it asks, something else happens."""
    begun, go, errors = threading.Event(), threading.Event(), list[BaseException | None]()

    def act() -> None:
        begun.set()
        assert go.wait(30)
        meanwhile(at.office.staff(TENANT))

    at.writer.submit(
        Job(PUSH, 1, TENANT, act, lambda _: None, lambda _, error: errors.append(error))
    )
    assert begun.wait(30)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(send)
        try:
            wait_for(lambda: at.writer.waiting > 0)
        finally:
            go.set()
        found = answer.result()
    assert errors == [None]
    return found


# Two people


@pytest.mark.usefixtures("member")
def test_a_person_is_erased_once_a_second_person_agrees(
    at: Served, anna: Person, bela: Person
) -> None:
    assert "You asked for this" in ask(anna).text
    anna.send(ERASE, proof=PROOF)
    assert names(at) == 1, "the same person twice is one"
    assert f'href="{ERASE}"' in bela.look("/console/").text
    assert "AN asked for this" in bela.look(ERASE).text
    ask(bela)
    assert names(at) == 0
    done = [each for each in acts(at.folder) if each[0] in ("erase_asked", "agreed", "erased")]
    assert done == [("erase_asked", ""), ("agreed", "AN"), ("erased", "")]
    assert "Waits for a second" not in bela.look("/console/").text


@pytest.mark.usefixtures("member")
def test_what_somebody_asked_for_who_is_shut_out_since_counts_no_more(
    at: Served, anna: Person, bela: Person
) -> None:
    ask(anna)
    place = page_of(bela, "AN")
    bela.look(place)
    bela.send(f"{place}/shut-out")
    assert "You asked for this" in ask(bela).text
    assert names(at) == 1


@pytest.mark.usefixtures("member")
def test_what_was_asked_for_a_week_ago_is_asked_for_anew(
    at: Served, anna: Person, bela: Person
) -> None:
    ask(anna)
    at.clock.moved_ms += 8 * 86_400_000
    bela.sign_in("BE", OWN)
    assert "You asked for this" in ask(bela).text
    assert names(at) == 1


@pytest.mark.usefixtures("member")
def test_what_was_asked_for_can_be_taken_back(at: Served, anna: Person, bela: Person) -> None:
    ask(anna)
    bela.look(ERASE)
    bela.send(f"/console/members/{ANNA.hex()}/keep")
    assert "You asked for this" in ask(bela).text
    assert names(at) == 1
    assert ("withdrawn", "") in acts(at.folder)


def choose(person: Person, value: str = "") -> str:
    person.look("/console/programme")
    return person.send("/console/programme/choice", two=value).text


def test_that_publishing_takes_two_is_ended_by_two(anna: Person, bela: Person) -> None:
    takes_two = 'name="two" value="two" checked'
    assert takes_two in choose(anna, "two")
    assert takes_two in choose(anna)
    assert "You asked that one is enough" in choose(anna)
    bela.look("/console/programme")
    assert "asks that one" not in bela.send("/console/programme/choice/keep").text
    assert takes_two in choose(anna)
    assert "AN asks that one is enough" in bela.look("/console/programme").text
    assert takes_two not in choose(bela)


# In that moment


def out(initials: str) -> Callable[[Staff], object]:
    def shut(staff: Staff) -> None:
        known = staff.person(initials)
        assert known
        People(staff).shut_out(known.id, known, 1)

    return shut


def lessened(staff: Staff) -> None:
    """As one statement of somebody's hand would do it: the session goes on."""
    known = staff.person("AN")
    assert known
    staff.put(known._replace(role="auditor"))


@pytest.mark.usefixtures("member")
@pytest.mark.parametrize("meanwhile", [out("AN"), lessened], ids=["shut out", "lessened"])
def test_who_is_shut_out_in_that_moment_does_not_get_through(
    at: Served, anna: Person, meanwhile: Callable[[Staff], object]
) -> None:
    anna.look(ERASE)
    answer = amid(at, lambda: anna.send(ERASE, proof=PROOF), meanwhile)
    assert answer.history[0].headers["location"] == "/console/sign-in"
    assert rows(at.folder, "SELECT count(*) FROM console_asked") == [(0,)]
    assert "erase_asked" not in dict(acts(at.folder))


@pytest.mark.usefixtures("member")
def test_who_is_shut_out_in_that_moment_sees_nothing_that_is_written_down(
    at: Served, anna: Person
) -> None:
    path = f"/console/members/{ANNA.hex()}"
    anna.look(path)
    answer = amid(at, lambda: anna.send(path, reason="customer"), out("AN"))
    assert "Anna Able" not in answer.text
    assert "member_shown" not in dict(acts(at.folder))


def test_a_draft_that_somebody_else_changed_meanwhile_is_not_written_over(
    at: Served, anna: Person, bela: Person
) -> None:
    place = begin_draft(anna, name="Spring")
    bela.look(place)
    anna.look(place)
    bela.send(place, **{"$.earning.base.points": "7"})
    answer = anna.send(place, **{"$.earning.base.points": "9"})
    assert answer.status_code == 409
    assert "Nothing of yours was kept" in answer.text
    assert ">7<" in answer.text
    assert ">9<" in answer.text
    assert 'name="$.earning.base.points" value="7"' in bela.look(place).text
    anna.send(place, json='{"mine": 1}')
    assert "&#34;mine&#34;: 1" in anna.look(place).text, "kept once they saw what stands"


@pytest.mark.parametrize("amid_publishing", [False, True])
def test_a_draft_that_somebody_else_changed_meanwhile_is_not_published(
    at: Served, anna: Person, bela: Person, amid_publishing: bool
) -> None:
    place = begin_draft(anna, name="Spring")
    anna.send(place, **{"$.starts": day_of(at, 3)})

    def send() -> httpx.Response:
        return anna.send(f"{place}/publish")

    def change(staff: Staff) -> None:
        (draft,) = Drafts(staff).all()
        changed = {**draft.document, "starts": day_of(at, 4)}
        Drafts(staff).change(draft.by, draft.id, changed, 1, seen=draft.mark)

    if amid_publishing:
        answer = amid(at, send, change)
    else:
        bela.look(place)
        bela.send(place, **{"$.starts": day_of(at, 4)})
        answer = send()
    assert answer.status_code == 409
    assert rows(at.folder, "SELECT count(*) FROM reference_set WHERE key >= 'programme:'") == [(0,)]
    assert anna.send(f"{place}/publish").url.path.startswith("/console/programme/versions/")


def test_that_publishing_takes_two_counts_from_that_moment_on(at: Served, anna: Person) -> None:
    place = begin_draft(anna, name="Spring")
    anna.send(place, **{"$.starts": day_of(at, 3)})

    def two(staff: Staff) -> None:
        known = staff.person("AN")
        assert known
        People(staff).choose(known.id, "publish_by", "two", 1)

    answer = amid(at, lambda: anna.send(f"{place}/publish"), two)
    assert "You changed this draft last" in answer.text
