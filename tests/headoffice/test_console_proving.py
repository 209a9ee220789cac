"""Before somebody changes what another one may do, they prove anew that it is they."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from headoffice.console.proving import GOOD_MS
from tests.headoffice.console_browser import CONFIRM, OWN, Person, let_in
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import Served
from tests.headoffice.test_console_people import page_of
from tests.headoffice.test_console_second_factor import set_up
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at"]
ACTS = ("renew", "sessions", "shut-out", "role")


@pytest.fixture
def place(at: Served, anna: Person) -> Iterator[str]:
    """The page of a manager, who has a password; whoever opens it has an open session alone."""
    mara = Person(at)
    mara.begin(let_in(at.folder, "MA", "manager"))
    anna.proves = False
    yield page_of(anna, "MA")
    mara.close()


def prove(anna: Person, proof: str, place: str) -> httpx.Response:
    return anna.send(CONFIRM, proof=proof, back=place)


def test_an_open_session_alone_changes_nobody(at: Served, anna: Person, place: str) -> None:
    before = acts(at.folder)
    for act in ACTS:
        page = anna.send(f"{place}/{act}", role="auditor")
        assert page.url.path == CONFIRM
        assert "secret" not in page.text
    assert anna.send("/console/staff", initials="NE", role="auditor").url.path == CONFIRM
    assert acts(at.folder) == before


def test_the_password_proves_it_for_some_minutes_and_this_session(
    at: Served, anna: Person, place: str
) -> None:
    assert prove(anna, "no password of mine", place).status_code == 401
    assert anna.send(f"{place}/sessions").url.path == CONFIRM
    assert prove(anna, OWN, place).url.path == place
    assert anna.send(f"{place}/sessions").url.path == place
    assert ("sessions_ended", "MA") in acts(at.folder)
    at.clock.moved_ms += GOOD_MS
    assert anna.send(f"{place}/sessions").url.path == CONFIRM
    assert prove(anna, OWN, place).url.path == place
    anna.sign_in("AN", OWN)
    anna.look(place)
    assert anna.send(f"{place}/sessions").url.path == CONFIRM, "another session has proved nothing"


def test_wrong_ones_count_and_shut_the_door(at: Served, anna: Person, place: str) -> None:
    for _ in range(5):
        assert prove(anna, "no password of mine", place).status_code == 401
    assert prove(anna, OWN, place).status_code == 401, "shut for a while"
    assert anna.send(f"{place}/renew").url.path == CONFIRM


def test_who_has_a_second_factor_proves_it_by_a_code(at: Served, anna: Person, place: str) -> None:
    phone, recovery = set_up(at, anna)
    anna.look(place)
    assert prove(anna, OWN, place).status_code == 401, "the password is not enough"
    assert prove(anna, phone.code(), place).url.path == place
    at.clock.moved_ms += GOOD_MS
    assert prove(anna, recovery[0], place).url.path == place
    assert prove(anna, recovery[0], place).status_code == 401, "each is good once"


def test_it_goes_back_to_a_page_of_ours_alone(anna: Person, place: str) -> None:
    for strange in ("https://elsewhere.example/", "//elsewhere.example", "/admin/"):
        page = prove(anna, OWN, strange)
        assert (page.url.path, page.url.host) == ("/console/", "127.0.0.1")
