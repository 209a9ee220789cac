"""The reports page by its keys: filters, chart, figures down to their events, paper and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from PySide6.QtCore import Qt

from app.domain.errors import Refusal, Refused
from printing.report import ChartData
from tests.ui.conftest import Rig
from tests.ui.flows.steps import close_every_date
from tests.ui.keys import press, write
from tests.ui.shop import charge
from ui.dialogs.audit_event import AuditEvent
from ui.dialogs.points import WhyPoints
from ui.dialogs.report_parts import PartsSheet
from ui.screens.home_page import HomePage
from ui.screens.reports_page import ReportsPage


def open_reports(rig: Rig) -> ReportsPage:
    rig.act("rb")
    page = rig.page(ReportsPage)
    rig.until(lambda: page.shown is not None)
    return page


def show(rig: Rig, page: ReportsPage, code: str, period: str = "28") -> None:
    page.shown = None
    page.report.choose(code)
    page.period.choose(period)
    page.read()
    rig.until(lambda: page.shown is not None)


def test_f11_rb_opens_today_with_the_figures_in_reach(manager: Rig) -> None:
    page = open_reports(manager)
    assert page.shown is not None
    assert page.shown.report.code == "overview"
    assert page.asked().first == page.asked().last == manager.shell.till.today
    assert page.table.hasFocus()


def test_enter_walks_from_a_figure_to_one_document_and_esc_back(manager: Rig) -> None:
    page = open_reports(manager)
    show(manager, page, "day")
    page.focus_table()
    page.table.setCurrentIndex(page.rows.index(0, 1))
    press(Qt.Key.Key_Return)
    parts = manager.sheet(PartsSheet)
    assert parts.rows.rowCount() == 4
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, WhyPoints))
    press(Qt.Key.Key_Escape)
    assert manager.top is parts
    press(Qt.Key.Key_Escape)
    assert not manager.shell.sheets.isVisible()
    assert manager.shell.pages.currentWidget() is page
    assert page.report.value == "day"
    assert page.table.currentIndex().row() == 0


def test_arrows_walk_the_filter_row_as_one_stop(manager: Rig) -> None:
    page = open_reports(manager)
    page.filters.setFocus()
    assert page.report.hasFocus()
    press(Qt.Key.Key_Right)
    assert page.period.hasFocus()
    page.shown = None
    press(Qt.Key.Key_Down)
    manager.until(lambda: page.shown is not None)
    assert page.asked().last == manager.shell.till.today - 1
    press(Qt.Key.Key_Return)
    assert page.table.hasFocus()


def test_a_store_of_one_till_offers_no_choice_of_tills(manager: Rig) -> None:
    page = open_reports(manager)
    manager.settle()
    assert page.till.isHidden()
    page.filters.setFocus()
    for _ in range(5):
        press(Qt.Key.Key_Right)
    assert page.report.hasFocus(), "once around"
    assert "1 号柜" in page.status.text() or "收银台 1" in page.status.text()


def test_a_store_with_slips_of_two_tills_can_be_narrowed_to_one(manager: Rig) -> None:
    """As after a restore under another number."""
    desk, session = manager.window.desk, manager.shell.session
    assert desk is not None
    assert session is not None
    ctx = desk._till.context
    ctx.till = replace(ctx.till, till="2")
    charge(desk._till, session, None, 4200)
    page = open_reports(manager)
    manager.until(page.till.isVisible)
    show(manager, page, "day")
    assert "全部收银台" in page.status.text()
    assert manager.faults() == []
    page.filters.setFocus()
    press(Qt.Key.Key_Left)
    assert page.till.hasFocus()
    sold: list[int | None] = []
    for number in ("1", "2"):
        press(Qt.Key.Key_Down)
        manager.until(lambda: f"收银台 {number}" in page.status.text())  # noqa: B023 (waited for here)
        assert page.asked().till == number
        assert page.shown is not None
        sold.append(page.shown.report.total[0].value)
    assert sold == [4, 1]
    page.show_today("overview")
    assert page.asked().till == ""


def test_arrows_move_the_point_of_a_chart_and_its_value_is_spoken(manager: Rig) -> None:
    page = open_reports(manager)
    show(manager, page, "hours")
    chart = page.chart
    chart.setFocus()
    before = chart.accessibleName()
    press(Qt.Key.Key_Down)
    assert chart.at == len(page.shown.report.columns)  # type: ignore[union-attr]  # it was awaited
    assert chart.accessibleName() != before
    assert chart.spoken in chart.accessibleName()


def test_f10_prints_the_report_and_f11_saves_it(manager: Rig, tmp_path: Path) -> None:
    page = open_reports(manager)
    show(manager, page, "category")
    assert manager.shell.actions_.get("pdf").refusal() == ""
    manager.shell.actions_.do("pdf")
    folder = manager.shop.folder / "reports"
    manager.until(lambda: list(folder.glob("category-*.pdf")))
    press(Qt.Key.Key_F10)
    manager.until(lambda: "报表正在打印" in manager.shell.strip.text)
    manager.shell.show_page(0)
    assert manager.shell.actions_.get("pdf").refusal()


def test_whoever_may_not_read_a_report_sees_nothing_of_what_was_read_before(manager: Rig) -> None:
    page = open_reports(manager)
    show(manager, page, "day")
    assert page.rows.rowCount()
    page._not_read(Refused(Refusal.NOT_ALLOWED))
    assert page.rows.rowCount() == 0
    assert page.chart.isHidden()
    assert page.status.text()


@pytest.mark.parametrize("kind", ["bars", "lines"])
def test_a_chart_that_has_labels_and_nothing_to_show_is_painted(
    manager: Rig, kind: Literal["bars", "lines"]
) -> None:
    """The first hour of a day, when only a later hour was busy a week ago."""
    page = open_reports(manager)
    page.chart.show_chart(ChartData(kind, "", ("14",), (), ()))
    page.chart.resize(400, 120)
    assert not page.chart.grab().isNull()
    page.chart.setFocus()
    press(Qt.Key.Key_Right)
    assert page.chart.at == 0


def test_a_cashier_reads_why_there_is_no_report(rig: Rig) -> None:
    rig.shell.actions_.do("reports")
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, ReportsPage)
    rig.settle()
    rig.until(lambda: page.status.text() and "…" not in page.status.text())
    assert page.shown is None
    assert page.rows.rowCount() == 0


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_nothing_is_cut_off_on_the_smallest_screen(manager: Rig, language: str) -> None:
    if language == "en":
        manager.shell.actions_.do("language")
    page = open_reports(manager)
    for code in ("overview", "day", "hours", "members"):
        show(manager, page, code)
        manager.settle()
        assert manager.faults() == []
        first = page.table.columnWidth(0)
        metrics = page.table.fontMetrics()
        assert page.shown is not None
        for row in page.shown.sheet.rows:
            assert metrics.horizontalAdvance(row[0]) < first, row[0]


def span(page: ReportsPage) -> tuple[int, int]:
    """The dates of what is shown."""
    assert page.shown is not None
    asked = page.shown.report.filter
    return asked.first, asked.last


def test_own_dates_are_typed_checked_and_read(manager: Rig) -> None:
    page = open_reports(manager)
    page.filters.setFocus()
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Up)
    assert page.period.value == "own"
    assert page.dates.isVisible()
    manager.until(lambda: page.shown is not None and not page._latest.waiting)
    press(Qt.Key.Key_Return)
    assert page.dates.first.hasFocus()
    today = manager.shell.till.today
    shown = page.shown
    for first, last in (("1131", "1"), (today.plus(1).iso(), today.plus(1).iso())):
        page.dates.first.setText(first)
        page.dates.last.setText(last)
        page.dates.last.setFocus()
        press(Qt.Key.Key_Return)
        assert page.dates.problem.text()
        assert page.dates.span is None
        assert page.shown is shown
    page.dates.first.setFocus()
    page.dates.first.selectAll()
    write(today.plus(-9).iso().replace("-", ""))
    press(Qt.Key.Key_Return)
    assert page.dates.last.hasFocus()
    write(today.plus(-1).iso())
    press(Qt.Key.Key_Return)
    assert page.dates.problem.text() == ""
    wanted = (today.plus(-9), today.plus(-1))
    manager.until(lambda: span(page) == wanted)
    assert page.table.hasFocus()


def test_a_report_is_held_against_what_the_row_says(manager: Rig) -> None:
    page = open_reports(manager)
    show(manager, page, "cashier")
    for value, column in (("week_before", "上周同日"), ("year_before", "去年同日"), ("", "作废")):
        page.against.choose(value)
        show(manager, page, "cashier")
        assert page.shown is not None
        assert page.shown.sheet.heads[-1] == column


def test_an_event_without_a_member_opens_too(manager: Rig) -> None:
    page = open_reports(manager)
    show(manager, page, "members", "365")
    page.focus_table()
    page.table.setCurrentIndex(page.rows.index(0, 1))
    press(Qt.Key.Key_Return)
    parts = manager.sheet(PartsSheet)
    assert parts.rows.rowCount() > 0
    old = parts.rows.record(parts.rows.rowCount() - 1)
    assert old is not None
    parts.table.selectRow(0)
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, AuditEvent) or page.status.text())


def test_after_the_z_today_is_the_date_just_closed_until_the_next_shift(manager: Rig) -> None:
    today = close_every_date(manager).business_date()
    manager.shell._refresh_till()
    manager.settle()
    assert manager.shell.till.today == today.plus(1)
    page = open_reports(manager)
    assert (page.asked().first, page.asked().last) == (today, today)
    manager.act("sy")
    home = manager.page(HomePage)
    manager.until(lambda: home.home is not None)
    assert home.home is not None
    assert home.home.on == today
    manager.act("qs")
    manager.act("kb")
    manager.open_shift()
    manager.settle()
    manager.act("rb")
    page.read()
    assert page.asked().first == today.plus(1)
