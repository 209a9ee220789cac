"""The settings page: what is typed is checked at its field, kept until it is saved, and used at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app import folders
from app.settings import ShopTexts
from tests.ui.conftest import Rig
from tests.ui.keys import press, write
from tests.ui.shop import TEA
from ui.dialogs.pay import Pay
from ui.pages import COUNTER, SETTINGS
from ui.screens.settings_page import SettingsPage

CTRL = Qt.KeyboardModifier.ControlModifier


def settings_page(rig: Rig) -> SettingsPage:
    rig.shell.show_page(SETTINGS)
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, SettingsPage)
    return page


class TestSettingsPage:
    def test_a_scan_on_the_settings_page_shows_the_counter(self, rig: Rig) -> None:
        rig.shell.show_page(SETTINGS)
        rig.scan(TEA)
        assert rig.shell.pages.currentIndex() == COUNTER
        assert len(rig.counter.cart.lines) == 1

    def test_f12_on_the_settings_page_shows_the_counter_below_pay(self, rig: Rig) -> None:
        rig.amount("12")
        rig.shell.show_page(SETTINGS)
        press(Qt.Key.Key_F12)
        rig.until(lambda: isinstance(rig.top, Pay))
        assert rig.shell.pages.currentIndex() == COUNTER

    def test_each_visit_shows_what_is_in_use_now(self, rig: Rig) -> None:
        page = settings_page(rig)
        rig.shell.show_page(COUNTER)
        assert rig.window.desk is not None
        settings = rig.window.desk.settings()
        rig.window.desk.save_settings(replace(settings, shop=ShopTexts(name="新店名")))
        rig.shell.show_page(SETTINGS)
        assert page.shop_name.text() == "新店名"
        assert page.unsaved_said.isHidden()

    def test_what_is_longer_than_a_field_takes_is_not_cut_by_a_save(self, rig: Rig) -> None:
        """Typed into the file by hand, or on another till."""
        page = settings_page(rig)
        rig.shell.show_page(COUNTER)
        assert rig.window.desk is not None
        long = ShopTexts(footer="谢谢惠顾，欢迎再来。" * 20)
        used = rig.window.desk.settings()
        printer = f"file://{rig.shop.folder}/{'a-long-name-' * 12}slips/"
        Path(printer.removeprefix("file://")).mkdir()
        rig.window.desk.save_settings(
            replace(used, shop=long, receipt=replace(used.receipt, printer=printer))
        )
        rig.shell.show_page(SETTINGS)
        page.shop_name.setText("新店名")
        page.submit()
        rig.until(lambda: rig.window.desk.settings().shop.name == "新店名")  # type: ignore[union-attr]  # it was there
        saved = rig.window.desk.settings()
        assert saved.shop.footer == long.footer
        assert saved.receipt.printer == printer

    def test_what_was_typed_and_not_saved_waits_and_is_said(self, rig: Rig) -> None:
        page = settings_page(rig)
        page.shop_name.setText("half typed")
        press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
        assert rig.shell.pages.currentIndex() == COUNTER
        assert rig.shell.strip.text == "设置改了，还没保存。按 Alt+7 回去。"
        rig.window.switch_theme("dark")
        press(Qt.Key(Qt.Key.Key_1 + SETTINGS), Qt.KeyboardModifier.AltModifier)
        assert page.shop_name.text() == "half typed"
        assert page.theme.code == "dark", "saving must not turn the key's theme back"
        assert page.unsaved_said.isVisible()
        page.submit()
        rig.until(page.unsaved_said.isHidden)
        rig.shell.strip.hide()
        rig.shell.show_page(COUNTER)
        assert "保存" not in rig.shell.strip.text

    def test_the_keys_for_language_and_theme_are_followed_while_it_is_shown(self, rig: Rig) -> None:
        page = settings_page(rig)
        rig.window.switch_theme("dark")
        rig.window.switch_language("en")
        assert (page.theme.code, page.language.code) == ("dark", "en")
        assert not page.unsaved

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("tcp://a:b", "地址"),
            ("192.168.1.500", "地址"),
            ("LPT1", "地址"),
            ("file:/no/such/folder/", "文件夹"),
        ],
    )
    def test_a_printer_that_cannot_be_is_told_at_its_field(
        self, rig: Rig, text: str, said: str
    ) -> None:
        page = settings_page(rig)
        page.printer.setFocus()
        write(text)
        press(Qt.Key.Key_Tab)
        rig.until(page.printer_said.isVisible)
        assert said in page.printer_said.text()
        page.printer.setFocus()
        press(Qt.Key.Key_Backspace)
        assert page.printer_said.isHidden()

    def test_an_address_that_is_none_is_not_saved(self, rig: Rig) -> None:
        page = settings_page(rig)
        page.printer.setText("tcp://a:b")
        page.submit()
        rig.settle()
        assert page.printer_said.text()
        assert page.printer.hasFocus()
        assert rig.window.desk is not None
        assert rig.window.desk.settings().receipt.printer == ""

    def test_a_save_without_another_folder_waits_for_no_backup(self, rig: Rig) -> None:
        page = settings_page(rig)
        done = threading.Event()
        rig.window.lanes.run(
            rig.window, "backup", lambda: done.wait(30), ok=lambda _: None, failed=lambda _: None
        )
        try:
            page.telephone.setText("0755 1234 5678")
            page.submit()
            desk = rig.window.desk
            assert desk is not None
            rig.until(lambda: desk.settings().shop.phone == "0755 1234 5678")
        finally:
            done.set()

    def test_a_printers_folder_is_never_looked_at_on_the_counters_lane(
        self, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A stick or a share that hangs would hang the sale."""
        lanes: set[str] = set()
        tried = folders.folder_problem

        def heard(text: str) -> folders.Problem:
            lanes.add(threading.current_thread().name.rpartition("_")[0])
            return tried(text)

        monkeypatch.setattr("app.spool.folder_problem", heard)
        page = settings_page(rig)
        folder = tmp_path / ("a folder with a name that is long " * 3).strip()
        folder.mkdir()
        page.printer.setFocus()
        write(f"file:{folder}/")
        press(Qt.Key.Key_Tab)
        page.submit()
        desk = rig.window.desk
        assert desk is not None
        rig.until(lambda: desk.settings().receipt.printer == f"file:{folder}/")
        assert lanes == {"lane-print"}
