"""The staff page (issue 3 section 1), by real keys on a real store."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.build import NewStaff, add_staff
from tests.ui.conftest import Rig
from tests.ui.keys import focus, press, write
from tests.ui.shop import PASSPHRASE, PIN
from ui.dialogs.approval import Approval
from ui.dialogs.staff import AddPerson, NewPin, PersonSheet
from ui.pages import STAFF
from ui.screens.staff_page import StaffPage

ALT = Qt.KeyboardModifier.AltModifier
NEW_PIN = "730186"


def staff_page(rig: Rig) -> StaffPage:
    press(Qt.Key(Qt.Key.Key_1 + STAFF), ALT)
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, StaffPage)
    rig.until(lambda: page.rows.rowCount() > 0 or page.problem.text())
    return page


def cells(page: StaffPage, row: int) -> tuple[str, ...]:
    line = page.rows.record(row)
    assert line is not None
    return page.rows.cells(line)


def test_the_page_says_who_works_here_and_who_is_at_the_till(manager: Rig) -> None:
    page = staff_page(manager)
    assert [cells(page, row)[0] for row in range(page.rows.rowCount())] == ["LX", "WM"]
    assert "1 号收银台" in cells(page, 1)[5]
    assert page.table.hasFocus()


def test_a_cashier_is_told_that_it_isnt_theirs(rig: Rig) -> None:
    page = staff_page(rig)
    rig.until(page.problem.text)
    assert "岗位不能做" in page.problem.text()
    assert not page.add.isEnabled()


def test_a_new_person_types_their_pin_and_signs_in_with_it(manager: Rig) -> None:
    page = staff_page(manager)
    page.add.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, AddPerson))
    for text in ("nn", "Nina"):
        write(text)
        press(Qt.Key.Key_Return)
    for _ in range(3):
        press(Qt.Key.Key_Return)
    for _ in range(2):
        write(NEW_PIN)
        press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    manager.until(lambda: page.rows.rowCount() == 3)
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    manager.until(lambda: manager.window.pages.currentWidget() is manager.window.sign_in)
    manager.sign_in("nn", NEW_PIN)


def test_a_manager_alone_adds_a_second_one_by_the_passphrase(manager: Rig) -> None:
    page = staff_page(manager)
    page.add.click()
    sheet = manager.sheet(AddPerson)
    sheet.initials.setText("n2")
    sheet.name.setText("Nina")
    sheet.role.choose("manager")
    for pin in (sheet.pins.first, sheet.pins.second):
        pin.setText(NEW_PIN)
    assert not sheet.passphrase.isVisible()
    sheet.submit()
    manager.until(sheet.passphrase.isVisible)
    assert "口令" in sheet.problem.text()
    assert sheet.passphrase.hasFocus()
    sheet.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    manager.until(lambda: page.rows.rowCount() == 3)
    # Now there is somebody who can agree.
    page.add.click()
    sheet = manager.sheet(AddPerson)
    sheet.initials.setText("n3")
    sheet.name.setText("Nora")
    sheet.role.choose("manager")
    for pin in (sheet.pins.first, sheet.pins.second):
        pin.setText(NEW_PIN)
    sheet.submit()
    asked = manager.sheet(Approval)
    assert asked._asked().startswith("需店长同意")
    assert "Nora" in "".join(label.text() for label in asked.findChildren(QLabel))
    write("n2")
    press(Qt.Key.Key_Return)
    manager.until(asked.pin.isVisible)
    write(NEW_PIN)
    press(Qt.Key.Key_Return)
    manager.until(lambda: page.rows.rowCount() == 4)


def test_a_manager_who_left_is_let_in_again_by_the_passphrase(manager: Rig) -> None:
    assert manager.window.desk is not None
    ctx = manager.window.desk.context
    second = NewStaff("n2", "Nina", "manager", NEW_PIN)
    done: list[bytes] = []
    manager.window.lanes.run(
        manager.window, "db", lambda: add_staff(ctx, second, today=ctx.business_date()),
        ok=done.append, failed=lambda error: None,
    )  # fmt: skip
    manager.until(lambda: done)
    page = staff_page(manager)

    def standing() -> str:
        lines = [page.rows.record(row) for row in range(page.rows.rowCount())]
        return next(
            page.rows.cells(line)[5] for line in lines if line and line.staff.initials == "n2"
        )

    def open_her() -> PersonSheet:
        rows = range(page.rows.rowCount())
        page.table.selectRow(next(row for row in rows if cells(page, row)[0] == "N2"))
        page.table.setFocus()
        press(Qt.Key.Key_Return)
        return manager.sheet(PersonSheet)

    open_her().active.click()
    manager.until(lambda: manager.top is None)
    manager.until(lambda: standing() == "已停用")
    sheet = open_her()
    sheet.active.click()
    manager.until(sheet.passphrase.isVisible)
    assert sheet.passphrase.hasFocus()
    sheet.passphrase.setText(PASSPHRASE)
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    manager.until(lambda: standing() != "已停用")


def test_two_pins_that_differ_are_typed_again(manager: Rig) -> None:
    page = staff_page(manager)
    page.add.click()
    sheet = manager.sheet(AddPerson)
    sheet.pins.first.setText("730186")
    sheet.pins.second.setText("730187")
    sheet.submit()
    assert "不同" in sheet.problem.text()
    assert sheet.pins.first.text() == ""


def test_a_new_pin_for_somebody_else(manager: Rig) -> None:
    page = staff_page(manager)
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(PersonSheet)
    sheet.pin.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, NewPin))
    for _ in range(2):
        write(NEW_PIN)
        press(Qt.Key.Key_Return)
    manager.hear("新密码")
    assert manager.top is None
    del page


def test_a_role_and_an_own_account_are_given_in_one_sheet(manager: Rig) -> None:
    manager.attach()
    attached = manager.counter.attached
    assert attached is not None
    page = staff_page(manager)
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, PersonSheet))
    press(Qt.Key.Key_Right)
    assert attached.card_no is not None
    manager.scan(attached.card_no)
    sheet = manager.top
    assert isinstance(sheet, PersonSheet)
    assert sheet._own.text() == "陈思远"
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    manager.until(lambda: cells(page, 0)[2] == "主管")
    assert cells(page, 0)[4] == "陈思远"


def test_a_card_that_is_scanned_takes_no_phone_away(manager: Rig) -> None:
    manager.attach()
    attached = manager.counter.attached
    assert attached is not None
    assert attached.card_no is not None
    page = staff_page(manager)
    for text in ("13912345678", attached.card_no):
        press(Qt.Key.Key_Home)
        press(Qt.Key.Key_Return)
        sheet = manager.sheet(PersonSheet)
        if text.startswith("139"):
            sheet.phone.setText(text)
        else:
            assert sheet.phone.placeholderText() == "139 **** 5678"
            manager.scan(text)
        sheet.submit()
        manager.until(lambda: manager.top is None)
        manager.settle()
    line = page.rows.record(0)
    assert line is not None
    assert (line.phone_masked, line.member_name) == ("139 **** 5678", "陈思远")


def test_somebody_disabled_stays_in_the_list_and_cannot_sign_in(manager: Rig) -> None:
    page = staff_page(manager)
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(PersonSheet)
    sheet.active.click()
    manager.until(lambda: manager.top is None)
    manager.until(lambda: cells(page, 1)[5] == "已停用")


def test_oneself_is_not_disabled(manager: Rig) -> None:
    page = staff_page(manager)
    page.table.selectRow(1)
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(PersonSheet)
    sheet.active.click()
    manager.until(lambda: "别人替你" in sheet.problem.text())


def test_leaving_the_till_is_noted(manager: Rig) -> None:
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    manager.until(lambda: manager.window.pages.currentWidget() is manager.window.sign_in)
    manager.sign_in("lx")
    manager.scan("9100002")
    write(PIN)
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.shell.staff is not None and manager.shell.staff.initials == "wm")
    manager.settle()
    desk = manager.window.desk
    assert desk is not None
    assert manager.shell.session is not None
    left = [p for p in desk.staff.people(manager.shell.session) if not p.till]
    assert [p.staff.initials for p in left] == ["lx"]
    assert focus() is not None
