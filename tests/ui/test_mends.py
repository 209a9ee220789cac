"""What went wrong once at the counter, each as a journey by keys through a real window."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from PySide6.QtCore import QPoint, Qt

from app.context import Session
from app.domain.errors import Outage, Unavailable
from app.domain.void import VoidQuote
from app.usecases.enrol import ProfileInput
from app.usecases.void import Voided
from tests.ui.conftest import Rig
from tests.ui.keys import focus, press, write
from tests.ui.shop import TEA
from ui.cart import Cart
from ui.desk import Desk
from ui.dialogs.edit_profile import EditSheet
from ui.dialogs.print_again import PrintAgain
from ui.dialogs.return_goods import ReturnSheet
from ui.dialogs.void_sale import VoidSale
from ui.pages import COUNTER, PAGES

CTRL = Qt.KeyboardModifier.ControlModifier


def lock_and_sign_in(rig: Rig, who: str = "lx") -> None:
    press(Qt.Key.Key_L, CTRL)
    rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)
    rig.sign_in(who)
    rig.settle()


def charge(rig: Rig, amount: str) -> None:
    rig.amount(amount)
    rig.open_pay()
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    rig.settle()


def member_id(rig: Rig, text: str) -> bytes:
    assert rig.window.desk is not None
    return rig.window.desk.search(text).hits[0].member_id


class TestFocus:
    def test_after_a_lock_with_pay_open_keys_go_to_pay(self, rig: Rig) -> None:
        rig.amount("368")
        pay = rig.open_pay()
        lock_and_sign_in(rig)
        assert rig.top is pay
        assert pay.isAncestorOf(focus())
        write("9")
        assert rig.counter.cart.typed_text == "368"


def test_what_the_first_keys_need_is_not_the_dictionary_of_names(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is 12 MB of an idle till's memory; somebody who enrols waits for it once."""

    def asked(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr("ui.desk.readings", asked)
    assert rig.window.desk is not None
    rig.window.desk.warm_up()


def left_by_closing(rig: Rig) -> tuple[int, Cart | None]:
    """How many documents and which open cart the closed window left in the store."""
    rig.window.close()
    desk = Desk(rig.shop.open())
    try:
        return len(desk.documents_of_shift()), desk.kept_cart()
    finally:
        desk.close()


class TestKeptCart:
    def test_a_cart_sold_while_the_window_closes_does_not_come_back(self, rig: Rig) -> None:
        rig.amount("368")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        assert left_by_closing(rig) == (1, None)

    def test_a_keeper_due_during_the_sale_does_not_bring_the_cart_back(self, rig: Rig) -> None:
        rig.amount("368")
        rig.open_pay()
        with rig.busy_store():
            press(Qt.Key.Key_Return)
            rig.counter.keep_now()  # What the keeper does, due while the sale is written.
        assert left_by_closing(rig) == (1, None)

    def test_a_change_just_before_pay_is_kept_before_the_sale(self, rig: Rig) -> None:
        assert rig.window.desk is not None
        rig.amount("368")
        rig.open_pay()
        rig.counter._keeper.start()
        press(Qt.Key.Key_Return)
        assert not rig.counter._keeper.isActive()
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.window.desk.kept_cart() is None


class TestPoints:
    def test_f12_takes_typed_points_and_the_sale_goes_through_at_that_price(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("90")
        press(Qt.Key.Key_F6)
        rig.settle()
        points = rig.counter.sale.redeem.points
        assert 0 < points <= 5000  # what a cashier may use alone
        pay = rig.open_pay()
        assert rig.counter.cart.redeem_points == points
        assert pay.quote.draft.points_spent == points
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.documents() == 1

    def test_points_that_are_only_typed_are_not_the_quote_of_the_cart(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        press(Qt.Key.Key_F6)
        rig.settle()
        assert rig.counter.charging.quote is not None
        assert rig.counter.charging.quote.draft.points_spent == 0

    def test_refused_points_show_the_price_without_them(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("500")
        without = rig.counter.sale.to_pay.text()
        press(Qt.Key.Key_F6)
        rig.settle()
        assert rig.counter.sale.to_pay.text() != without
        write("99999999")
        rig.settle()
        assert rig.counter.sale.to_pay.text() == without
        press(Qt.Key.Key_F12)
        rig.settle()
        assert rig.top is None
        assert not rig.counter.sale.redeem.isHidden()


class TestScanTime:
    def test_two_scans_a_second_apart_count_two_when_answers_come_late(self, rig: Rig) -> None:
        with rig.busy_store():
            for _ in range(2):
                rig.burst(TEA)
        rig.settle()
        assert [line.request.quantity for line in rig.counter.cart.lines] == [2]


class TestOtherMember:
    def test_a_card_shown_to_an_earlier_sale_does_not_switch_a_later_one(self, rig: Rig) -> None:
        other = member_id(rig, "6608")
        rig.attach("6621")
        rig.amount("10")
        rig.counter.switching.card(other, "李敏", rig.clock())
        assert rig.counter.cart.member_id != other
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        rig.settle()
        rig.attach("6605")
        rig.amount("20")
        rig.clock.now += 60
        rig.counter.switching.card(other, "李敏", rig.clock())
        assert rig.counter.cart.member_id == member_id(rig, "6605")


class TestUndo:
    def test_undo_of_a_clear_lapses_with_the_next_change(self, rig: Rig) -> None:
        rig.amount("368")
        press(Qt.Key.Key_N, CTRL)
        rig.settle()
        assert rig.shell.strip._button.isVisible()
        rig.scan(TEA)
        assert not rig.shell.strip._button.isVisible()
        rig.shell.strip._button.click()
        assert [line.code for line in rig.counter.cart.lines] == [TEA]

    def test_what_can_be_undone_covers_nothing(self, rig: Rig) -> None:
        """It stands for ten seconds: long enough for somebody to look for what lies below."""
        rig.amount("368")
        press(Qt.Key.Key_N, CTRL)
        rig.settle()
        strip, pages = rig.shell.strip, rig.shell.pages
        rig.until(lambda: strip.mapTo(rig.shell, QPoint(0, 0)).y() >= pages.geometry().bottom())
        bottom = strip.mapTo(rig.shell, QPoint(0, strip.height())).y()
        assert bottom <= rig.shell.fkeys.geometry().top()
        room = pages.height()
        strip._button.click()
        rig.until(lambda: pages.height() > room)


class TestPayWhenQuoted:
    def test_enter_before_an_emptied_amount_does_not_open_pay_later(self, rig: Rig) -> None:
        with rig.busy_store():
            press(Qt.Key.Key_F5)
            write("3")
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_Backspace)
        rig.settle()
        write("5")
        rig.settle()
        assert rig.top is None


def open_return(rig: Rig) -> ReturnSheet:
    """The newest sale, one of its first line comes back, the reason is chosen."""
    assert rig.counter.charging.last_sale is not None
    rig.shell.errands.open_return(rig.counter.charging.last_sale.event_id)
    sheet = rig.sheet(ReturnSheet)
    sheet.fields[0].setText("1")
    sheet.fields[0].changed.emit()
    rig.settle()
    sheet.reason.choose("other")
    return sheet


class TestSheets:
    def test_a_void_is_by_the_person_who_commits_it(self, rig: Rig) -> None:
        charge(rig, "368")
        rig.shell.errands.void()
        rig.until(lambda: isinstance(rig.top, VoidSale))
        rig.settle()
        lock_and_sign_in(rig, "wm")
        sheet, desk = rig.top, rig.window.desk
        assert isinstance(sheet, VoidSale)
        assert rig.shell.session is not None
        assert desk is not None
        by: list[bytes] = []
        commit = desk.void

        def void(
            command_id: bytes, session: Session, event_id: bytes, reason: str, quote: VoidQuote
        ) -> Voided:
            by.append(session.staff_id)
            return commit(command_id, session, event_id, reason, quote)

        desk.void = void  # type: ignore[method-assign]  # only to see who asked
        sheet.reason.choose("other")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        assert by == [rig.shell.session.staff_id]

    def test_a_return_being_written_stays_whatever_is_pressed(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        with rig.busy_store():
            sheet.submit()
            press(Qt.Key.Key_Escape)
            press(Qt.Key.Key_F2)
            assert rig.top is sheet
        rig.until(lambda: rig.top is None)
        rig.settle()
        assert rig.documents() == 2

    def test_a_lock_wanted_while_a_return_is_written_comes_right_after_it(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        with rig.busy_store():
            sheet.submit()
            press(Qt.Key.Key_L, CTRL)
            assert rig.top is sheet
            assert rig.window.pages.currentWidget() is rig.shell
        rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)
        assert rig.documents() == 2

    def test_an_idle_lock_that_falls_into_a_write_comes_right_after_it(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        with rig.busy_store():
            sheet.submit()
            rig.clock.now += 700
            rig.window.idle.look()
            assert rig.window.pages.currentWidget() is rig.shell
        rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)
        assert rig.documents() == 2

    def test_an_idle_lock_waits_for_the_write_and_for_no_key(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        sheet.take_back.setEnabled(False)  # Written on another lane than the db's.
        rig.clock.now += 700
        rig.window.idle.look()
        rig.qtbot.wait(300)
        assert rig.window.pages.currentWidget() is rig.shell
        sheet.take_back.setEnabled(True)
        rig.until(lambda: rig.window.pages.currentWidget() is rig.window.sign_in)

    def test_who_comes_back_while_it_is_written_is_not_locked_out(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        sheet.take_back.setEnabled(False)
        rig.clock.now += 700
        rig.window.idle.look()
        press(Qt.Key.Key_Down)
        sheet.take_back.setEnabled(True)
        rig.qtbot.wait(300)
        assert rig.window.pages.currentWidget() is rig.shell


class TestNotices:
    def warned(self, rig: Rig) -> None:
        """A notice that stays, laid out."""
        room = rig.shell.pages.height()
        rig.shell.strip.warn(lambda: "Look at it.")
        rig.until(lambda: rig.shell.pages.height() < room)

    def test_what_stays_covers_nothing_and_what_fades_takes_no_room(self, rig: Rig) -> None:
        rig.attach()
        before = rig.shell.pages.height()
        rig.shell.strip.good_news(lambda: "Done.")
        rig.qtbot.wait(20)
        assert rig.shell.pages.height() == before
        rig.shell.strip.warn(lambda: "Look at it.")
        rig.until(lambda: rig.shell.pages.height() < before)
        strip, pages = rig.shell.strip, rig.shell.pages
        top = strip.mapTo(rig.shell, strip.rect().topLeft()).y()
        assert top >= pages.mapTo(rig.shell, pages.rect().bottomLeft()).y()
        strip.hide()
        rig.until(lambda: rig.shell.pages.height() == before)

    @pytest.mark.parametrize("language", ["zh_CN", "en"])
    def test_flags_and_a_notice_make_the_window_no_higher(
        self, rig: Rig, language: Literal["zh_CN", "en"]
    ) -> None:
        """Whatever page somebody has been to before: each asks for its own room alone."""
        rig.window.switch_language(language)
        charge(rig, "368")
        high, asks = rig.window.height(), rig.window.minimumSizeHint().height()
        for at in range(len(PAGES)):
            rig.shell.show_page(at)
            rig.settle()
            self.warned(rig)
            assert rig.window.height() == high, PAGES[at].code
            rig.shell.strip.hide()
        rig.shell.show_page(COUNTER)
        rig.until(lambda: rig.window.minimumSizeHint().height() == asks)
        rig.attach()
        member = rig.counter.attached
        assert member is not None
        flags = replace(member, alert="花生过敏", verify_identity=True, birthday_in_days=3)
        rig.counter.member.show_member(flags)
        self.warned(rig)
        assert rig.window.height() == high
        rig.shell.strip.hide()
        rig.counter.member.show_member(member)
        rig.until(rig.counter.member.recent.isVisible)

    def test_the_third_lot_ends_where_the_figures_above_end(self, rig: Rig) -> None:
        rig.attach()
        panel = rig.counter.member
        rig.qtbot.wait(50)
        ends = [
            widget.mapTo(panel, widget.rect().topRight()).x()
            for widget in (panel._visit, panel._lots[2])
        ]
        assert ends[0] == ends[1]


class TestReadings:
    def test_editing_a_profile_keeps_the_reading_that_was_chosen(self, rig: Rig) -> None:
        desk, session = rig.window.desk, rig.shell.session
        assert desk is not None
        assert session is not None
        rig.attach("6612")
        member = member_id(rig, "6612")
        shown = desk.profile(member)
        chosen = desk.readings(shown.name)[1]
        typed = ProfileInput(name=shown.name, reading=chosen)
        desk.edit_profile(
            desk.new_command(), session, shown, typed, service=True, marketing=False,
            kept=frozenset({"phone", "email", "birthday"}),
        )  # fmt: skip
        for wait_ms in (0, 250):
            rig.shell.errands.edit_profile()
            sheet = rig.sheet(EditSheet)
            rig.qtbot.wait(wait_ms)
            rig.settle()
            sheet.note.setText(f"after {wait_ms}")
            sheet.submit()
            rig.until(lambda: rig.top is None)
            assert desk.profile(member).pinyin == chosen.pinyin

    def test_a_new_name_is_never_saved_with_the_reading_of_the_old(self, rig: Rig) -> None:
        desk = rig.window.desk
        assert desk is not None
        rig.attach("6612")
        rig.shell.errands.edit_profile()
        sheet = rig.sheet(EditSheet)
        rig.qtbot.wait(250)
        rig.settle()
        sheet.name.setText("王小明")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        assert desk.profile(member_id(rig, "6612")).pinyin == desk.readings("王小明")[0].pinyin


class TestLanguage:
    def test_the_sums_of_a_sale_are_said_again_in_the_other_language(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("500")
        press(Qt.Key.Key_F6)
        rig.settle()
        press(Qt.Key.Key_Return)
        rig.settle()
        panel = rig.counter.sale
        rig.window.switch_language("en")
        for line in (panel._discount, panel._points):
            assert not line.isHidden()
            assert line._name.text().isascii()

    def test_the_tenders_of_a_return_are_said_again_in_the_other_language(self, rig: Rig) -> None:
        charge(rig, "30")
        sheet = open_return(rig)
        rig.window.switch_language("en")
        assert "Cash" in sheet._points.text()

    def test_a_void_is_said_again_in_the_other_language(self, rig: Rig) -> None:
        charge(rig, "30")
        rig.shell.errands.void()
        sheet = rig.sheet(VoidSale)
        rig.until(lambda: sheet.quote is not None)
        rig.window.switch_language("en")
        assert sheet._points.text() == "Give back Cash ¥30.00."

    def test_pay_is_said_again_in_the_other_language(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("500")
        press(Qt.Key.Key_F6)
        rig.settle()
        pay = rig.open_pay()
        rig.window.switch_language("en")
        said = (pay._benefits.text(), pay._change_name.text(), pay.charge.text())
        assert [text.replace("¥", "").replace("−", "").isascii() for text in said] == [True] * 3
        assert "Tier price" in said[0]


class TestScansWhileMoneyIsTaken:
    def test_goods_scanned_while_pay_is_busy_belong_to_the_next_sale(self, rig: Rig) -> None:
        rig.amount("368")
        rig.open_pay()
        with rig.busy_store():
            rig.counter.scanning.scan(TEA)
            press(Qt.Key.Key_Return)
        rig.until(lambda: rig.counter.charging.last_sale is not None and rig.top is None)
        rig.settle()
        assert rig.counter.charging.last_sale is not None
        assert rig.counter.charging.last_sale.document.gross_minor == 36800
        assert len(rig.counter.cart.lines) == 1


class TestPrintAgain:
    def test_enter_asks_again_which_slip_where_the_store_could_not_say(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        charge(rig, "12")
        desk = rig.window.desk
        assert desk is not None
        with monkeypatch.context() as busy:
            busy.setattr(type(desk.slips), "newest", _store_busy)
            press(Qt.Key.Key_F10)
            sheet = rig.sheet(PrintAgain)
            rig.until(lambda: sheet.problem.text() != "")
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert "副本" in rig.shell.strip.text or "补打" in rig.shell.strip.text


def _store_busy(desk: object) -> None:
    del desk
    raise Unavailable(Outage.STORE_BUSY)
