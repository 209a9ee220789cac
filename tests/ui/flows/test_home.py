"""The manager's home by its keys: F11 sy, four lists, and what Enter opens from each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.usecases.enrol import BirthdayInput, Enrol, ProfileInput, enrol
from app.usecases.open_shift import OpenShift, open_shift
from app.usecases.sign_in import SignIn, sign_in
from tests.ui.conftest import Rig, build_rig
from tests.ui.keys import focus, press
from tests.ui.shop import PIN, Shop, charge
from ui.kit import Kit
from ui.models.home_rows import REPORT_OF
from ui.pages import COUNTER, HOME
from ui.screens.home_page import HomePage
from ui.screens.reports_page import ReportsPage
from ui.widgets.table import RecordTable


@pytest.fixture
def birthday(qtbot: QtBot, qapp: QApplication, shop: Shop, kit: Kit) -> Iterator[Rig]:
    """The manager at the till on a member's birthday."""
    till = shop.open()
    ctx = till.context
    session = sign_in(ctx, SignIn(ctx.ids(), "wm", PIN)).result
    session = open_shift(ctx, OpenShift(ctx.ids(), session, 50000)).result
    today = ctx.business_date().to_date()
    born = BirthdayInput("solar", today.month, today.day, 1990)
    profile = ProfileInput(name="周生日", phone="13912345678", birthday=born)
    enrol(ctx, Enrol(ctx.ids(), session, profile, service_consent=True))
    till.close()
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    rig.sign_in("wm")
    rig.until(lambda: rig.shell.till.shift is not None)
    rig.settle()
    yield rig
    rig.window.close()
    rig.window.deleteLater()


def open_home(rig: Rig) -> HomePage:
    rig.act("sy")
    page = rig.page(HomePage)
    rig.until(lambda: page.home is not None)
    return page


def rows_shown(table: RecordTable) -> int:
    """How many whole rows a table has room for."""
    return table.viewport().height() // table.verticalHeader().defaultSectionSize()


def test_f11_sy_shows_today_with_the_figures_in_reach(manager: Rig) -> None:
    page = open_home(manager)
    assert page.glance.hasFocus()
    assert page.glance_rows.rowCount() == 6
    assert "点钞后显示" in page.glance_rows.cells(page.home.glance[0])  # type: ignore[union-attr]  # read
    assert page.machine_rows.rowCount() == 12


def test_enter_on_a_figure_opens_its_report_of_today_and_esc_leaves_it(manager: Rig) -> None:
    open_home(manager)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.shell.pages.currentWidget(), ReportsPage))
    reports = manager.shell.pages.currentWidget()
    assert isinstance(reports, ReportsPage)
    manager.until(lambda: reports.shown is not None)
    assert reports.shown is not None
    assert reports.shown.report.code == "hours"
    assert reports.asked().first == reports.asked().last == manager.shell.till.today
    press(Qt.Key.Key_Escape)
    assert manager.shell.pages.currentIndex() == COUNTER


def test_tab_and_enter_open_a_birthday_at_the_counter(birthday: Rig) -> None:
    page = open_home(birthday)
    press(Qt.Key.Key_Tab)
    assert focus() is page.tasks
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    birthday.until(lambda: birthday.counter.attached is not None)
    assert birthday.shell.pages.currentIndex() == COUNTER
    assert birthday.counter.attached is not None
    assert birthday.counter.attached.name == "周生日"


def test_an_open_sale_keeps_its_member(birthday: Rig) -> None:
    birthday.attach("6608")
    birthday.amount("12")
    page = open_home(birthday)
    before = birthday.counter.cart
    page.tasks.setFocus()
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    assert birthday.shell.pages.currentIndex() == HOME
    assert birthday.counter.cart == before


def test_good_news_of_another_page_does_not_cover_the_foot_of_this_one(manager: Rig) -> None:
    strip = manager.shell.strip
    strip.good_news(lambda: "Paid")
    open_home(manager)
    assert strip.text == ""


