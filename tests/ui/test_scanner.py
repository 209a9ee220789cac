"""Scans told from typing in every kind of focus; money keys that count once."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.keyboard import BOUNCE_MS, OnceGuard, PassingField, Scanner

CODE = "880000124471"


class SteppedClock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Rig:
    field: QLineEdit
    search: PassingField
    button: QPushButton
    clock: SteppedClock
    codes: list[str]
    entered: list[str] = dataclasses.field(default_factory=list)
    pressed: list[str] = dataclasses.field(default_factory=list)

    def send(self, widget: QWidget, text: str, *, gap_ms: float, enter: bool = True) -> None:
        widget.setFocus()
        for character in text:
            self.clock.now += gap_ms / 1000
            QTest.keyClicks(widget, character)
        if enter:
            self.clock.now += gap_ms / 1000
            QTest.keyClick(widget, Qt.Key.Key_Return)

    def pause(self) -> None:
        self.clock.now += 1


@pytest.fixture
def rig(qtbot: QtBot, qapp: QApplication) -> Iterator[Rig]:
    window = QWidget()
    layout = QVBoxLayout(window)
    plain, search, button = QLineEdit(), PassingField(), QPushButton("Charge")
    for widget in (plain, search, button):
        layout.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    clock, codes = SteppedClock(), list[str]()
    scanner = Scanner(window, clock=clock)
    scanner.scanned.connect(codes.append)
    rig = Rig(plain, search, button, clock, codes)
    plain.returnPressed.connect(lambda: rig.entered.append("field"))
    search.returnPressed.connect(lambda: rig.entered.append("search"))
    button.clicked.connect(lambda: rig.pressed.append("button"))
    qapp.installEventFilter(scanner)
    yield rig
    qapp.removeEventFilter(scanner)


def test_a_scan_into_a_field_is_a_code_and_not_text(rig: Rig) -> None:
    rig.send(rig.field, CODE, gap_ms=8)
    assert (rig.codes, rig.field.text(), rig.entered) == ([CODE], "", [])


def test_a_scan_into_the_search_box_leaves_what_was_typed(rig: Rig) -> None:
    rig.send(rig.search, "chen", gap_ms=120, enter=False)
    rig.search.setCursorPosition(2)
    rig.pause()
    rig.send(rig.search, CODE, gap_ms=6)
    assert (rig.codes, rig.search.text(), rig.entered) == ([CODE], "chen", [])
    assert rig.search.cursorPosition() == 2


def test_keys_reach_the_search_box_at_once(rig: Rig) -> None:
    rig.search.setFocus()
    QTest.keyClicks(rig.search, "6")
    assert rig.search.text() == "6"


def test_a_scan_keeps_letters_that_are_still_in_composition(rig: Rig, qapp: QApplication) -> None:
    rig.search.setFocus()
    qapp.sendEvent(rig.search, QInputMethodEvent("chensi", []))
    rig.pause()
    rig.send(rig.search, CODE, gap_ms=6)
    assert (rig.codes, rig.search.text(), rig.search.preedit) == ([CODE], "", "chensi")


def test_composition_letters_are_announced(rig: Rig, qapp: QApplication) -> None:
    heard: list[str] = []
    rig.search.composing.connect(heard.append)
    qapp.sendEvent(rig.search, QInputMethodEvent("csy", []))
    commit = QInputMethodEvent()
    commit.setCommitString("陈思远")
    qapp.sendEvent(rig.search, commit)
    assert (heard, rig.search.text()) == (["csy", ""], "陈思远")


def test_typing_into_a_field_arrives_and_is_no_scan(rig: Rig, qtbot: QtBot) -> None:
    for character in "13866":
        rig.send(rig.field, character, gap_ms=120, enter=False)
        qtbot.wait(45)
    # The last key is let go when no second one follows it for a while.
    qtbot.waitUntil(lambda: rig.field.text() == "13866")
    assert rig.codes == []


def test_a_quick_short_number_and_enter_is_typing(rig: Rig) -> None:
    rig.send(rig.field, "368", gap_ms=20)
    assert (rig.field.text(), rig.entered, rig.codes) == ("368", ["field"], [])


def test_text_before_a_scan_stays_in_a_field(rig: Rig) -> None:
    rig.send(rig.field, "38", gap_ms=120, enter=False)
    rig.pause()
    rig.send(rig.field, "6901234567892", gap_ms=6)
    assert (rig.field.text(), rig.codes) == ("38", ["6901234567892"])


def test_the_enter_of_a_scan_presses_no_button(rig: Rig) -> None:
    rig.send(rig.button, CODE, gap_ms=8)
    assert (rig.codes, rig.pressed) == ([CODE], [])


def test_tab_ends_a_scan_without_moving_the_focus(rig: Rig) -> None:
    rig.send(rig.field, CODE, gap_ms=8, enter=False)
    QTest.keyClick(rig.field, Qt.Key.Key_Tab)
    assert rig.codes == [CODE]
    assert rig.field.hasFocus()


def test_a_committed_chinese_word_is_untouched(rig: Rig, qapp: QApplication) -> None:
    commit = QInputMethodEvent()
    commit.setCommitString("陈思远")
    qapp.sendEvent(rig.field, commit)
    assert rig.field.text() == "陈思远"


def test_held_keys_of_a_field_that_died_go_nowhere(rig: Rig, qtbot: QtBot) -> None:
    doomed = QLineEdit(rig.field.parentWidget())
    doomed.show()
    rig.send(doomed, "12", gap_ms=5, enter=False)
    doomed.deleteLater()
    qtbot.wait(60)
    assert rig.codes == []


def test_keys_that_were_held_stay_in_their_field_when_the_focus_moves(rig: Rig) -> None:
    rig.send(rig.field, "12", gap_ms=5, enter=False)
    rig.send(rig.search, "34", gap_ms=5, enter=False)
    assert (rig.field.text(), rig.search.text()) == ("12", "34")


def test_a_configured_prefix_is_taken_off(rig: Rig, qapp: QApplication, qtbot: QtBot) -> None:
    scanner = Scanner(prefix="]C1", clock=rig.clock)
    codes: list[str] = []
    scanner.scanned.connect(codes.append)
    qapp.installEventFilter(scanner)
    rig.send(rig.field, f"]C1{CODE}", gap_ms=5)
    qapp.removeEventFilter(scanner)
    assert codes == [CODE]


def test_a_scanner_shifts_for_each_capital_letter_of_a_code(rig: Rig) -> None:
    for character in "01-0042-BTFKW":
        rig.clock.now += 0.005
        if character.isalpha():
            QTest.keyPress(rig.field, Qt.Key.Key_Shift)
        QTest.keyClicks(rig.field, character)
    QTest.keyClick(rig.field, Qt.Key.Key_Return)
    assert rig.codes == ["01-0042-BTFKW"]
    assert rig.field.text() == ""


def test_a_key_with_control_ends_a_burst(rig: Rig) -> None:
    rig.send(rig.field, "12345", gap_ms=5, enter=False)
    QTest.keyClick(rig.field, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert rig.field.text() == "12345"


def test_three_hundred_random_scans_and_words_are_all_told_apart(rig: Rig) -> None:
    dice = random.Random(7)
    for turn in range(300):
        widget = rig.field if turn % 4 < 2 else rig.search
        widget.clear()
        rig.codes.clear()
        rig.pause()
        is_scan = bool(turn % 2)
        alphabet = "0123456789" if is_scan else "abcdef0123456789"
        length = dice.randint(8, 18) if is_scan else dice.randint(2, 11)
        text = "".join(dice.choice(alphabet) for _ in range(length))
        widget.setFocus()
        for character in text + "\r":
            gap_ms = dice.uniform(1, 25) if is_scan else max(36, dice.gauss(140, 50))
            rig.clock.now += gap_ms / 1000
            QTest.keyClicks(widget, character)
        assert rig.codes == ([text] if is_scan else [])
        assert widget.text() == ("" if is_scan else text)


def test_a_money_key_counts_once_within_the_bounce_time() -> None:
    clock = SteppedClock()
    guard = OnceGuard(clock)
    assert guard.lets_through()
    clock.now += (BOUNCE_MS - 1) / 1000
    assert not guard.lets_through()
    clock.now += (BOUNCE_MS + 1) / 1000
    assert guard.lets_through()


def test_auto_repeat_never_takes_money() -> None:
    clock = SteppedClock()
    guard = OnceGuard(clock)
    assert guard.lets_through()
    for _ in range(90):
        clock.now += 0.4
        assert not guard.lets_through(auto_repeat=True)
