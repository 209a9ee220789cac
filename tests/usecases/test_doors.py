"""Every door of the back office, for every role: it opens for whom the matrix names and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.context import Session
from app.documents.report import Drill, ReportFilter
from app.domain.errors import Refusal, Refused
from app.domain.fraud.facts import Case
from app.domain.rights import ROLES, Grant, Right, StaffRole, rule
from app.queries.audit import AuditFilter, audit_facts, audit_page
from app.queries.catalogue import catalogue
from app.queries.health import health_for
from app.queries.staff import staff_list
from app.usecases.audit import KeepStartKey, keep_start_key, show_start_key
from app.usecases.back_up import check_may_back_up
from app.usecases.cash_move import MoveCash, move_cash
from app.usecases.catalogue import ImportCatalogue, SaveItem, import_catalogue, save_item
from app.usecases.count import CountDrawer, count_drawer
from app.usecases.drawer import OpenDrawer, open_drawer
from app.usecases.exceptions import SayOfCase, exceptions_of, journal_of_case, say_of_case
from app.usecases.export_audit import ExportAudit, export_audit
from app.usecases.export_catalogue import ExportCatalogue, export_catalogue
from app.usecases.export_report import ExportReport, export_report
from app.usecases.print_x import PrintX, print_x
from app.usecases.read_home import read_home
from app.usecases.read_report import choices, open_parts, open_report
from app.usecases.support_file import SaveSupportFile, save_support_file
from tests.app.drawer_acts import pieces
from tests.usecases.counter import INITIALS, Counter

LOOKS = frozenset({Grant.READ, Grant.ALONE, Grant.SECOND})
ACTS = frozenset({Grant.ALONE, Grant.SECOND})


@dataclass(frozen=True, slots=True)
class Door:
    """What a person of a session does, and the right that it takes."""

    right: Right
    act: Callable[[Counter, Session], object]
    looks: bool = False


def today(c: Counter) -> ReportFilter:
    on = c.ctx.business_date()
    return ReportFilter(on, on)


def shift_of(c: Counter) -> bytes:
    shift = c.session("lx").shift_id
    assert shift is not None
    return shift


def count(c: Counter, session: Session) -> None:
    count_drawer(c.ctx, CountDrawer(c.ctx.ids(), session, shift_of(c), pieces(100)))


CASE = Case("F2.per_day.01.2", "F2", "per_day", "flag", "", "", "", 0, 0, (("", 2),), ())
TEXTS = {"code": "new-1", "name": "新茶", "category": "tea", "price": "1.00"}
CSV = "code,name,category,price\nnew-2,新茶,tea,1.00\n".encode()
DOORS = {
    "report": Door(Right.REPORTS, lambda c, s: open_report(c.ctx, s, "day", today(c)), True),
    "parts": Door(Right.REPORTS, lambda c, s: open_parts(c.ctx, s, Drill("sales", today(c))), True),
    "choices": Door(Right.REPORTS, lambda c, s: choices(c.ctx, s), True),
    "home": Door(Right.REPORTS, lambda c, s: read_home(c.ctx, s), True),
    "report file": Door(
        Right.REPORTS,
        lambda c, s: export_report(
            c.ctx, ExportReport(c.ctx.ids(), s, ("day",), today(c), "csv", "en")
        ),
    ),
    "journal": Door(Right.AUDIT, lambda c, s: audit_page(c.ctx, s, AuditFilter()), True),
    "event": Door(Right.AUDIT, lambda c, s: audit_facts(c.ctx, s, 2), True),
    "journal file": Door(
        Right.AUDIT,
        lambda c, s: export_audit(c.ctx, ExportAudit(c.ctx.ids(), s, AuditFilter(), "csv", "en")),
        True,
    ),
    "exceptions": Door(
        Right.AUDIT,
        lambda c, s: exceptions_of(c.ctx, s, c.ctx.business_date(), c.ctx.business_date()),
        True,
    ),
    "case": Door(Right.AUDIT, lambda c, s: journal_of_case(c.ctx, s, CASE), True),
    "word of a case": Door(
        Right.CASE,
        lambda c, s: say_of_case(c.ctx, SayOfCase(c.ctx.ids(), s, CASE.key, "seen")),
    ),
    "items": Door(Right.CATALOGUE, lambda c, s: catalogue(c.ctx, s, ""), True),
    "items tried": Door(
        Right.CATALOGUE,
        lambda c, s: import_catalogue(c.ctx, ImportCatalogue(c.ctx.ids(), s, CSV, dry_run=True)),
        True,
    ),
    "items taken": Door(
        Right.CATALOGUE,
        lambda c, s: import_catalogue(c.ctx, ImportCatalogue(c.ctx.ids(), s, CSV)),
    ),
    "item": Door(
        Right.CATALOGUE, lambda c, s: save_item(c.ctx, SaveItem(c.ctx.ids(), s, TEXTS, new=True))
    ),
    "items file": Door(
        Right.CATALOGUE, lambda c, s: export_catalogue(c.ctx, ExportCatalogue(c.ctx.ids(), s)), True
    ),
    "staff": Door(Right.STAFF, lambda c, s: staff_list(c.ctx, s), True),
    "health": Door(Right.SETTINGS, lambda c, s: health_for(c.ctx, s), True),
    "support file": Door(
        Right.SETTINGS, lambda c, s: save_support_file(c.ctx, SaveSupportFile(c.ctx.ids(), s))
    ),
    "start key": Door(Right.RESTORE, lambda c, s: show_start_key(c.ctx, s, c.ctx.ids())),
    "start key kept": Door(
        Right.RESTORE, lambda c, s: keep_start_key(c.ctx, KeepStartKey(c.ctx.ids(), s))
    ),
    "backup": Door(Right.BACKUP, lambda c, s: check_may_back_up(c.ctx, s, c.ctx.ids())),
    "x": Door(Right.SHIFT, lambda c, s: print_x(c.ctx, PrintX(c.ctx.ids(), s))),
    "drawer": Door(
        Right.DRAWER, lambda c, s: open_drawer(c.ctx, OpenDrawer(c.ctx.ids(), s, "check"))
    ),
    "cash": Door(
        Right.CASH_MOVE,
        lambda c, s: move_cash(c.ctx, MoveCash(c.ctx.ids(), s, "in", 100, "other")),
    ),
    "count": Door(Right.SHIFT, count),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_opens_for_whom_the_matrix_names_and_for_nobody_else(
    counter: Counter, door: str
) -> None:
    for role in sorted(ROLES, key=lambda role: is_open(DOORS[door], role)):
        session = Session(counter.staff_id(INITIALS[role]), shift_of(counter))
        assert lets_in(counter, DOORS[door], session) is is_open(DOORS[door], role), role


def lets_in(counter: Counter, door: Door, session: Session) -> bool:
    try:
        door.act(counter, session)
    except Refused as refused:
        return refused.code is not Refusal.NOT_ALLOWED
    return True


def is_open(door: Door, role: StaffRole) -> bool:
    return rule(role, door.right).grant in (LOOKS if door.looks else ACTS)
