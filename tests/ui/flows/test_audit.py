"""The journal page, by real keys on a real store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Rig, build_rig, make_kit
from tests.ui.keys import press, write
from tests.ui.shop import Shop
from ui.dialogs.audit_event import AuditEvent
from ui.dialogs.find_action import FindAction
from ui.dialogs.health import HealthSheet
from ui.dialogs.start_key import StartKeySheet
from ui.screens.audit_page import AuditPageView


@pytest.fixture
def manager(qtbot: QtBot, qapp: QApplication, shop: Shop) -> Iterator[Rig]:
    """The manager is signed in and the shift is open."""
    rig = build_rig(qtbot, qapp, shop, kit=make_kit(qapp))
    rig.sign_in("wm")
    rig.open_shift()
    yield rig
    rig.window.close()
    rig.window.deleteLater()
    qapp.setStyleSheet("")


def open_page(rig: Rig) -> AuditPageView:
    """F11, sj, Enter."""
    press(Qt.Key.Key_F11)
    rig.until(lambda: isinstance(rig.top, FindAction))
    write("sj")
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.shell.pages.currentWidget(), AuditPageView))
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, AuditPageView)
    rig.until(lambda: page.rows.rowCount() > 0 or page.problem.text())
    return page


def kinds(page: AuditPageView) -> set[str]:
    found = (page.rows.record(row) for row in range(page.rows.rowCount()))
    return {line.kind for line in found if line}


def test_the_newest_events_are_shown_and_enter_opens_one(manager: Rig) -> None:
    page = open_page(manager)
    newest = page.rows.record(0)
    assert newest is not None
    assert newest.kind == "shift_open"
    manager.until(page.table.hasFocus)
    press(Qt.Key.Key_Return)
    manager.until(lambda: isinstance(manager.top, AuditEvent))
    sheet = manager.top
    assert isinstance(sheet, AuditEvent)
    assert sheet.rows.rowCount() > 0
    press(Qt.Key.Key_Escape)
    assert manager.top is None


def test_a_filter_by_kind_and_by_person_is_read_at_once(manager: Rig) -> None:
    page = open_page(manager)
    page.period.choose("0")
    page.group.choose("People")
    manager.until(lambda: kinds(page) and "shift_open" not in kinds(page))
    page.person.setFocus()
    write("wm")
    press(Qt.Key.Key_Return)
    manager.until(lambda: kinds(page) == {"sign_in"})
    page.person.setText("zz")
    press(Qt.Key.Key_Return)
    manager.until(page.problem.text)
    assert page.rows.rowCount() == 0


def test_older_and_newer_turn_pages(manager: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.queries.audit.PAGE", 4)
    page = open_page(manager)
    page.period.choose("0")
    manager.until(page.older.isEnabled)
    first = page.rows.record(0)
    page.older.click()
    manager.until(lambda: page.rows.record(0) != first and page.newer.isEnabled())
    page.newer.click()
    manager.until(lambda: page.rows.record(0) == first)


def test_a_cashier_reads_why_there_is_nothing(rig: Rig) -> None:
    page = open_page(rig)
    assert page.rows.rowCount() == 0
    assert not page.csv.isEnabled()


def act(rig: Rig, initials: str) -> None:
    press(Qt.Key.Key_F11)
    rig.until(lambda: isinstance(rig.top, FindAction))
    write(initials)
    press(Qt.Key.Key_Return)


def test_the_key_is_put_away_once_its_last_line_was_typed_and_never_shown_again(
    manager: Rig,
) -> None:
    act(manager, "my")
    manager.until(lambda: isinstance(manager.top, StartKeySheet))
    sheet = manager.top
    assert isinstance(sheet, StartKeySheet)
    write("aaaa bbbb cccc dddd")
    press(Qt.Key.Key_Return)
    assert sheet.problem.text()
    sheet.typed.clear()
    write(sheet.lines[-1].lower())
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    act(manager, "my")
    manager.until(lambda: "不再保存" in manager.shell.strip.text)
    assert manager.top is None


def test_a_cashier_is_not_shown_the_key(rig: Rig) -> None:
    act(rig, "my")
    rig.until(lambda: "岗位不能做" in rig.shell.strip.text)
    assert rig.top is None


def test_the_health_names_what_needs_a_hand(manager: Rig) -> None:
    act(manager, "zk")
    manager.until(lambda: isinstance(manager.top, HealthSheet))
    sheet = manager.top
    assert isinstance(sheet, HealthSheet)
    alarms = [line.name for line in sheet.rows._records if line.alarm]
    assert alarms == ["Last backup", "Key for the safe"]


def test_a_cashier_is_not_shown_the_health(rig: Rig) -> None:
    act(rig, "zk")
    rig.until(lambda: "岗位不能做" in rig.shell.strip.text)


def test_a_support_file_is_saved_and_its_place_is_said(manager: Rig) -> None:
    act(manager, "wj")
    manager.until(lambda: ".zip" in manager.shell.strip.text)


def test_what_is_saved_is_said_with_its_place(manager: Rig) -> None:
    page = open_page(manager)
    page.csv.click()
    manager.until(lambda: ".csv" in manager.shell.strip.text)
