"""What needs a hand: the chip and the list behind it (flow 19), by real keys on a real store."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import settings
from app.backup import make
from app.protocol.events import micros
from app.settings import FILE_NAME
from app.sync import staff_above, unfit
from app.usecases.back_up import NoteBackup, note_backup
from db import rows, till
from tests.ui.conftest import Rig, build_rig
from tests.ui.flows.steps import shows
from tests.ui.keys import press
from tests.ui.shop import Shop, copied
from ui import attention
from ui.desk import Desk
from ui.dialogs.attention import AttentionList, Incidents
from ui.dialogs.health import HealthSheet
from ui.dialogs.paper_list import PaperList
from ui.kit import Kit
from ui.screens.settings_page import SettingsPage


@pytest.fixture
def shop(shop_template: Shop, tmp_path: Path) -> Shop:
    """A shop where all is well: its till has just made a backup."""
    shop = copied(shop_template, tmp_path / "store")
    opened = shop.open()
    ctx = opened.context
    note_backup(ctx, NoteBackup(ctx.ids(), make(ctx)))
    stick = tmp_path / "stick"
    stick.mkdir()
    used = ctx.settings
    settings.save(shop.folder, replace(used, backup=replace(used.backup, folder=str(stick))))
    opened.close()
    return shop


def desk_of(rig: Rig) -> Desk:
    assert rig.window.desk is not None
    return rig.window.desk


def opened(rig: Rig) -> AttentionList:
    rig.act("zt")
    return rig.sheet(AttentionList)


def cells(sheet: AttentionList) -> list[tuple[str, ...]]:
    found = [sheet.rows.record(row) for row in range(sheet.rows.rowCount())]
    return [sheet.rows.cells(line) for line in found if line is not None]


def note(rig: Rig, code: str, facts: str = "{}", *, hours_ago: int = 0) -> None:
    ctx = desk_of(rig).context
    at_us = micros(ctx.clock()) - hours_ago * 3_600_000_000
    with ctx.write_rows() as conn:
        rows.add_incident(conn, at_us=at_us, code=code, facts=facts)
    rig.shell.attention.refresh()
    rig.settle()


def test_with_all_well_there_is_no_chip_and_the_list_says_so(rig: Rig) -> None:
    assert rig.shell.top_bar._needs.isHidden()
    sheet = opened(rig)
    assert sheet.rows.rowCount() == 0
    assert sheet.table.isHidden()


def test_an_unknown_line_is_on_the_list_and_enter_goes_to_it(rig: Rig) -> None:
    rig.scan("6999999999999")
    assert rig.shell.top_bar._needs.text() == "要处理 1"
    sheet = opened(rig)
    assert [line[1:] for line in cells(sheet)] == [("有 1 行没认出。", "F5 选商品，Delete 删去")]
    press(Qt.Key.Key_Return)
    rig.until(rig.counter.sale.lines.hasFocus)
    press(Qt.Key.Key_Delete)
    assert rig.shell.top_bar._needs.isHidden()


def test_a_sale_kept_from_a_crash_stays_on_the_list_until_it_is_settled(
    rig: Rig, qtbot: QtBot, qapp: QApplication, kit: Kit
) -> None:
    rig.amount("38")
    rig.window.close()
    again = build_rig(qtbot, qapp, rig.shop, kit=kit)
    try:
        again.sign_in()
        again.until(lambda: again.counter.cart.typed_text == "38")
        assert again.shell.top_bar._needs.text() == "要处理 1"
        again.counter.focus_search()
        sheet = opened(again)
        assert cells(sheet)[0][1] == "上次停机时的单已保留。"
        press(Qt.Key.Key_Return)
        again.until(again.counter.sale.amount.hasFocus)
        again.counter.clear_sale()
        assert again.shell.top_bar._needs.isHidden()
    finally:
        again.window.close()
        again.window.deleteLater()


@pytest.mark.parametrize(
    ("code", "why", "said"),
    [
        ("staff_unfit", "initials", "总部的员工名单在这里不能用：两个人代号相同。"),
        ("prices_unfit", "currency", "总部的价目表在这里不能用：币种不同。"),
        ("programme_unfit", "currency", "总部发布了版本 1001，本机不能使用：币种不同。"),
    ],
)
def test_why_something_of_head_office_is_not_used_is_said_in_the_users_language(
    rig: Rig, code: str, why: str, said: str
) -> None:
    note(rig, code, f'{{"version": 1001, "why": "{why}"}}')
    assert cells(opened(rig))[0][1] == said


def test_every_such_reason_has_words() -> None:
    folder = Path(staff_above.__file__).parent
    text = (folder / "staff_above.py").read_text() + (folder / "references.py").read_text()
    text += re.sub(
        r'_does_not_fit\(row, "([a-z]+)"', r'return "\1"', (folder / "prices.py").read_text()
    )
    codes = {*re.findall(r'return "([a-z_]+)"', text), unfit.UNREADABLE}
    assert codes == set(vars(attention)["_WHY"])


def test_what_the_till_mended_is_listed_read_and_marked(rig: Rig) -> None:
    note(rig, "events_replayed", '{"count": 3, "first": 7}')
    assert rig.shell.top_bar._needs.text() == "要处理 1"
    sheet = opened(rig)
    assert cells(sheet)[0][1] == "已从流水文件找回 3 笔。"
    press(Qt.Key.Key_Return)
    rig.until(lambda: isinstance(rig.top, Incidents))
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    rig.until(rig.shell.top_bar._needs.isHidden)
    assert desk_of(rig).needs() == ()
    with desk_of(rig).context.read() as conn:
        assert len(rows.incidents(conn)) == 1, "marked, not dropped"
    note(rig, "journal_file_missing", '{"number": 1}')
    assert [need.code for need in desk_of(rig).needs()] == ["journal_file_missing"]


def test_what_is_noted_while_the_list_is_read_is_not_marked_with_it(rig: Rig) -> None:
    note(rig, "events_replayed", '{"count": 3, "first": 7}')
    opened(rig)
    press(Qt.Key.Key_Return)
    rig.sheet(Incidents)
    with desk_of(rig).context.write_rows() as conn:
        rows.add_incident(conn, at_us=1, code="fold_differs", facts="{}")
    press(Qt.Key.Key_Return)
    rig.until(lambda: rig.top is None)
    rig.settle()
    assert [need.code for need in desk_of(rig).needs()] == ["fold_differs"]


def test_backups_on_the_tills_own_disk_lead_to_the_folder_in_the_settings(rig: Rig) -> None:
    desk = desk_of(rig)
    used = desk.settings()
    desk.save_settings(replace(used, backup=replace(used.backup, folder="")))
    rig.shell.attention.refresh()
    rig.settle()
    assert rig.shell.top_bar._needs.text() == "要处理 1"
    sheet = opened(rig)
    assert cells(sheet) == [("一直", "备份全在本机磁盘上。", "按 Enter 另选文件夹")]
    press(Qt.Key.Key_Return)
    page = rig.page(SettingsPage)
    rig.until(page.folders.backup.hasFocus)


def test_every_code_that_recovery_notes_has_words(rig: Rig) -> None:
    for code in ("log_set_aside", "journal_tail_cut", "journal_missing", "fold_differs"):
        note(rig, code)
    note(rig, "journal_backfilled", '{"count": 2}')
    note(rig, "journal_damaged", '{"places": 2, "file": "x"}')
    note(rig, "keyslots_mended")
    said = [line.what() for line in rig.shell.attention.lines()]
    assert len(said) == 7
    assert [text for text in said if text.startswith("本机记下")] == []


def test_a_key_that_settings_do_not_know_is_named_and_not_counted_as_mended(
    qtbot: QtBot, qapp: QApplication, shop: Shop, kit: Kit
) -> None:
    path = shop.folder / FILE_NAME
    path.write_text("gone = 1\n" + path.read_text("utf-8"), "utf-8")
    rig = build_rig(qtbot, qapp, shop, kit=kit)
    try:
        rig.sign_in()
        rig.open_shift()
        rig.settle()
        assert "启动时" not in rig.shell.strip.text
        assert rig.shell.top_bar._needs.text() == "要处理 1"
        said = [line.what() for line in rig.shell.attention.lines()]
        assert said == ["设置文件里的“gone”不认识，没有使用。"]
    finally:
        rig.window.close()
        rig.window.deleteLater()


def test_an_older_journal_file_that_rots_is_found_when_idle_with_what_to_do(rig: Rig) -> None:
    older = desk_of(rig).context.journal.files()[0]
    content = bytearray(older.read_bytes())
    content[len(content) // 2] ^= 1
    older.write_bytes(content)
    rig.amount("5")
    rig.shell._minute.timeout.emit()
    rig.settle()
    assert rig.shell.top_bar._needs.isHidden(), "a sale is open: nothing is read"
    rig.counter.clear_sale()

    def found_after_a_minute() -> bool:
        rig.shell._minute.timeout.emit()
        return rig.shell.top_bar._needs.text() == "要处理 1"

    rig.until(found_after_a_minute)
    (line,) = rig.shell.attention.lines()
    assert line.what() == f"较早的流水文件已损坏：{older.name}。"
    assert line.step() == "重启本机，会重新写出"


def test_the_oldest_comes_first_whatever_it_is(rig: Rig) -> None:
    rig.scan("6999999999999")
    note(rig, "journal_tail_cut", hours_ago=2)
    note(rig, "fold_differs", hours_ago=5)
    said = [line.what() for line in rig.shell.attention.lines()]
    assert said == ["有余额与分录不符。", "流水文件末尾残缺，已截去。", "有 1 行没认出。"]


def test_slips_that_wait_and_one_that_may_have_printed_lead_to_their_list(rig: Rig) -> None:
    desk = desk_of(rig)
    used = desk.settings()
    dead = replace(used, receipt=replace(used.receipt, printer="tcp://127.0.0.1:9"))
    desk.save_settings(dead)
    for amount in ("5", "6"):
        rig.amount(amount)
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
    paper = rig.shell.paper
    # A slip on its way would be settled over what is written below.
    rig.until(lambda: rig.shell.errands.print_status.waiting == 2 and not paper._running)
    paper._retry.stop()
    with desk.context.write_rows() as conn:
        first = till.waiting_jobs(conn)[0]
        till.set_job_state(conn, first.id, state="uncertain", problem=None, attempt=False)
    rig.shell.attention.refresh()
    rig.settle()
    assert rig.shell.top_bar._needs.text() == "要处理 1", "slips that only wait have their own chip"
    rig.shell.top_bar._paper.click()
    sheet = rig.top
    assert isinstance(sheet, AttentionList)
    said = [line[1] for line in cells(sheet)]
    assert "可能已打出" in said[0]
    assert said[1].startswith("1 张小票待打印")
    press(Qt.Key.Key_Return)
    rig.until(lambda: shows(rig, PaperList))


def test_a_journal_file_that_fails_is_on_the_list_until_the_next_sale_mends_it(rig: Rig) -> None:
    ctx = desk_of(rig).context
    write_file = ctx.journal.append

    def fails(*arguments: object, **named: object) -> None:
        raise OSError(5, "Input/output error")

    def charge() -> None:
        rig.amount("5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)

    ctx.journal.append = fails  # type: ignore[method-assign]  # a disk that fails
    charge()
    rig.until(lambda: rig.shell.top_bar._needs.text() == "要处理 1")
    ctx.journal.append = write_file  # type: ignore[method-assign]  # the disk is mended
    sheet = opened(rig)
    assert cells(sheet)[0][2] == "下一笔会再试"
    press(Qt.Key.Key_Return)
    rig.until(rig.counter.sale.amount.hasFocus)
    charge()
    rig.until(rig.shell.top_bar._needs.isHidden)


def test_the_list_follows_the_language(rig: Rig) -> None:
    rig.scan("6999999999999")
    sheet = opened(rig)
    rig.window.switch_language("en")
    assert cells(sheet)[0][1:] == (
        "One line isn't recognised.",
        "F5 picks the item, Delete drops it",
    )
    assert rig.shell.top_bar._needs.text() == "To settle 1"


def test_a_backup_older_than_a_day_is_on_the_list(rig: Rig) -> None:
    rig.shop.clock.now += timedelta(days=1, minutes=1)
    rig.shell.attention.refresh()
    rig.settle()
    assert [line[1] for line in cells(opened(rig))] == ["上次备份已超过一天。"]


def test_a_disk_that_is_nearly_full_is_on_the_list_and_leads_to_the_health(
    manager: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.queries.attention.DISK_LEAST", 1 << 62)
    manager.shell.attention.refresh()
    manager.settle()
    sheet = opened(manager)
    ((_, what, step),) = cells(sheet)
    assert what.startswith("磁盘快满了")
    assert step == "腾出空间，收款照常"
    press(Qt.Key.Key_Return)
    manager.sheet(HealthSheet)


def test_what_followed_a_close_and_went_wrong_is_on_the_list(rig: Rig) -> None:
    note(rig, "share_differs", '{"count": 3}')
    note(rig, "reports_not_made", '{"date": "2026-11-18"}')
    assert [line[1:] for line in cells(opened(rig))] == [
        ("余额与流水不符，共 3 处。", "告诉店长，再标记"),
        ("2026-11-18 的报表没能做出来。", "请在“报表”里手工做，再标记"),
    ]
