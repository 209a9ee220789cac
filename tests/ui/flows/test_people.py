"""Signing in, switching and locking (flows 15 and 16), by real keys on a real store."""

from __future__ import annotations

import re
from datetime import timedelta

from PySide6.QtCore import Qt

from app.usecases.close_unattended import close_all
from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.keys import focus, press, write
from tests.ui.shop import BADGE, PIN
from ui.dialogs.cash_count import CountSheet
from ui.dialogs.enrol import EnrolSheet
from ui.dialogs.shift import OpenShift, SwitchPerson
from ui.pages import COUNTER, PAGES, REPORTS, SETTINGS
from ui.screens.reports_page import ReportsPage
from ui.screens.settings_page import SettingsPage


def away(rig: Rig, seconds: int) -> None:
    """Nobody touches the till for so long."""
    rig.window.idle.touch()
    rig.clock.now += seconds - 1
    rig.window.idle.look()
    rig.settle()


class TestSignIn:
    def test_the_first_field_has_the_focus_and_takes_text_before_the_till_is_open(
        self, fresh: Rig
    ) -> None:
        write("lx")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        assert fresh.window.sign_in.pin.hasFocus()

    def test_a_wrong_pin_says_how_many_tries_are_left_and_keeps_asking(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        write("lx")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        write("111222")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: "还可试" in fresh.window.sign_in._said.text())
        assert fresh.window.sign_in.pin.hasFocus()

    def test_enter_counts_once_until_the_pin_is_checked(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        given: list[str] = []
        fresh.window.sign_in.pin_given.connect(lambda who, pin: given.append(pin))
        write("lx")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        for pin in ("111222", PIN):
            write(pin)
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_Return)
            fresh.settle()
        assert given == ["111222", PIN]
        fresh.until(lambda: fresh.window.pages.currentWidget() is fresh.window.shell)

    def test_unknown_initials_are_said_at_the_field(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        write("zz")
        press(Qt.Key.Key_Return)
        fresh.until(lambda: "没有这位同事" in fresh.window.sign_in._said.text())
        assert fresh.window.sign_in.who.selectedText() == "zz"

    def test_a_badge_names_its_owner(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        fresh.scan(BADGE)
        fresh.until(lambda: not fresh.window.sign_in.pin.isHidden())
        assert fresh.window.sign_in.who.text() == ""

    def test_opening_a_shift_takes_its_float_and_todays_date(self, fresh: Rig) -> None:
        fresh.sign_in()
        fresh.until(lambda: isinstance(fresh.top, OpenShift))
        fresh.open_shift("500")
        assert fresh.shell.till.shift is not None
        assert fresh.shell.till.shift.float_minor == 50000
        assert fresh.shell.till.today.iso() == "2026-11-21"

    def test_the_last_close_of_the_till_is_named(self, fresh: Rig) -> None:
        fresh.sign_in()
        assert fresh.sheet(OpenShift).last_close.text() == "本机还没有日结过。"

    def test_the_last_close_is_its_number_date_and_moment(self, fresh: Rig) -> None:
        fresh.until(lambda: fresh.window.desk is not None)
        desk = fresh.window.desk
        assert desk is not None
        fresh.shop.clock.now += timedelta(days=1)
        close_all(desk.context)
        fresh.sign_in()
        fresh.until(lambda: isinstance(fresh.top, OpenShift))
        assert re.fullmatch(
            r"上次日结：第 \d 号，营业日 2026-11-\d\d，今天 10:0\d",
            fresh.sheet(OpenShift).last_close.text(),
        )

    def test_the_float_is_not_prefilled_and_needed(self, fresh: Rig) -> None:
        fresh.sign_in()
        sheet = fresh.sheet(OpenShift)
        assert sheet.float.text() == ""
        press(Qt.Key.Key_Return)
        assert "备用金" in sheet.problem.text()


class TestPeople:
    def test_flow_16_a_badge_switches_with_the_cart_kept(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        rig.scan("9100002")
        rig.until(lambda: isinstance(rig.top, SwitchPerson))
        write(PIN)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.shell.staff and rig.shell.staff.initials == "wm")
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_ones_own_badge_opens_no_switch_to_oneself(self, rig: Rig) -> None:
        rig.amount("38")
        rig.scan(BADGE)
        assert rig.top is None
        assert rig.shell.strip.text == "你已经在本机当班。"
        assert rig.counter.sale.amount.hasFocus()

    def test_a_lock_keeps_cart_member_and_typed_amount(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        assert "本单还在" in rig.window.sign_in._kept.text()
        rig.sign_in("wm")
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_twenty_quiet_seconds_leave_a_locked_till_its_keyboard(self, rig: Rig) -> None:
        press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        away(rig, 26)
        assert rig.window.sign_in.who.hasFocus()
        write("lx")
        assert rig.window.sign_in.who.text() == "lx"

    def test_a_sign_in_on_another_page_gives_the_hidden_sale_no_key(self, rig: Rig) -> None:
        rig.counter.sale.amount.setFocus()
        write("12")
        rig.settle()
        rig.act("sz")
        rig.settle()
        assert not rig.counter.isVisible()
        press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        rig.sign_in()
        write("9")
        rig.settle()
        assert rig.counter.sale.amount.text() == "12"

    def test_a_sheet_that_opens_behind_the_lock_takes_no_key(self, rig: Rig) -> None:
        with rig.busy_store():
            rig.act("jb")
            press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
        rig.until(lambda: shows(rig, CountSheet))
        assert rig.window.sign_in.who.hasFocus()
        rig.sign_in()
        assert rig.top is not None
        assert rig.top.isAncestorOf(focus())

    def test_an_idle_till_locks(self, rig: Rig) -> None:
        away(rig, 599)
        assert rig.window.pages.currentWidget() is rig.shell
        away(rig, 601)
        assert rig.window.pages.currentWidget() is rig.window.sign_in

    def test_a_key_in_time_keeps_it_open(self, rig: Rig) -> None:
        away(rig, 599)
        write("3")
        rig.clock.now += 300
        rig.window.idle.look()
        assert rig.window.pages.currentWidget() is rig.shell

    def test_after_fifteen_minutes_only_the_cart_is_left(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_F3)
        rig.sheet(EnrolSheet).name.setText("half typed")
        away(rig, 601)
        assert shows(rig, EnrolSheet), "a lock keeps what is typed"
        away(rig, 901)
        assert not shows(rig, EnrolSheet)
        assert rig.window.sign_in._said.text() == "15 分钟没有操作，已退出登录。"
        assert rig.counter.finder.box.text() == ""
        rig.sign_in("wm")
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_after_fifteen_minutes_no_page_has_what_somebody_typed_or_chose(self, rig: Rig) -> None:
        rig.window.lock()
        rig.sign_in("wm")
        rig.shell.show_page(REPORTS)
        reports = rig.page(ReportsPage)
        reports.period.choose("28")
        rig.shell.show_page(SETTINGS)
        rig.page(SettingsPage).shop_name.setText("half typed")
        for at in range(len(PAGES)):
            rig.shell.show_page(at)
        rig.shell.show_page(SETTINGS)
        away(rig, 601)
        assert rig.page(SettingsPage).shop_name.text() == "half typed", "a lock keeps it"
        away(rig, 901)
        rig.settle()  # The pages are gone: nothing speaks to them.
        rig.shell.attention.changed.emit(1)
        rig.sign_in("wm")
        assert rig.shell.pages.currentIndex() == COUNTER
        assert rig.shell.strip.text == "", "nothing waits to be saved"
        rig.shell.show_page(SETTINGS)
        assert rig.page(SettingsPage).shop_name.text() == "南山海岸店"
        assert not rig.page(SettingsPage).unsaved
        rig.shell.show_page(REPORTS)
        assert rig.page(ReportsPage).period.value != "28"
        rig.settle()

    def test_a_lock_that_is_set_for_later_is_no_later_than_the_log_out(self, rig: Rig) -> None:
        rig.window.idle.lock_s = 3600
        rig.amount("38")
        away(rig, 901)
        assert rig.window.pages.currentWidget() is rig.window.sign_in
        rig.sign_in()
        assert rig.counter.sale.amount.text() == "38"

    def test_after_midnight_the_business_date_stands_in_the_bar(self, rig: Rig) -> None:
        chip = rig.shell.top_bar._date
        assert chip.isHidden()
        rig.shop.clock.now += timedelta(hours=15)  # 01:00 at the shop: before the cut-off.
        rig.shell._minute.timeout.emit()
        assert not chip.isHidden()
        assert chip.text() == "营业日 11-21"
        assert rig.window.desk is not None
        assert rig.window.desk.till().today.iso() == "2026-11-21"
