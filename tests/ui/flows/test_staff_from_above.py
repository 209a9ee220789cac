"""People whom head office has at a till: they choose their own PIN by a first code; the rest is shut here."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app import bases
from app.context import Context
from app.protocol.references import REFERENCE_BUCKET, key_for
from app.protocol.shop_staff import STAFF, FirstCode, ShopPerson, at_till, staff_body, stretched
from app.protocol.wire import ReferenceRow
from app.sync.references import take_references
from db import head_office, staff_rows
from tests.ui.conftest import Rig
from tests.ui.flows.test_staff import cells, staff_page
from tests.ui.keys import press, write
from ui.dialogs.staff import FirstPin, PersonSheet

CODE, OWN = "482190375512", "730186"
SALT = b"s" * 16


def list_from_above(ctx: Context) -> None:
    """The list as the exchange takes it: a new cashier, and the till's own manager taken over."""
    until_ms = int(ctx.clock().timestamp() * 1000) + 3_600_000
    code = FirstCode(1, SALT, at_till(stretched(CODE, SALT), ctx.till.device), until_ms)
    with ctx.write(ctx.ids()) as tx:
        boss = staff_rows.staff_by_initials(tx.conn, "wm")
        assert boss is not None
        people = (
            ShopPerson(b"n" * 16, "nn", "倪娜", "cashier", True, code),
            ShopPerson(boss.id, "wm", boss.name, boss.role, True),
        )
        key = key_for(STAFF, ctx.till.device)
        row = ReferenceRow(key, REFERENCE_BUCKET, 1, 1, staff_body(people))
        head_office.put_reference_set(tx.conn, key, 0, bases.REFERENCE.pack(row))
        assert take_references(tx, [row])


def test_a_first_code_asks_for_an_own_pin_which_then_signs_in(fresh: Rig) -> None:
    window = fresh.window
    fresh.until(lambda: window.desk is not None and window.sign_in.forgot.isVisible())
    assert window.desk is not None
    list_from_above(window.desk.context)
    write("nn")
    press(Qt.Key.Key_Return)
    fresh.until(window.sign_in.pin.isVisible)
    write(CODE)
    press(Qt.Key.Key_Return)
    fresh.until(lambda: isinstance(window.sign_in.sheets.top, FirstPin))
    sheet = window.sign_in.sheets.top
    assert isinstance(sheet, FirstPin)
    assert sheet.pins.first.hasFocus()
    assert fresh.faults() == []
    for typed in ("111111", OWN):
        for _ in range(2):
            write(typed)
            press(Qt.Key.Key_Return)
        if typed != OWN:
            fresh.until(lambda: "太好猜" in sheet.problem.text())
            sheet.pins.first.clear()
            sheet.pins.second.clear()
            sheet.pins.first.setFocus()
    fresh.until(lambda: window.sign_in.sheets.top is None)
    fresh.sign_in("nn", OWN)


def test_the_staff_page_says_what_is_head_offices_and_refuses_to_change_it(manager: Rig) -> None:
    desk = manager.window.desk
    assert desk is not None
    list_from_above(desk.context)
    page = staff_page(manager)
    assert [cells(page, row)[2] for row in range(3)] == ["收银员", "收银员（总部）", "店长（总部）"]
    assert "初始码" in cells(page, 1)[5]
    assert not page.add.isVisible()
    press(Qt.Key.Key_Home)
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(PersonSheet)
    assert (sheet.role.isEnabled(), sheet.active.isVisible()) == (False, False)
    assert sheet.badge.hasFocus()
    assert manager.faults() == []
    write("9100007")
    press(Qt.Key.Key_Return)
    manager.hear("倪娜")
    manager.until(lambda: cells(page, 1)[3] == "9100007")
