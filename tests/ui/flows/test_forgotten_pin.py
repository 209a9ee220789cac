"""A manager's forgotten PIN, helped from the sign-in screen by the passphrase, by real keys on a real store."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from tests.ui.conftest import Rig
from tests.ui.keys import press, write
from tests.ui.shop import BADGE, PASSPHRASE
from ui.dialogs.staff import ForgottenPin

NEW_PIN = "730186"


def opened(rig: Rig) -> ForgottenPin:
    """F11 on the sign-in screen."""
    rig.until(lambda: rig.window.desk is not None and rig.window.sign_in.forgot.isVisible())
    press(Qt.Key.Key_F11)
    rig.until(lambda: rig.window.sign_in.sheets.top is not None)
    sheet = rig.window.sign_in.sheets.top
    assert isinstance(sheet, ForgottenPin)
    return sheet


def fill(sheet: ForgottenPin, who: str, passphrase: str, pin: str = NEW_PIN) -> None:
    """Every field by the keyboard alone; a passphrase may hold what keys of tests can't type."""
    write(who)
    press(Qt.Key.Key_Return)
    assert sheet.passphrase.hasFocus()
    sheet.passphrase.setText(passphrase)
    press(Qt.Key.Key_Return)
    for _ in range(2):
        write(pin)
        press(Qt.Key.Key_Return)


def test_f11_and_the_passphrase_give_a_manager_a_new_pin(fresh: Rig) -> None:
    sheet = opened(fresh)
    assert sheet.initials.hasFocus()
    assert fresh.faults() == []
    fill(sheet, "wm", PASSPHRASE)
    fresh.until(lambda: fresh.window.sign_in.sheets.top is None)
    assert "新密码" in fresh.window.sign_in._said.text()
    assert fresh.window.sign_in.who.hasFocus()
    fresh.sign_in("wm", NEW_PIN)


@pytest.mark.parametrize(
    ("who", "passphrase", "pin", "said"),
    [
        ("wm", "no kettle at all", NEW_PIN, "口令"),
        ("lx", PASSPHRASE, NEW_PIN, "没有店长"),
        ("wm", PASSPHRASE, "123456", "太好猜"),
    ],
    ids=["wrong-passphrase", "a-cashier", "weak-pin"],
)
def test_no_pin_is_changed_without_all_three(
    fresh: Rig, who: str, passphrase: str, pin: str, said: str
) -> None:
    sheet = opened(fresh)
    fill(sheet, who, passphrase, pin)
    fresh.until(sheet.problem.text)
    assert said in sheet.problem.text()
    assert fresh.window.sign_in.sheets.top is sheet
    press(Qt.Key.Key_Escape)
    fresh.until(lambda: fresh.window.sign_in.sheets.top is None)
    fresh.sign_in(who)


def test_a_badge_scanned_behind_the_sheet_asks_nobody(fresh: Rig) -> None:
    sheet = opened(fresh)
    fresh.scan(BADGE)
    assert fresh.window.sign_in.pin.isHidden()
    assert fresh.window.sign_in.sheets.top is sheet
