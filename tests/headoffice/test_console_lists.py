"""Lists of the console: what is found and by which index, long ones, their files, who is marked in them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from app.protocol.limits import Limits
from app.protocol.store import StoredEvent
from headoffice.console import snapshot
from headoffice.console.listing import Shown, write_csv
from tests.headoffice.console_browser import Person, let_in, write_profile
from tests.headoffice.http_office import (
    DAY,
    begin_chain,
    opened,
    served,
)
from tests.headoffice.office import connected
from tests.headoffice.test_console_pages import rows_of

pytestmark = pytest.mark.usefixtures("each_store")


def test_what_fits_too_many_shows_the_first_and_says_so(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    for number in range(51):
        write_profile(tmp_path, bytes([number]) * 16, name="Anybody", card=f"88001{number % 2}00")
    with served(tmp_path) as at:
        person = Person(at)
        person.begin(let_in(tmp_path, "AN", "manager"))
        for typed, shown in (("anybody", 50), ("8800110", 25), ("1000", 26)):
            person.look("/console/")
            page = person.send("/console/find", q=typed).text
            assert len(re.findall(r"/console/members/[0-9a-f]{32}", page)) == shown
            assert ("There may be more." in page) == (shown == 50)
        person.close()


def test_a_search_reads_a_bounded_number_of_rows_by_an_index(tmp_path: Path) -> None:
    with connected(tmp_path / "office.db") as raw:
        for statement, index in (
            (snapshot.BY_VALUE, "cell_value"),
            (snapshot.BY_WHOLE_VALUE, "cell_value"),
            (snapshot.BY_LAST_FOUR, "cell_last_four"),
        ):
            plan = raw.execute(
                f"EXPLAIN QUERY PLAN {statement.sqlite}", (None,) * statement.sqlite.count("?")
            ).fetchall()
            assert [
                f"INDEX {index} (tenant_id=? AND dist_key=? AND" in line[3] for line in plan
            ] == [True], plan


def test_a_long_list_comes_in_pages_and_its_file_whole(tmp_path: Path) -> None:
    begin_chain(tmp_path)
    with opened(tmp_path) as (store, _), store.writing():
        for number in range(230):
            event = number.to_bytes(16)
            store.put_event(StoredEvent(event, b"strange", "quarantined"))
    with served(tmp_path) as at:
        person = Person(at)
        person.begin(let_in(tmp_path, "AN", "auditor"))
        path, events = "/console/quarantine", list[str]()
        for _ in range(5):
            page = person.look(path).text
            events += re.findall(r'data-head="Event"><a[^>]*>([0-9a-f]{32})<', page)
            more = re.search(r'href="(/console/quarantine\?after=[0-9]+)"', page)
            if more is None:
                break
            path = more[1]
        wanted = [number.to_bytes(16).hex() for number in range(230)]
        assert events == wanted
        assert [row[0] for row in rows_of(person.look("/console/quarantine.csv"))[1:]] == wanted
        person.close()


def test_a_till_that_was_silent_for_two_leases_is_marked(tmp_path: Path) -> None:
    begin_chain(tmp_path, limits=Limits(grant_most=50, cap=20, lease_ms=DAY))
    with served(tmp_path) as at:
        at.till(1).sync()
        person = Person(at)
        person.begin(let_in(tmp_path, "AN", "manager"))
        assert "– silent for two leases" not in person.look("/console/tills").text
        at.clock.moved_ms = 2 * DAY + 60_000
        person.sign_in("AN", "riverside tram 77 lamp")
        assert "– silent for two leases" in person.look("/console/tills").text
        assert "Silent for two leases" in person.look("/console/").text
        person.close()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", " =1", "＝1", "－1"])
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    out = io.BytesIO()
    assert write_csv((text,), [(Shown(text), Shown("−5", number=-5))], out) == 1
    head, row = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))
    assert head == [f"'{text}"]
    assert row == [f"'{text}", "-5"]
