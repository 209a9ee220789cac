"""Fields, segments, strip and sheets, each by real keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Show
from tests.ui.keys import focus, hold, keypad, press
from ui.kit import Kit
from ui.widgets.basics import Button, ElidedLabel, Label
from ui.widgets.number_fields import AmountField, PinField, WholeField
from ui.widgets.search_box import SearchBox
from ui.widgets.segments import Segment, Segments
from ui.widgets.sheet import Sheet, SheetHost, tab_stops
from ui.widgets.strip import Strip


def hold_enter(widget: QWidget) -> None:
    hold(Qt.Key.Key_Return, "\r", widget=widget)


class TestAmountField:
    @pytest.fixture
    def field(self, show: Show, kit: Kit) -> AmountField:
        field = AmountField(kit, lambda: "Amount", several=True)
        show(field)
        field.setFocus()
        return field

    def test_typing_makes_lines(self, field: AmountField) -> None:
        QTest.keyClicks(field, "38+12.5")
        assert field.amounts() == (3800, 1250)

    def test_letters_and_a_third_decimal_do_not_arrive(self, field: AmountField) -> None:
        QTest.keyClicks(field, "3a8.125x")
        assert field.text() == "38.12"

    def test_a_tenth_digit_does_not_arrive(self, field: AmountField) -> None:
        QTest.keyClicks(field, "1234567890")
        assert field.text() == "123456789"

    def test_the_numpad_plus_makes_a_line_and_the_others_are_keys(self, field: AmountField) -> None:
        heard: list[str] = []
        field.star.connect(lambda: heard.append("*"))
        field.slash.connect(lambda: heard.append("/"))
        field.step_back.connect(lambda: heard.append("-"))
        QTest.keyClicks(field, "38")
        keypad(field, Qt.Key.Key_Plus, "+")
        QTest.keyClicks(field, "12")
        for key, text in (
            (Qt.Key.Key_Asterisk, "*"),
            (Qt.Key.Key_Slash, "/"),
            (Qt.Key.Key_Minus, "-"),
        ):
            keypad(field, key, text)
        assert (field.text(), heard) == ("38+12", ["*", "/", "-"])

    def test_the_main_rows_star_is_no_key(self, field: AmountField) -> None:
        heard: list[str] = []
        field.star.connect(lambda: heard.append("*"))
        QTest.keyClicks(field, "*")
        assert (field.text(), heard) == ("", [])

    def test_numpad_operators_can_be_switched_off(self, field: AmountField) -> None:
        heard: list[str] = []
        field.slash.connect(lambda: heard.append("/"))
        field.use_numpad_operators(False)
        keypad(field, Qt.Key.Key_Slash, "/")
        assert heard == []

    def test_a_held_enter_enters_once(self, field: AmountField) -> None:
        heard: list[int] = []
        field.entered.connect(lambda: heard.append(1))
        hold_enter(field)
        assert heard == [1]

    def test_an_accepted_amount_is_written_out(self, field: AmountField) -> None:
        QTest.keyClicks(field, "368")
        press(Qt.Key.Key_Return)
        assert field.text() == "368.00"

    def test_a_shown_amount_is_replaced_by_the_next_digit(self, field: AmountField) -> None:
        field.show_amount(30960)
        assert field.text() == "309.60"
        QTest.keyClicks(field, "2")
        assert field.text() == "2"

    def test_an_input_method_is_kept_out(self, field: AmountField) -> None:
        assert not field.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)


def test_a_single_amount_takes_no_plus(show: Show, kit: Kit) -> None:
    field = AmountField(kit, lambda: "Received", several=False)
    show(field)
    QTest.keyClicks(field, "12+3.5")
    assert (field.text(), field.amount()) == ("123.5", 12350)


def test_a_pin_is_six_hidden_digits(show: Show, kit: Kit) -> None:
    field = PinField(lambda: "PIN")
    show(field)
    QTest.keyClicks(field, "12a34567")
    assert (field.text(), field.displayText()) == ("123456", "●" * 6)


def test_points_are_whole(show: Show, kit: Kit) -> None:
    field = WholeField(lambda: "Points")
    show(field)
    QTest.keyClicks(field, "2.0-00")
    assert field.value() == 2000


class TestSearchBox:
    @pytest.fixture
    def box(self, show: Show, kit: Kit) -> SearchBox:
        box = SearchBox(kit)
        show(box)
        box.setFocus()
        return box

    def test_every_key_asks_with_the_whole_text(self, box: SearchBox) -> None:
        heard: list[str] = []
        box.asked.connect(heard.append)
        QTest.keyClicks(box, "662")
        assert heard == ["6", "66", "662"]

    def test_letters_in_composition_are_asked_at_the_cursor(
        self, box: SearchBox, qapp: QApplication
    ) -> None:
        heard: list[str] = []
        box.setText("6621")
        box.asked.connect(heard.append)
        box.setCursorPosition(4)
        qapp.sendEvent(box, QInputMethodEvent("c", []))
        qapp.sendEvent(box, QInputMethodEvent("cs", []))
        assert heard == ["6621c", "6621cs"]

    def test_enter_while_composing_accepts_nothing(
        self, box: SearchBox, qapp: QApplication
    ) -> None:
        heard: list[int] = []
        box.accepted.connect(lambda: heard.append(1))
        qapp.sendEvent(box, QInputMethodEvent("cs", []))
        QTest.keyClick(box, Qt.Key.Key_Return)
        assert heard == []

    def test_a_held_enter_accepts_once(self, box: SearchBox) -> None:
        heard: list[int] = []
        box.accepted.connect(lambda: heard.append(1))
        hold_enter(box)
        assert heard == [1]

    def test_arrows_move_the_list(self, box: SearchBox) -> None:
        heard: list[int] = []
        box.moved.connect(heard.append)
        QTest.keyClick(box, Qt.Key.Key_Down)
        QTest.keyClick(box, Qt.Key.Key_Up)
        assert heard == [1, -1]

    def test_used_text_is_grey_until_it_is_edited(self, box: SearchBox) -> None:
        box.setText("6621")
        box.mark_used()
        assert box.property("state") == "used"
        QTest.keyClicks(box, "1")
        assert box.property("state") == ""


class TestSegments:
    @pytest.fixture
    def group(self, show: Show, kit: Kit) -> Segments:
        group = Segments(
            kit,
            lambda: "Tender",
            [
                Segment("cash", lambda: "Cash"),
                Segment("qr", lambda: "QR"),
                Segment("card", lambda: "Card"),
            ],
        )
        show(QLineEdit(), group, QLineEdit())
        return group

    def test_arrows_move_inside_and_round(self, group: Segments) -> None:
        group.focus_here()
        chosen: list[str] = []
        group.chosen.connect(chosen.append)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Left):
            press(key)
        assert chosen == ["qr", "card", "cash", "card"]

    def test_the_group_is_one_tab_stop(self, group: Segments) -> None:
        group.choose("qr")
        assert len(tab_stops(group)) == 1

    def test_pressing_the_chosen_one_keeps_it(self, group: Segments) -> None:
        button = group._buttons[0]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert (group.code, button.isChecked()) == ("cash", True)

    def test_enter_on_the_group_is_reported_once(self, group: Segments) -> None:
        heard: list[int] = []
        group.entered.connect(lambda: heard.append(1))
        hold_enter(group._buttons[0])
        assert heard == [1]


def test_a_long_name_gives_way_and_pushes_nothing_out(show: Show) -> None:
    label, row = ElidedLabel(lambda: "A shop with a very long name of its own"), QWidget()
    layout = QHBoxLayout(row)
    layout.addWidget(label, 1)
    layout.addWidget(Label(lambda: "Lock"))
    show(row)
    row.resize(120, 40)
    assert row.width() == 120
    assert label.width() < label.sizeHint().width()


def test_a_held_enter_presses_a_button_once(show: Show, kit: Kit) -> None:
    button, heard = Button(kit, lambda: "Charge"), []
    button.clicked.connect(lambda: heard.append(1))
    show(button)
    button.setFocus()
    hold_enter(button)
    assert heard == [1]


class TestStrip:
    @pytest.fixture
    def strip(self, show: Show, kit: Kit) -> Strip:
        return Strip(kit, show(Label(lambda: "under")))

    def test_good_news_fades_and_a_warning_stays(
        self, strip: Strip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ui.widgets.strip.GOOD_NEWS_MS", 30)
        strip.good_news(lambda: "Paid")
        assert strip.text == "Paid"
        qtbot.waitUntil(lambda: strip.text == "")
        strip.warn(lambda: "No paper")
        qtbot.wait(60)
        assert strip.text == "No paper"

    def test_each_warning_stays_until_it_is_seen_or_done_with(self, strip: Strip) -> None:
        paper, disk = (lambda: "No paper"), (lambda: "Disk full")
        for text in (paper, disk, disk):
            strip.warn(text)
        strip.refuse(lambda: "Open a shift first.")
        strip.drop_passing()
        assert strip.text == "Disk full"
        strip._close.click()
        assert strip.text == "No paper"
        strip.withdraw(paper)
        assert strip.text == ""

    def test_a_refusal_goes_with_the_next_good_news(
        self, strip: Strip, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ui.widgets.strip.GOOD_NEWS_MS", 30)
        strip.refuse(lambda: "Open a shift first.")
        qtbot.wait(60)
        assert strip.text == "Open a shift first."
        strip.good_news(lambda: "The shift is open.")
        qtbot.waitUntil(lambda: strip.text == "")

    def test_undo_runs_once_and_hides_the_strip(self, strip: Strip) -> None:
        undone: list[int] = []
        strip.offer_undo(lambda: "Cleared", lambda: undone.append(1))
        strip._button.click()
        strip._button.click()
        assert (undone, strip.text) == ([1], "")

    def test_its_close_button_is_an_icon_without_a_box(self, strip: Strip, kit: Kit) -> None:
        strip.warn(lambda: "No paper")
        assert strip._close.width() <= kit.look.px(52)
        ground = strip.grab().toImage()
        edge = strip._close.geometry().topLeft()
        middle = strip._close.geometry().center().x()
        assert ground.pixelColor(middle, edge.y()) == ground.pixelColor(edge.x() - 2, edge.y() + 2)

    def test_it_never_takes_the_focus(self, strip: Strip) -> None:
        assert tab_stops(strip) == []


class Notes(Sheet):
    def __init__(self, kit: Kit) -> None:
        super().__init__(kit, lambda: "Notes")
        self.first, self.second = QLineEdit(), QLineEdit()
        self.body.addWidget(self.first)
        self.body.addWidget(self.second)

    def first_focus(self) -> QWidget:
        return self.first


class TestSheets:
    @pytest.fixture
    def under(self, show: Show) -> QLineEdit:
        field = QLineEdit()
        show(field)
        field.setFocus()
        return field

    def host(self, kit: Kit, under: QLineEdit) -> SheetHost:
        return SheetHost(kit, under.window())

    def test_tab_stays_inside_and_comes_round(self, kit: Kit, under: QLineEdit) -> None:
        sheet = Notes(kit)
        self.host(kit, under).open(sheet)
        visited = []
        for _ in range(3):
            visited.append(focus())
            press(Qt.Key.Key_Tab)
        assert focus() is sheet.first
        assert under not in visited
        assert len(set(visited)) == 3

    def test_escape_closes_and_tells(self, kit: Kit, under: QLineEdit) -> None:
        host, told = self.host(kit, under), []
        host.emptied.connect(lambda: told.append(1))
        host.open(Notes(kit))
        press(Qt.Key.Key_Escape)
        assert (host.top, told, host.isHidden()) == (None, [1], True)

    def test_the_sheet_below_comes_back(self, kit: Kit, under: QLineEdit) -> None:
        host, below = self.host(kit, under), Notes(kit)
        host.open(below)
        below.first.setText("half")
        host.open(Notes(kit))
        assert not below.isVisible()
        press(Qt.Key.Key_Escape)
        assert (host.top, below.first.text(), below.first.hasFocus()) == (below, "half", True)

    def test_a_sheet_is_no_window(self, kit: Kit, under: QLineEdit) -> None:
        sheet = Notes(kit)
        self.host(kit, under).open(sheet)
        assert not sheet.isWindow()
        assert not sheet.isModal()
