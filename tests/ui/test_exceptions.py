"""The exception report in the window, on a real store, by real keys."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

import app.domain.fraud as fraud
import resources
from app.build import publish
from app.documents.event_codes import CASE_REASONS, RULE_NAMES
from app.domain.fraud.facts import RULES, Case
from app.queries.exceptions import PersonLine
from app.usecases.exceptions import REASONS
from tests.ui.conftest import Rig, build_rig, make_kit
from tests.ui.flows.steps import close_every_date
from tests.ui.keys import press, write
from tests.ui.shop import PIN, Shop, charge
from ui.dialogs.approval import Approval
from ui.dialogs.audit_event import AuditEvent, EventList
from ui.dialogs.cases import CaseList, CaseSheet
from ui.guard_words import SENTENCES, case_sentence, stop_reason
from ui.screens.exceptions_page import ExceptionsPage


def with_three_earning_sales(rig: Rig) -> None:
    """A member who earns three times today: a case of F2."""
    desk, session = rig.window.desk, rig.shell.session
    assert desk is not None
    assert session is not None
    member = desk.search("6608").hits[0].member_id
    done: list[int] = []

    def three() -> int:
        for _ in range(3):
            charge(desk._till, session, member, 9600)
        return 1

    rig.window.lanes.run(rig.window, "db", three, ok=done.append, failed=lambda error: None)
    rig.until(lambda: done)


def open_page(rig: Rig) -> ExceptionsPage:
    rig.act("yc")
    return rig.sheet(ExceptionsPage)


def open_report(rig: Rig) -> ExceptionsPage:
    """The report of today, read. The shop has cases of earlier days too."""
    page = open_page(rig)
    page.period.choose("1")
    rig.until(lambda: page.report is not None and page.report.since == page.report.until)
    return page


def open_case(rig: Rig) -> CaseSheet:
    """Enter on the person, Enter on the case."""
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.top, CaseList))
    press(Qt.Key.Key_Return)
    return rig.sheet(CaseSheet)


def people(page: ExceptionsPage) -> tuple[PersonLine, ...]:
    return page.report.people if page.report else ()


@pytest.fixture
def manager(manager: Rig) -> Rig:
    """The manager, after three earning sales of one member."""
    with_three_earning_sales(manager)
    return manager


def test_a_cashier_reads_why_there_is_no_report_for_them(rig: Rig) -> None:
    page = open_page(rig)
    reading = page.status.text()
    rig.until(lambda: page.status.text() != reading)
    assert page.report is None
    assert page.rows.rowCount() == 0


def test_enter_goes_from_a_person_to_a_case_to_its_events_and_esc_walks_back(manager: Rig) -> None:
    page = open_report(manager)
    assert page.rows.rowCount() == 1
    assert open_case(manager).rows.rowCount() == 3
    for wanted in (CaseList, ExceptionsPage):
        press(Qt.Key.Key_Escape)
        assert isinstance(manager.top, wanted)


def test_one_case_is_no_cases(manager: Rig) -> None:
    page = open_report(manager)
    manager.shell.language_wanted.emit()
    assert page.report is not None
    assert len(page.report.cases) == 1
    manager.until(lambda: "one case, 1 not seen" in page.status.text())


def test_one_cannot_say_anything_of_ones_own_case(manager: Rig) -> None:
    open_report(manager)
    case = open_case(manager)
    case.seen.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(case.problem.text)
    assert case.seen.isEnabled()


def test_enter_on_an_event_of_a_case_shows_before_and_after(manager: Rig) -> None:
    open_report(manager)
    case = open_case(manager)
    press(Qt.Key.Key_Return)
    event = manager.sheet(AuditEvent)
    names = [event.rows.cells(fact)[0] for fact in event.rows._records]
    assert "积分余额" in names
    press(Qt.Key.Key_Escape)
    assert manager.top is case


def test_a_count_says_itself_in_words_and_opens_its_events(manager: Rig) -> None:
    page = open_report(manager)
    person = page.rows.record(0)
    assert person is not None
    column = next(n for n in range(2, 10) if person.counts[page.rows.measure(n)].count == 0)  # type: ignore[index]  # columns of measures
    page.table.setCurrentIndex(page.rows.index(0, column))
    assert person.staff.name in page.cell.text()
    press(Qt.Key.Key_Return)
    assert manager.top is page
    period = page.period
    page.report = None
    period.choose("28")
    manager.until(lambda: page.report is not None)
    row, column, measure = next(
        (row, column, page.rows.measure(column))
        for row, each in enumerate(people(page))
        for column in range(2, 10)
        if each.counts[page.rows.measure(column)].count  # type: ignore[index]  # as above
    )
    page.table.setFocus()
    page.table.setCurrentIndex(page.rows.index(row, column))
    press(Qt.Key.Key_Return)
    events = manager.sheet(EventList)
    assert events.rows.rowCount() == people(page)[row].counts[measure].count  # type: ignore[index]  # as above
    press(Qt.Key.Key_Return)
    manager.sheet(AuditEvent)
    press(Qt.Key.Key_Escape)
    press(Qt.Key.Key_Escape)
    assert manager.top is page


def test_an_auditor_has_no_button_to_judge(manager: Rig) -> None:
    open_report(manager)
    case = open_case(manager)
    assert all(part.isVisible() for part in (case.seen, case.explain, case.reason))
    args = (case._kit, case._lanes, case._desk, case._who, case._line, (), case._today)
    reading = CaseSheet(*args, may_judge=False)
    manager.shell.sheets.open(reading)
    assert not any(part.isVisible() for part in (reading.seen, reading.explain, reading.reason))


def test_another_persons_case_is_explained_and_stays_in_the_list(rig: Rig) -> None:
    with_three_earning_sales(rig)
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)
    rig.sign_in("wm")
    page = open_report(rig)
    assert [each.open_cases for each in people(page)] == [1]
    case = open_case(rig)
    case.explain.setFocus()
    press(Qt.Key.Key_Return)
    assert case.problem.text()
    case.reason.choose("campaign")
    case.explain.setFocus()
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.top, CaseList))
    rig.until(lambda: [each.open_cases for each in people(page)] == [0])
    assert [each.cases for each in people(page)] == [1]


def test_the_period_is_chosen_by_arrows(manager: Rig) -> None:
    page = open_page(manager)
    manager.until(lambda: page.report is not None)
    page.period.focus_here()
    press(Qt.Key.Key_Right)
    manager.until(lambda: page.report and page.report.until.plus(-27) == page.report.since)


# Words ------------------------------------------------------------------------------------------


def whats() -> set[str]:
    """Every (rule, what) that the rules' source can say."""
    text = "".join(path.read_text("utf-8") for path in Path(fraud.__path__[0]).glob("*.py"))
    found = {
        f"{rule}.{what}" for rule, what in re.findall(r'case_of\(\s*"(F\d+)",\s*"(\w+)"', text)
    }
    found |= {f"{r}.{w}" for r, w in re.findall(r'Stop\("(F\d+)", "(\w+)"', text)}
    found |= {f"F4.{name}" for name in re.findall(r'"(days?(?:_without_member)?)"', text)}
    # Named where they are decided.
    return found | {"F2.often", "F6.often", "F6.moves", "F9.burst", "F9.unmask"}


