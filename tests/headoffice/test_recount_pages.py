"""The console's pages on sales that differ and on the settlement of points between stores."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import httpx
import pytest

from app.domain.business_day import BusinessDate
from app.domain.recount import Difference
from app.protocol.facts import Facts
from headoffice import flags
from headoffice.console import recount_pages
from headoffice.store.distribution import dist_key
from tests.headoffice.console_browser import Person, let_in
from tests.headoffice.http_office import (
    ANNA,
    TENANT,
    Served,
    begin_chain,
    database_of,
    rows,
    served,
    wait_for,
)

EVENT = "SELECT event_id FROM recount_flag ORDER BY event_id"


@pytest.fixture
def flagged(tmp_path: Path) -> Path:
    """A chain with a sale that no counter's document goes with."""
    begin_chain(tmp_path)
    with served(tmp_path) as at:
        till = at.till()
        till.earn(ANNA)
        till.sync()
        wait_for(lambda: bool(rows(tmp_path, EVENT)))
    return tmp_path


def waiting(at: Served) -> float:
    """How many nobody has looked at, as Prometheus reads it."""
    text = httpx.get(f"{at.url}/metrics").text
    (found,) = re.findall(r"^regulars_recount_flags\{.*\} ([0-9.]+)$", text, re.MULTILINE)
    return float(found)


def person(
    at: Served, folder: Path, role: str, initials: str = "AN", language: str = "en"
) -> Person:
    made = Person(at, language=language)
    made.begin(let_in(folder, initials, role))  # type: ignore[arg-type]  # one of the roles
    return made


@pytest.mark.usefixtures("each_store")
def test_what_differs_is_listed_looked_at_and_counted_no_more(flagged: Path) -> None:
    ((event,),) = rows(flagged, EVENT)
    with served(flagged) as at:
        who = person(at, flagged, "head_office")
        page = who.look("/console/recount").text
        assert "The document can&#39;t be read" in page
        assert f"/console/recount/{event.hex()}" in page
        assert waiting(at) == 1
        one = who.look(f"/console/recount/{event.hex()}").text
        assert f"/console/members/{ANNA.hex()}/events/{event.hex()}" in one
        assert who.look(f"/console/members/{ANNA.hex()}/events/{event.hex()}").status_code == 200
        assert who.send(f"/console/recount/{event.hex()}", until="soon").status_code == 400
        (until,) = re.findall(r'name="until" value="(\d+)"', one)
        done = who.send(f"/console/recount/{event.hex()}", until=until)
        assert "AN looked at it" in done.text
        assert "I have looked at it" not in done.text
        wait_for(lambda: waiting(at) == 0)
        assert "Said to have looked at a document" in who.look("/console/audit").text
        csv = who.look("/console/recount.csv").text
        assert csv.splitlines()[1].endswith(",AN")
        who.close()


@pytest.mark.usefixtures("each_store")
def test_many_are_looked_at_at_once_as_they_were_chosen_and_shown(
    flagged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount_pages, "PORTION", 2)
    with served(flagged) as at:
        till = at.till(2, "South")
        till.earn(ANNA, sales=5)
        till.sync()
        wait_for(lambda: len(rows(flagged, EVENT)) == 6)
        who = person(at, flagged, "head_office")
        assert recount_pages.ALL in who.look("/console/recount").text
        chosen = f"till={till.device.hex()}&seen=done"
        page = who.look(f"{recount_pages.ALL}?{chosen}").text
        assert "5 documents differ in what you chose" in page
        assert "Till: South / till 2" in page
        assert "seen" not in re.findall(r'type="hidden" name="(\w+)"', page)
        (until,) = re.findall(r'name="until" value="(\d+)"', page)
        assert who.send(recount_pages.ALL, till=till.device.hex(), until="now").status_code == 400
        assert who.send(recount_pages.ALL, till="00" * 16, until=until).status_code == 400
        at.clock.moved_ms += 60_000
        till.earn(ANNA)
        till.sync()
        wait_for(lambda: len(rows(flagged, EVENT)) == 7)
        done = who.send(recount_pages.ALL, till=till.device.hex(), until=until)
        assert done.url.path == "/console/recount"
        left = "SELECT count(*) FROM recount_flag WHERE seen_ms IS NULL"
        assert rows(flagged, left) == [(2,)], "another till's, and one that came since"
        told = "SELECT detail FROM console_audit WHERE act = 'recount_many' ORDER BY number"
        assert rows(flagged, told) == [(f"{n} · South / till 2",) for n in (2, 2, 1)]
        assert who.send(recount_pages.ALL, until=str(1 << 50)).status_code == 200
        assert rows(flagged, left) == [(0,)]
        assert "has looked at all" in who.look(recount_pages.ALL).text
        wait_for(lambda: waiting(at) == 0)
        who.close()


