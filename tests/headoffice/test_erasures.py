"""Who was erased and when every till had forgotten them: listed, in a file, counted, and alarmed in time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.protocol.limits import Limits
from app.protocol.server import Server
from headoffice.console import lists
from headoffice.console.erasure_pages import PLACE
from headoffice.erasures import Wanted
from tests.headoffice.console_browser import OWN, Person, let_in
from tests.headoffice.console_fixtures import anna, bela
from tests.headoffice.http_office import (
    ANNA,
    BELA,
    TENANT,
    Served,
    begin_chain,
    opened,
    rows,
    served,
    wait_for,
)
from tests.headoffice.test_audit import Change, change
from tests.headoffice.test_console_pages import rows_of
from tests.headoffice.test_http_nights import figure, pass_nights

__all__ = ["anna", "bela", "change"]

ALARMS = "SELECT cleared_ms IS NULL FROM alarm WHERE kind = 'erasure.late'"
OPEN = "SELECT count(*) FROM erasure WHERE done_ms IS NULL"


@pytest.fixture
def at(tmp_path: Path, each_store: str) -> Iterator[Served]:
    del each_store
    begin_chain(tmp_path)
    with served(tmp_path) as made:
        till = made.till(1)
        till.earn(ANNA, 7)
        till.sync()
        yield made


def erase(anna: Person, bela: Person, member: bytes, left: str) -> None:
    """Both of head office want it."""
    for each in (anna, bela):
        page = f"/console/members/{member.hex()}/erase"
        each.look(page)
        each.send(page, proof=member.hex()[:4], left=left)


@pytest.fixture
def asks(at: Served) -> Iterator[Person]:
    """An auditor; sessions of head office don't last for days."""
    made = Person(at)
    made.begin(let_in(at.folder, "AU", "auditor"))
    yield made
    made.close()


def test_an_erasure_is_listed_until_every_till_has_forgotten_and_then_with_its_date(
    at: Served, anna: Person, bela: Person, asks: Person
) -> None:
    assert "Nothing here." in anna.look(PLACE).text
    erase(anna, bela, ANNA, "points 7")
    page = anna.look(PLACE).text
    assert f"/console/members/{ANNA.hex()}" in page
    assert '<span class="warn">Not yet</span>' in page
    assert PLACE in anna.look("/console/audit").text
    wait_for(lambda: figure(at.url, "erasures_waiting") == 1)
    pass_nights(at, 1)
    assert rows(at.folder, OPEN) == [(1,)], "its till has not heard of it"
    at.tills[0].exchange()
    at.tills[0].exchange()
    assert rows(at.folder, OPEN) == [(1,)], "a night looks, not each exchange"
    pass_nights(at, 1)
    assert rows(at.folder, OPEN) == [(0,)]
    wait_for(lambda: figure(at.url, "erasures_waiting") == 0)
    ((asked_ms, done_ms),) = rows(at.folder, "SELECT at_ms, done_ms FROM erasure")
    assert asked_ms + 86_400_000 < done_ms <= at.clock()
    asks.sign_in("AU", OWN)
    assert "Not yet</span>" not in asks.look(PLACE).text
    file = rows_of(asks.look(f"{PLACE}.csv?done=yes"))
    assert [row[0] for row in file] == ["Member", ANNA.hex()[:8]]
    assert len(rows_of(asks.look(f"{PLACE}.csv?done=no"))) == 1


def test_a_till_that_does_not_forget_for_a_month_is_alarmed(
    at: Served, anna: Person, bela: Person, asks: Person
) -> None:
    erase(anna, bela, ANNA, "points 7")
    pass_nights(at, 29)
    assert rows(at.folder, ALARMS) == []
    pass_nights(at, 2)
    wait_for(lambda: [bool(row[0]) for row in rows(at.folder, ALARMS)] == [True])
    asks.sign_in("AU", OWN)
    assert '<span class="bad">Not yet</span>' in asks.look(PLACE).text
    assert PLACE in asks.look("/console/alarms").text
    at.tills[0].exchange()
    at.tills[0].exchange()
    pass_nights(at, 1)
    wait_for(lambda: [bool(row[0]) for row in rows(at.folder, ALARMS)] == [False])


def test_a_revoked_till_is_not_waited_for(at: Served, anna: Person, bela: Person) -> None:
    erase(anna, bela, ANNA, "points 7")
    with opened(at.folder) as (store, _), store.writing():
        Server(store, Limits()).write_off(at.tills[0].device)
    pass_nights(at, 1)
    assert rows(at.folder, OPEN) == [(0,)]


def test_who_was_erased_before_there_was_a_list_is_taken_from_the_audit(
    at: Served, anna: Person, bela: Person, change: Change
) -> None:
    erase(anna, bela, ANNA, "points 7")
    ((asked_ms,),) = rows(at.folder, "SELECT at_ms FROM erasure")
    change("DELETE FROM erasure")
    pass_nights(at, 1)
    assert rows(at.folder, "SELECT at_ms, done_ms FROM erasure") == [(asked_ms, None)]


def test_all_are_read_whatever_their_moment(at: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    at.tills[0].earn(BELA, 1)
    at.tills[0].sync()
    monkeypatch.setattr(lists, "READ", 1)
    with opened(at.folder) as (store, directory):
        with store.writing():
            kept = directory.erasures(TENANT)
            for member in (ANNA, BELA):
                kept.put(member, 5)
                kept.put(member, 6)
            kept.say_done(BELA, 4)
        with store.reading():
            kept = directory.erasures(TENANT)
            found = list(lists.portions(partial(kept.newest, Wanted(0, 10))))
            assert [each[:2] for each in found] == [(each, 5) for each in sorted((ANNA, BELA))]
            assert [each.done_ms for each in found if each.member == BELA] == [5]
            assert [each.member for each in kept.newest(Wanted(0, 10, done=False), None, 9)] == [
                ANNA
            ]
            assert kept.newest(Wanted(6, 10), None, 9) == []
            assert kept.open_after(b"", 9) == [ANNA]
            assert kept.open_after(ANNA, 9) == []
