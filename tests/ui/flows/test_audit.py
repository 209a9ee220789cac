"""The journal page, by real keys on a real store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from tests.printing.readers import codes_on, pdf_lines, pdf_pictures
from tests.ui.conftest import Rig
from tests.ui.keys import press, write
from ui.dialogs.audit_event import AuditEvent
from ui.dialogs.health import HealthSheet
from ui.dialogs.start_key import StartKeySheet
from ui.screens.audit_page import AuditPageView


def open_page(rig: Rig) -> AuditPageView:
    rig.act("sj")
    page = rig.page(AuditPageView)
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
    sheet = manager.sheet(AuditEvent)
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


def test_the_key_is_put_away_once_its_last_line_was_typed_and_never_shown_again(
    manager: Rig,
) -> None:
    manager.act("my")
    sheet = manager.sheet(StartKeySheet)
    write("aaaa bbbb cccc dddd")
    press(Qt.Key.Key_Return)
    assert sheet.problem.text()
    sheet.typed.clear()
    write(sheet.lines[-1].lower())
    press(Qt.Key.Key_Return)
    manager.until(lambda: manager.top is None)
    manager.act("my")
    manager.until(lambda: "不再保存" in manager.shell.strip.text)
    assert manager.top is None


def test_the_key_as_a_page_is_there_until_the_sheet_closes(manager: Rig, tmp_path: Path) -> None:
    page = manager.shop.folder / "key-for-the-safe.pdf"
    manager.act("my")
    sheet = manager.sheet(StartKeySheet)
    sheet.save.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: str(page) in sheet.problem.text())
    (drawn,) = pdf_pictures(page.read_bytes(), tmp_path, dpi=150)
    assert codes_on(drawn).zxing == {("qr", "".join("".join(sheet.lines).split()))}
    said = "".join(pdf_lines(page.read_bytes(), tmp_path))
    assert "南山海岸店" in said
    assert "2026-11-21" in said
    assert page.stat().st_mode & 0o077 == 0
    press(Qt.Key.Key_Escape)
    manager.until(lambda: not page.exists())


def test_no_page_with_the_key_stays_where_the_window_takes_the_sheet_away(manager: Rig) -> None:
    page = manager.shop.folder / "key-for-the-safe.pdf"
    manager.act("my")
    sheet = manager.sheet(StartKeySheet)
    sheet.save.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: str(page) in sheet.problem.text())
    press(Qt.Key.Key_F2)
    manager.until(lambda: not page.exists())
    assert manager.top is None


def test_a_page_with_the_key_goes_with_the_till_and_at_its_next_start(
    manager: Rig,
) -> None:
    page = manager.shop.folder / "key-for-the-safe.pdf"
    desk = manager.window.desk
    assert desk is not None
    page.write_bytes(b"%PDF of a till that was killed")
    desk.slips.recover()
    assert not page.exists()
    page.write_bytes(b"%PDF of an open sheet")
    manager.window.close()
    assert not page.exists()


def test_the_key_is_printed_past_the_queue_and_stays_in_no_slip(
    tmp_path: Path, manager: Rig
) -> None:
    paper = tmp_path / "paper"
    paper.mkdir()
    ctx = manager.window.desk.context  # type: ignore[union-attr]  # somebody is signed in
    receipt = replace(ctx.settings.receipt, printer=f"file://{paper}/")
    ctx.keep_settings(replace(ctx.settings, receipt=receipt))
    manager.settle()
    before = len(list(paper.iterdir()))
    manager.act("my")
    sheet = manager.sheet(StartKeySheet)
    sheet.print_.setFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: "已打印" in sheet.problem.text())
    assert len(list(paper.iterdir())) > before
    assert any(sheet.lines[-1].encode() in each.read_bytes() for each in paper.iterdir()), (
        "the four lines are on the paper"
    )
    with ctx.read() as conn:
        slips = [row[0] for row in conn.execute("SELECT document FROM print_job")]
    assert all(sheet.lines[-1] not in slip for slip in slips)


def test_a_cashier_is_not_shown_the_key(rig: Rig) -> None:
    rig.act("my")
    rig.until(lambda: "岗位不能做" in rig.shell.strip.text)
    assert rig.top is None


def test_the_health_names_what_needs_a_hand(manager: Rig) -> None:
    manager.act("zk")
    sheet = manager.sheet(HealthSheet)
    alarms = [line.name for line in sheet.rows._records if line.alarm]
    assert alarms == ["Last backup", "Key for the safe"]


def test_a_cashier_is_not_shown_the_health(rig: Rig) -> None:
    rig.act("zk")
    rig.until(lambda: "岗位不能做" in rig.shell.strip.text)


def test_a_support_file_is_saved_and_its_place_is_said(manager: Rig) -> None:
    manager.act("wj")
    manager.until(lambda: ".zip" in manager.shell.strip.text)


def test_what_is_saved_is_said_with_its_place(manager: Rig) -> None:
    page = open_page(manager)
    page.csv.click()
    manager.until(lambda: ".csv" in manager.shell.strip.text)