def test_what_can_be_undone_or_needs_a_hand_stays_on_the_next_page(manager: Rig) -> None:
    strip = manager.shell.strip
    strip.offer_undo(lambda: "Cleared", lambda: None)
    open_home(manager)
    assert strip.text == "Cleared"
    strip.warn(lambda: "No paper")
    press(Qt.Key.Key_Escape)
    assert manager.shell.pages.currentIndex() == COUNTER
    assert strip.text == "No paper"


def test_the_alarm_of_a_backup_that_never_was_has_no_date(manager: Rig) -> None:
    page = open_home(manager)
    alarms = [page.alarm_rows.record(row) for row in range(page.alarm_rows.rowCount())]
    said = [page.alarm_rows.cells(line) for line in alarms if line is not None]
    assert ("一直", "还没有备份。", "按 Enter 备份（F11 bf）") in said, said


def test_a_cashier_reads_why_there_is_nothing(rig: Rig) -> None:
    rig.shell.actions_.do("home")
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, HomePage)
    rig.until(lambda: page.status.text() and "…" not in page.status.text())
    assert page.home is None
    for model in (page.glance_rows, page.task_rows, page.alarm_rows, page.machine_rows):
        assert model.rowCount() == 0


def test_nothing_of_the_manager_stays_for_the_cashier(manager: Rig) -> None:
    page = open_home(manager)
    assert page.glance_rows.rowCount()
    session = manager.shell.session
    assert session is not None
    desk = manager.window.desk
    assert desk is not None
    cashier = desk.find_staff("lx")
    assert cashier is not None
    manager.shell._use_session(type(session)(cashier.staff_id, session.shift_id))
    page.fill_anew()
    manager.until(lambda: page.home is None)
    for model in (page.glance_rows, page.task_rows, page.alarm_rows, page.machine_rows):
        assert model.rowCount() == 0


def test_every_figure_of_the_glance_has_a_report(manager: Rig) -> None:
    page = open_home(manager)
    assert [str(line.key) for line in page.glance_rows._records] == list(REPORT_OF)


def test_the_curve_of_visits_is_a_stop_and_opens_the_hours(manager: Rig) -> None:
    desk, session = manager.window.desk, manager.shell.session
    assert desk is not None
    assert session is not None
    done: list[int] = []

    def sell_once() -> int:
        charge(desk._till, session, desk.search("6608").hits[0].member_id, 9600)
        return 1

    manager.window.lanes.run(
        manager.window, "db", sell_once, ok=done.append, failed=lambda error: None
    )
    manager.until(lambda: done)
    page = open_home(manager)
    assert page.visits.isVisible()
    assert rows_shown(page.tasks) >= 5, "the whole of an ordinary day's list at 1366x768"
    assert rows_shown(page.alarms) >= 3
    assert rows_shown(page.machine) >= 3
    assert page.home is not None
    assert sum(page.home.visits.today) == 1
    assert page.visits.chart is not None
    assert page.visits.chart.before == page.home.visits.week_before
    page.visits.setFocus()
    press(Qt.Key.Key_Return)
    reports = manager.page(ReportsPage)
    assert reports.code() == "hours"


def test_enter_on_the_alarm_of_the_backup_makes_one(manager: Rig) -> None:
    page = open_home(manager)
    manager.until(lambda: page.alarm_rows.rowCount() > 0)
    row = next(
        n
        for n in range(page.alarm_rows.rowCount())
        if "还没有备份" in page.alarm_rows.cells(page.alarm_rows._records[n])[1]
    )
    page.alarms.setFocus()
    page.alarms.selectRow(row)
    press(Qt.Key.Key_Return)
    manager.until(
        lambda: (
            list((manager.shop.folder.parent).rglob("*.rwb")) or "备份" in manager.shell.strip.text
        )
    )


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_nothing_is_cut_off_on_the_smallest_screen(manager: Rig, language: str) -> None:
    if language == "en":
        manager.shell.actions_.do("language")
    open_home(manager)
    manager.settle()
    assert manager.faults() == []


def test_what_needs_a_hand_comes_first_in_the_health_of_the_till(manager: Rig) -> None:
    page = open_home(manager)
    alarms = [line.alarm for line in page.machine_rows._records]
    assert any(alarms)
    assert alarms == sorted(alarms, reverse=True)
