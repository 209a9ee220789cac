"""The journal for people: filters, pages, masks, before and after, export."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app import posting
from app.build import NewStaff, add_staff
from app.context import Session
from app.documents.audit_words import GROUPS, KINDS
from app.domain.errors import Refused
from app.domain.rights import StaffRole
from app.protocol.events import Event
from app.queries import audit
from app.queries.audit import AuditFilter, AuditLine, audit_facts, audit_page
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.enrol import ProfileInput
from app.usecases.export_audit import ExportAudit, export_audit
from app.usecases.staff import SetRole, set_role
from db import journal, rows
from tests.app.kiosk import Kiosk

ALL = AuditFilter()


def person(kiosk: Kiosk, role: StaffRole, initials: str = "xx") -> Session:
    new = NewStaff(initials, "王敏", role, "246813")
    return Session(add_staff(kiosk.ctx, new, today=kiosk.ctx.business_date()), None)


def read(kiosk: Kiosk, asked: AuditFilter, role: StaffRole = "manager") -> list[AuditLine]:
    """Every page of a filter."""
    session = person(kiosk, role, f"p{len(kiosk.events())}")
    lines: list[AuditLine] = []
    before = 1 << 62
    while before:
        page = audit_page(kiosk.ctx, session, asked, before=before)
        lines += page.lines
        before = page.next_before
    return lines


def test_every_event_is_there_once_newest_first_over_all_pages(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.busy_morning()
    monkeypatch.setattr(audit, "PAGE", 3)
    monkeypatch.setattr(journal, "STRETCH", 5)
    lines = read(kiosk, ALL)
    assert [line.seq for line in lines] == list(range(len(kiosk.events()), 0, -1))


def test_a_filter_by_kind_person_member_or_date_gives_just_those(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 4)
    monkeypatch.setattr(journal, "STRETCH", 6)
    kiosk.busy_morning()
    first_day = kiosk.ctx.business_date()
    for day in range(3):
        kiosk.clock.now += timedelta(days=1)
        person(kiosk, "cashier", f"c{day}")  # of today's date; the shift goes on with its own
        other = kiosk.enrol(ProfileInput("Bob Lee")).result.member_id
        kiosk.quote_and_sell()
    events = [posting.event_of(row) for row in all_rows(kiosk)]
    mine = kiosk.session.staff_id
    asked: dict[str, tuple[AuditFilter, Callable[[Event], bool]]] = {
        "kind": (filtered(kinds=frozenset({"void"})), lambda e: e.kind == "void"),
        "person": (filtered(staff_id=mine), lambda e: e.staff_id == mine),
        "member": (filtered(member_id=other), lambda e: e.member_id == other),
        "since": (
            filtered(since=first_day.plus(2)),
            lambda e: e.business_date >= int(first_day) + 2,
        ),
        "until": (
            filtered(until=first_day.plus(1)),
            lambda e: e.business_date <= int(first_day) + 1,
        ),
    }
    for name, (wanted, fits) in asked.items():
        seqs = {line.seq for line in read(kiosk, wanted) if line.seq <= len(events)}
        assert seqs == {event.seq for event in events if fits(event)}, name
        assert seqs, name


def all_rows(kiosk: Kiosk) -> list[rows.EventRow]:
    with kiosk.ctx.read() as conn:
        return list(rows.events_after(conn, 0))


def filtered(**asked: Any) -> AuditFilter:
    return replace(ALL, **asked)


def test_an_auditor_sees_no_name_and_a_manager_does(kiosk: Kiosk) -> None:
    kiosk.quote_and_sell()
    mark = f"#{kiosk.member_id.hex()[-8:]}"
    sale = filtered(kinds=frozenset({"sale"}))
    assert [line.member for line in read(kiosk, sale)] == ["陈思远"]
    session = person(kiosk, "auditor", "au")
    assert [line.member for line in audit_page(kiosk.ctx, session, sale).lines] == [mark]


def test_a_cashier_is_refused_page_facts_and_export(kiosk: Kiosk) -> None:
    session = kiosk.session
    command = ExportAudit(kiosk.ctx.ids(), session, ALL, "csv", "en")
    for call in (
        lambda: audit_page(kiosk.ctx, session, ALL),
        lambda: audit_facts(kiosk.ctx, session, 1),
        lambda: export_audit(kiosk.ctx, command),
    ):
        with pytest.raises(Refused):
            call()


def test_the_facts_of_a_sale_give_the_balance_before_and_after(kiosk: Kiosk) -> None:
    boss = person(kiosk, "manager")
    kiosk.quote_and_sell()
    kiosk.quote_and_sell(redeem=200)
    facts = {
        fact.name: (fact.before, fact.after)
        for fact in audit_facts(kiosk.ctx, boss, len(kiosk.events()))
    }
    earned, spent = int(facts["earned"][1]), int(facts["spent"][1])
    before, after = map(int, facts["balance.points"])
    assert (spent, after) == (200, before + earned - spent)


def test_no_tender_is_shown_before_the_drawer_was_counted(kiosk: Kiosk) -> None:
    boss = person(kiosk, "manager")
    kiosk.busy_morning()
    last = len(kiosk.events())

    def shown() -> str:
        facts = [fact for seq in range(1, last + 1) for fact in audit_facts(kiosk.ctx, boss, seq)]
        return " ".join(str(fact.after) for fact in facts)

    assert "'cash'" not in shown()
    shift = kiosk.session.shift_id
    assert shift is not None
    count_drawer(kiosk.ctx, CountDrawer(kiosk.ctx.ids(), kiosk.session, shift, ((10000, 5),)))
    assert "'cash'" in shown()


def test_the_facts_of_a_changed_role_give_the_one_before(kiosk: Kiosk) -> None:
    boss = person(kiosk, "manager")
    command = SetRole(kiosk.ctx.ids(), boss, kiosk.session.staff_id, "supervisor")
    set_role(kiosk.ctx, command)
    facts = audit_facts(kiosk.ctx, boss, len(kiosk.events()))
    assert [(f.before, f.after) for f in facts if f.name == "person.role"] == [
        ("cashier", "supervisor")
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_holds_the_filtered_events_safely_and_is_an_event(
    kiosk: Kiosk, form: str
) -> None:
    kiosk.enrol(ProfileInput("=cmd|x", "13900001234"))
    boss = person(kiosk, "manager")
    asked = filtered(kinds=frozenset({"enrol"}))
    command = ExportAudit(kiosk.ctx.ids(), boss, asked, form, "en")  # type: ignore[arg-type]  # the two above
    path = export_audit(kiosk.ctx, command).result
    assert export_audit(kiosk.ctx, command).result == path
    if form == "csv":
        table = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [row[5] for row in table] == ["Member", "'=cmd|x", "陈思远"]
    else:
        sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
    event = posting.event_of(all_rows(kiosk)[-1])
    assert (event.kind, event.doc) == ("export", {"what": "audit", "form": form, "rows": 2})


def test_every_kind_of_event_has_words_and_a_filter() -> None:
    codes = {
        value
        for name, value in vars(posting).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_")
    } - {"POINTS", "points", "tier"}
    assert codes - set(KINDS) == set()
    assert {kind for kinds in GROUPS.values() for kind in kinds} == set(KINDS)
