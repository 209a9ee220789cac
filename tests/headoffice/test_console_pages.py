"""What the console shows to whom: roles, chains apart, masks, pages without anything inline, files."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from app.protocol.profiles import erase
from app.protocol.store import StoredEvent
from headoffice.console import desk
from headoffice.console.addresses import PAGES
from headoffice.console.staff import ROLES, Role
from headoffice.console.wording import masked
from tests.headoffice.console_browser import Page, Person, let_in, path_of, write_profile
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
from tests.headoffice.test_http_writer import held_up

OTHER: Final = b"U" * 16
NAME, PHONE, CARD, MAIL = "陈思远", "+8613800006621", "880000124471", "chen.siyuan@example.com"
VALUES: Final = (NAME, PHONE, PHONE[3:], CARD, MAIL, "Other Person")
ANNAS: Final = f"/console/members/{ANNA.hex()}"
INITIALS: Final[dict[Role, str]] = {"manager": "MA", "head_office": "HO", "auditor": "AU"}


@pytest.fixture(scope="module")
def at(each_folder: Path) -> Iterator[Served]:
    """Two chains in one folder, each with a member of many entries and personal values."""
    folder = each_folder
    begin_chain(folder)
    begin_chain(folder, tenant=OTHER, shops=("Elsewhere",))
    with served(folder) as made:
        wait_for(lambda: OTHER in made.office.chains)
        till = made.till(1)
        till.earn(ANNA, 7, sales=60)
        till.sync()
        other = made.till(2, "Elsewhere", tenant=OTHER)
        other.earn(BELA, 9)
        other.sync()
        write_profile(folder, ANNA, name=NAME, phone=PHONE, card=CARD, email=MAIL, birth_month="5")
        write_profile(folder, ANNA, device=b"e" * 16, name="Other Person")
        write_profile(folder, BELA, OTHER, name="Bela Elsewhere", phone="+8613911112222")
        with opened(folder) as (store, _), store.writing():
            store.put_event(StoredEvent(b"q" * 16, b"strange", "quarantined"))
        yield made


@pytest.fixture(scope="module")
def people(at: Served) -> Iterator[dict[Role, Person]]:
    """One of each role, signed in."""
    made = {role: Person(at) for role in ROLES}
    for role, person in made.items():
        person.begin(let_in(at.folder, INITIALS[role], role))
    yield made
    for person in made.values():
        person.close()


def all_pages(person: Person, member: bytes = ANNA) -> dict[tuple[str, str], httpx.Response]:
    """Everything that can be asked for without signing out, or changing who may do what."""
    found = {}
    for page in PAGES:
        if page.roles is None or "sign" in page.path or page.guess:
            continue
        if page.method == "POST" and page.path.startswith(CHANGES):
            continue
        path = path_of(page, member)
        if page.method == "GET":
            found["GET", page.path] = person.look(path)
        else:
            person.look("/console/")
            found["POST", page.path] = person.send(path, q="6621", reason="customer")
    return found


CHANGES: Final = (
    "/console/staff",
    "/console/choices",
    "/console/quarantine",
    "/console/recount",
    "/console/recount-seen",
    "/console/same",
    "/console/settlement",
    "/console/members/{member}/",
    "/console/programme",
    "/console/adjustments",
    "/console/shop-staff",
    "/console/outbox",
    "/console/prices",
    "/console/address",
)
"""Where forms change something."""
MATRIX: Final[dict[tuple[str, str], str]] = {
    ("GET", "/console/quarantine"): "ho au",
    ("GET", "/console/recount"): "ho au",
    ("GET", "/console/recount.csv"): "ho au",
    ("GET", "/console/recount/{event}"): "ho au",
    ("POST", "/console/recount/{event}"): "ho",
    ("GET", "/console/recount-seen"): "ho",
    ("POST", "/console/recount-seen"): "ho",
    ("GET", "/console/erasures"): "ho au",
    ("GET", "/console/erasures.csv"): "ho au",
    ("POST", "/console/erasures"): "ho au",
    ("GET", "/console/same"): "ho au",
    ("GET", "/console/same.csv"): "ho au",
    ("GET", "/console/same/{member}/{other}"): "ho au",
    ("POST", "/console/same/{member}/{other}"): "ho",
    ("POST", "/console/recount"): "ho au",
    ("POST", "/console/same"): "ho au",
    ("POST", "/console/quarantine"): "ho au",
    ("POST", "/console/conflicts"): "ho au",
    ("POST", "/console/audit"): "ho au",
    ("POST", "/console/audit/roots"): "ho au",
    ("GET", "/console/outbox"): "ho",
    ("GET", "/console/address"): "ho",
    ("GET", "/console/settlement"): "ho au",
    ("POST", "/console/settlement"): "ho au",
    ("GET", "/console/settlement.csv"): "ho au",
    ("GET", "/console/quarantine.csv"): "ho au",
    ("GET", "/console/quarantine/{event}"): "ho au",
    ("GET", "/console/prices"): "ho au",
    ("GET", "/console/prices/{list}"): "ho au",
    ("GET", "/console/prices/{list}.csv"): "ho au",
    ("GET", "/console/programme"): "ho au",
    ("GET", "/console/programme/versions/{version}"): "ho au",
    ("GET", "/console/programme/drafts/{draft}"): "ho au",
    ("GET", "/console/programme/drafts/{draft}/trial"): "ho au",
    ("GET", "/console/programme/drafts/{draft}/trial.csv"): "ho au",
    ("GET", "/console/conflicts"): "ho au",
    ("GET", "/console/conflicts.csv"): "ho au",
    ("GET", "/console/audit"): "ho au",
    ("GET", "/console/audit.csv"): "ho au",
    ("GET", "/console/audit/roots"): "ho au",
    ("GET", "/console/audit/roots.csv"): "ho au",
    ("GET", "/console/staff"): "ho",
    ("GET", "/console/staff.csv"): "ho",
    ("GET", "/console/staff/{staff}"): "ho",
    ("GET", "/console/shop-staff"): "ho au",
    ("GET", "/console/shop-staff.csv"): "ho au",
    ("GET", "/console/shop-staff/{person}"): "ho au",
    ("GET", "/console/members/{member}/erase"): "ho",
    ("GET", "/console/adjustments/{adjustment}"): "ho",
    ("POST", "/console/members.csv"): "ho au",
    ("POST", "/console/members/{member}"): "ma ho",
}
"""Who sees what not everybody sees."""


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_pages_and_no_others(people: dict[Role, Person], role: Role) -> None:
    seen = all_pages(people[role])
    assert len(seen) > 14
    for key, response in seen.items():
        may = INITIALS[role].lower() in MATRIX.get(key, "ma ho au")
        nobody = 404 if re.search("{(?!member)", key[1]) else 200
        assert response.status_code == (nobody if may else 403), key


@pytest.mark.parametrize("role", ROLES)
def test_personal_values_are_on_no_page_but_the_one_that_was_asked_for_with_a_reason(
    people: dict[Role, Person], role: Role
) -> None:
    for key, response in all_pages(people[role]).items():
        shown = {value for value in VALUES if value in response.text}
        whole = key == ("POST", "/console/members/{member}") and role != "auditor"
        wanted = set(VALUES) if whole else set()
        assert shown == wanted, key


def test_values_are_shown_whole_for_a_reason_of_the_list_alone(people: dict[Role, Person]) -> None:
    person = people["head_office"]
    person.look(ANNAS)
    for reason in ({}, {"reason": ""}, {"reason": "curious"}):
        response = person.send(ANNAS, **reason)
        assert response.status_code == 422
        assert NAME not in response.text


def test_every_look_is_written_down_with_who_and_whom(
    at: Served, people: dict[Role, Person]
) -> None:
    def written() -> list[tuple[str, str, bytes | None, str]]:
        return rows(
            at.folder,
            "SELECT initials, act, member_id, detail FROM console_audit "
            "JOIN console_staff USING (tenant_id, dist_key, staff_id) ORDER BY number",
        )

    before = len(written())
    person = people["manager"]
    person.look(ANNAS)
    person.send(ANNAS, reason="inquiry")
    person.send("/console/find", q="6621")
    person.look("/console/tills.csv")
    assert written()[before:] == [
        ("MA", "member_seen", ANNA, ""),
        ("MA", "member_shown", ANNA, "inquiry"),
        ("MA", "searched", None, "1"),
        ("MA", "exported", None, "tills 1"),
    ]


def test_what_cannot_be_written_down_is_not_shown(
    at: Served, people: dict[Role, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = people["head_office"]
    person.look(ANNAS)
    monkeypatch.setattr(desk, "WRITE_S", 0.2)
    with held_up(at, 5):
        for seen in (
            person.look(ANNAS),
            person.send(ANNAS, reason="customer"),
            person.send("/console/find", q="6621"),
            person.look(f"{ANNAS}/ledger.csv"),
            person.look("/console/tills.csv"),
        ):
            assert seen.status_code == 503
            assert "Head office is busy." in seen.text
            assert "data-head" not in seen.text
            assert not [value for value in VALUES if value in seen.text]
    monkeypatch.undo()
    assert person.look(ANNAS).status_code == 200, "and all that was written before it is there"


def test_a_chain_never_sees_another_ones(at: Served, people: dict[Role, Person]) -> None:
    strange = (BELA.hex(), "Bela", "Elsewhere", "+8613911112222", at.tills[1].device.hex()[:8])
    for person in people.values():
        for key, response in all_pages(person, BELA).items():
            member = "{" in key[1]
            assert response.status_code in ((404, 403) if member else (200, 403)), key
            if not member:
                assert not [each for each in strange if each in response.text], key
        for typed in ("Elsewhere", "2222", "13911112222", "till 2", at.tills[1].device.hex()):
            person.look("/console/")
            found = person.send("/console/find", q=typed)
            assert "data-head" not in found.text, typed


def test_the_same_person_at_the_other_chain_sees_that_one(at: Served) -> None:
    person = Person(at)
    person.begin(let_in(at.folder, "HO", "head_office", OTHER))
    found = person.send("/console/find", q="2222")
    assert re.findall(r"/console/members/([0-9a-f]{32})", found.text) == [BELA.hex()]
    assert person.look(ANNAS).status_code == 404
    person.close()


def test_no_page_has_script_or_style_of_its_own_and_each_says_so(
    at: Served, people: dict[Role, Person]
) -> None:
    stranger = Person(at)
    seen = [stranger.look("/console/sign-in"), stranger.look("/console/nothing")]
    seen += [each for person in people.values() for each in all_pages(person).values()]
    assert len(seen) > 40
    for response in seen:
        headers = response.headers
        assert set(headers["content-security-policy"].split("; ")) == {
            "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'",
            "base-uri 'none'", "frame-ancestors 'none'",
        }  # fmt: skip
        assert (headers["x-content-type-options"], headers["cache-control"]) == (
            "nosniff",
            "no-store",
        )
        if not headers["content-type"].startswith("text/html"):
            continue
        page = Page(response.text)
        assert len(page.elements) > 20
        for tag, attributes in page.elements:
            assert tag not in ("script", "style", "iframe", "object", "embed", "base"), response.url
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            for name in ("href", "src", "action"):
                assert (attributes.get(name) or "/").startswith(("/console", "#", "/")), attributes
        assert all(method == "post" and token for method, token in page.forms)
    stranger.close()


def test_what_was_typed_is_text_on_the_page(people: dict[Role, Person]) -> None:
    person = people["head_office"]
    person.look("/console/")
    response = person.send("/console/find", q="<script>alert('x')</script>\"'")
    assert "<script" not in response.text
    assert "&lt;script&gt;" in response.text


def test_a_member_is_found_by_each_way(at: Served, people: dict[Role, Person]) -> None:
    person = people["auditor"]
    write_profile(at.folder, b"\x01" * 16, name="Zoe Adams", phone="+14155550123")
    for typed, member in (
        ("Other", ANNA),
        ("other per", ANNA),
        ("6621", ANNA),
        ("4471", ANNA),
        ("13800006621", ANNA),
        ("138 0000", ANNA),
        (PHONE, ANNA),
        (CARD, ANNA),
        ("ZOE", b"\x01" * 16),
        ("+1415", b"\x01" * 16),
    ):
        person.look("/console/")
        found = person.send("/console/find", q=typed).text
        assert re.findall(r"/console/members/([0-9a-f]{32})", found) == [member.hex()], typed
    # What stood before is not what stands.
    assert "/console/members/" not in person.send("/console/find", q=NAME).text


def test_an_erased_person_is_found_no_more(at: Served, people: dict[Role, Person]) -> None:
    gone = b"\x02" * 16
    write_profile(at.folder, gone, name="Gone Person", phone="+8613700009999")
    person = people["head_office"]
    person.look("/console/")
    assert gone.hex() in person.send("/console/find", q="9999").text
    with opened(at.folder) as (store, _), store.writing():
        erase(store, gone, "all")
    assert gone.hex() not in person.send("/console/find", q="9999").text
    page = person.look(f"/console/members/{gone.hex()}").text
    assert "This person was erased." in page
    assert "Gone" not in page


def test_the_connection_of_the_pages_cannot_write(at: Served) -> None:
    refused = pytest.raises(
        (sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction), match=r"read-?only"
    )
    with at.office.place.reading(TENANT) as plain, refused:
        plain.run("DELETE FROM console_session")


def test_the_ledger_comes_page_by_page_without_a_gap(people: dict[Role, Person]) -> None:
    person, path, numbers = people["auditor"], ANNAS, list[int]()
    for _ in range(5):
        page = person.look(path).text
        ledger = page[page.index('aria-label="Ledger"') :]
        numbers += map(int, re.findall(r'data-head="Number" class="number">([0-9]+)<', ledger))
        older = re.search(rf'href="({ANNAS}\?before=[0-9]+)"', ledger)
        if older is None:
            break
        path = older[1]
    assert numbers == list(range(60, 0, -1))


def test_a_member_page_has_balance_lots_and_conflicts(people: dict[Role, Person]) -> None:
    page = people["auditor"].look(ANNAS).text
    assert re.search(r'data-head="Balance" class="number">420<', page)
    assert len(re.findall(r'data-head="Left of it" class="number">7<', page)) == 60
    assert "The first to expire are shown." not in page
    assert "Written over unseen" in page
    assert masked("name", NAME) in page


@pytest.mark.parametrize("path", ["members/zz", "members/" + "00" * 16, "nothing", "members"])
def test_what_is_not_there_is_not_found(people: dict[Role, Person], path: str) -> None:
    assert people["head_office"].look(f"/console/{path}").status_code == 404


def test_the_overview_says_the_budget_and_what_of_it_is_handed_out(
    people: dict[Role, Person],
) -> None:
    page = people["manager"].look("/console/").text
    assert "can overspend 100 points at most. 0 are overspent now and 50 are handed out" in page
    assert "The bound does not hold" not in page


def rows_of(response: httpx.Response) -> list[list[str]]:
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_a_file_has_what_the_list_shows(at: Served, people: dict[Role, Person]) -> None:
    person = people["head_office"]
    response = person.look("/console/tills.csv")
    assert response.headers["content-disposition"] == 'attachment; filename="tills.csv"'
    heads, *rows = rows_of(response)
    page = person.look("/console/tills").text
    assert len(rows) == 1
    for head, value in zip(heads, rows[0], strict=True):
        assert f">{head}</th>" in page
        assert value in re.sub(r"<[^>]+>", "", page)
    person.look("/console/")
    found = rows_of(person.send("/console/members.csv", q="6621"))
    assert found[1] == [ANNA.hex()[:8], masked("name", "Other Person"), masked("phone", PHONE),
                        masked("card", CARD), "420"]  # fmt: skip
    ledger = rows_of(person.look(f"{ANNAS}/ledger.csv"))
    assert [row[0] for row in ledger[1:]] == [str(number) for number in range(60, 0, -1)], (
        "not a page"
    )
    assert [row[5] for row in ledger[1:]] == [str(7 * number) for number in range(60, 0, -1)]
    assert {row[4] for row in ledger[1:]} == {"7"}


def test_the_tills_endpoints_still_answer(at: Served) -> None:
    assert httpx.get(f"{at.url}/healthz").text == "ok\n"
    assert httpx.get(f"{at.url}/nothing").headers["content-type"] != "text/html; charset=utf-8"
    assert TENANT in at.office.chains
