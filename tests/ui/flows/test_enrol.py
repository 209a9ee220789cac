"""Enrolling and editing members (flow 4), by real keys on a real store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.numbers import card_number
from db import people
from tests.ui.conftest import Rig
from tests.ui.keys import focus, press, write
from tests.ui.shop import TEA
from ui.dialogs.edit_profile import EditSheet
from ui.dialogs.enrol import EnrolSheet
from ui.dialogs.notes import Notes


def enrolling(rig: Rig) -> EnrolSheet:
    """A new member is being enrolled."""
    press(Qt.Key.Key_F3)
    return rig.sheet(EnrolSheet)


def with_birthday(rig: Rig, typed: str) -> EnrolSheet:
    sheet = enrolling(rig)
    sheet.birthday.setFocus()
    write(typed)
    return sheet


class TestEnrol:
    def test_flow_4_an_unknown_phone_becomes_a_member_by_keyboard(self, rig: Rig) -> None:
        write("13900006699")
        rig.until(lambda: "还不是会员" in rig.counter.finder._status.text())
        press(Qt.Key.Key_Return)
        sheet = rig.top
        assert isinstance(sheet, EnrolSheet)
        assert sheet.phone.text() == "13900006699"
        assert sheet.name.hasFocus()
        sheet.name.setText("单晓雯")
        rig.until(lambda: "shan xiao wen" in sheet.name_said.text())
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Return)
        assert sheet.service.hasFocus()
        assert not sheet.service.isChecked()
        press(Qt.Key.Key_Space)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None and rig.counter.attached is not None)
        assert rig.counter.attached is not None
        assert rig.counter.attached.name == "单晓雯"
        assert rig.counter.sale.amount.hasFocus()

    def test_who_has_bought_nothing_yet_reads_so_instead_of_an_empty_list(self, rig: Rig) -> None:
        panel = rig.counter.member
        rig.attach()
        assert not panel.recent.isHidden()
        assert panel._nothing_yet.isHidden()
        sheet = enrolling(rig)
        sheet.name.setText("王一")
        sheet.service.setChecked(True)
        sheet.submit()
        rig.until(
            lambda: rig.top is None and panel.member is not None and panel.member.name == "王一"
        )
        assert panel.recent.isHidden()
        assert "F12" in panel._nothing_yet.text()
        assert not panel._nothing_yet.isHidden()

    def test_marketing_is_off_and_consent_is_needed(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        sheet.name.setText("王一")
        assert not sheet.marketing.isChecked()
        sheet.submit()
        assert "服务条款" in sheet.problem.text()
        assert sheet.service.hasFocus()

    def test_a_birthday_to_come_is_told_as_such_and_stays(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        sheet.name.setText("王一")
        sheet.birthday.setText("2027-03-01")
        sheet.service.setChecked(True)
        sheet.submit()
        rig.until(sheet.problem.text)
        assert sheet.problem.text() == "这个生日还没到。请核对年份。"
        assert sheet.birthday.hasFocus()
        assert sheet.birthday.text() == "2027-03-01"

    @pytest.mark.parametrize("day", ["2026-11-22", "20270301", "2030-1-1"])
    def test_a_birthday_to_come_is_told_while_it_is_typed(self, rig: Rig, day: str) -> None:
        sheet = with_birthday(rig, day)
        assert sheet.birthday_said.text() == "这个生日还没到。请核对年份。"
        press(Qt.Key.Key_Return)
        assert sheet.birthday.hasFocus()

    def test_who_was_born_today_has_a_birthday(self, rig: Rig) -> None:
        sheet = with_birthday(rig, "2026-11-21")
        assert sheet.birthday_said.text() == ""

    def test_a_lunar_birthday_to_come_is_told_too(self, rig: Rig) -> None:
        sheet = with_birthday(rig, "2026-11-01")
        assert sheet.birthday_said.text() == ""
        sheet.calendar.choose("lunar")
        assert sheet.birthday_said.text() == "这个生日还没到。请核对年份。"

    @pytest.mark.parametrize("day", ["02-30", "13-01", "1985-02-29", "0230"])
    def test_enter_on_a_day_that_no_year_has_stays_and_says_so(self, rig: Rig, day: str) -> None:
        sheet = with_birthday(rig, day)
        press(Qt.Key.Key_Return)
        assert sheet.birthday.hasFocus()
        assert sheet.birthday_said.text() == "没有这一天。请核对生日。"

    def test_the_lunar_calendar_has_a_30th_of_the_second_month(self, rig: Rig) -> None:
        sheet = with_birthday(rig, "02-30")
        sheet.calendar.choose("lunar")
        assert sheet.birthday_said.text() == ""
        press(Qt.Key.Key_Return)
        assert sheet.service.hasFocus()

    def test_a_year_on_the_way_to_a_whole_date_is_no_wrong_day(self, rig: Rig) -> None:
        sheet = with_birthday(rig, "1990")
        assert sheet.birthday_said.text() == "输入月日，如 5-21 或 1990-5-21。"
        write("-5-21")
        assert sheet.birthday_said.text() == ""

    def test_enter_on_a_wrong_day_stays_in_an_edited_profile_too(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.birthday.setFocus()
        sheet.birthday.setText("02-30")
        press(Qt.Key.Key_Return)
        assert sheet.birthday.hasFocus()
        assert sheet.birthday_said.text() == "没有这一天。请核对生日。"

    def test_a_phone_in_use_is_said_while_typing(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        write("138123")
        rig.until(lambda: "已输 6 位，共 11 位" in sheet.phone_said.text())
        write("46621")
        rig.until(lambda: "已有 1 位会员" in sheet.phone_said.text())

    def test_enter_on_a_phone_in_use_shows_its_members_and_f3_enrols_anyway(self, rig: Rig) -> None:
        for key in (Qt.Key.Key_F3, Qt.Key.Key_Return):
            press(Qt.Key.Key_F3)
            sheet = rig.sheet(EnrolSheet)
            write("13812346621")
            rig.until(lambda at=sheet: at.others > 0)  # type: ignore[misc]  # a bound default
            press(key)
            if key == Qt.Key.Key_F3:
                assert focus() is sheet.name
                press(Qt.Key.Key_Escape)
                rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.counter.finder.rows.rowCount() > 0)
        assert rig.top is None
        assert rig.counter.finder.box.text() == "13812346621"

    def test_enter_without_a_phone_goes_on_although_the_one_before_was_in_use(
        self, rig: Rig
    ) -> None:
        sheet = enrolling(rig)
        sheet.name.setText("张三丰")
        sheet.phone.setFocus()
        write("13812346621")
        rig.until(lambda: sheet.others == 1)
        sheet.phone.selectAll()
        press(Qt.Key.Key_Delete)
        press(Qt.Key.Key_Return)
        assert rig.top is sheet
        assert sheet.name.hasFocus()

    def test_enter_waits_until_it_is_known_who_has_the_phone(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        with rig.busy_store():
            write("13812346621")
            press(Qt.Key.Key_Return)
            assert sheet.phone.hasFocus()
        rig.until(lambda: rig.top is None)
        assert rig.counter.finder.box.text() == "13812346621"

    def test_who_went_on_to_the_name_before_it_is_known_keeps_the_sheet(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        with rig.busy_store():
            write("13812346621")
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_Tab)
            assert sheet.name.hasFocus()
            write("Li Lei")
        rig.until(lambda: sheet.others == 1)
        assert rig.top is sheet
        assert sheet.name.text() == "Li Lei"

    def test_f3_before_it_is_known_who_has_the_phone_enrols_anyway(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        with rig.busy_store():
            write("13812346621")
            press(Qt.Key.Key_Return)
            press(Qt.Key.Key_F3)
            assert sheet.name.hasFocus()
            press(Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
            assert sheet.phone.hasFocus()
        rig.until(lambda: sheet.others == 1)
        assert rig.top is sheet

    def test_a_wrong_e_mail_is_framed_and_has_the_focus(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.email.setText("nobody at home")
        sheet.submit()
        rig.until(lambda: "邮箱" in sheet.problem.text())
        assert sheet.email.hasFocus()
        assert sheet.email.property("state") == "wrong"
        write("x")
        assert sheet.email.property("state") == ""

    def test_another_reading_by_the_down_key(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        sheet.name.setFocus()
        sheet.name.setText("单晓")
        rig.until(lambda: "shan xiao" in sheet.name_said.text())
        press(Qt.Key.Key_Down)
        assert "dan xiao" in sheet.name_said.text()

    def test_a_new_card_is_scanned_into_its_field(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        write("139")
        card = card_number("8800", 99_999)
        rig.scan(card)
        assert (sheet.card.text(), sheet.phone.text(), sheet.name.text()) == (card, "139", "")

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            (card_number("8800", 99_999), "这张卡还没有人用。"),
            (card_number("8800", 99_999)[:7], "已输 7 位，共 12 位"),
            (TEA, "这不是本机的新卡。"),
            (card_number("9900", 99_999), "这不是本机的新卡。"),
        ],
    )
    def test_a_card_number_is_judged_while_it_is_typed(
        self, rig: Rig, typed: str, said: str
    ) -> None:
        sheet = enrolling(rig)
        sheet.card.setFocus()
        write(typed)
        rig.until(lambda: said in sheet.card_said.text())

    def test_the_barcode_of_an_item_becomes_nobodys_card(self, rig: Rig) -> None:
        sheet = enrolling(rig)
        sheet.name.setText("王一")
        sheet.card.setText(TEA)
        sheet.service.setChecked(True)
        sheet.submit()
        rig.until(sheet.problem.text)
        assert "不是本机的新卡" in sheet.problem.text()
        assert sheet.card.hasFocus()
        assert sheet.card.text() == TEA

    def test_the_cart_survives_an_enrolment(self, rig: Rig) -> None:
        rig.amount("38")
        press(Qt.Key.Key_F3)
        assert isinstance(rig.top, EnrolSheet)
        press(Qt.Key.Key_Escape)
        assert rig.counter.sale.amount.text() == "38"

    def test_an_edited_profile_is_saved_and_shown(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.alert.setText("花生过敏")
        sheet.note.setText("常带走，少冰，周三来取预订的礼盒，电话先联系")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        rig.until(lambda: rig.counter.attached and rig.counter.attached.alert == "花生过敏")

    def test_who_edits_is_shown_no_phone_and_no_birthday_and_what_isnt_typed_anew_stays(
        self, rig: Rig
    ) -> None:
        rig.attach()
        before = stored_profile(rig)
        assert before.phone
        assert before.birth_month
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        assert (sheet.phone.text(), sheet.birthday.text()) == ("138 **** 6621", "**-**")
        sheet.alert.setText("花生过敏")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        after = stored_profile(rig)
        assert after == replace(before, alert="花生过敏", version=before.version + 1)

    def test_a_phone_and_a_birthday_typed_over_the_masked_ones_are_saved(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.phone.setFocus()
        write("13900006699")
        rig.until(lambda: sheet.phone_said.text() == "此号还没有会员。")
        sheet.birthday.setFocus()
        write("1990-5-21")
        sheet.submit()
        rig.until(lambda: rig.top is None)
        after = stored_profile(rig)
        assert after.phone == "+8613900006699"
        assert (after.birth_year, after.birth_month, after.birth_day) == (1990, 5, 21)

    def test_an_emptied_phone_is_gone_and_half_a_masked_one_is_no_phone(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.phone.setText("138 **** 662")
        sheet.submit()
        rig.until(lambda: sheet.problem.text() != "")
        assert sheet.phone.hasFocus()
        sheet.phone.clear()
        sheet.submit()
        rig.until(lambda: rig.top is None)
        assert stored_profile(rig).phone is None

    def test_the_other_calendar_wants_the_birthday_typed_anew(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.calendar.choose("lunar" if sheet.calendar.code == "solar" else "solar")
        assert sheet.birthday.text() == ""

    def test_the_calendar_there_and_back_by_arrows_keeps_the_stored_birthday(
        self, rig: Rig
    ) -> None:
        rig.attach()
        before = stored_profile(rig)
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.calendar.focus_here()
        press(Qt.Key.Key_Right)
        press(Qt.Key.Key_Right)
        assert sheet.calendar.code == before.birth_calendar
        assert sheet.birthday.text() == "**-**"
        assert sheet.birthday_said.text() == ""
        sheet.submit()
        rig.until(lambda: rig.top is None)
        assert stored_profile(rig) == before

    def test_what_was_typed_for_the_other_calendar_is_back_with_it(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.calendar.choose("lunar")
        sheet.birthday.setFocus()
        write("4-27")
        sheet.calendar.choose("solar")
        assert sheet.birthday.text() == "**-**"
        sheet.calendar.choose("lunar")
        assert sheet.birthday.text() == "4-27"
        sheet.submit()
        rig.until(lambda: rig.top is None)
        after = stored_profile(rig)
        assert (after.birth_calendar, after.birth_month, after.birth_day) == ("lunar", 4, 27)

    def test_a_date_typed_over_the_stored_one_goes_along_to_the_other_calendar(
        self, rig: Rig
    ) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.birthday.setFocus()
        write("4-27")
        sheet.calendar.choose("lunar")
        assert sheet.birthday.text() == "4-27"

    def test_the_other_calendar_without_a_date_saves_nothing_and_says_what_is_missing(
        self, rig: Rig
    ) -> None:
        rig.attach()
        before = stored_profile(rig)
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.calendar.choose("lunar")
        sheet.submit()
        said = "请按此历法输入日期，或改回原来的历法。"
        assert (sheet.problem.text(), sheet.birthday_said.text()) == (said, said)
        assert sheet.birthday.hasFocus()
        rig.settle()
        assert rig.top is sheet
        assert stored_profile(rig) == before

    def test_an_emptied_birthday_is_gone_and_that_is_said_before(self, rig: Rig) -> None:
        rig.attach()
        rig.act("xg")
        sheet = rig.sheet(EditSheet)
        sheet.birthday.setFocus()
        sheet.birthday.selectAll()
        press(Qt.Key.Key_Delete)
        assert sheet.birthday_said.text() == "保存后，原来的生日将被删除。"
        sheet.submit()
        rig.until(lambda: rig.top is None)
        assert stored_profile(rig).birth_month is None

    def test_an_allergy_stands_beside_charge_until_the_member_goes(self, rig: Rig) -> None:
        self.test_an_edited_profile_is_saved_and_shown(rig)
        alert = rig.counter.sale.alert
        assert alert.isVisible()
        assert alert.text() == "花生过敏"
        assert 0 < rig.counter.sale.charge.y() - alert.geometry().bottom() < 24
        rig.act("bh")
        assert alert.isHidden()

    def test_ctrl_i_shows_the_whole_note_and_leads_to_the_profile(self, rig: Rig) -> None:
        self.test_an_edited_profile_is_saved_and_shown(rig)
        press(Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        sheet = rig.sheet(Notes)
        said = [label.text() for label in sheet.findChildren(QLabel)]
        assert "常带走，少冰，周三来取预订的礼盒，电话先联系" in said
        assert "花生过敏" in said
        press(Qt.Key.Key_Tab)
        press(Qt.Key.Key_Tab)
        press(Qt.Key.Key_Return)
        rig.sheet(EditSheet)

    def test_ctrl_i_without_a_note_says_so(self, rig: Rig) -> None:
        rig.attach()
        rig.act("hb")
        sheet = rig.sheet(Notes)
        assert "没有备注。" in [label.text() for label in sheet.findChildren(QLabel)]
        press(Qt.Key.Key_Return)
        assert rig.top is None

    def test_f3_after_an_unknown_phone_fills_it_in(self, rig: Rig) -> None:
        write("13900006699")
        rig.until(lambda: "还不是会员" in rig.counter.finder._status.text())
        sheet = enrolling(rig)
        assert sheet.phone.text() == "13900006699"
        assert sheet.name.hasFocus()

    def test_f3_after_digits_that_are_no_whole_phone_fills_nothing_in(self, rig: Rig) -> None:
        write("9999")
        rig.until(lambda: "尾号 9999" in rig.counter.finder._status.text())
        sheet = enrolling(rig)
        assert sheet.phone.text() == ""

    def test_a_card_that_nobody_has_goes_into_the_enrolment_by_f3(self, rig: Rig) -> None:
        card = card_number("8800", 99_999)
        rig.amount("38")
        rig.scan(card)
        assert "这不是本店的卡" in rig.shell.strip.text
        assert rig.counter.cart.lines == ()
        sheet = enrolling(rig)
        assert sheet.card.text() == card

    def test_a_card_said_before_something_else_is_no_longer_filled_in(self, rig: Rig) -> None:
        rig.scan(card_number("8800", 99_999))
        rig.shell.strip.hide()
        sheet = enrolling(rig)
        assert sheet.card.text() == ""

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param(card_number("9900", 99_999), id="of no block of ours"),
            pytest.param(card_number("8800", 99_999)[:-1] + "x", id="with a wrong check digit"),
        ],
    )
    def test_another_code_is_no_card_but_a_line(self, rig: Rig, code: str) -> None:
        wrong = str((int(card_number("8800", 99_999)[-1]) + 1) % 10)
        rig.scan(code.replace("x", wrong))
        assert [line.unknown for line in rig.counter.cart.lines] == [True]


def stored_profile(rig: Rig) -> people.ProfileRow:
    """The row of the member on screen."""
    rig.settle()
    desk, member = rig.window.desk, rig.counter.attached
    assert desk is not None
    assert member is not None
    with desk.context.read() as conn:
        row = people.profile(conn, member.member_id)
    assert row is not None
    return row
