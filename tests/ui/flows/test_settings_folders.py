"""Backups and reports in the settings: folders are tried at their fields, saved, used, and missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from app.settings import load
from tests.ui.conftest import Rig
from tests.ui.flows.test_close_day import keep_picture
from tests.ui.keys import press, write
from ui.pages import PAGES
from ui.screens.settings_page import SettingsPage


def settings_page(rig: Rig) -> SettingsPage:
    rig.shell.show_page(next(n for n, page in enumerate(PAGES) if page.code == "settings"))
    return rig.page(SettingsPage)


def type_folder(page: SettingsPage, which: str, text: str) -> None:
    """As a person does: into the field, type, Enter."""
    field = getattr(page.folders, which)
    field.setFocus()
    field.selectAll()
    write(text)
    press(Qt.Key.Key_Return)


def _below(label: QWidget, field: QWidget) -> bool:
    return label.y() >= field.geometry().bottom()


def test_a_good_folder_is_saved_and_backups_go_there(manager: Rig, tmp_path: Path) -> None:
    stick, reports = tmp_path / "stick", tmp_path / "reports"
    stick.mkdir()
    reports.mkdir()
    page = settings_page(manager)
    type_folder(page, "backup", str(stick))
    type_folder(page, "reports", str(reports))
    page.folders.after.choose("pdf")
    page.submit()
    manager.until(lambda: load(manager.shop.folder).backup.folder == str(stick))
    saved = load(manager.shop.folder)
    assert (saved.reports.folder, saved.reports.after_close) == (str(reports), "pdf")
    assert manager.faults() == []
    keep_picture(manager, "settings_folders")
    manager.settle()
    press(Qt.Key.Key_F2)
    manager.act("bf")
    manager.until(lambda: len(list(stick.glob("1-2*"))) == 1)
    assert not (manager.shop.folder / "backups").exists()


@pytest.mark.parametrize("which", ["backup", "reports"])
def test_a_folder_that_is_not_there_is_said_when_its_field_is_left(
    manager: Rig, tmp_path: Path, which: str
) -> None:
    page = settings_page(manager)
    type_folder(page, which, str(tmp_path / "nowhere"))
    label = page.folders.said["backup" if which == "backup" else "reports"]
    manager.until(lambda: "没有这个文件夹" in label.text())
    assert not label.isHidden()
    write("x")
    assert label.isHidden(), "what is being mended is not complained about"


def test_a_folder_that_nothing_can_be_written_into_is_said(
    manager: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def protected(*, dir: Path) -> None:  # noqa: A002  # the library's own name
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("app.folders.tempfile.TemporaryFile", protected)
    page = settings_page(manager)
    type_folder(page, "backup", str(tmp_path))
    manager.until(lambda: "写不进去" in page.folders.said["backup"].text())


def test_a_wrong_folder_is_not_saved_and_the_field_is_where_it_is_said(
    manager: Rig, tmp_path: Path
) -> None:
    page = settings_page(manager)
    page.folders.backup.setText(str(tmp_path / "nowhere"))
    page.submit()
    manager.until(lambda: "没有这个文件夹" in page.folders.said["backup"].text())
    manager.until(page.folders.backup.hasFocus)
    assert load(manager.shop.folder).backup.folder == ""
    assert page.save.isEnabled()
    said = page.folders.said["backup"]
    manager.until(lambda: _below(said, page.folders.backup))
    view = page.viewport()
    manager.until(lambda: said.mapTo(view, QPoint(0, said.height())).y() <= view.height())
    assert manager.faults() == []
    keep_picture(manager, "settings_folder_gone")


def test_a_backup_folder_that_goes_is_an_alarm_until_it_is_back(
    manager: Rig, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    page = settings_page(manager)
    page.folders.backup.setText(str(stick))
    page.submit()
    manager.until(lambda: load(manager.shop.folder).backup.folder == str(stick))
    manager.settle()
    attention = manager.shell.attention

    def alarms() -> int:
        return sum("备份" in line.what() and "盘" in line.step() for line in attention.lines())

    assert alarms() == 0
    stick.rename(tmp_path / "pulled")
    attention.look_at_backup_folder()
    manager.until(lambda: alarms() == 1)
    (tmp_path / "pulled").rename(stick)
    attention.look_at_backup_folder()
    manager.until(lambda: alarms() == 0)


def test_another_setting_is_saved_while_the_backup_disk_is_away(
    manager: Rig, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    page = settings_page(manager)
    page.folders.backup.setText(str(stick))
    page.submit()
    manager.until(lambda: load(manager.shop.folder).backup.folder == str(stick))
    manager.until(page.save.isEnabled)
    stick.rename(tmp_path / "pulled")
    page.footer.setText("谢谢光临")
    page.submit()
    manager.until(lambda: load(manager.shop.folder).shop.footer == "谢谢光临")
