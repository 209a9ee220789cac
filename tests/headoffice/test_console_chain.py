"""The overview, the tills as they are now, the quarantine made readable, and conflicts of all members."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from app.protocol.store import StoredEvent
from app.protocol.wire import SyncRequest
from headoffice.console.quarantine_pages import readable
from headoffice.hearing import Told, put_said, said
from tests.headoffice.console_browser import Person, let_in, write_profile
from tests.headoffice.console_fixtures import anna, at
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    opened,
    rows,
    served,
    wait_for,
)
from tests.headoffice.test_console_sign_in import acts

__all__ = ["anna", "at"]

STRANGE = b"q" * 16
PLACE = f"/console/quarantine/{STRANGE.hex()}"


def cells_of(text: str) -> dict[str, str]:
    """The first row of a list by its heads."""
    row = re.sub(r"(?s)^.*?<tbody>|</tr>.*$", "", text)
    found = re.findall(r'(?s)<td data-head="([^"]*)"[^>]*>(.*?)</td>', row)
    return {head: re.sub("<[^>]*>", "", value) for head, value in found}


def test_a_till_is_shown_with_what_it_said_of_itself(at: Served, anna: Person) -> None:
    till = at.till(1)
    assert cells_of(anna.look("/console/tills").text)["Still with the till"] == "–"
    till.sync()
    shown = cells_of(anna.look("/console/tills").text)
    assert (shown["Still with the till"], shown["Clock off by (s)"]) == ("0", "0")
    till.earn(sales=3)
    late = at.clock() // 1000 - 200
    till.hear(till.reply(till.ask(), created_s=late))
    shown = cells_of(anna.look("/console/tills").text)
    assert shown["Clock off by (s)"] in ("−200", "-200", "−201", "-201")
    assert shown["Protocol"] == "1"


@pytest.mark.usefixtures("each_store")
def test_what_a_till_said_is_kept_over_a_restart(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        till = at.till(1)
        till.sync()
        till.earn(sales=700)
        asked = till.ask()
        assert isinstance(asked, SyncRequest)
        for wrong in (
            structs.replace(asked, app="v" * 41),
            structs.replace(asked, app="v\0"),
            structs.replace(asked, schema=-1),
        ):
            assert till.problem(till.send(wrong), asked.rid) == "not_a_message"
        till.hear(till.reply(structs.replace(asked, app="1.4.2", schema=15)))
    with served(tmp_path) as at:
        anna = Person(at)
        anna.begin(let_in(tmp_path, "AN", "head_office"))
        shown = cells_of(anna.look("/console/tills").text)
        assert (shown["Program"], shown["Still with the till"]) == ("1.4.2 (15)", "200")
        anna.close()


@pytest.mark.usefixtures("each_store")
def test_a_later_word_of_a_till_stands_whoever_heard_it(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        device = at.till(1).device
    with closing(database_of(tmp_path)) as plain, plain.store(TENANT).writing():
        for at_ms in (5, 9, 7):
            put_said(plain, TENANT, device, Told(at_ms, 0, 0, (1, 1), str(at_ms)))
        put_said(plain, TENANT, b"nobody's device.", Told(5, 0, 0, (1, 1)))
        assert {each: told.app for each, told in said(plain, TENANT).items()} == {device: "9"}


def test_a_till_that_still_has_events_says_how_many(at: Served, anna: Person) -> None:
    till = at.till(1)
    till.sync()
    till.earn(sales=700)
    till.exchange()
    assert cells_of(anna.look("/console/tills").text)["Still with the till"] == "200"


def test_a_page_loads_itself_anew_where_it_was_asked_to(anna: Person) -> None:
    for path in ("/console/", "/console/tills"):
        assert "http-equiv" not in anna.look(path).text
        assert '<meta http-equiv="refresh" content="15">' in anna.look(f"{path}?live=1").text


def test_an_event_in_quarantine_is_readable_and_says_why(at: Served, anna: Person) -> None:
    put(at, b'{"v":99,"kind":"sale \xe5\xba\x97 <b>"}')
    page = anna.look(PLACE).text
    assert "&#34;kind&#34;: &#34;sale 店 &lt;b&gt;&#34;" in page
    assert "This version can&#39;t read it." in page
    assert ("event_seen", STRANGE.hex()) in acts(at.folder)


def test_an_event_that_was_looked_at_is_new_no_more_and_stays(at: Served, anna: Person) -> None:
    put(at, b"strange")
    assert warned(anna)
    anna.look(PLACE)
    assert "AN looked at it" in anna.send(PLACE).text
    anna.send(PLACE)
    assert not warned(anna)
    assert cells_of(anna.look("/console/quarantine").text)["Looked at by"] == "AN"
    assert ("event_done", STRANGE.hex()) in acts(at.folder)


def test_the_alarm_of_the_quarantine_ends_when_all_was_looked_at_and_comes_again(
    at: Served, anna: Person
) -> None:
    def alarms(standing: int, over: int) -> None:
        at.clock.moved_ms += 6_000
        found = "SELECT sum(cleared_ms IS NULL), sum(cleared_ms IS NOT NULL) FROM alarm"
        wait_for(lambda: rows(at.folder, found) == [(standing, over)])

    put(at, b"strange")
    alarms(1, 0)
    anna.look(PLACE)
    anna.send(PLACE)
    alarms(0, 1)
    put(at, b"stranger", b"r" * 16)
    alarms(1, 1)


def test_what_is_not_in_quarantine_is_not_shown(at: Served, anna: Person) -> None:
    with opened(at.folder) as (store, _), store.writing():
        store.put_event(StoredEvent(STRANGE, b"posted", "posted"))
    assert anna.look(PLACE).status_code == 404
    assert anna.send(PLACE).status_code == 404
    assert rows(at.folder, "SELECT count(*) FROM console_seen") == [(0,)]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\x00\xff{", "\\x00\\xff{"),
        ("店\u202e".encode(), "店\\x202e"),
        (b"[" * 100_000, "["),
        (b'{"a":[1]}', '{\n  "a": [\n    1\n  ]\n}'),
    ],
)
def test_bytes_are_made_readable_whatever_they_are(body: bytes, text: str) -> None:
    assert readable(body).startswith(text)
    assert all(one.isprintable() or one == "\n" for one in readable(body))


def test_conflicts_of_all_members_are_listed_masked(at: Served, anna: Person) -> None:
    till = at.till(1)
    write_profile(at.folder, ANNA, name="Anna First", device=till.device)
    write_profile(at.folder, ANNA, name="Anna Second", device=b"e" * 16)
    page = anna.look("/console/conflicts").text
    assert "First" not in page
    shown = cells_of(page)
    assert shown["Field"] == "Name"
    assert shown["Member"] == ANNA.hex()[:8]
    assert "till 1" in page


def put(at: Served, body: bytes, event: bytes = STRANGE) -> None:
    with opened(at.folder) as (store, _), store.writing():
        store.put_event(StoredEvent(event, body, "quarantined"))


def warned(anna: Person) -> bool:
    return bool(re.search(r'<li class="warn"><b>1</b> <a[^>]*>Events', anna.look("/console/").text))
