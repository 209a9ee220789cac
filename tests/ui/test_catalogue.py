"""The catalogue page by its keys: search, an item new and changed, withdrawn and back, a file in and out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TypeVar, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from app.catalogue_file import CatalogueFile, CatalogueItem, read_catalogue
from app.queries.catalogue import ABOVE, COMING
from db import rows
from tests.ui.conftest import Rig
from tests.ui.keys import focus, press, write
from tests.ui.shop import TEA
from ui.dialogs.catalogue import ImportSheet, ItemSheet
from ui.screens.catalogue_page import CataloguePage

Answer = TypeVar("Answer")


def open_page(rig: Rig) -> CataloguePage:
    rig.act("ml")
    page = rig.page(CataloguePage)
    rig.settle()
    return page


def codes(page: CataloguePage) -> list[str]:
    return [item(page, row).code for row in range(page.rows.rowCount())]


def item(page: CataloguePage, row: int) -> CatalogueItem:
    found = page.rows.record(row)
    assert found is not None
    return found


def open_tea(rig: Rig, page: CataloguePage) -> ItemSheet:
    """By its initials, Down, Enter."""
    page.search.clear()
    page.search.setFocus()
    write("tgy")
    rig.settle()
    press(Qt.Key.Key_Down)
    press(Qt.Key.Key_Return)
    return rig.sheet(ItemSheet)


def saved(rig: Rig, page: CataloguePage) -> None:
    rig.until(lambda: rig.top is None)
    rig.settle()


def ask(rig: Rig, question: Callable[[], Answer]) -> Answer:
    """Something of the store, asked on its lane."""
    found: list[Answer] = []
    rig.window.lanes.run(rig.window, "db", question, ok=found.append, failed=lambda error: None)
    rig.until(lambda: bool(found))
    return found[0]


def test_f11_ml_opens_the_list_with_the_search_in_reach(manager: Rig) -> None:
    page = open_page(manager)
    assert page.search.hasFocus()
    assert sorted(codes(page)) == sorted([TEA, "6909876543215", "6900000000014"])


@pytest.mark.parametrize("text", ["铁观", "tgy", "Tieguan", TEA[-5:]])
def test_an_item_is_found_by_name_initials_and_code(manager: Rig, text: str) -> None:
    page = open_page(manager)
    page.search.setText(text)
    manager.settle()
    assert codes(page) == [TEA]


def test_a_changed_price_is_that_of_the_next_scan_and_not_of_the_line_before(manager: Rig) -> None:
    manager.scan(TEA)
    page = open_page(manager)
    sheet = open_tea(manager, page)
    assert sheet.fields["price"].hasFocus()
    write("99.50")
    sheet.tax_included.focus_here()
    press(Qt.Key.Key_Return)
    saved(manager, page)
    assert item(page, 0).price_minor == 9950
    manager.scan(TEA)
    prices = [line.request.unit_price_minor for line in manager.counter.cart.lines]
    assert prices == [8800, 9950]


def test_a_new_item_is_typed_from_field_to_field_and_scanned(manager: Rig) -> None:
    page = open_page(manager)
    page.add.setFocus()
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(ItemSheet)
    for text in ("J1", "tea", "茉莉花茶", "Jasmine tea", "6911111111119", "45"):
        cast(QLineEdit, focus()).setText(text)  # An input method commits like this.
        press(Qt.Key.Key_Return)
    assert sheet.fields["per"].hasFocus()
    press(Qt.Key.Key_Return)
    write("13")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_Return)
    saved(manager, page)
    page.search.setText("mlhc")
    manager.settle()
    assert item(page, 0) == CatalogueItem(
        0, "J1", "茉莉花茶", "Jasmine tea", "tea", 4500, 1, 1300, False, ("6911111111119",), False
    )  # fmt: skip
    manager.scan("6911111111119")
    assert manager.counter.cart.lines[-1].request.name == "茉莉花茶"


def test_what_is_wrong_is_said_and_framed_and_nothing_is_saved(manager: Rig) -> None:
    page = open_page(manager)
    sheet = open_tea(manager, page)
    sheet.fields["tax"].setText("many")
    sheet.submit()
    manager.settle()
    assert "税率" in sheet.problem.text()
    assert sheet.fields["tax"].property("state") == "wrong"
    assert sheet.fields["tax"].hasFocus()
    press(Qt.Key.Key_Escape)
    page.read()
    manager.settle()
    assert item(page, 0).tax_bp == 1300


def test_a_scan_adds_a_barcode_to_the_item_on_screen(manager: Rig) -> None:
    page = open_page(manager)
    sheet = open_tea(manager, page)
    manager.scan("6922222222222")
    assert sheet.fields["barcodes"].text().split() == [TEA, "6922222222222"]


def test_an_item_is_withdrawn_and_brought_back(manager: Rig) -> None:
    page = open_page(manager)
    sheet = open_tea(manager, page)
    sheet.switch.setFocus()
    press(Qt.Key.Key_Return)
    saved(manager, page)
    assert item(page, 0).withdrawn
    desk = manager.window.desk
    assert desk is not None
    assert ask(manager, lambda: desk.read_code(TEA).kind) == "unknown"
    sheet = open_tea(manager, page)
    sheet.switch.setFocus()
    press(Qt.Key.Key_Return)
    saved(manager, page)
    assert not item(page, 0).withdrawn
    assert ask(manager, lambda: desk.read_code(TEA).kind) == "item"


def test_initials_are_typed_and_never_scanned(manager: Rig) -> None:
    desk = manager.window.desk
    assert desk is not None
    assert ask(manager, lambda: desk.find_staff("lx")) is not None
    assert ask(manager, lambda: desk.read_code("lx").kind) == "unknown"


def test_a_file_is_checked_shows_its_faults_and_is_taken_when_it_has_none(
    manager: Rig, tmp_path: Path
) -> None:
    page = open_page(manager)
    file = tmp_path / "goods.csv"
    file.write_text("code,name,price\nK1,甲,x\nK2,乙,2\n", "utf-8")
    page.file.setFocus()
    press(Qt.Key.Key_Return)
    sheet = manager.sheet(ImportSheet)
    sheet.path.setText(str(file))
    press(Qt.Key.Key_Return)
    manager.until(lambda: sheet.rows.rowCount() == 1)
    assert "2" in sheet.rows.index(0, 0).data()
    file.write_text("code,name,price\nK1,甲,1\nK2,乙,2\n", "utf-8")
    press(Qt.Key.Key_Return)
    manager.until(sheet.commit.hasFocus)
    assert sheet.rows.rowCount() == 0
    assert page.rows.rowCount() == 3
    press(Qt.Key.Key_Return)
    saved(manager, page)
    assert {"K1", "K2"} < set(codes(page))


@contextmanager
def held_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """No file is read to its end before the block is; the event says that one is being read."""
    begun, go_on = Event(), Event()

    def held(content: bytes, exponent: int) -> CatalogueFile:
        begun.set()
        assert go_on.wait(60)
        return read_catalogue(content, exponent)

    monkeypatch.setattr("app.usecases.catalogue.read_catalogue", held)
    try:
        yield begun
    finally:
        go_on.set()


def begin_check(rig: Rig, file: Path) -> ImportSheet:
    """A right file, named to the sheet, and Enter."""
    page = open_page(rig)
    file.write_text("code,name,price\nK1,甲,1\n", "utf-8")
    page.file.setFocus()
    press(Qt.Key.Key_Return)
    sheet = rig.sheet(ImportSheet)
    sheet.path.setText(str(file))
    press(Qt.Key.Key_Return)
    return sheet


def answered(rig: Rig) -> None:
    """Wait until the report lane has said everything it was asked."""
    done: list[int] = []
    rig.window.lanes.run(rig.window, "report", lambda: 1, ok=done.append, failed=lambda _: None)
    rig.until(lambda: done)


def test_esc_leaves_a_file_whose_check_takes_long(
    manager: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_check(monkeypatch) as begun:
        begin_check(manager, tmp_path / "goods.csv")
        manager.until(begun.is_set)
        press(Qt.Key.Key_Escape)
        assert manager.top is None


def test_the_answer_about_another_path_leaves_nothing_to_take(
    manager: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_check(monkeypatch) as begun:
        sheet = begin_check(manager, tmp_path / "goods.csv")
        manager.until(begun.is_set)
        write("2")
    answered(manager)
    assert sheet.commit.text() == "检查文件"
    assert sheet.path.hasFocus()
    press(Qt.Key.Key_Return)
    manager.until(lambda: "找不到该文件" in sheet.problem.text())


def test_the_saved_file_has_every_item(manager: Rig) -> None:
    page = open_page(manager)
    page.csv.setFocus()
    press(Qt.Key.Key_Return)
    folder = manager.shop.folder / "reports"
    manager.until(lambda: list(folder.glob("catalogue-*.csv")))
    (file,) = folder.glob("catalogue-*.csv")
    found = read_catalogue(file.read_bytes(), 2)
    assert (len(found.items), found.faults) == (3, ())


def test_a_cashier_reads_why_there_is_no_list(rig: Rig) -> None:
    rig.shell.actions_.do("catalogue")
    page = rig.shell.pages.currentWidget()
    assert isinstance(page, CataloguePage)
    rig.until(lambda: page.problem.text() != "")
    assert page.rows.rowCount() == 0
    assert not page.add.isEnabled()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_nothing_is_cut_off_on_the_smallest_screen(manager: Rig, language: str) -> None:
    if language == "en":
        manager.shell.actions_.do("language")
    page = open_page(manager)
    steps: tuple[Callable[[], None], ...] = (
        lambda: None, page._add, page._import, lambda: page._open(0),
    )  # fmt: skip
    for open_sheet in steps:
        open_sheet()
        manager.settle()
        assert manager.faults() == []
        if manager.top is not None:
            press(Qt.Key.Key_Escape)


def test_an_item_with_many_barcodes_keeps_them_all_when_its_price_changes(
    manager: Rig, tmp_path: Path
) -> None:
    many = [f"69012345{n:05d}" for n in range(60)]
    desk = manager.window.desk
    assert desk is not None
    session = manager.shell.errands.who()
    file = f"code,name,price,barcodes\n{TEA},铁观音 250 克,88,{' '.join(many)}\n".encode()
    ask(manager, lambda: desk.catalogue.take(desk.new_command(), session, file))
    page = open_page(manager)
    sheet = open_tea(manager, page)
    sheet.fields["price"].setText("90")
    sheet.submit()
    saved(manager, page)
    page.search.clear()
    manager.settle()
    (tea,) = [item(page, row) for row in range(page.rows.rowCount()) if codes(page)[row] == TEA]
    assert (tea.price_minor, len(tea.barcodes)) == (9000, len(many))


def test_prices_of_head_office_are_said_and_left_alone(manager: Rig) -> None:
    assert manager.window.desk is not None
    ctx = manager.window.desk.context
    on = ctx.business_date()
    with ctx.write_rows() as conn:
        rows.set_meta(conn, ABOVE, json.dumps([7, int(on)]))
        rows.set_meta(conn, COMING, json.dumps([8, int(on.plus(1))]))
    page = open_page(manager)
    said = page.status.text()
    assert f"价目表由总部下发，自 {on.iso()} 起。" in said
    assert f"下一份从 {on.plus(1).iso()} 起生效。" in said
    assert (page.file.isEnabled(), page.add.isEnabled()) == (False, False)
    assert page.csv.isEnabled()
    sheet = open_tea(manager, page)
    write("1.00")
    sheet.tax_included.focus_here()
    press(Qt.Key.Key_Return)
    manager.settle()
    assert item(page, 0).price_minor != 100
    with ctx.write_rows() as conn:
        rows.set_meta(conn, COMING, json.dumps([8, int(on)]))
    page.read()
    manager.settle()
    assert "下一份等本班结束后换上。" in page.status.text()