def test_every_case_has_its_sentence_and_no_sentence_is_for_nothing() -> None:
    assert set(SENTENCES) == whats()
    assert set(RULE_NAMES) == set(RULES)
    assert set(CASE_REASONS) == set(REASONS)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_every_sentence_is_said_with_its_figures(qapp: QApplication, language: str) -> None:
    kit = make_kit(qapp, language=language)
    names = ("counted", "limit", "sales", "points", "hours", "days", "seconds", "tenths",
             "loaded_minor", "tendered_minor")  # fmt: skip
    for key in SENTENCES:
        rule, _, what = key.partition(".")
        rule_code = next(each for each in RULES if each == rule)
        case = Case(key, rule_code, what, "flag", "t", "s", "m", 0, 0, (("t", 1),),
                    tuple((name, 7) for name in names))  # fmt: skip
        said = case_sentence(kit, case)
        assert said
        assert "{" not in said
    assert "{" not in stop_reason(kit, "F2.minutes+F7.after_change")
    qapp.setStyleSheet("")


@pytest.mark.parametrize(("language", "theme"), [("zh_CN", "dark"), ("en", "light")])
def test_the_report_fits_a_small_screen(
    qtbot: QtBot, qapp: QApplication, shop: Shop, language: str, theme: str
) -> None:
    kit = make_kit(qapp, language=language, theme=theme)
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    rig.sign_in("wm")
    rig.open_shift()
    with_three_earning_sales(rig)
    page = open_report(rig)
    header = page.table.horizontalHeader()
    for section in range(header.count()):
        assert header.sectionSizeHint(section) <= header.sectionSize(section) + 2
    rig.window.close()
    rig.window.deleteLater()
    qapp.setStyleSheet("")


