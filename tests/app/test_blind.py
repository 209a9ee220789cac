"""Until the count is submitted nothing in the product tells what the drawer should hold, to any role."""

from __future__ import annotations

import csv
import shutil
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from app import posting
from app.apart import Apart
from app.backup import folder_of
from app.build import open_till
from app.context import Context, Session
from app.documents.report import ReportCode, ReportFilter
from app.domain.drawer import DrawerSums
from app.queries import drawer
from app.queries.audit import AuditFilter, audit_facts
from app.usecases.close_shift import CloseShift, close_shift
from app.usecases.close_unattended import close_all
from app.usecases.count import CountDrawer, count_drawer, shift_sums
from app.usecases.enrol import Enrol, ProfileInput, enrol
from app.usecases.export_audit import ExportAudit, export_audit
from app.usecases.export_report import ExportReport, Form, export_report
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.read_report import open_parts, open_report
from app.usecases.sign_in import SignIn, sign_in
from app.usecases.verify_day import verify_share
from app.usecases.verify_report import Report
from db import rows
from db import till as till_rows
from tests.app.blind import Planted, Walk, doors, functions_of
from tests.app.drawer_acts import give_back, move, pieces, sale
from tests.fakes import PINS, ZONE_MIN, MemoryKeystore, Shop, SteppedClock

FLOAT = 73_130


@dataclass(frozen=True)
class Closed:
    """The planted store, closed, to be copied for each round."""

    folder: Path
    clock: SteppedClock
    keystore: MemoryKeystore
    sessions: tuple[Session, ...]
    ids: dict[str, bytes]
    receipt: str


@pytest.fixture(autouse=True)
def _checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk through all doors asks for some twenty checks of a share, and another process takes a second to
    begin each; that it finds the same is test_apart.py's."""

    def share(_: Apart, ctx: Context, number: int) -> Report:
        return verify_share(ctx, number)

    monkeypatch.setattr(Apart, "share", share)


@pytest.fixture
def closed(shop: Shop) -> Closed:
    """A shift with cash of its own sum: sales, a return, in and out."""
    ctx = shop.till.context
    session = shop.start(float_minor=FLOAT)
    assert session.shift_id is not None
    sold = sale(shop, session, 1_234_570)
    sale(shop, session, 777_180, given=800_000)
    for minor, tender in ((45_600, "qr"), (61_230, "qr"), (33_170, "card"), (52_490, "card")):
        sale(shop, session, minor, tender)
    give_back(shop, session, sale(shop, session, 31_310).event_id)
    move(shop, session, "in", 20_050)
    move(shop, session, "out", 10_010, "bank")
    others = [sign_in(ctx, SignIn(ctx.ids(), who, PINS[who])).result for who in ("wm", "zg")]
    ids = {"event_id": sold.event_id, "shift_id": session.shift_id, "staff_id": session.staff_id}
    sessions = (session, *others)
    shop.till.close()
    made = Closed(shop.till.folder, shop.clock, shop.keystore, sessions, ids, sold.receipt_no)
    shop.open()
    return made


@pytest.fixture
def cash_only(shop: Shop) -> Closed:
    """The same where nobody pays but in cash: whatever was taken is the cash. The manager asks first, with
    every argument; the others ask for the first thing only."""
    ctx = shop.till.context
    session = shop.start(float_minor=FLOAT)
    assert session.shift_id is not None
    sold = sale(shop, session, 1_234_570)
    sale(shop, session, 777_180, given=800_000)
    others = [sign_in(ctx, SignIn(ctx.ids(), who, PINS[who])).result for who in ("wm", "zg")]
    ids = {"event_id": sold.event_id, "shift_id": session.shift_id, "staff_id": session.staff_id}
    shop.till.close()
    made = Closed(
        shop.till.folder, shop.clock, shop.keystore, (*others, session), ids, sold.receipt_no
    )
    shop.open()
    return made


@pytest.fixture
def members_only(shop: Shop) -> Closed:
    """Five cash sales to members: the points that are issued are the takings in whole units."""
    ctx = shop.till.context
    session = shop.start(float_minor=FLOAT)
    assert session.shift_id is not None
    for n, minor in enumerate((139_000, 317_100, 248_200, 490_400, 417_600)):
        profile = ProfileInput(f"Ada {n}", f"1390000{n:04d}")
        member = enrol(ctx, Enrol(ctx.ids(), session, profile, True)).result.member_id
        sold = sale(shop, session, minor, member=member)
        assert sold.document.points_earned == minor // 100
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    ids = {"event_id": sold.event_id, "shift_id": session.shift_id, "staff_id": session.staff_id}
    shop.till.close()
    made = Closed(
        shop.till.folder, shop.clock, shop.keystore, (manager, session), ids, sold.receipt_no
    )
    shop.open()
    return made


