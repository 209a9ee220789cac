"""Another address of head office, told in the console; and by which address each till came last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.protocol.references import OFFICE_ADDRESS
from headoffice.console import address_pages
from tests.headoffice.console_browser import Person, signed_in
from tests.headoffice.console_fixtures import anna, at, bela
from tests.headoffice.http_office import TENANT, HttpTill, Served, begin_chain, opened, rows, served
from tests.headoffice.test_console_chain import cells_of
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at", "bela"]
PLACE = "/console/address"
NEW = "https://office.example:8440"


def told(at: Served) -> str | None:
    """What tills fetch."""
    with opened(at.folder) as (store, _), store.reading():
        row = store.reference(OFFICE_ADDRESS)
    return None if row is None or row.body is None else row.body.decode()


def came_by(at: Served, till: HttpTill, host: str) -> None:
    """The till polls by this address of head office."""
    till.client.headers["host"] = host
    till.sync()


def takes_two(at: Served, anna: Person) -> None:
    anna.look("/console/programme")
    anna.send("/console/programme/choice", two="two")


def shown(page: str, label: str) -> list[list[str]]:
    """The rows of a table of a page."""
    found = re.search(rf'<table aria-label="{label}">.*?</table>', page, re.DOTALL)
    lines = re.findall(r"<tr>(.*?)</tr>", found[0], re.DOTALL)[1:] if found else []
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?</td>", line, re.DOTALL)]
        for line in lines
    ]


def test_it_is_told_seen_and_taken_back(at: Served, anna: Person) -> None:
    assert "each till stays where it is" in anna.look(PLACE).text
    page = anna.send(PLACE, address=f"{NEW}/").text
    assert told(at) == NEW
    assert f"<b>{NEW}</b>" in page
    assert "told this address already" in anna.send(PLACE, address=NEW).text
    assert "each till stays where it is" in anna.send(f"{PLACE}/back").text
    assert told(at) is None
    anna.send(f"{PLACE}/back")
    noted = [each for each in acts(at.folder) if each[0].startswith("address")]
    assert noted == [("address_told", NEW), ("address_taken_back", NEW)]


def test_what_is_no_address_is_told_to_nobody(at: Served, anna: Person) -> None:
    anna.look(PLACE)
    page = anna.send(PLACE, address="http://office.example")
    assert page.status_code == 422
    assert 'value="http://office.example"' in page.text, "what was typed is there to be put right"
    assert told(at) is None


def test_it_takes_two_where_publishing_does(at: Served, anna: Person, bela: Person) -> None:
    takes_two(at, anna)
    anna.look(PLACE)
    assert "You asked to tell tills" in anna.send(PLACE, address=NEW).text
    anna.send(PLACE, address=NEW)
    assert told(at) is None, "the same person twice is one"
    assert f'href="{PLACE}"' in bela.look("/console/").text
    assert "AN asks to tell tills" in bela.look(PLACE).text
    bela.send(PLACE, address=NEW)
    assert told(at) == NEW
    assert "asks to tell" not in bela.look(PLACE).text


def test_what_was_asked_for_is_dropped_by_either(at: Served, anna: Person, bela: Person) -> None:
    takes_two(at, anna)
    anna.look(PLACE)
    anna.send(PLACE, address=NEW)
    bela.look(PLACE)
    assert "AN asks" not in bela.send(f"{PLACE}/keep", address=NEW).text
    bela.send(PLACE, address=NEW)
    assert told(at) is None, "it is asked for anew"


def test_who_only_found_an_open_session_tells_nothing(at: Served, anna: Person) -> None:
    anna.proves = False
    anna.look(PLACE)
    assert anna.send(PLACE, address=NEW).url.path == "/console/confirm"
    assert told(at) is None


@pytest.mark.parametrize("role", ["manager", "auditor"])
def test_nobody_else_comes_there(at: Served, anna: Person, role: str) -> None:
    anna.look(PLACE)
    anna.send(PLACE, address=NEW)
    with signed_in(at, "MA", role) as person:  # type: ignore[arg-type]
        assert person.look(PLACE).status_code == 403
        assert PLACE not in person.look("/console/tills").text
        for path in (PLACE, f"{PLACE}/keep", f"{PLACE}/back"):
            assert person.send(path, address="https://other.example").status_code == 403
    assert told(at) == NEW


def test_the_old_address_may_be_shut_once_every_live_till_came_by_the_new_one(
    at: Served, anna: Person
) -> None:
    first, second, lost = (at.till(seed) for seed in (1, 2, 3))
    for each in (first, second, lost):
        came_by(at, each, "old.example")
    with opened(at.folder) as (store, _), store.writing():
        device = store.device(lost.device)
        assert device is not None
        store.put_device(device._replace(standing="lost"))
    anna.look(PLACE)
    page = anna.send(PLACE, address=NEW).text
    assert [row[:2] for row in shown(page, "By which address live tills came last")] == [
        ["old.example", "2"]
    ]
    came_by(at, first, "Office.Example:8440")
    marked = anna.look("/console/tills").text.count('<span class="warn">')
    assert marked == 1, "of the others one has no need to, one is lost"
    page = anna.look(PLACE).text
    assert "1 of 2 live tills did not come by it yet" in page
    assert [row[:3] for row in shown(page, "Did not come by it yet")] == [
        ["North", "till 2", "old.example"]
    ]
    assert "may be shut" not in page
    came_by(at, second, "office.example:8440")
    page = anna.look(PLACE).text
    assert "The old address may be shut." in page
    assert "Did not come by it yet" not in page
    came_by(at, first, "old.example")
    assert "may be shut" not in anna.look(PLACE).text, "it went back"


def test_of_many_that_are_late_those_are_shown_that_were_silent_longest(
    at: Served, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_pages, "LATE_SHOWN", 1)
    first, second = at.till(1), at.till(2)
    for each in (second, first):
        came_by(at, each, "old.example")
        at.clock.moved_ms += 1_000
    anna.look(PLACE)
    page = anna.send(PLACE, address=NEW).text
    assert [row[:2] for row in shown(page, "Did not come by it yet")] == [["North", "till 2"]]


def test_a_usual_port_is_no_other_address(at: Served, anna: Person) -> None:
    came_by(at, at.till(), "office.example")
    anna.look(PLACE)
    assert "may be shut" in anna.send(PLACE, address="https://office.example:443").text


@pytest.mark.parametrize("host", ["<b>", "a" * 300, "office example", "é.example"])
def test_what_is_no_host_is_not_taken_for_one(at: Served, anna: Person, host: str) -> None:
    till = at.till()
    came_by(at, till, "old.example")
    came_by(at, till, host)
    assert cells_of(anna.look("/console/tills").text)["Came by"] == "old.example"


@pytest.mark.usefixtures("each_store")
def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        came_by(at, at.till(), "old.example")
    with served(tmp_path) as at, signed_in(at) as anna:
        assert cells_of(anna.look("/console/tills").text)["Came by"] == "old.example"


@pytest.mark.usefixtures("each_store")
def test_what_another_process_heard_later_stands(at: Served) -> None:
    """Else a till that went back to the old address might be shown at the new one for ever."""
    device, now_ms = at.till().device, at.clock()
    with opened(at.folder) as (store, directory), store.writing():
        for seconds, host in ((60, "old.example"), (50, "new.example"), (70, "")):
            directory.heard(TENANT, device, now_ms + seconds * 1000, host)
    assert rows(at.folder, "SELECT came_by, heard_ms FROM till") == [
        ("old.example", now_ms + 70_000)
    ]


def test_what_another_process_wrote_later_is_shown(at: Served, anna: Person) -> None:
    till = at.till()
    came_by(at, till, "new.example")
    with opened(at.folder) as (store, directory), store.writing():
        directory.heard(TENANT, till.device, at.clock() + 1000, "old.example")
    assert cells_of(anna.look("/console/tills").text)["Came by"] == "old.example"


def test_a_clock_that_was_ahead_does_not_end_it(at: Served) -> None:
    device, now_ms = at.till().device, at.clock()
    with opened(at.folder) as (store, directory), store.writing():
        directory.heard(TENANT, device, now_ms + 86_400_000, "old.example")
        directory.heard(TENANT, device, now_ms, "new.example")
    assert rows(at.folder, "SELECT came_by, heard_ms FROM till") == [("new.example", now_ms)]