# At the counter ---------------------------------------------------------------------------------


def with_default_guard(shop: Shop) -> None:
    """From today on the shop's programme leaves the limits at their defaults."""
    till = shop.open()
    text = resources.programme_path("demo.json").read_text("utf-8")
    programme = {**json.loads(text), "version": 2, "starts": "2026-11-21"}
    del programme["guard"]
    publish(till.context, programme, today=till.context.business_date())
    till.close()


def charge_member(rig: Rig) -> None:
    """Find, amount, Pay, Enter."""
    rig.attach("6608")
    rig.amount("50")
    rig.open_pay()
    press(Qt.Key.Key_Return)


def test_the_counter_asks_a_second_person_and_goes_on_with_the_same_sale(
    qtbot: QtBot, qapp: QApplication, shop: Shop
) -> None:
    with_default_guard(shop)
    kit = make_kit(qapp)
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    rig.sign_in()
    rig.open_shift()
    rig.until(rig.counter.finder.box.hasFocus)
    charge_member(rig)
    rig.until(lambda: rig.documents() == 1)
    rig.settle()
    press(Qt.Key.Key_F2)
    charge_member(rig)
    sheet = rig.sheet(Approval)
    assert kit.words.say(RULE_NAMES["F2"]) in [label.text() for label in sheet.findChildren(QLabel)]
    write("wm")
    press(Qt.Key.Key_Return)
    rig.until(sheet.pin.isVisible)
    write(PIN)
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.documents() == 2)
    rig.window.close()
    rig.window.deleteLater()
    qapp.setStyleSheet("")


def test_what_is_sold_after_the_z_is_in_the_report_of_today(manager: Rig) -> None:
    """It belongs to the next date, and nobody waits until then."""
    today = close_every_date(manager).business_date()
    manager.shell._refresh_till()
    manager.settle()
    manager.act("kb")
    manager.open_shift()
    with_three_earning_sales(manager)
    page = open_page(manager)
    page.period.choose("1")
    manager.until(lambda: page.report is not None and page.report.since == today)
    assert page.report is not None
    assert page.report.until == today.plus(1)
    assert "F2" in {line.case.rule for line in page.report.cases if line.case.day == today.plus(1)}


def test_a_list_that_has_not_all_cases_says_so(manager: Rig) -> None:
    page = open_report(manager)
    assert page.report is not None
    page.report = replace(page.report, found=(7, 7))
    page._open_cases(None)
    manager.shell.language_wanted.emit()
    shown = manager.sheet(CaseList)
    manager.until(lambda: "1 of 7 cases are listed" in shown.hint.text())