@contextmanager
def opened(closed: Closed, folder: Path) -> Iterator[Planted]:
    """A copy of the planted store, open."""
    shutil.copytree(closed.folder, folder)
    opened = open_till(
        folder,
        find_keystore=lambda: closed.keystore,
        clock=SteppedClock(closed.clock.now),
        offset_min=lambda: ZONE_MIN,
    )
    texts = {
        "who": ("lx",), "pin": (PINS["lx"],), "text": ("", closed.receipt), "code": (closed.receipt,),
        "reason": ("", "other", "power_cut"), "initials": ("lx",), "language": ("en",),
    }  # fmt: skip
    planted = Planted(opened, closed.sessions, closed.ids, texts, folder.with_suffix(".out"))
    planted.folder.mkdir()
    try:
        yield planted
    finally:
        opened.close()


def sums_of(ctx: Context) -> DrawerSums:
    with ctx.read() as conn:
        shift = till_rows.open_shift(conn)
        assert shift is not None
        return shift_sums(conn, shift.id)


QR, CARD = 106_830, 85_660
"""What the tenders of several sales add up to, so that no single document has it."""


def secrets_of(sums: DrawerSums) -> tuple[int, ...]:
    """What is expected; the same without the float; the cash taken; the cash taken less refunds; and
    what leaves the cash when it is taken off the takings: the sums of the other tenders."""
    return (
        sums.expected_minor,
        sums.expected_minor - sums.float_minor,
        sums.sales_minor,
        sums.sales_minor - sums.refunds_minor,
        QR,
        CARD,
        QR + CARD,
    )


def is_over(ctx: Context) -> bool:
    """The shift was counted or closed: nothing is secret any more."""
    found = drawer.open_drawer(ctx)
    return found is None or found.counted is not None


def walk(closed: Closed, tmp_path: Path, more: dict[str, Callable[..., object]]) -> Walk:
    """Ask every door, each role; a copy in which a command ended the shift is left for a fresh one."""
    with opened(closed, tmp_path / "first") as planted:
        result = Walk(secrets_of(sums_of(planted.till.context)))
        names = [*doors(planted), *more]
    round_ = 0
    while names:
        round_ += 1
        with opened(closed, tmp_path / f"round-{round_}") as planted:
            ctx = planted.till.context
            found = {**doors(planted), **more}
            while names:
                name = names.pop(0)
                if not result.ask(planted, name, found[name], over=partial(is_over, ctx)):
                    break
            if not is_over(ctx):
                _search_paper(result, planted)
    return result


def _search_paper(result: Walk, planted: Planted) -> None:
    """Slips that were queued, and files that were written."""
    with planted.till.context.read() as conn:
        for kind, document in conn.execute("SELECT kind, document FROM print_job ORDER BY id"):
            result.search(f"slip of {kind}", document)
    for path in planted.folder.rglob("*"):
        if path.is_file():
            result.search(f"file {path.name}", path.read_bytes())


def test_nobody_is_told_what_the_drawer_should_hold_before_the_count(
    closed: Closed, tmp_path: Path
) -> None:
    result = walk(closed, tmp_path, {})
    assert result.found == []
    assert result.unasked == [], "\n".join(result.unasked)
    assert len(result.answered) >= 60
    assert {"app.queries.drawer.x_report", "CashDesk.x_report", "Desk.till"} <= result.answered


def test_nobody_is_told_it_by_the_takings_of_a_shop_that_takes_cash_only(
    cash_only: Closed, tmp_path: Path
) -> None:
    result = walk(cash_only, tmp_path, {})
    assert result.found == []


def test_no_report_and_no_file_adds_up_the_takings_of_a_shop_that_takes_cash_only(
    cash_only: Closed, tmp_path: Path
) -> None:
    assert every_report(cash_only, tmp_path).found == []


def every_report(closed: Closed, tmp_path: Path) -> Walk:
    """Every report as the manager sees it, what each figure opens into, and every file of it."""
    with opened(closed, tmp_path / "copy") as planted:
        ctx, manager = planted.till.context, planted.sessions[0]
        result = Walk(secrets_of(sums_of(ctx)))
        today = ReportFilter(ctx.business_date(), ctx.business_date())
        for code in get_args(ReportCode):
            report = open_report(ctx, manager, code, today)
            result.search(code, report)
            for figure in (each for line in report.lines for each in line.figures):
                found = open_parts(ctx, manager, figure.drill).parts if figure.drill else ()
                result.search(f"{code}, opened", sum(part.amount for part in found))
            forms: tuple[Form, ...] = ("csv", "xlsx", "print")
            for form in forms:
                export_report(ctx, ExportReport(ctx.ids(), manager, (code,), today, form, "en"))
        path = export_audit(ctx, ExportAudit(ctx.ids(), manager, AuditFilter(), "csv", "en")).result
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
        totals = [cell for row in rows[1:] for cell in row[8:10] if cell]
        assert totals == [], "a table of documents can be added up"
        for each in (planted.till.folder / "reports").glob("*.csv"):
            result.search(each.name, each.read_bytes())
        _search_paper(result, planted)
    return result


