"""Sales by amount and by item (flows 5 and 6), by real keys on a real store."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from tests.ui.conftest import Rig
from tests.ui.flows.steps import shows
from tests.ui.keys import keypad, press, write
from tests.ui.shop import COFFEE, TEA
from ui.cart import Cart
from ui.dialogs.pay import Pay
from ui.dialogs.pick_item import PickItem
from ui.widgets.basics import Button


class TestSale:
    def test_flow_5_amount_enter_enter_is_a_sale(self, rig: Rig) -> None:
        before = rig.documents()
        rig.attach()
        rig.amount("368")
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Pay))
        rig.until(lambda: rig.top is not None and getattr(rig.top, "_painted", False))
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.documents() == before + 1
        assert rig.counter.cart.is_empty
        assert rig.counter.finder.box.hasFocus()
        sold = rig.counter.charging.last_sale
        assert sold is not None
        assert (sold.to_pay_minor, sold.document.points_earned) == (34960, 349)

    def test_enter_right_after_the_last_digit_pays_what_was_typed(self, rig: Rig) -> None:
        rig.amount("36")
        write("8")
        press(Qt.Key.Key_Return)
        pay = rig.sheet(Pay)
        assert pay.quote.draft.to_pay_minor == 36800

    def test_a_sale_without_a_member(self, rig: Rig) -> None:
        rig.amount("12.5")
        rig.open_pay()
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.charging.last_sale is not None
        assert rig.counter.charging.last_sale.to_pay_minor == 1250

    def test_two_amounts_make_two_lines(self, rig: Rig) -> None:
        rig.amount("38")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Plus, "+")
        write("12.5")
        rig.until(
            lambda: rig.counter.charging.quote and len(rig.counter.charging.quote.draft.lines) == 2
        )
        assert rig.counter.sale.line_rows.rowCount() == 2

    def test_change_is_shown_live_and_stays_readable(self, rig: Rig) -> None:
        rig.amount("329.60")
        pay = rig.open_pay()
        write("400")
        assert pay.change_minor == 7040
        assert pay._change.text() == "¥70.40"
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.sale.last_sale._change.text() == "¥70.40"
        write("1")
        assert rig.counter.sale.last_sale.isVisible()

    def test_too_little_cash_is_said_and_nothing_is_taken(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("309.60")
        pay = rig.open_pay()
        write("300")
        press(Qt.Key.Key_Return)
        assert "还差 ¥9.60" in pay.problem.text()
        assert rig.documents() == before

    def test_the_next_tender_is_numpad_star_and_takes_exactly(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        keypad(pay.received, Qt.Key.Key_Asterisk, "*")
        assert (pay.tender.code, pay.given_minor, pay.change_minor) == ("qr", 10000, 0)
        press(Qt.Key.Key_Return)
        rig.until(lambda: rig.top is None)
        assert rig.counter.charging.last_sale is not None
        assert rig.counter.charging.last_sale.document.tenders[0].kind == "qr"

    def test_choosing_a_tender_commits_nothing(self, rig: Rig) -> None:
        before = rig.documents()
        rig.amount("100")
        rig.open_pay()
        for key in (Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_1):
            press(key, Qt.KeyboardModifier.ControlModifier)
        assert rig.documents() == before
        assert isinstance(rig.top, Pay)

    def test_escape_leaves_pay_and_keeps_the_sale(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("100")
        rig.open_pay()
        press(Qt.Key.Key_Escape)
        assert rig.top is None
        assert rig.counter.sale.amount.text() == "100"
        assert rig.counter.attached is not None

    def test_nothing_to_charge_says_so(self, rig: Rig) -> None:
        press(Qt.Key.Key_F12)
        assert "请输入金额或扫商品" in rig.counter.sale.problem.text()
        assert rig.top is None

    def test_an_amount_over_the_limit_is_refused_at_the_amount_and_kept(self, rig: Rig) -> None:
        rig.amount("690123")
        assert "¥690,123.00 超过" in rig.counter.sale.problem.text()
        press(Qt.Key.Key_F12)
        rig.settle()
        assert rig.top is None
        assert "¥690,123.00 超过" in rig.counter.sale.problem.text()
        assert rig.counter.sale.amount.hasFocus()
        assert rig.counter.sale.amount.text() == "690123"

    def test_escape_in_the_amount_drops_one_amount_and_can_be_undone(self, rig: Rig) -> None:
        rig.amount("38")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Plus, "+")
        write("12.5")
        press(Qt.Key.Key_Escape)
        assert rig.counter.cart.typed == (3800,)
        press(Qt.Key.Key_Escape)
        assert rig.counter.sale.amount.text() == ""
        rig.shell.strip._button.click()
        assert rig.counter.cart.typed == (3800,)
        assert rig.counter.sale.amount.text() == "38"

    def test_the_notes_of_a_large_sum_show_all_their_digits(self, rig: Rig) -> None:
        rig.amount("40001")
        pay = rig.open_pay()
        notes = [note for note in pay.findChildren(Button) if note.text().startswith("¥40,")]
        assert [note.width() - note.sizeHint().width() >= 0 for note in notes] == [True] * 4
        assert all(note.geometry().right() < pay.width() for note in notes)

    def test_digits_for_a_qr_payment_are_answered_in_words(self, rig: Rig) -> None:
        rig.amount("100")
        pay = rig.open_pay()
        press(Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
        assert pay.received.property("state") == "fixed"
        write("5")
        assert pay.received.text() == "100.00"
        assert pay.problem.text() == "扫码和银行卡正好收 ¥100.00。"

    @pytest.mark.parametrize("keys", [(Qt.Key.Key_F5,), (Qt.Key.Key_F11,), (Qt.Key.Key_F1,)])
    def test_f12_over_a_sheet_with_nothing_to_lose_goes_to_pay(
        self, rig: Rig, keys: tuple[Qt.Key, ...]
    ) -> None:
        rig.amount("100")
        for key in keys:
            press(key)
        assert rig.top is not None
        press(Qt.Key.Key_F12)
        rig.until(lambda: isinstance(rig.top, Pay))

    def test_f12_over_work_that_could_be_lost_says_why_not(self, rig: Rig) -> None:
        rig.amount("100")
        press(Qt.Key.Key_F3)
        before = rig.top
        assert before is not None
        press(Qt.Key.Key_F12)
        assert rig.top is before
        assert "请先完成这一步" in rig.shell.strip.text

    def test_enter_in_an_empty_item_box_goes_to_pay(self, rig: Rig) -> None:
        rig.scan(TEA)
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        assert isinstance(rig.top, PickItem)
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Pay))

    def test_down_and_enter_pick_an_item_with_nothing_typed(self, rig: Rig) -> None:
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        sheet = rig.sheet(PickItem)
        rig.until(lambda: sheet.rows.rowCount() == 3)
        press(Qt.Key.Key_Down)
        second = sheet.rows.record(1)
        press(Qt.Key.Key_Return)
        assert second is not None
        assert [line.code for line in rig.counter.cart.lines] == [second.code]
        assert rig.top is sheet
        rig.clock.now += 1
        press(Qt.Key.Key_Return)
        rig.until(lambda: isinstance(rig.top, Pay))
        assert [line.request.quantity for line in rig.counter.cart.lines] == [1]

    def test_enter_before_the_rows_of_what_is_typed_waits_for_them(self, rig: Rig) -> None:
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        sheet = rig.sheet(PickItem)
        rig.until(lambda: sheet.rows.rowCount() == 3)
        with rig.busy_store():
            write("nslh")
            press(Qt.Key.Key_Return)
            assert not rig.counter.cart.lines
        rig.until(lambda: bool(rig.counter.cart.lines))
        assert [line.request.name for line in rig.counter.cart.lines] == ["南山礼盒"]

    def test_more_items_than_are_shown_are_said(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("app.queries.counter", "ui.dialogs.pick_item"):
            monkeypatch.setattr(f"{module}.ITEMS_SHOWN", 2)
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        sheet = rig.sheet(PickItem)
        rig.until(lambda: sheet.rows.rowCount() == 2)
        assert sheet.said.isVisible()
        assert "前 2 件" in sheet.said.text()
        write("tgy")
        rig.until(lambda: sheet.rows.rowCount() == 1)
        assert not sheet.said.isVisible()

    def test_flow_6_items_by_scan_and_by_initials(self, rig: Rig) -> None:
        rig.scan(TEA)
        press(Qt.Key.Key_F5)
        press(Qt.Key.Key_F5)
        assert isinstance(rig.top, PickItem)
        write("nslh")
        rig.settle()
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Escape)
        rig.settle()
        assert [line.request.name for line in rig.counter.cart.lines] == [
            "铁观音 250 克",
            "南山礼盒",
        ]
        assert rig.counter.charging.quote is not None
        assert rig.counter.charging.quote.draft.to_pay_minor == 25600

    def test_three_star_and_a_scan_are_three_pieces(self, rig: Rig) -> None:
        press(Qt.Key.Key_F5)
        write("3")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Asterisk, "*")
        rig.scan(TEA)
        assert rig.counter.cart.lines[0].request.quantity == 3

    def test_the_same_item_again_at_once_is_one_scan(self, rig: Rig) -> None:
        rig.scan(TEA)
        item = rig.counter._desk.items("tgy")[0]
        rig.counter._last_item = (item.code, rig.clock.now)
        rig.counter.add_item(item)
        assert rig.counter.cart.lines[0].request.quantity == 1
        assert "重复扫描" in rig.shell.strip.text

    def test_the_same_unknown_code_again_at_once_is_one_scan(self, rig: Rig) -> None:
        rig.clock.step_s = 0.05
        rig.counter.scanning.scan("6999999999999")
        rig.counter.scanning.scan("6999999999999")
        rig.settle()
        assert len(rig.counter.cart.lines) == 1
        assert "重复扫描" in rig.shell.strip.text

    def test_an_unknown_code_is_a_red_line_and_scanning_goes_on(self, rig: Rig) -> None:
        rig.scan("6999999999999")
        rig.scan(TEA)
        assert [line.unknown for line in rig.counter.cart.lines] == [True, False]
        press(Qt.Key.Key_F12)
        assert rig.top is None
        assert "没认出" in rig.counter.sale.problem.text()
        assert rig.counter.sale.lines.hasFocus()
        press(Qt.Key.Key_Delete)
        assert [line.unknown for line in rig.counter.cart.lines] == [False]

    def test_a_removed_line_comes_back(self, rig: Rig) -> None:
        rig.scan(TEA)
        rig.counter.sale.lines.setFocus()
        rig.counter.sale.lines.setCurrentIndex(rig.counter.sale.line_rows.index(0))
        press(Qt.Key.Key_Delete)
        assert rig.counter.cart.lines == ()
        press(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        assert len(rig.counter.cart.lines) == 1

    def test_a_cleared_sale_can_be_had_back(self, rig: Rig) -> None:
        rig.attach()
        rig.amount("38")
        press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        assert rig.counter.cart.is_empty
        rig.shell.strip._button.click()
        rig.settle()
        assert rig.counter.sale.amount.text() == "38"
        assert rig.counter.attached is not None

    def test_f5_picks_the_item_for_an_unknown_code_in_its_place(self, rig: Rig) -> None:
        rig.scan(TEA)
        rig.scan("6999999999999")
        rig.scan(COFFEE)
        press(Qt.Key.Key_F5)
        assert shows(rig, PickItem)
        write("nslh")
        rig.settle()
        press(Qt.Key.Key_Return)
        press(Qt.Key.Key_Escape)
        rig.settle()
        names = [line.request.name for line in rig.counter.cart.lines]
        assert names == ["铁观音 250 克", "南山礼盒", "手冲咖啡"]
        assert rig.counter.charging.quote is not None
        assert rig.counter.charging.quote.draft.gross_minor == 28800

    def test_pieces_said_before_an_unknown_code_are_kept_for_its_item(self, rig: Rig) -> None:
        press(Qt.Key.Key_F5)
        write("3")
        keypad(rig.counter.sale.amount, Qt.Key.Key_Asterisk, "*")
        rig.scan("6999999999999")
        press(Qt.Key.Key_F5)
        write("nslh")
        rig.settle()
        press(Qt.Key.Key_Return)
        assert [line.request.quantity for line in rig.counter.cart.lines] == [3]

    def test_items_have_their_english_names_on_the_english_screen(self, rig: Rig) -> None:
        rig.scan(TEA)
        rows = rig.counter.sale.line_rows
        assert rows.data(rows.index(0)) == "铁观音 250 克"
        rig.window.switch_language("en")
        assert rows.data(rows.index(0)) == "Tieguanyin 250 g"
        spoken = rows.data(rows.index(0), int(Qt.ItemDataRole.AccessibleTextRole))
        assert spoken == "Tieguanyin 250 g, 1 × ¥88.00, ¥88.00"

    @pytest.mark.parametrize(
        ("change", "said", "total"),
        [
            ("price_minor = price_minor", "未完成的单还在。请核对后继续。", "¥210.00"),
            ("price_minor = 9900", "未结的单还在，价格已有变动。请核对后继续。", "¥232.00"),
            ("active = 0", "未结的单还在，价格已有变动。请核对后继续。", "¥34.00"),
        ],
    )
    def test_a_cart_that_is_taken_up_again_has_the_prices_of_now(
        self, rig: Rig, change: str, said: str, total: str
    ) -> None:
        rig.scan(TEA)
        rig.clock.now += 1
        rig.scan(TEA)
        rig.amount("34")
        window, desk = rig.window, rig.window.desk
        assert desk is not None
        cart = rig.counter.cart

        def kept_and_changed() -> tuple[Cart, bool] | None:
            desk.keep_cart(cart)
            with desk.context.write_rows() as conn:
                conn.execute(f"UPDATE item SET {change} WHERE code = ?", (TEA,))
            return desk.cart_again()

        again = list[tuple[Cart, bool] | None]()
        window.lanes.run(window, "db", kept_and_changed, ok=again.append, failed=lambda error: None)
        rig.until(lambda: again)
        window._restore(again[0])
        rig.until(lambda: rig.counter.charging.fresh)
        assert rig.shell.strip.text == said
        assert rig.counter.charging.quote is not None
        gross = rig.counter.charging.quote.draft.gross_minor
        assert window._kit.formats.money(gross) == total
        assert [line.unknown for line in rig.counter.cart.lines] == ["active" in change]

    def test_a_kept_line_keeps_its_english_name(self, rig: Rig) -> None:
        rig.scan(TEA)
        rig.until(lambda: not rig.counter._keeper.isActive())
        rig.settle()
        assert rig.window.desk is not None
        kept = rig.window.desk.kept_cart()
        assert kept is not None
        assert [line.name_en for line in kept.lines] == ["Tieguanyin 250 g"]
