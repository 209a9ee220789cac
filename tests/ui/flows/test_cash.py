"""The drawer by real keys on a real store: in, out, open, X, the blind count, hand-over (flows 16 and 17)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit

from app.settings import load, save
from db import filling
from printing.escpos import DRAWER_PULSE
from tests.ui.conftest import Rig
from tests.ui.flows.steps import close_every_date
from tests.ui.flows.test_close_day import keep_picture
from tests.ui.keys import press, write
from tests.ui.shop import PIN, Shop
from ui.dialogs.approval import Approval
from ui.dialogs.cash_close import CloseShiftSheet
from ui.dialogs.cash_count import CountSheet
from ui.dialogs.cash_move import CashMoveSheet, OpenDrawerSheet
from ui.dialogs.cash_x import XSheet
from ui.dialogs.shift import OpenShift


def count_sheet(rig: Rig) -> CountSheet:
    rig.act("jb")
    return rig.sheet(CountSheet)


def submit(rig: Rig, *pieces: str) -> CloseShiftSheet:
    """Count by the keyboard alone: pieces and Enter, then Enter on the button."""
    for each in (*pieces, *("",) * (8 - len(pieces))):
        write(each)
        press(Qt.Key.Key_Return)
    rig.clock.now += 1
    press(Qt.Key.Key_Return)
    return rig.sheet(CloseShiftSheet)


def sell(rig: Rig, amount: str) -> None:
    rig.amount(amount)
    rig.open_pay()
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)


def shown(rig: Rig) -> str:
    """Every text that the window shows now."""
    labels = [w.text() for w in rig.window.findChildren(QLabel) if w.isVisible()]
    fields = [w.text() for w in rig.window.findChildren(QLineEdit) if w.isVisible()]
    return "\n".join(labels + fields)


@pytest.fixture
def paper(shop: Shop, tmp_path: Path) -> Path:
    """A printer that puts each job into a file of its own."""
    folder = tmp_path / "paper"
    folder.mkdir()
    settings = load(shop.folder)
    printer = replace(settings.receipt, printer=f"file://{folder}/")
    save(shop.folder, replace(settings, receipt=printer))
    return folder


def pulses(paper: Path) -> int:
    return sum(path.read_bytes() == DRAWER_PULSE for path in paper.iterdir())


def slips_of_last_sale(rig: Rig, paper: Path) -> int:
    sold = rig.counter.charging.last_sale
    assert sold is not None
    number = sold.receipt_no.encode()
    return sum(number in path.read_bytes() for path in paper.iterdir())


class TestCount:
    def test_the_sheet_shows_only_what_was_counted(self, rig: Rig) -> None:
        sell(rig, "137.31")
        sheet = count_sheet(rig)
        assert sheet.pieces[0].hasFocus()
        write("6")
        press(Qt.Key.Key_Return)
        assert sheet.pieces[1].hasFocus()
        assert sheet.total.text() == "¥600.00"
        assert "637.31" not in shown(rig)
        assert "提交后显示" in shown(rig)

    def test_after_the_submit_the_difference_is_there_and_wants_a_reason(self, rig: Rig) -> None:
        sell(rig, "137.30")
        count_sheet(rig)
        sheet = submit(rig, "6", "", "1", "1", "1", "2", "", "1")
        assert "637.30" in shown(rig)
        assert "−¥0.20" in shown(rig)
        press(Qt.Key.Key_Return)
        assert rig.top is sheet
        assert "请选原因" in sheet.problem.text()
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.shell.till.shift is None

    def test_a_bounce_of_the_last_enter_submits_nothing(self, rig: Rig) -> None:
        sheet = count_sheet(rig)
        for each in ("5", *("",) * 7):
            write(each)
            press(Qt.Key.Key_Return)
        rig.clock.step_s = 0.01
        press(Qt.Key.Key_Return)
        rig.clock.step_s = 0.12
        rig.settle()
        assert rig.top is sheet

    def test_an_empty_count_is_not_taken_for_zero(self, rig: Rig) -> None:
        sheet = count_sheet(rig)
        for _ in range(8):
            press(Qt.Key.Key_Return)
        rig.clock.now += 1
        press(Qt.Key.Key_Return)
        assert "张数" in sheet.problem.text()
        assert rig.top is sheet

    def test_a_counted_shift_takes_no_sale_and_goes_on_with_its_close(self, rig: Rig) -> None:
        count_sheet(rig)
        submit(rig, "5")
        press(Qt.Key.Key_Escape)
        rig.until(lambda: rig.top is None)
        rig.settle()
        rig.act("jb")
        rig.until(lambda: isinstance(rig.top, CloseShiftSheet))
        assert "¥500.00" in shown(rig)

    def test_a_difference_above_the_limit_asks_a_second_person(self, rig: Rig) -> None:
        count_sheet(rig)
        submit(rig, "4")
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Approval))
        assert "−¥100.00" in shown(rig)
        write("wm")
        press(Qt.Key.Key_Return)
        approval = rig.top
        assert isinstance(approval, Approval)
        rig.until(approval.pin.isVisible)
        write(PIN)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)


class TestHandOver:
    def test_the_next_person_signs_and_opens_a_shift_of_their_own(self, rig: Rig) -> None:
        count_sheet(rig)
        sheet = submit(rig, "5")
        sheet.next_who.setFocus()
        write("wm")
        press(Qt.Key.Key_Return)
        write(PIN)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, OpenShift))
        assert rig.shell.staff is not None
        assert rig.shell.staff.initials == "wm"
        rig.open_shift("500")
        assert rig.shell.till.shift is not None
        assert rig.shell.till.shift.staff.initials == "wm"

    def test_a_wrong_pin_of_the_next_person_keeps_the_shift_open(self, rig: Rig) -> None:
        count_sheet(rig)
        sheet = submit(rig, "5")
        sheet.next_who.setText("wm")
        sheet.next_pin.setFocus()
        write("111222")
        press(Qt.Key.Key_Return)
        rig.until(lambda: "密码不对" in sheet.problem.text())
        assert sheet.next_pin.text() == ""
        assert rig.top is sheet

    def test_yesterdays_shift_is_counted_before_today_opens(self, rig: Rig) -> None:
        from datetime import timedelta

        rig.shop.clock.now += timedelta(days=1)
        rig.window.lock()
        rig.sign_in()
        rig.until(lambda: isinstance(rig.top, CountSheet))
        assert "还没结" in shown(rig)
        submit(rig, "5")
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, OpenShift))

    def test_a_shift_after_the_z_says_its_own_date_and_is_not_told_as_left_open(
        self, rig: Rig
    ) -> None:
        """What is sold after the Z belongs to the next date."""
        ctx = close_every_date(rig)
        rig.window.lock()
        rig.sign_in()
        rig.sheet(OpenShift)
        tomorrow = ctx.business_date().plus(1).iso()
        assert f"营业日 {tomorrow}" in shown(rig)
        rig.open_shift()
        assert rig.shell.till.today.iso() == tomorrow
        count_sheet(rig)
        assert "还没结" not in shown(rig)
        submit(rig, "5")
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        rig.hear("已结班")
        rig.settle()
        assert rig.top is None, "the next shift waits until somebody wants one"

    def test_a_shift_that_nobody_counts_is_signed_for(self, rig: Rig) -> None:
        sheet = count_sheet(rig)
        sheet.without.click()
        rig.until(lambda: isinstance(rig.top, CloseShiftSheet))
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Approval))
        press(Qt.Key.Key_Escape)
        rig.until(lambda: isinstance(rig.top, CloseShiftSheet))
        assert rig.shell.till.shift is not None


class TestDrawer:
    @pytest.mark.parametrize(("initials", "said"), [("cr", "已存入 ¥88.00"), ("zc", "已支出")])
    def test_cash_goes_in_and_out_with_a_reason(self, rig: Rig, initials: str, said: str) -> None:
        rig.act(initials)
        rig.until(lambda: isinstance(rig.top, CashMoveSheet))
        write("88")
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.hear(said)
        assert rig.top is None

    def test_no_amount_is_said_at_the_field(self, rig: Rig) -> None:
        rig.act("cr")
        rig.until(lambda: isinstance(rig.top, CashMoveSheet))
        press(Qt.Key.Key_Return)
        sheet = rig.top
        assert isinstance(sheet, CashMoveSheet)
        assert sheet.problem.text()
        assert sheet.amount.hasFocus()

    def test_the_drawer_opens_once_for_a_reason_and_a_copy_never_opens_it(
        self, paper: Path, rig: Rig
    ) -> None:
        rig.act("qx")
        rig.until(lambda: isinstance(rig.top, OpenDrawerSheet))
        press(Qt.Key.Key_Return)
        assert rig.top is not None
        assert pulses(paper) == 0
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Return)
        rig.until(lambda: pulses(paper) == 1)
        sell(rig, "12")
        rig.until(lambda: pulses(paper) == 2)
        rig.until(lambda: slips_of_last_sale(rig, paper) == 1)
        press(Qt.Key.Key_F10)
        press(Qt.Key.Key_Return)
        rig.until(lambda: slips_of_last_sale(rig, paper) == 2)
        rig.settle()
        assert pulses(paper) == 2

    def test_a_sale_by_qr_leaves_the_drawer_shut(self, paper: Path, rig: Rig) -> None:
        rig.amount("12")
        pay = rig.open_pay()
        pay.tender.choose("qr")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.until(lambda: slips_of_last_sale(rig, paper) == 1)
        rig.settle()
        assert pulses(paper) == 0

    def test_the_x_report_hides_cash_and_prints_by_f10(self, paper: Path, rig: Rig) -> None:
        sell(rig, "137.31")
        rig.act("xb")
        rig.until(lambda: isinstance(rig.top, XSheet))
        assert "637.31" not in shown(rig)
        sheet = rig.top
        assert isinstance(sheet, XSheet)
        assert not any("137.31" in label.text() for label in sheet.findChildren(QLabel))
        before = len(list(paper.iterdir()))
        press(Qt.Key.Key_F10)
        rig.until(lambda: rig.top is None)
        rig.until(lambda: len(list(paper.iterdir())) > before)


def test_a_first_shift_that_waits_for_members_to_be_sorted_says_so(fresh: Rig) -> None:
    fresh.sign_in()
    sheet = fresh.sheet(OpenShift)
    desk = fresh.window.desk
    assert desk is not None
    ctx = desk.context
    with ctx.write(ctx.ids()) as tx:
        assert filling.begin(tx.conn, 1_000)
    with ctx.write(ctx.ids()):  # somebody else writes: the shift has to wait
        write("500")
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        fresh.until(lambda: "先整理总部发来的会员" in shown(fresh))
        assert sheet.busy
        assert fresh.faults() == []
        keep_picture(fresh, "shift_takes_long")
    fresh.until(lambda: fresh.top is None and fresh.shell.till.shift is not None)
    with ctx.read() as conn:
        assert not filling.is_begun(conn)


def test_any_other_shift_says_nothing_of_waiting(fresh: Rig) -> None:
    fresh.sign_in()
    fresh.sheet(OpenShift)
    desk = fresh.window.desk
    assert desk is not None
    ctx = desk.context
    with ctx.write(ctx.ids()):
        write("500")
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        fresh.until(lambda: ctx.turn.awaited or ctx.store.awaited)
        assert "总部" not in shown(fresh)