def test_nobody_is_told_the_takings_by_the_points_that_members_were_given(
    members_only: Closed, tmp_path: Path
) -> None:
    result = walk(members_only, tmp_path, {})
    assert result.found == []


def test_no_report_and_no_file_adds_up_the_points_of_the_shift(
    members_only: Closed, tmp_path: Path
) -> None:
    assert every_report(members_only, tmp_path).found == []


def test_the_points_of_the_shift_are_told_after_the_count(
    members_only: Closed, tmp_path: Path
) -> None:
    with opened(members_only, tmp_path / "copy") as planted:
        ctx, (manager, session) = planted.till.context, planted.sessions
        today = ReportFilter(ctx.business_date(), ctx.business_date())
        before = open_report(ctx, manager, "points", today)
        assert before.notes == ("open_shift",)
        assert [figure.withheld for figure in before.lines[0].figures] == [True, True]
        assert session.shift_id is not None
        sums = sums_of(ctx)
        count_drawer(ctx, CountDrawer(ctx.ids(), session, session.shift_id, pieces(100)))
        after = open_report(ctx, manager, "points", today)
        assert after.notes == ()
        assert after.lines[0].figures[0].value == sums.sales_minor // 100


def test_the_walk_finds_a_query_that_tells(closed: Closed, tmp_path: Path) -> None:
    """The teeth of the walk: three ways of telling, as number, as text, and in a refusal."""
    leaky = types.ModuleType("leaky")
    exec(  # a module as a later one could be
        """
from app.context import Context
from app.domain.errors import Refusal, Refused
from tests.app.test_blind import sums_of
def number(ctx: Context): return {"deep": [(sums_of(ctx),)]}
def text(ctx: Context): return f"{sums_of(ctx).expected_minor / 100:,.2f}"
def refusal(ctx: Context): raise Refused(Refusal.NOT_ALLOWED, {"most": sums_of(ctx).sales_minor})
def quiet(ctx: Context): return 5
""",
        leaky.__dict__,
    )
    more = functions_of(leaky)
    assert len(more) == 4
    with opened(closed, tmp_path / "copy") as planted:
        result = Walk(secrets_of(sums_of(planted.till.context)))
        for name, function in more.items():
            result.ask(planted, name, function)
    told = {found.split(":")[0] for found in result.found}
    assert told == {"leaky.number", "leaky.text", "leaky.refusal"}


def test_after_the_count_it_is_told(closed: Closed, tmp_path: Path) -> None:
    """The same walk over the same query has something to find once the count is there."""
    with opened(closed, tmp_path / "copy") as planted:
        ctx, session = planted.till.context, planted.sessions[0]
        assert session.shift_id is not None
        result = Walk(secrets_of(sums_of(ctx)))
        count_drawer(ctx, CountDrawer(ctx.ids(), session, session.shift_id, pieces(100)))
        result.ask(planted, "x_report", drawer.x_report)
    assert result.found


def test_the_z_of_an_older_date_tells_nothing_of_the_shift_that_is_open(shop: Shop) -> None:
    """Its event, its slip, its file, and the journal as the manager reads and exports it."""
    ctx = shop.till.context
    session = shop.start(float_minor=FLOAT)
    sale(shop, session, 5_000)
    assert session.shift_id is not None
    count_drawer(ctx, CountDrawer(ctx.ids(), session, session.shift_id, pieces(5_000 + FLOAT)))
    close_shift(ctx, CloseShift(ctx.ids(), session, session.shift_id))
    shop.clock.step(days=1)
    session = open_shift(ctx, OpenShift(ctx.ids(), session, FLOAT)).result
    for n, minor in enumerate((139_000, 317_100, 248_200, 490_400, 417_600)):
        profile = ProfileInput(f"Ada {n}", f"1390000{n:04d}")
        member = enrol(ctx, Enrol(ctx.ids(), session, profile, True)).result.member_id
        sale(shop, session, minor, member=member)
    (done,) = close_all(ctx).closed
    result = Walk((1_612_300, 1_612_300 + FLOAT))
    manager = sign_in(ctx, SignIn(ctx.ids(), "zg", PINS["zg"])).result
    with ctx.read() as conn:
        row = rows.event_by_id(conn, done.event_id)
        assert row is not None
        slips = [job.document for job in till_rows.jobs_of_event(conn, row.seq)]
    assert b"points_at_end" in row.body
    result.search("event", row.body)
    result.search("slips", slips)
    result.search("viewer", audit_facts(ctx, manager, row.seq))
    for path in folder_of(ctx).glob("*.json"):
        result.search("file", path.read_bytes())
    path = export_audit(ctx, ExportAudit(ctx.ids(), manager, AuditFilter(), "csv", "en")).result
    result.search("journal", path.read_bytes())
    assert result.found == []
    shop.clock.step(days=1)
    (after,) = close_all(ctx).closed
    with ctx.read() as conn:
        row = rows.event_by_id(conn, after.event_id)
        assert row is not None
    proof = posting.event_of(row).doc["proof"]
    assert (proof["points_at_end"], proof["faults"]) == (16_123, 0)