@pytest.mark.parametrize("many", [True, False])
def test_what_is_noted_of_a_document_while_somebody_reads_of_it_is_not_looked_at(
    flagged: Path, many: bool
) -> None:
    """More came back of an old sale than was sold, and its points differ besides."""
    ((event,),) = rows(flagged, EVENT)
    with served(flagged) as at:
        who = person(at, flagged, "head_office")
        place = recount_pages.ALL if many else f"/console/recount/{event.hex()}"
        (until,) = re.findall(r'name="until" value="(\d+)"', who.look(place).text)
        with contextlib.closing(database_of(flagged)) as database, database.store(TENANT).writing():
            facts = Facts(event, "sale", ANNA, BusinessDate(20_000))
            late = int(until) + 1
            flags.put(
                database, TENANT, bytes(16), facts, [Difference("returned_twice", 2, 1)], late
            )
        who.send(place, until=until)
        left = "SELECT what FROM recount_flag WHERE seen_ms IS NULL"
        assert rows(flagged, left) == [("returned_twice",)]
        page = who.look(f"/console/recount/{event.hex()}").text
        assert "AN looked at it" in page
        (until,) = re.findall(r'name="until" value="(\d+)"', page)
        who.send(f"/console/recount/{event.hex()}", until=until)
        assert rows(flagged, left) == []
        who.close()


def test_who_looked_first_stays(flagged: Path) -> None:
    ((event,),) = rows(flagged, EVENT)
    with contextlib.closing(database_of(flagged)) as database:
        for now_ms in (5, 9):
            with database.store(TENANT).writing():
                flags.say_seen(database, TENANT, event, 1 << 60, bytes(16), now_ms)
        with database.of(TENANT):
            assert [each.seen_ms for each in flags.of_event(database, TENANT, event)] == [5]


@pytest.mark.parametrize(
    ("role", "list_status", "button"), [("head_office", 200, True), ("auditor", 200, False)]
)
def test_auditors_read_and_head_office_says_seen(
    flagged: Path, role: str, list_status: int, button: bool
) -> None:
    ((event,),) = rows(flagged, EVENT)
    with served(flagged) as at:
        who = person(at, flagged, role)
        assert who.look("/console/recount").status_code == list_status
        page = who.look(f"/console/recount/{event.hex()}").text
        assert ("I have looked at it" in page) == button
        if not button:
            assert who.send(f"/console/recount/{event.hex()}").status_code == 403
            assert rows(flagged, "SELECT seen_ms FROM recount_flag") == [(None,)]
        who.close()


def test_managers_and_strangers_see_none_of_it(flagged: Path) -> None:
    ((event,),) = rows(flagged, EVENT)
    with served(flagged) as at:
        who = person(at, flagged, "manager")
        for path in ("recount", "recount.csv", f"recount/{event.hex()}", "settlement"):
            assert who.look(f"/console/{path}").status_code == 403
        assert "/console/recount" not in who.look("/console/").text
        who.close()
    with served(flagged) as at:
        auditor = person(at, flagged, "auditor", "BO")
        assert auditor.look(f"/console/recount/{bytes(16).hex()}").status_code == 404
        assert auditor.look("/console/recount/x").status_code == 404
        auditor.close()


def test_every_code_of_a_difference_has_its_words() -> None:
    text = "".join(
        (Path(__file__).parents[2] / path).read_text(encoding="utf-8")
        for path in (
            "app/domain/recount.py",
            "app/domain/recount_back.py",
            "headoffice/recounting.py",
            "headoffice/recounting_back.py",
            "headoffice/birthdays.py",
        )
    )
    named = set(re.findall(r'Difference\(\s*"(\w+)"', text)) | set(
        re.findall(r'\("(\w+)", document', text)
    )
    named |= {"spent", "qualifying", "available_from", "expires", "refund"}
    named.add(flags.OTHER_DEVICE)
    assert named == set(recount_pages.WHAT)


@pytest.mark.usefixtures("each_store")
def test_points_are_settled_for_the_dates_that_are_asked_for(flagged: Path) -> None:
    ((event,),) = rows(flagged, EVENT)
    ((shop,),) = rows(flagged, "SELECT store_id FROM till")
    on = BusinessDate.on(2020, 3, 20)
    with contextlib.closing(database_of(flagged)) as database, database.store(TENANT).writing():
        database.run(
            "INSERT INTO settlement (tenant_id, dist_key, debit_event, business_date, earned_store,"
            " spent_store, points, value_minor) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (TENANT, dist_key(TENANT), event, int(on), bytes(16), shop, 1200, 123456),
        )
    with served(flagged) as at:
        who = person(at, flagged, "auditor", language="zh_CN")
        page = who.look("/console/settlement?first=2020-03-20&last=2020-03-20").text
        assert "¥1,234.56" in page
        assert "North" in page
        assert "无门店" in page
        assert 'value="2020-03-20"' in page
        chosen = who.send("/console/settlement", first="2020-03-19", last="2020-03-21")
        assert str(chosen.url).endswith("?first=2020-03-19&last=2020-03-21")
        assert "¥1,234.56" in chosen.text
        assert who.send("/console/settlement", first="x", last="").status_code == 400
        file = who.look("/console/settlement.csv?first=2020-03-01&last=2020-03-31").text
        assert file.splitlines()[1].split(",", 1)[1] == 'North,1200,"¥1,234.56",1', (
            "as the page has it"
        )
        for query in ("first=2020-03-21&last=2020-03-31", "first=x&last=y", ""):
            other = who.look(f"/console/settlement?{query}")
            assert other.status_code == 200
            assert "North" not in other.text
        who.close()
