"""The seven laws of counter-flows.md section 0, each by real keys on a real store."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.domain.errors import Outage, Refusal
from app.error_words import PLAIN
from app.queries.records import PrintStatus
from tests.ui.conftest import Rig, build_rig
from tests.ui.keys import focus, hold, press, write
from tests.ui.shop import TEA
from ui.dialogs.enrol import EnrolSheet
from ui.dialogs.find_action import FindAction
from ui.dialogs.pay import Pay
from ui.kit import Kit

UI = Path(__file__).resolve().parents[2] / "ui"
# The guided tour drives the window from outside, as a test does.
SHIPPED = [path for path in UI.rglob("*.py") if "tour" not in path.relative_to(UI).parts[0]]


class TestLaw1NothingModal:
    @pytest.mark.parametrize("key", [Qt.Key.Key_F1, Qt.Key.Key_F3, Qt.Key.Key_F11])
    def test_a_scan_reaches_its_meaning_with_any_sheet_open(self, rig: Rig, key: Qt.Key) -> None:
        press(key)
        sheet = rig.top
        assert sheet is not None
        rig.scan(TEA)
        assert len(rig.counter.cart.lines) == 1
        assert rig.top is sheet

    def test_a_scan_in_pay_leaves_it_with_the_new_line(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        rig.scan(TEA)
        assert rig.top is None
        assert len(rig.counter.cart.lines) == 1
        assert rig.documents() == before

    def test_no_modal_window_ever_appears(self, rig: Rig) -> None:
        for key in (Qt.Key.Key_F1, Qt.Key.Key_F3, Qt.Key.Key_F11):
            press(key)
            assert QApplication.activeModalWidget() is None
            press(Qt.Key.Key_Escape)


class TestLaw2AMoneyKeyCountsOnce:
    @pytest.mark.parametrize(
        ("key", "text"), [(Qt.Key.Key_Return, "\r"), (Qt.Key.Key_Enter, "\r"), (Qt.Key.Key_F12, "")]
    )
    def test_a_key_held_three_seconds_in_pay_is_exactly_one_sale(
        self, rig: Rig, key: Qt.Key, text: str
    ) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        if key == Qt.Key.Key_F12:
            press(key)
        hold(key, text)
        rig.until(lambda: rig.top is None)
        hold(key, text)
        rig.settle()
        assert rig.documents() == before + 1

    def test_two_presses_thirty_ms_apart_are_one_sale(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        rig.clock.step_s = 0.03
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_F12)
        rig.clock.step_s = 0.12
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.documents() == before + 1

    def test_pay_asks_for_money_once_however_often_it_is_told(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        taken: list[str] = []
        pay.taking.connect(lambda tender, given: taken.append(tender))
        for _ in range(5):
            pay.take_money()
        pay.charge.click()
        assert taken == ["cash"]

    def test_the_enter_that_opens_pay_takes_no_money(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        hold(Qt.Key.Key_Return, "\r")
        rig.settle()
        assert isinstance(rig.top, Pay)
        assert rig.documents() == before

    def test_two_commits_of_one_pay_are_one_sale(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        pay = rig.open_pay()
        rig.counter.charging._take(pay, "cash", 10000)
        rig.counter.charging._take(pay, "cash", 10000)
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.documents() == before + 1

    def test_the_enter_of_a_scan_takes_no_money(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        rig.scan("6999999999999")
        assert rig.documents() == before


class TestLaw3OnlyInPay:
    def test_before_pay_was_painted_nothing_is_taken(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        pay._painted = False
        taken: list[str] = []
        pay.taking.connect(lambda tender, given: taken.append(tender))
        press(Qt.Key.Key_Return)
        assert taken == []

    def test_f12_and_enter_outside_pay_only_open_it(self, rig: Rig) -> None:
        before = rig.documents()
        for key in (Qt.Key.Key_F12, Qt.Key.Key_Return):
            rig.counter.sale.amount.setFocus()
            rig.amount("100")
            press(key)
            rig.until(lambda: isinstance(rig.top, Pay))
            press(Qt.Key.Key_Escape)
            rig.counter.clear_sale()
        assert rig.documents() == before

    def test_the_default_tender_is_the_shops(self, rig: Rig) -> None:
        rig.amount("100")
        assert rig.open_pay().tender.code == "cash"


class TestLaw4ACodeIsNeverText:
    def test_in_the_amount(self, rig: Rig) -> None:
        rig.amount("38")
        rig.scan(TEA)
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.cart.typed == (3800,)

    def test_in_the_received_field(self, rig: Rig) -> None:
        rig.attach()
        member = rig.counter.attached
        assert member is not None
        assert member.card_no is not None
        rig.amount("100")
        pay = rig.open_pay()
        rig.scan(member.card_no)
        assert rig.top is pay
        assert pay.received.text() == "95.00"

    def test_in_the_pin_and_the_initials(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        write("l")
        fresh.scan("6999999999999")
        assert fresh.window.sign_in.who.text() == "l"
        write("x")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        write("24")
        fresh.scan("6999999999999")
        assert fresh.window.sign_in.pin.text() == "24"

    def test_in_the_points_field(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        write("20")
        rig.scan("6999999999999")
        assert rig.counter.sale.redeem.field.text() == "20"

    def test_in_every_field_of_enrolment_and_settings(self, rig: Rig) -> None:
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        fields = [f for f in sheet.findChildren(QLineEdit) if f is not sheet.card]
        assert len(fields) >= 3
        for field in fields:
            field.setFocus()
            before = field.text()
            rig.scan("6999999999999")
            assert field.text() == before

    def test_in_the_action_field(self, rig: Rig) -> None:
        press(Qt.Key.Key_F11)
        sheet = rig.top
        assert isinstance(sheet, FindAction)
        write("z")
        rig.scan(TEA)
        assert sheet.field.text() == "z"


class TestLaw5NothingTypedIsLost:
    def test_by_a_language_and_theme_switch(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_F3)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        sheet.name.setText("李")
        rig.window.switch_language()
        rig.window.switch_theme()
        assert rig.top is sheet
        assert sheet.name.text() == "李"
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_by_a_crash_of_the_program(
        self, rig: Rig, qtbot: QtBot, qapp: QApplication, kit: Kit
    ) -> None:
        rig.attach()
        rig.counter.sale.amount.setFocus()
        rig.scan(TEA)
        rig.amount("12.5")
        rig.counter.keep_now()
        rig.settle()
        rig.window.close()
        again = build_rig(qtbot, qapp, rig.shop, kit=kit)
        again.sign_in()
        again.until(lambda: again.counter.attached is not None)
        assert again.counter.sale.amount.text() == "12.5"
        assert [line.request.name for line in again.counter.cart.lines] == ["铁观音 250 克"]
        assert "还在" in again.shell.strip.text
        again.window.close()

    def test_by_a_late_search(self, rig: Rig) -> None:
        write("13")
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 2)
        press(Qt.Key.Key_Down)
        finder = rig.counter.finder
        chosen = finder.rows.hit(finder.list.currentIndex().row())
        late = finder._result
        assert late is not None
        finder.show_result(late)
        assert finder.rows.hit(finder.list.currentIndex().row()) == chosen
        finder.box.setText("6621")
        rig.until(lambda: finder.rows.rowCount() == 1)
        finder.show_result(late)
        assert finder.rows.rowCount() == 1

    def test_by_a_bug(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        rig.window.lanes.run(
            rig.shell, "db", lambda: 1 // 0, ok=lambda _: None, failed=lambda _: None
        )
        rig.until(lambda: "本单已保留" in rig.shell.strip.text)
        assert rig.counter.sale.amount.text() == "38"


class TestLaw6EveryStateSaysItsWord:
    def test_what_needs_a_hand_stays_and_good_news_fades(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ui.widgets.strip.GOOD_NEWS_MS", 30)
        rig.shell.strip.warn(lambda: "x")
        rig.qtbot.wait(80)
        assert rig.shell.strip.text == "x"
        rig.shell.strip.good_news(lambda: "y")
        assert rig.shell.strip.text == "y"
        rig.until(lambda: rig.shell.strip.text == "x")
        rig.qtbot.wait(80)
        assert rig.shell.strip.text == "x"

    def test_a_printer_without_paper_is_said_until_it_has_paper_whatever_is_sold(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ui.widgets.strip.GOOD_NEWS_MS", 30)
        said = "打印机没纸"
        # The shop's real printer is well and would say so after the sale.
        rig.shell.paper.changed.disconnect(rig.shell._paper_changed)
        rig.shell._paper_changed(PrintStatus(1, (), "printer_paper_out"))
        assert said in rig.shell.strip.text
        rig.amount("38")
        rig.open_pay()
        assert said in rig.shell.strip.text
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.until(lambda: said in rig.shell.strip.text)
        rig.shell._paper_changed(PrintStatus(0, (), ""))
        rig.until(lambda: rig.shell.strip.text == "")

    def test_escape_with_nothing_else_to_leave_takes_what_was_read_away(self, rig: Rig) -> None:
        rig.shell.strip.warn(lambda: "x")
        write("66")
        press(Qt.Key.Key_Escape)
        assert rig.shell.strip.text == "x"
        press(Qt.Key.Key_Escape)
        assert rig.shell.strip.text == ""

    def test_with_all_well_there_are_no_chips(self, rig: Rig) -> None:
        bar = rig.shell.top_bar
        assert not any(chip.isVisible() for chip in (bar._demo, bar._date, bar._paper))


def test_law_7_balance_and_points_are_the_attached_members_only(rig: Rig) -> None:
    write("13")
    rig.until(lambda: rig.counter.finder.rows.rowCount() > 2)
    rows = rig.counter.finder.rows
    for row in range(rows.rowCount()):
        hit = rows.hit(row)
        assert hit is not None
        assert not {"balance", "points", "worth"} & set(hit.__dataclass_fields__)


# The source itself ------------------------------------------------------------------------------

FORBIDDEN = {
    "QMessageBox": r"\bQMessageBox\b",
    "QDialog": r"\bQDialog\b",
    "exec()": r"\.exec\(",
    "qWait": r"\bqWait\b",
    "processEvents": r"\bprocessEvents\b",
    "QThread": r"import.*\bQThread\b|\bQThread\(",
    "a nested loop": r"\bQEventLoop\b",
    "a debounce on the GUI thread by sleep": r"\btime\.sleep\b",
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_source_has_no(name: str) -> None:
    found = [
        f"{path.relative_to(UI)}: {line.strip()}"
        for path in SHIPPED
        for line in path.read_text("utf-8").splitlines()
        if re.search(FORBIDDEN[name], line)
    ]
    # The application's own loop is the one that may run.
    assert [hit for hit in found if "application.exec()" not in hit] == []


# Numbers that stay small: places in a list, pieces, steps, and how many of something there are.
SMALL = {
    "attention.py: changed", "chart.py: opened", "print_again.py: printed", "rail.py: chosen",
    "sale_panel.py: line_removed", "sale_panel.py: quantity_changed",
    "sale_panel.py: quantity_typed", "search_box.py: moved", "table.py: opened",
    "text_fields.py: stepped",
}  # fmt: skip


def test_no_signal_carries_money_or_points_in_qts_32_bits() -> None:
    found = {
        f"{path.name}: {name}"
        for path in SHIPPED
        for name in re.findall(r"(\w+) = Signal\(.*\bint\b.*\)", path.read_text("utf-8"))
    }
    assert found == SMALL


def test_no_test_holds_the_interpreter_while_it_waits() -> None:
    here = Path(__file__)
    waiting = [
        path.name
        for path in here.parent.glob("*.py")
        if "QTest.qWait" in path.read_text("utf-8") and path != here
    ]
    assert waiting == []


def test_no_shortcut_is_a_bare_character(rig: Rig) -> None:
    keys = [
        key
        for action in rig.shell.actions_.everything()
        for key in (action.key, action.chord)
        if key
    ]
    assert all(re.fullmatch(r"F\d\d?|(Ctrl|Alt)\+.", key) for key in keys)
    assert not {"Ctrl+" + letter for letter in "ACEUVXZ"} & set(keys)
    assert [path.name for path in SHIPPED if "QShortcut(" in path.read_text("utf-8")] == [
        "actions.py"
    ]


def test_every_error_code_is_walked() -> None:
    assert set(PLAIN) == {*Refusal, *Outage}


def test_the_focus_is_never_nowhere(rig: Rig) -> None:
    steps: list[Callable[[], None]] = [
        lambda: press(Qt.Key.Key_F3),
        lambda: press(Qt.Key.Key_Escape),
        lambda: press(Qt.Key.Key_F11),
        lambda: press(Qt.Key.Key_F2),
    ]
    for step in steps:
        step()
        assert focus().isVisible()
